"""The patterns of one ignore file, as git reads them (gitignore(5)); time is bounded however odd a pattern is.

A pattern is asked about one entry whose folder is not left out, never about what stands below it: so a folder that
was taken back (`!keep/`) takes back itself and not what other patterns say of its content.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

MOST_PATTERNS = 10_000
_CLASSES = {  # POSIX, in ASCII
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_PIECE = re.compile(r"\\(?P<escaped>.)|(?P<stars>\*+)|(?P<one>\?)|(?P<set>\[)|(?P<plain>[^\\*?\[]+)", re.DOTALL)
_IN_SET = re.compile(r"\[:(?P<named>[a-z]+):\]|\\(?P<escaped>.)|(?P<plain>[^\\])", re.DOTALL)

_Matches = Callable[[str], object]
_ANY_DEPTH: Final = None


@dataclass(frozen=True, slots=True)
class _Pattern:
    """`segments` are matched against all of a path, or the one against its last part; None is `**`."""

    negated: bool
    folders_only: bool
    anchored: bool
    segments: tuple[_Matches | None, ...]

    def matches(self, parts: Sequence[str]) -> bool:
        """Whether an entry, as the parts of its path below the file's folder, is meant."""
        if not self.anchored:
            return self.segments[0] is _ANY_DEPTH or bool(self.segments[0](parts[-1]))
        return _match(self.segments, parts)


class Patterns:
    """The patterns of one file, in its order. Immutable."""

    __slots__ = ("_patterns",)

    def __init__(self, text: str) -> None:
        lines = (line.removesuffix("\r") for line in text.split("\n"))
        found = (_pattern(line) for line in lines if line and not line.startswith("#"))
        self._patterns = tuple(pattern for pattern in found if pattern is not None)[-MOST_PATTERNS:][::-1]

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def says(self, below: str, *, is_folder: bool) -> bool | None:
        """Whether an entry is left out, by the last pattern that matches; None where none does.

        `below` is its path from the file's folder, with `/` between the parts.
        """
        parts = below.split("/")
        for pattern in self._patterns:
            if (is_folder or not pattern.folders_only) and pattern.matches(parts):
                return not pattern.negated
        return None


def _pattern(line: str) -> _Pattern | None:
    """None for a line that is blank or matches nothing."""
    line = _without_spaces_at_end(line)
    negated = line.startswith("!")
    line = line[1:] if negated else line
    folders_only = line.endswith("/")
    line = line.removesuffix("/")
    anchored = "/" in line
    parts = line.removeprefix("/").split("/")
    segments: list[_Matches | None] = []
    for number, part in enumerate(parts):
        if anchored and part == "**":
            # At the end it stands for something at least.
            ends = number == len(parts) - 1
            segments += [_ANY_DEPTH, bool] if ends else [_ANY_DEPTH]
            continue
        segment = _segment(part)
        if segment is None:
            return None
        segments.append(segment)
    return _Pattern(negated, folders_only, anchored, tuple(segments))


def _without_spaces_at_end(line: str) -> str:
    bare = line.rstrip(" ")
    # An escaped space stays.
    escapes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if escapes % 2 and len(bare) < len(line) else bare


def _match(segments: Sequence[_Matches | None], parts: Sequence[str]) -> bool:
    """All parts by all segments. On a mismatch only the last `**` takes one part more: that is enough."""
    at = part = 0
    again: tuple[int, int] | None = None
    while part < len(parts):
        if at < len(segments):
            segment = segments[at]
            if segment is _ANY_DEPTH:
                at += 1
                again = (at, part)
                continue
            if segment(parts[part]):
                at, part = at + 1, part + 1
                continue
        if again is None:
            return False
        again = (again[0], again[1] + 1)
        at, part = again
    return all(segment is _ANY_DEPTH for segment in segments[at:])


def _segment(glob: str) -> _Matches | None:
    """What one part of a path is matched with; None for a glob that git finds invalid or that matches nothing."""
    if not glob:
        return None
    if not re.search(r"[*?\[\\]", glob):
        return glob.__eq__
    expression = _expression(glob)
    return re.compile(expression, re.DOTALL).fullmatch if expression is not None else None


def _expression(glob: str) -> str | None:
    """A glob as an expression that never goes back over a star: what follows one is found at its first place."""
    runs, at = [""], 0
    while at < len(glob):
        found = _PIECE.match(glob, at)
        if found is None:  # a backslash at the end
            return None
        at = found.end()
        if found["stars"]:
            runs.append("")
        elif found["set"]:
            read = _set(glob, at)
            if read is None:
                return None
            runs[-1] += read[0]
            at = read[1]
        else:
            runs[-1] += "." if found["one"] else re.escape(found["escaped"] or found["plain"])
    first, *middle = runs
    if not middle:
        return first
    last = middle.pop()
    return first + "".join(f"(?>.*?{run})" for run in middle if run) + ".*" + last


def _set(glob: str, at: int) -> tuple[str, int] | None:
    """The characters after `[`, as a class, and where they end; None when they do not, or are no class."""
    negated = glob[at : at + 1] in ("!", "^")
    at += negated
    items: list[str] = []
    begin = at
    while at < len(glob) and (glob[at] != "]" or at == begin):
        found = _IN_SET.match(glob, at)
        if found is None:
            return None
        at = found.end()
        if found["named"] is not None:
            if found["named"] not in _CLASSES:
                return None
            items.append(_CLASSES[found["named"]])
            continue
        low = found["escaped"] or found["plain"]
        if glob[at : at + 1] == "-" and glob[at + 1 : at + 2] not in ("", "]"):
            upper = _IN_SET.match(glob, at + 1)
            if upper is None or upper["named"] is not None:
                return None
            at, high = upper.end(), upper["escaped"] or upper["plain"]
            items += [f"{re.escape(low)}-{re.escape(high)}"] if low <= high else []
        else:
            items.append(re.escape(low))
    if at >= len(glob):
        return None
    if not items:
        return ("." if negated else r"(?!)"), at + 1
    return f"[{'^' if negated else ''}{''.join(items)}]", at + 1
