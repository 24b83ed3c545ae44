"""What several sequences begin with."""

from collections.abc import Sequence


def n_shared(rows: Sequence[Sequence[str]] | Sequence[Sequence[int]]) -> int:
    """How many items all rows begin with; there is at least one row."""
    columns = zip(*rows, strict=False)
    return next((at for at, column in enumerate(columns) if len(set(column)) > 1), min(map(len, rows)))
