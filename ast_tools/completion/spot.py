"""What surrounds a caret, as text: its line on both sides, the lines after it, how the file is indented."""

import re
from dataclasses import dataclass
from functools import cached_property

from ast_tools.languages import Language

FOLLOWING = 4_000
"""Characters after the caret's line that are compared with a completion."""
SAMPLE = 5_000
"""Bytes on each side from which the file's indentation and line ends are read."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Spot:
    """The surroundings of a caret. Columns count characters of the text as written, tabs as one.

    `before` and `after` are the two sides of its line; `above` is the last line with text above it; `following` are the
    lines after it; `near` is the file around it, `usual_unit` a level of
    indentation in its language.
    """

    before: str
    after: str
    above: str
    following: tuple[str, ...]
    near: bytes
    usual_unit: str

    @property
    def indent(self) -> str:
        """The white space its line begins with."""
        return self.before[: len(self.before) - len(self.before.lstrip())]

    @property
    def blank_before(self) -> bool:
        """Nothing but white space stands before the caret on its line."""
        return not self.before.strip()

    @property
    def inserts_above(self) -> bool:
        """The caret stands before the first word of a line: what is inserted becomes lines above it."""
        return self.blank_before and bool(self.after.strip())

    @property
    def has_body(self) -> bool:
        """The caret stands in a line, a header most likely, whose block is there already."""
        below = next((line for line in self.following if line.strip()), "")
        return not self.blank_before and width(below) > width(self.before)

    @cached_property
    def next_lines(self) -> tuple[str, ...]:
        """The lines a completion must not repeat, blank ones left out; the caret's own first if it becomes one."""
        own = (self.before + self.after,) if self.inserts_above else ()
        return tuple(line.rstrip() for line in own + self.following if line.strip())

    @cached_property
    def _style(self) -> tuple[str, bool]:
        return indent_unit(self.near, self.indent.encode(), self.usual_unit)

    @property
    def unit(self) -> str:
        """One level of indentation."""
        return self._style[0]

    @property
    def pure(self) -> bool:
        """Whether the file is indented in that way only."""
        return self._style[1]

    def inserted(self, text: str) -> str:
        """A completion as the file takes it: its own line ends, and a line of its own above what stands there."""
        near = self.near
        eol = "\r\n" if near.count(b"\r\n") * 2 > near.count(b"\n") else "\n"
        return (text + "\n" + self.before if self.inserts_above else text).replace("\n", eol)


def spot(language: Language | None, text: bytes, offset: int) -> Spot:
    """The surroundings of `offset`; bytes that are no UTF-8 read as replacement characters."""
    start, end = line_start(text, offset), _line_end(text, offset)
    following = text[end : end + FOLLOWING].decode("utf-8", "replace")
    above_end = len(text[:start].rstrip())
    return Spot(
        before=text[start:offset].decode("utf-8", "replace"),
        after=text[offset:end].decode("utf-8", "replace"),
        above=text[line_start(text, above_end) : above_end].decode("utf-8", "replace"),
        following=tuple(line.removesuffix("\r") for line in following.split("\n")[1:]),
        near=text[max(0, offset - SAMPLE) : offset + SAMPLE],
        usual_unit=language.indent if language is not None else "    ",
    )


def line_start(text: bytes, offset: int) -> int:
    """Where the line of an offset begins."""
    return text.rfind(b"\n", 0, offset) + 1


def _line_end(text: bytes, offset: int) -> int:
    end = text.find(b"\n", offset)
    end = len(text) if end < 0 else end
    return end - 1 if text[offset:end].endswith(b"\r") else end


_INDENT = re.compile(rb"^([ \t]+)(?=\S)", re.MULTILINE)
MIXED = 8
"""Where more than one indented line in this many is indented the other way, tabs or spaces, the file has both."""


def indent_unit(text: bytes, own: bytes, default: str) -> tuple[str, bool]:
    """One level of indentation as the text does it: a tab, or the commonest step between lines in spaces; and whether
    it does it in one way only. `own` is the indentation of the line that is written; `default` for want of any."""
    indents = [match.group(1) for match in _INDENT.finditer(text)] + [own] * bool(own)
    tabs = sum(indent.startswith(b"\t") for indent in indents)
    pure = bool(indents) and min(tabs, len(indents) - tabs) * MIXED <= len(indents)
    if tabs * 2 > len(indents):
        return "\t", pure
    steps: dict[int, int] = {}
    last = 0
    for indent in indents:
        if 2 <= len(indent) - last <= 8:
            steps[len(indent) - last] = steps.get(len(indent) - last, 0) + 1
        last = len(indent)
    if not steps:
        return default, pure
    return " " * max(steps, key=lambda step: (steps[step], -step)), pure


def width(line: str) -> int:
    """The columns of white space a line begins with, a tab going to the next multiple of eight."""
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip(" "))


def width_at(text: bytes, offset: int) -> int:
    """The columns of white space before the first thing on a line, which stands at `offset`."""
    return len(text[line_start(text, offset) : offset].decode("utf-8", "replace").expandtabs(8))


_WORD = re.compile(r"[ \t]*(\w+|\S)")
_WORD_DONE = re.compile(r"[ \t]*(?:\w+(?=\W)|[^\w\s])")


def first_word(line: str) -> str:
    """The first word of a line, or its first character where that is none."""
    match = _WORD.match(line)
    return match.group(1) if match is not None else ""


def is_word_done(line: str) -> bool:
    """Whether a line that is still being written has its first word for sure."""
    return _WORD_DONE.match(line) is not None
