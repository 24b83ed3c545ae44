"""Where the first broken statement of a piece is: the shortest beginning of it that no closers can complete.

A parser that reads from left to right stops where no text could go on: every shorter beginning can be completed. So
the error is in the statement behind the longest clean beginning, or before it, but never later.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ast_tools.edits import Edit, apply
from ast_tools.grammar import parser
from ast_tools.languages import Language
from ast_tools.lexer import PARTNER, Token
from ast_tools.repair.reading import Change
from ast_tools.tree import SyntaxTree, parse

PARSE_S = 0.02
AHEAD = 3
"""Statements after the broken one that a repair must leave intact."""
SHORT = 3_000
"""Bytes."""
LOOK = 4
"""Beginnings after a broken one that are asked about: a loop that ends in its condition is broken until then."""
_ENDINGS = {b"do": b" while (0)"}
"""What must follow the closer of a block that this word opens."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first broken statement: tokens [start, end). `mark`: the token where the parser stopped."""

    start: int
    end: int
    mark: int


@dataclass(frozen=True, slots=True)
class Cut:
    """An end of a statement: the number of tokens before it and the brackets that are open there."""

    tokens: int
    open: "Open | None"

    @property
    def closers(self) -> tuple[bytes, ...]:
        """What closes the brackets that are open, the outermost first."""
        return _closers(self.open)


class Open(NamedTuple):
    """A bracket that is open: itself, whether it holds a loop's header, what closes it, and the one around it."""

    text: bytes
    header: bool
    closer: bytes
    outer: "Open | None"


def _closers(innermost: Open | None) -> tuple[bytes, ...]:
    found = []
    while innermost is not None:
        found.append(innermost.closer)
        innermost = innermost.outer
    return tuple(reversed(found))


class _Stack:
    """The brackets open at a place, as far as they match."""

    def __init__(self, language: Language, text: bytes) -> None:
        self.language, self.text = language, text
        self.open: Open | None = None
        self._kinds: Counter[bytes] = Counter()

    def take(self, before: Token | None, token: Token, after: Token | None) -> bool:
        """Reads a token; whether a statement may end behind it."""
        if token.kind == "open":
            word = before.text if before is not None else b""
            header = word == b"for" and token.text == b"("
            self.open = Open(token.text, header, PARTNER[token.text] + _ENDINGS.get(word, b""), self.open)
            self._kinds[token.text] += 1
            return token.text == b"{"
        if token.kind == "close":
            if self._kinds[PARTNER[token.text]]:
                self._close(PARTNER[token.text])
            return token.text == b"}"
        in_header = self.open is not None and self.open.header
        return (token.text == b";" and not in_header) or self._line_ends(token, after)

    def _close(self, wanted: bytes) -> None:
        closed = b""
        while self.open is not None and closed != wanted:
            closed = self.open.text
            self._kinds[closed] -= 1
            self.open = self.open.outer

    def _line_ends(self, token: Token, after: Token | None) -> bool:
        """Whether a line ends here that may end a statement, in a language that does not ask for `;`."""
        if self.language.needs_semicolons or (self.open is not None and self.open.text != b"{"):
            return False
        return after is not None and self.text.find(b"\n", token.end, after.start) >= 0


def cuts(language: Language, text: bytes, found: Sequence[Token]) -> list[Cut]:
    """The ends of all statements of a piece, in order; where brackets do not match, as if they did."""
    stack, result, before = _Stack(language, text), [Cut(0, None)], None
    for number, token in enumerate(found):
        after = found[number + 1] if number + 1 < len(found) else None
        if stack.take(before, token, after):
            result.append(Cut(number + 1, stack.open))
        before = token
    if result[-1].tokens < len(found):
        result.append(Cut(len(found), stack.open))
    return result


def _tails(closers: Sequence[bytes]) -> tuple[bytes, ...]:
    """Ways to close what is open: some closers must end with `;`, the last statement may want one, others must not."""
    marks = list(reversed(closers))
    ended = b"".join(mark + b";" for mark in marks)
    return b"\n" + b"".join(marks), b"\n" + ended, b"\n;" + ended


class Beginnings:
    """Asks the parser about beginnings of a piece that are completed by closers."""

    def __init__(self, tree: SyntaxTree, span: tuple[int, int], text: bytes, found: Sequence[Token]) -> None:
        self.language, self.text, self.found = tree.language, text, found
        self.start, self.end = span
        self.cuts = cuts(tree.language, text, found)
        self._clean: dict[int, bool] = {}
        self._tail = 0
        self._parser = parser(tree.language.name, PARSE_S)

    @property
    def short(self) -> bool:
        """Whether the whole piece costs no more than some statements with what closes them in several ways."""
        return self.end - self.start <= SHORT

    @property
    def balances(self) -> bool:
        """Always: blocks are in braces."""
        return True

    def located(self, hint: int) -> Broken | None:
        """The first broken statement; None when the piece is clean. It is looked for from the offset `hint` on."""
        last = len(self.cuts) - 1
        if self._is_clean(last):
            return None
        low, high = self._bracketed(hint, last)
        while high - low > 1:
            middle = (low + high) // 2
            clean = next((n for n in reversed(range(middle, min(middle + LOOK, high))) if self._is_clean(n)), None)
            low, high = (clean, high) if clean is not None else (low, middle)
        start, end = self.cuts[low].tokens, self.cuts[high].tokens
        return Broken(start, end, self._mark(start, high))

    def _bracketed(self, hint: int, last: int) -> tuple[int, int]:
        """A clean and a broken cut, near the hint where that is any good."""
        low = max(bisect_left(self.cuts, hint, key=self._end) - 1, 0)
        if not self._is_clean(low):
            return 0, low
        step = 1
        while low + step < last:
            if not self._is_clean(low + step) and not self._is_clean(min(low + step + 1, last)):
                return low, low + step
            low, step = (low + step, step * 2) if self._is_clean(low + step) else (low + step + 1, step * 2)
        return min(low, last - 1), last

    def _is_clean(self, number: int) -> bool:
        if number not in self._clean:
            cut = self.cuts[number]
            if number == len(self.cuts) - 1:
                self._clean[number] = self._parses(self.text[self.start : self.end])
            else:
                # What follows a comma may be missing, but not in every language.
                last = cut.tokens - 1
                last -= last > 0 and self.found[last].text == b","
                beginning = self.text[self.start : self.found[last].end]
                self._clean[number] = cut.tokens == 0 or self._completes(beginning, cut.closers)
        return self._clean[number]

    def _completes(self, beginning: bytes, closers: Sequence[bytes]) -> bool:
        """Whether closers make a beginning clean; those that did last time are tried first."""
        tails = _tails(closers)
        for number in sorted(range(len(tails)), key=lambda number: number != self._tail):
            if self._parses(beginning + tails[number]):
                self._tail = number
                return True
        return False

    def _end(self, cut: Cut) -> int:
        return self.found[cut.tokens - 1].end if cut.tokens else self.start

    def _parses(self, text: bytes) -> bool:
        if self._parser is None:
            return False
        try:
            return not self._parser.parse(text).root_node.has_error
        except ValueError:
            # Out of time; the parser would go on with this text.
            self._parser = parser(self.language.name, PARSE_S)
            return False

    def _mark(self, start: int, high: int) -> int:
        """The token at which the grammar's first error begins in the broken beginning."""
        cut = self.cuts[high]
        tree = parse(self.language, self.text[self.start : self._end(cut)] + _tails(cut.closers)[0], PARSE_S)
        if tree is None or not tree.errors:
            return start
        starts = [token.start - self.start for token in self.found[: cut.tokens]]
        return max(start, bisect_left(starts, tree.errors[0].start_byte))

    def mends(self, changes: Sequence[Change], broken: Broken, *, ahead: bool = True) -> bool:
        """Whether the statement is clean after some changes, and those ahead of it where they are asked about too."""
        at = bisect_left([cut.tokens for cut in self.cuts], broken.end)
        far = self.cuts[min(at + AHEAD * ahead, len(self.cuts) - 1)]
        if changes[-1].end > far.tokens:
            far = self.cuts[-1]
        if far is self.cuts[-1]:
            return self.mends_all(changes)
        edited = self._edited(changes, self._end(far))
        return self._completes(edited, self._closers(changes, far))

    def mends_all(self, changes: Sequence[Change]) -> bool:
        """Whether the whole piece is clean after some changes."""
        return self._parses(self._edited(changes, self.end))

    def _edited(self, changes: Sequence[Change], end: int) -> bytes:
        edits = [change.edit for change in changes]
        end = max([end, *(edit.end for edit in edits)])
        moved = [Edit(edit.start - self.start, edit.end - self.start, edit.new) for edit in edits]
        return apply(self.text[self.start : end], moved)

    def _closers(self, changes: Sequence[Change], cut: Cut) -> tuple[bytes, ...]:
        """What closes the brackets that are open at a cut after some changes."""
        kinds = {self.found[at].kind for change in changes for at in range(change.start, change.end)}
        kinds |= {new.kind for change in changes for new in change.new}
        if not kinds & {"open", "close", "unclosed"}:
            return cut.closers
        stack, before = _Stack(self.language, self.text), None
        for token in changed(self.found[: cut.tokens], changes):
            stack.take(before, token, None)
            before = token
        return _closers(stack.open)


def changed(found: Sequence[Token], changes: Sequence[Change]) -> list[Token]:
    """The tokens after some changes; new ones stand nowhere."""
    result, at = list[Token](), 0
    for change in changes:
        result += [*found[at : change.start], *(new.token for new in change.new)]
        at = change.end
    return [*result, *found[at:]]
