"""Where checkers say something is: 1-based lines and columns counted in characters -> byte offsets."""

from ast_tools.lines import Lines


def offset_of_characters(lines: Lines, line: int, column: int) -> int:
    """The byte offset of a 1-based line and column; what lies outside is moved to the nearest place inside."""
    number = min(max(line, 1), lines.count) - 1
    before = lines.line(number).decode("utf-8", "replace")[: max(column, 1) - 1]
    return min(lines.start(number) + len(before.encode("utf-8")), lines.end(number))
