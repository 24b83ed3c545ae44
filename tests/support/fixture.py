"""`$0` marks the cursor in a text, two of them a selection; `\\$0` stands for the characters themselves."""


def cursor(text: str) -> tuple[bytes, int]:
    """The text without its one mark, as UTF-8, and the mark's byte offset."""
    clean, marks = _strip(text)
    assert len(marks) == 1, f"one $0 wanted, {len(marks)} found"
    return clean, marks[0]


def selection(text: str) -> tuple[bytes, int, int]:
    """The text without its two marks, as UTF-8, and their byte offsets."""
    clean, marks = _strip(text)
    assert len(marks) == 2, f"two $0 wanted, {len(marks)} found"
    return clean, marks[0], marks[1]


def _strip(text: str) -> tuple[bytes, list[int]]:
    clean, marks = b"", []
    for number, part in enumerate(text.replace("\\$0", "\0").split("$0")):
        if number:
            marks.append(len(clean))
        clean += part.replace("\0", "$0").encode("utf-8")
    return clean, marks
