"""Sizes and times in words."""


def in_units(size: int) -> str:
    """Bytes in the unit that people use for files of this size (powers of ten)."""
    return f"{size / 1e9:,.2f} GB" if size >= 10**8 else f"{size / 1e6:,.2f} MB"


def duration(seconds: float) -> str:
    """Seconds in the two units that matter."""
    whole = round(seconds)
    if whole < 90:
        return f"{whole} s"
    if whole < 5400:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
