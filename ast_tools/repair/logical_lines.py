"""Where the first broken line of a piece is in a language of lines, as the language's own parser says.

The counterpart of `statements` for languages whose statements end with their lines and whose blocks are indented.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from ast_tools.edits import Edit, apply
from ast_tools.languages import Language
from ast_tools.lexer import Token
from ast_tools.repair.reading import Change
from ast_tools.repair.statements import PARSE_S, Broken
from ast_tools.tree import SyntaxTree, parse

_LEAD = re.compile(rb"[ \t\f]*")
AHEAD = 2
"""Lines after the broken one that are read with it."""


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """Tokens [first, last) of a statement or header, and the white space it begins with."""

    first: int
    last: int
    lead: bytes

    @property
    def width(self) -> int:
        """Columns it is indented."""
        return len(self.lead.expandtabs(8))


def logical_lines(language: Language, text: bytes, found: Sequence[Token]) -> list[LogicalLine]:
    """The lines of a piece; what stands in brackets belongs together, as far as layout does not speak against it."""
    lines: list[LogicalLine] = []
    depth, first = 0, 0
    for number, token in enumerate(found):
        if number and text.find(b"\n", found[number - 1].end, token.start) >= 0:
            started = _line(text, found, first, number)
            if depth <= 0 or _leaves(language, started, _line(text, found, number, number), token):
                lines.append(started)
                depth, first = 0, number
        depth += (token.kind == "open") - (token.kind == "close")
    if found:
        lines.append(_line(text, found, first, len(found)))
    return lines


def _leaves(language: Language, started: LogicalLine, line: LogicalLine, token: Token) -> bool:
    """Whether a line cannot go on with one whose bracket is still open: it begins a statement, or is not deeper."""
    word = token.text.decode("utf-8", "replace")
    return word in language.statement_words or (line.width <= started.width and token.kind != "close")


def _line(text: bytes, found: Sequence[Token], first: int, last: int) -> LogicalLine:
    start = text.rfind(b"\n", 0, found[first].start) + 1
    lead = _LEAD.match(text, start)
    return LogicalLine(first, last, lead.group() if lead is not None else b"")


class Lines:
    """Asks the language's own parser about a piece, and about single lines of it."""

    def __init__(self, tree: SyntaxTree, span: tuple[int, int], text: bytes, found: Sequence[Token]) -> None:
        self.language, self.text, self.found = tree.language, text, found
        self.start, self.end = span
        self.lines = logical_lines(tree.language, text, found)
        self._starts = [line.first for line in self.lines]
        self._alone: dict[int, bool] = {}

    @property
    def short(self) -> bool:
        """Never: a line alone costs a hundredth."""
        return False

    @property
    def balances(self) -> bool:
        """Not asked: it is single lines that are read."""
        return False

    def located(self, hint: int) -> Broken | None:
        """The first broken line; None when the piece is clean."""
        stop = self._stop(self.text[self.start : self.end])
        if stop is None or not self.found:
            return None
        offsets = [token.start for token in self.found]
        mark = min(max(0, bisect_right(offsets, self.start + stop) - 1), len(self.found) - 1)
        line = self.lines[bisect_right(self._starts, mark) - 1]
        return Broken(line.first, line.last, mark)

    def _stop(self, text: bytes, *, part: bool = False) -> int | None:
        """Where the parsers first stop; None for a clean text. In a part of the piece any statement may stand."""
        language = self.language
        located = language.locate(text) if language.locate is not None else None
        if located is not None:
            return None if part and located[2].startswith(language.out_of_place) else located[0]
        tree = parse(language, text, PARSE_S)
        if tree is None:
            return 0
        if tree.errors:
            return tree.errors[0].start_byte
        return None if part or language.accepts is None or language.accepts(text) else 0

    def mends(self, changes: Sequence[Change], broken: Broken, *, ahead: bool = True) -> bool:
        """Whether the parser gets past the broken line after some changes, and the next where that is asked too."""
        if not self._broken_alone(broken) or (window := self._window(changes, broken, ahead)) is None:
            return self._gets_past(changes, broken)
        return self._passes(*window)

    def _broken_alone(self, broken: Broken) -> bool:
        """Whether a broken line is broken by itself, not only where it stands."""
        if broken.start not in self._alone:
            at = self.found[broken.start].start
            nothing = Change(broken.start, broken.start, (), "", Edit(at, at, b""))
            window = self._window((nothing,), broken, 1)
            self._alone[broken.start] = window is not None and not self._passes(*window)
        return self._alone[broken.start]

    def _passes(self, window: bytes, limit: int) -> bool:
        """Whether the parser gets further in a window than to an offset."""
        stop = self._stop(window, part=True)
        return stop is None or stop > limit

    def _window(self, changes: Sequence[Change], broken: Broken, ahead: int) -> tuple[bytes, int] | None:
        """The changed line and the next few as a text of its own, and where the line after it ends there.

        None where they cannot stand alone, or are not all that changes.
        """
        index = bisect_left(self._starts, broken.start)
        line = self.lines[index]
        last = index + 1
        while last < len(self.lines) and last <= index + AHEAD * ahead and self.lines[last].width >= line.width:
            last += 1
        start, end = self.found[line.first].start, self.found[self.lines[last - 1].last - 1].end
        before = self._introduction(self.found[line.first].text, line.lead)
        moves = any(change.label.startswith("indent") for change in changes)
        if before is None or moves or changes[0].edit.start < start or changes[-1].edit.end > end:
            return None
        moved = [Edit(change.edit.start - start, change.edit.end - start, change.edit.new) for change in changes]
        grown = sum(len(edit.new) - (edit.end - edit.start) for edit in moved)
        text = before + apply(self.text[start:end], moved)
        next_end = self.found[self.lines[min(index + 1, last - 1)].last - 1].end
        return self._completed(text), len(before) + next_end - start + grown

    def _completed(self, window: bytes) -> bytes:
        """A header without its block gets one."""
        bare, language = window.rstrip(), self.language
        ends_open = bare.endswith(language.block_opener.encode())
        return bare + b" " + language.empty_block.encode() if ends_open else window

    def _introduction(self, word: bytes, lead: bytes) -> bytes | None:
        """What must stand before a line that stands alone here; None where nothing lets it."""
        stubs, empty = dict(self.language.stubs), self.language.empty_block.encode()
        own = stubs.get(word.decode("utf-8", "replace"))
        before = stubs.get("", "").encode() + b"\n" if lead else b""
        if own is None:
            return before + lead
        return before + lead + own.encode() + b" " + empty + b"\n" + lead if own else None

    def _gets_past(self, changes: Sequence[Change], broken: Broken) -> bool:
        grown = sum(len(change.edit.new) - (change.edit.end - change.edit.start) for change in changes)
        stop = self._stop(self._edited(changes))
        return stop is None or self.start + stop > self.found[broken.end - 1].end + grown

    def mends_all(self, changes: Sequence[Change]) -> bool:
        """Whether the whole piece is clean after some changes."""
        return self._stop(self._edited(changes)) is None

    def _edited(self, changes: Sequence[Change]) -> bytes:
        edits = [change.edit for change in changes]
        moved = [Edit(edit.start - self.start, edit.end - self.start, edit.new) for edit in edits]
        return apply(self.text[self.start : max([self.end, *(edit.end for edit in edits)])], moved)
