"""Which lines a model may change, and what it is shown around them."""

import textwrap
from dataclasses import dataclass

from ast_tools import SyntaxTree, enclosing, statement_around
from ast_tools.lines import Lines

_MOST_LINES = 30
_LINES_BEFORE = 12
_LINES_AFTER = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Whole lines [first, last] of a text. `start`, `end`: their bytes, without the last line end."""

    lines: Lines
    first: int
    last: int

    @property
    def start(self) -> int:
        return self.lines.start(self.first)

    @property
    def end(self) -> int:
        return self.lines.end(self.last)

    @property
    def text(self) -> str:
        return self.lines.text[self.start : self.end].decode("utf-8", "replace")

    @property
    def rows(self) -> list[str]:
        """Its lines without their line ends."""
        return [self.lines.line(at).decode("utf-8", "replace") for at in range(self.first, self.last + 1)]

    @property
    def margin(self) -> str:
        """The white space all its lines begin with."""
        rows = [row for row in self.rows if row.strip()]
        least = min(rows, key=lambda row: len(row) - len(row.lstrip()), default="")
        margin = least[: len(least) - len(least.lstrip())]
        return margin if all(row.startswith(margin) for row in rows) else ""

    @property
    def dedented(self) -> str:
        margin = self.margin
        return "\n".join(row.removeprefix(margin) if row.strip() else "" for row in self.rows)


def region_around(tree: SyntaxTree, lines: Lines, start: int, end: int) -> Region:
    """The smallest statement around [start, end), in whole lines; of a long one, the lines near what was reported."""
    since, until = statement_around(tree, start, end)
    asked = Region(lines=lines, first=lines.line_at(start), last=lines.line_at(max(start, end)))
    found = Region(lines=lines, first=min(lines.line_at(since), asked.first), last=max(_last(lines, until), asked.last))
    if found.last - found.first < _MOST_LINES:
        return found
    first = max(found.first, asked.first - 2)
    return Region(lines=lines, first=first, last=min(found.last, max(asked.last + 2, first), first + _MOST_LINES))


def selected(lines: Lines, start: int, end: int) -> Region:
    """The lines of a selection; the line at whose very start it ends does not count."""
    first = lines.line_at(start)
    return Region(lines=lines, first=first, last=max(first, _last(lines, end)))


def _last(lines: Lines, end: int) -> int:
    line = lines.line_at(end)
    return line - 1 if line and lines.start(line) == end else line


def headers(tree: SyntaxTree, region: Region) -> str:
    """The headers of the functions and classes around a region that `before` does not show, outermost first."""
    line_at, shown = region.lines.line_at, region.first - _LINES_BEFORE
    found = [scope for scope in enclosing(tree, region.start) if line_at(scope.header[0]) < shown]
    rows = [_line_of(region.lines, scope.header) for scope in found]
    return "\n".join(row for row in rows if row.strip())


def before(region: Region) -> str:
    """The lines just above a region."""
    return _rows(region.lines, max(0, region.first - _LINES_BEFORE), region.first)


def after(region: Region) -> str:
    """The lines just below a region."""
    return _rows(region.lines, region.last + 1, min(region.lines.count, region.last + 1 + _LINES_AFTER))


def _rows(lines: Lines, first: int, last: int) -> str:
    rows = [lines.line(number).decode("utf-8", "replace").rstrip() for number in range(first, last)]
    return "\n".join(rows).strip("\n")


def _line_of(lines: Lines, header: tuple[int, int]) -> str:
    start = lines.start(lines.line_at(header[0]))
    return textwrap.shorten(lines.text[start : header[1]].decode("utf-8", "replace"), 300, placeholder=" ...")
