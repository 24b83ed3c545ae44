"""Which repairs of a broken statement the parser takes, and whether the likeliest may be applied unasked."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from ast_tools.edits import Edit, apply
from ast_tools.languages import Language
from ast_tools.lexer import PARTNER, Token
from ast_tools.repair.error_lines import ErrorLines
from ast_tools.repair.logical_lines import Lines
from ast_tools.repair.reading import Change, Reading
from ast_tools.repair.statement_candidates import Fix
from ast_tools.repair.statements import Beginnings, Broken
from ast_tools.tree import SyntaxTree

SIMPLE_TRIES = 50
DOUBLE_TRIES = 40
"""Texts that the parser is asked about for one broken statement."""
NEAR, WIDE = 12, 64
"""Tokens before and behind the broken statement by which texts are told apart."""
CHOICES = 3
LAST_RESORTS = frozenset({"drop", "comment line", "open comment", "line comment"})
"""Classes of edits that are tried when nothing likelier mends a statement."""
SURE_LEAD = 2.5
"""Least lead of a sure repair over the next."""
ALONE_SCORE = 1.0
"""Least score of a sure repair where there is no other."""


@dataclass(frozen=True, slots=True)
class StatementFixes:
    """One broken statement and its repairs, likeliest first.

    `whole`: after the first the whole piece is clean. `complete`: the time was enough for all that were to be tried.
    `trusted`: classes of edits that are right as a rule.
    """

    reading: Reading
    fixes: tuple[Fix, ...]
    whole: bool
    complete: bool
    trusted: frozenset[str]

    @property
    def sure(self) -> bool:
        """Whether the first may be applied unasked: its class is right as a rule, and nothing comes near."""
        first = self.fixes[0]
        trusted = len(first.changes) == 1 and first.changes[0].label in self.trusted
        return self.complete and self.whole and trusted and leads([fix.score for fix in self.fixes])


def leads(scores: Sequence[float]) -> bool:
    """Whether the first of some scores, the highest first, is well ahead of the next, or high where there is none."""
    return scores[0] >= ALONE_SCORE if len(scores) == 1 else scores[0] - scores[1] >= SURE_LEAD


class Judge(Protocol):
    """Says what is broken in a piece of a text, and whether changes mend it."""

    @property
    def language(self) -> Language:
        """The language of the text."""

    @property
    def text(self) -> bytes:
        """The whole text."""

    @property
    def found(self) -> Sequence[Token]:
        """The tokens of the piece."""

    @property
    def short(self) -> bool:
        """Whether asking about the whole piece costs no more than asking about some statements."""

    @property
    def balances(self) -> bool:
        """Whether a clean piece has as many closers as openers of each kind."""

    def located(self, hint: int) -> Broken | None:
        """The first broken statement, looked for from an offset on; None when the piece is clean."""

    def mends(self, changes: Sequence[Change], broken: Broken, *, ahead: bool = True) -> bool:
        """Whether the statement is clean after changes, and some ahead of it where they are asked about too."""

    def mends_all(self, changes: Sequence[Change]) -> bool:
        """Whether the whole piece is clean after changes."""


def judge_of(tree: SyntaxTree, text: bytes, span: tuple[int, int], read: Sequence[Token]) -> Judge:
    """Who says what is broken: the language's own parser, line by line, or the grammar, statement by statement."""
    language = tree.language
    if language.indent_based and language.locate is not None:
        return Lines(tree, span, text, read)
    asked = Beginnings if language.block_opener == "{" and not language.pairs else ErrorLines
    return asked(tree, span, text, read)


class Asked(IntEnum):
    """What must be clean after a repair: the whole piece, the statement and those ahead of it, the statement alone."""

    WHOLE = 0
    AHEAD = 1
    ALONE = 2


class Checked:
    """What the parser says of repairs; each text is asked about once."""

    def __init__(self, judge: Judge, broken: Broken, trusted: frozenset[str], deadline: float) -> None:
        self.judge, self.broken, self.trusted, self.deadline = judge, broken, trusted, deadline
        self.tried, self.asked = 0, Asked.WHOLE if judge.short else Asked.AHEAD
        self._known: dict[bytes, bool] = {}
        self._given: set[bytes] = set()
        found = judge.found
        self._window = found[max(broken.start - NEAR, 0)].start, found[min(broken.end + WIDE, len(found) - 1)].end
        self._open = _still_open(found) if judge.balances else None

    def fixes(self, reading: Reading, simple: Sequence[Fix], double: Sequence[Fix]) -> StatementFixes:
        """The likeliest repairs that the parser takes; only such after which all is clean, where there are any."""
        taken = list(self.taken(simple, SIMPLE_TRIES, 2 * CHOICES))
        least = taken[CHOICES - 1].score if len(taken) >= CHOICES else -math.inf
        likely = [fix for fix in double if fix.score > least]
        taken += self.taken(likely, DOUBLE_TRIES, CHOICES)
        if self.asked < Asked.ALONE and all(fix.changes[0].label in LAST_RESORTS for fix in taken):
            # The next statements may be broken too.
            self.asked, self._known, self._given = Asked(self.asked + 1), {}, set()
            return self.fixes(reading, simple, double)
        if not taken:
            taken = list(self.taken([fix for fix in simple if fix.changes[0].label in LAST_RESORTS], SIMPLE_TRIES, 1))
        taken.sort(key=lambda fix: -fix.score)
        clean = [fix for fix in taken if self.asked == Asked.WHOLE or self.judge.mends_all(fix.changes)]
        in_time = time.thread_time() <= self.deadline
        return StatementFixes(
            reading, tuple((clean or taken)[:CHOICES]), whole=bool(clean), complete=in_time, trusted=self.trusted
        )

    def taken(self, fixes: Sequence[Fix], tries: int, most: int) -> Iterator[Fix]:
        """Those of some repairs, in their order, that mend the statement; ends after so many texts or repairs."""
        limit = self.tried + tries
        for fix in fixes:
            if self.tried >= limit or most == 0 or time.thread_time() > self.deadline:
                return
            if self.takes(fix):
                most -= 1
                yield fix

    def takes(self, fix: Fix) -> bool:
        """Whether a repair that was not seen before mends the statement, all of it needed."""
        return self._minimal(fix) and self._mends(fix.changes, new=True)

    def _minimal(self, fix: Fix) -> bool:
        """Whether no part of a repair is one by itself."""
        return len(fix.changes) == 1 or not any(self._mends((change,)) for change in fix.changes)

    def _mends(self, changes: tuple[Change, ...], *, new: bool = False) -> bool:
        if self.asked == Asked.WHOLE and not self._balances(changes):
            return False
        key = self._key(changes)
        if key is None or (new and key in self._given):
            return False
        if key not in self._known:
            self.tried += 1
            self._known[key] = self._asks(changes)
        if new:
            self._given.add(key)
        return self._known[key]

    def _asks(self, changes: tuple[Change, ...]) -> bool:
        if self.asked == Asked.WHOLE:
            return self.judge.mends_all(changes)
        return self.judge.mends(changes, self.broken, ahead=self.asked == Asked.AHEAD)

    def _balances(self, changes: tuple[Change, ...]) -> bool:
        """Whether brackets can match after some changes: a parser need not be asked otherwise."""
        if self._open is None:
            return True
        left = Counter(self._open)
        for change in changes:
            left.subtract(_still_open(self.judge.found[change.start : change.end]))
            left.update(_still_open([new.token for new in change.new]))
        return not any(left.values())

    def _key(self, changes: tuple[Change, ...]) -> bytes | None:
        """The text around the statement after some changes, white space aside; None where they overlap."""
        start = min(self._window[0], changes[0].edit.start)
        end = max([self._window[1], *(change.edit.end for change in changes)])
        edits = [Edit(one.edit.start - start, one.edit.end - start, one.edit.new) for one in changes]
        try:
            return _squeezed(apply(self.judge.text[start:end], edits), self.judge.language)
        except ValueError:
            return None


def _still_open(found: Sequence[Token]) -> Counter[bytes]:
    """How many more openers than closers of each kind there are."""
    left: Counter[bytes] = Counter(token.text for token in found if token.kind == "open")
    left.subtract(PARTNER[token.text] for token in found if token.kind == "close")
    return left


def _squeezed(text: bytes, language: Language) -> bytes:
    """A text without the white space that means nothing."""
    if not language.indent_based:
        return b"".join(text.split())
    lines = ((line, line.split()) for line in text.splitlines())
    return b"\n".join(line[: len(line) - len(line.lstrip())] + b"".join(parts) for line, parts in lines if parts)
