"""Where checkers say something is: 1-based lines and columns -> byte offsets."""

from ast_tools.lines import Lines


def offset_of_characters(lines: Lines, line: int, column: int) -> int:
    """The byte offset where columns count characters; what lies outside the text is moved inside."""
    number = min(max(line, 1), lines.count) - 1
    before = lines.line(number).decode("utf-8", "replace")[: max(column, 1) - 1]
    return min(lines.start(number) + len(before.encode("utf-8")), lines.end(number))


def offset_of_bytes(lines: Lines, line: int, column: int) -> int:
    """The same where columns count bytes of UTF-8."""
    number = min(max(line, 1), lines.count) - 1
    return min(lines.start(number) + max(column, 1) - 1, lines.end(number))
