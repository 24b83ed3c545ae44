"""What surrounds a caret, as text: its line on both sides, the lines after it, how the file is indented."""

import re
from dataclasses import dataclass

from ast_tools.languages import Language

FOLLOWING = 4_000
"""Characters after the caret's line that are compared with a completion."""
SAMPLE = 5_000
"""Bytes on each side from which the file's indentation and line ends are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """The surroundings of a caret. Columns count characters of the text as written, tabs as one.

    `indent` is the white space of the line; `above` the last line with text above the caret's; `following` the lines
    after the caret's; `unit` one level of indentation; `eol` the line end in use.
    """

    before: str
    after: str
    indent: str
    above: str
    following: tuple[str, ...]
    unit: str
    eol: str

    @property
    def blank_before(self) -> bool:
        """Nothing but white space stands before the caret on its line."""
        return not self.before.strip()

    @property
    def inserts_above(self) -> bool:
        """The caret stands before the first word of a line: what is inserted becomes lines above it."""
        return self.blank_before and bool(self.after.strip())

    @property
    def next_lines(self) -> tuple[str, ...]:
        """The lines a completion must not repeat, blank ones left out; the caret's own first if it becomes one."""
        own = (self.before + self.after,) if self.inserts_above else ()
        return tuple(line.rstrip() for line in own + self.following if line.strip())


def spot(language: Language | None, text: bytes, offset: int) -> Spot:
    """The surroundings of `offset`; bytes that are no UTF-8 read as replacement characters."""
    start, end = _line_start(text, offset), _line_end(text, offset)
    before = text[start:offset].decode("utf-8", "replace")
    following = text[end : end + FOLLOWING].decode("utf-8", "replace")
    above = text[_line_start(text, len(text[:start].rstrip())) : len(text[:start].rstrip())].decode("utf-8", "replace")
    sample = text[max(0, offset - SAMPLE) : offset + SAMPLE]
    return Spot(
        before=before,
        after=text[offset:end].decode("utf-8", "replace"),
        indent=before[: len(before) - len(before.lstrip())],
        above=above,
        following=tuple(line.removesuffix("\r") for line in following.split("\n")[1:]),
        unit=indent_unit(sample, language),
        eol="\r\n" if sample.count(b"\r\n") * 2 > sample.count(b"\n") else "\n",
    )


def _line_start(text: bytes, offset: int) -> int:
    return text.rfind(b"\n", 0, offset) + 1


def _line_end(text: bytes, offset: int) -> int:
    end = text.find(b"\n", offset)
    end = len(text) if end < 0 else end
    return end - 1 if text[offset:end].endswith(b"\r") else end


_INDENT = re.compile(rb"^([ \t]+)(?=\S)", re.MULTILINE)


def indent_unit(text: bytes, language: Language | None) -> str:
    """One level of indentation as the text does it: a tab, or the commonest step between lines in spaces."""
    indents = [match.group(1) for match in _INDENT.finditer(text)]
    if sum(indent.startswith(b"\t") for indent in indents) * 2 > len(indents):
        return "\t"
    steps: dict[int, int] = {}
    last = 0
    for indent in indents:
        width = len(indent)
        if 2 <= width - last <= 8:
            steps[width - last] = steps.get(width - last, 0) + 1
        last = width
    if not steps:
        return language.indent if language is not None else "    "
    return " " * max(steps, key=lambda step: (steps[step], -step))


def width(line: str) -> int:
    """The columns of white space a line begins with, a tab going to the next multiple of eight."""
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip(" "))
