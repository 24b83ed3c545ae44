"""Repairs of statements that do not parse: edits of a token or two, ranked by what people do, checked by the parser."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from ast_tools.edits import Edit, apply, composed, origin
from ast_tools.languages import Language
from ast_tools.lexer import Token, tokens
from ast_tools.repair.indentation import indentations
from ast_tools.repair.literals import literal_edits
from ast_tools.repair.logical_lines import Lines
from ast_tools.repair.pairs import pair_edits
from ast_tools.repair.ranking import features, score
from ast_tools.repair.reading import FAR, Change, Reading
from ast_tools.repair.repair import Repair
from ast_tools.repair.spans import spans
from ast_tools.repair.statements import Beginnings, Broken
from ast_tools.repair.tables import Table, table
from ast_tools.repair.token_edits import deleted, token_edits
from ast_tools.repair.typos import word_edits
from ast_tools.repair.vocabulary import SAME, whole
from ast_tools.repair.wording import said
from ast_tools.tree import SyntaxTree

AROUND = 8
"""Tokens before the broken statement that may be wrong as well."""
BEFORE = 300
"""Tokens before the broken statement that are read, to know where it stands."""
WIDEST = 60
"""Tokens of a broken statement that are edited."""
SEEDS = 14
"""Likeliest single edits that are tried two at a time."""
SIMPLE_TRIES = 50
DOUBLE_TRIES = 40
"""Texts that the parser is asked about for one broken statement."""
MAX_ERRORS = 8
CHOICES = 3
MAX_TOKENS = 20_000
INDENTED = 12.0
"""Score of the likeliest change of white space where the indentation cannot be right."""
LAST_RESORTS = frozenset({"drop", "comment line", "open comment", "line comment"})
"""Classes of edits that are tried when nothing likelier mends a statement."""
SURE_LEAD = 2.5
"""Least lead of a sure repair over the next."""
ALONE_SCORE = 1.0
"""Least score of a sure repair where there is no other."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair of one statement: changes in the order of the text, and their score."""

    changes: tuple[Change, ...]
    score: float

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What it does to the text."""
        return tuple(change.edit for change in self.changes)


@dataclass(frozen=True, slots=True)
class Mended:
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
        alone = len(self.fixes) == 1
        leads = first.score >= ALONE_SCORE if alone else first.score - self.fixes[1].score >= SURE_LEAD
        trusted = len(first.changes) == 1 and first.changes[0].label in self.trusted
        return self.complete and self.whole and leads and trusted


def mended(tree: SyntaxTree, span: tuple[int, int], table: Table, deadline: float) -> list[Mended]:
    """Repairs for the broken statements of a piece [start, end) of a text, in the order of the text.

    Each is found in the text as it is after the first repairs of those before. `deadline` is in seconds of this
    thread's processor time.
    """
    found, seen = list[Mended](), {tree.text}
    text, (start, end) = tree.text, span
    hint = next((error.start_byte for error in tree.errors if error.start_byte >= start), start)
    for _ in range(MAX_ERRORS):
        if found and time.thread_time() > deadline:
            break
        one = _first_mended(tree, text, (start, end), hint, table, deadline)
        if one is None:
            break
        found.append(one)
        if one.whole or not one.fixes:
            break
        grown = len(text)
        text = apply(text, one.fixes[0].edits)
        end += len(text) - grown
        if text in seen:
            break
        seen.add(text)
        hint = max(edit.start for edit in one.fixes[0].edits)
    return found


def _first_mended(
    tree: SyntaxTree, text: bytes, span: tuple[int, int], hint: int, table: Table, deadline: float
) -> Mended | None:
    read = whole(tree.language, tokens(tree.language, text, *span))
    if len(read) > MAX_TOKENS:
        return None
    judge = _judge(tree, text, span, read)
    broken = judge.located(hint)
    if broken is None:
        return None
    reading = _reading(tree.language, text, read, table, broken)
    simple, double = candidates(reading, broken, table.weights)
    if isinstance(judge, Lines):
        simple = sorted([*_indented(judge, broken), *simple], key=lambda fix: -fix.score)
    return _Checked(judge, broken, table.trusted, deadline).mended(reading, simple, double)


def _reading(language: Language, text: bytes, read: Sequence[Token], table: Table, broken: Broken) -> Reading:
    return Reading(language, text, read, table.counts, (broken.start - BEFORE, broken.end + WIDEST + FAR))


def _judge(tree: SyntaxTree, text: bytes, span: tuple[int, int], read: Sequence[Token]) -> "Judge":
    """Who says what is broken: the language's own parser, line by line, or the grammar, statement by statement."""
    language = tree.language
    asked = Lines if language.indent_based and language.locate is not None else Beginnings
    return asked(tree, span, text, read)


def _indented(lines: Lines, broken: Broken) -> list[Fix]:
    number = next((n for n, line in enumerate(lines.lines) if line.last > broken.start), 0)
    return [Fix((change,), INDENTED + liking) for change, liking in indentations(lines, number)]


def checked_candidates(
    tree: SyntaxTree, table: Table, *, tries: int, most: int
) -> Iterator[tuple[Reading, Broken, Fix]]:
    """The repairs of the first broken statement after which the whole text is clean, for learning weights."""
    language, text = tree.language, tree.text
    read = whole(language, tokens(language, text))
    judge = _judge(tree, text, (0, len(text)), read)
    broken = judge.located(tree.errors[0].start_byte if tree.errors else 0)
    if broken is None:
        return
    reading = _reading(language, text, read, table, broken)
    checked = _Checked(judge, broken, table.trusted, math.inf)
    for fixes in candidates(reading, broken, table.weights):
        for fix in checked.taken(fixes, tries, most):
            if judge.mends_all(fix.changes):
                yield reading, broken, fix


def candidates(reading: Reading, broken: Broken, weights: Mapping[str, float]) -> tuple[list[Fix], list[Fix]]:
    """Repairs that are worth trying for one broken statement, likeliest first: simple ones, and two such together.

    None is checked.
    """
    low = max(broken.start - AROUND, 0)
    limit = min(broken.start + WIDEST, len(reading.found))
    high = min(broken.end + 1, limit)
    while high < limit and reading.steps[high] == SAME:
        high += 1
    simple = [_fix(reading, broken, (change,), weights) for change in _singles(reading, broken, low, high)]
    simple += [_fix(reading, broken, changes, weights) for changes in pair_edits(reading, low, high)]
    simple.sort(key=lambda fix: -fix.score)
    double = [_fix(reading, broken, changes, weights) for changes in _combined(simple)]
    return simple, sorted(double, key=lambda fix: -fix.score)


def _singles(reading: Reading, broken: Broken, low: int, high: int) -> Iterator[Change]:
    yield from literal_edits(reading, low, high)
    yield from word_edits(reading, low, high)
    yield from token_edits(reading, low, high)
    for end in range(broken.start + 1, high):
        if reading.steps[end] != SAME or end == broken.end:
            yield Change(broken.start, end, (), "drop", deleted(reading, broken.start, end))


def _fix(reading: Reading, broken: Broken, changes: tuple[Change, ...], weights: Mapping[str, float]) -> Fix:
    return Fix(changes, score(features(reading, changes, reading.gain(changes), broken), weights))


def _combined(fixes: Sequence[Fix]) -> Iterator[tuple[Change, ...]]:
    """Two of the best changes together; all changes of one kind together."""
    singles = [fix.changes[0] for fix in fixes if len(fix.changes) == 1]
    best = list(dict.fromkeys(singles))[:SEEDS]
    for number, one in enumerate(best):
        for other in best[number + 1 :]:
            first, second = sorted((one, other), key=lambda change: (change.start, change.end))
            if first.end <= second.start and first.edit.end <= second.edit.start and first.start < second.end:
                yield (first, second)
    alike: dict[tuple[str, tuple[bytes, ...]], list[Change]] = {}
    for change in singles:
        if change.end > change.start:
            alike.setdefault((change.label, tuple(new.text for new in change.new)), []).append(change)
    for group in alike.values():
        group.sort(key=lambda change: change.start)
        apart = all(a.edit.end <= b.edit.start for a, b in pairwise(group))
        if 3 <= len(group) <= MAX_ERRORS and apart:
            yield tuple(group)


def _squeezed(text: bytes, language: Language) -> bytes:
    """A text without the white space that means nothing."""
    if not language.indent_based:
        return b"".join(text.split())
    lines = ((line, line.split()) for line in text.splitlines())
    return b"\n".join(line[: len(line) - len(line.lstrip())] + b"".join(parts) for line, parts in lines if parts)


class Judge(Protocol):
    """Says what is broken in a piece of a text, and whether changes mend it."""

    @property
    def language(self) -> Language:
        """The language of the text."""

    @property
    def text(self) -> bytes:
        """The whole text."""

    def located(self, hint: int) -> Broken | None:
        """The first broken statement, looked for from an offset on; None when the piece is clean."""

    def mends(self, changes: Sequence[Change], broken: Broken, *, ahead: bool = True) -> bool:
        """Whether the statement is clean after changes, and some ahead of it where they are asked about too."""

    def mends_all(self, changes: Sequence[Change]) -> bool:
        """Whether the whole piece is clean after changes."""


class _Checked:
    """What the parser says of repairs; each text is asked about once."""

    def __init__(self, judge: Judge, broken: Broken, trusted: frozenset[str], deadline: float) -> None:
        self.judge, self.broken, self.trusted, self.deadline = judge, broken, trusted, deadline
        self.tried, self.ahead = 0, True
        self._known: dict[bytes, bool] = {}
        self._given: set[bytes] = set()

    def mended(self, reading: Reading, simple: Sequence[Fix], double: Sequence[Fix]) -> Mended:
        """The likeliest repairs that the parser takes; only such after which all is clean, where there are any."""
        taken = list(self.taken(simple, SIMPLE_TRIES, 2 * CHOICES))
        least = taken[CHOICES - 1].score if len(taken) >= CHOICES else -math.inf
        likely = [fix for fix in double if fix.score > least]
        taken += self.taken(likely, DOUBLE_TRIES, CHOICES)
        if not taken and self.ahead:
            # The next statements may be broken too.
            self.ahead, self._known, self._given = False, {}, set()
            return self.mended(reading, simple, double)
        if not taken:
            taken = list(self.taken([fix for fix in simple if fix.changes[0].label in LAST_RESORTS], SIMPLE_TRIES, 1))
        taken.sort(key=lambda fix: -fix.score)
        clean = [fix for fix in taken if self.judge.mends_all(fix.changes)]
        in_time = time.thread_time() <= self.deadline
        return Mended(
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
        try:
            after = apply(self.judge.text, [change.edit for change in changes])
        except ValueError:
            return False
        key = _squeezed(after, self.judge.language)
        if new and key in self._given:
            return False
        if key not in self._known:
            self.tried += 1
            self._known[key] = self.judge.mends(changes, self.broken, ahead=self.ahead)
        if new:
            self._given.add(key)
        return self._known[key]


# -- for the search ------------------------------------------------------------------------------------------------


def statement_repairs(tree: SyntaxTree, near: int | None, deadline: float) -> list[Repair]:
    """Repairs of broken statements, at most CHOICES for each, best first; those nearest to `near` first.

    Where several statements are broken in one part of the text, what mends them all goes first. Empty without a table
    for the language. `deadline` is in seconds of this thread's processor time.
    """
    learnt = table(tree.language)
    if learnt is None:
        return []
    return [repair for span in spans(tree, near) for repair in _repairs_in(tree, span, learnt, deadline)]


def _repairs_in(tree: SyntaxTree, span: tuple[int, int], learnt: Table, deadline: float) -> list[Repair]:
    found: list[Repair] = []
    done: tuple[Edit, ...] = ()
    firsts: list[Repair] = []
    errors = mended(tree, span, learnt, deadline)
    for one in errors:
        mine = [repair for fix in one.fixes if (repair := _told(one, fix, done)) is not None]
        found += mine
        firsts += mine[:1]
        if one.fixes:
            done = composed(done, one.fixes[0].edits)
    if len(firsts) > 1 and errors[-1].whole:
        found.insert(0, _together(firsts, done))
    return found


def _told(one: Mended, fix: Fix, done: Sequence[Edit]) -> Repair | None:
    """A repair as edits of the first text, of which `done` made the one it was found in; None where they touch."""
    words = said(one.reading, fix.changes)
    shift, reached = 0, []
    for edit in done:
        reached.append((edit.start + shift, edit.start + shift + len(edit.new)))
        shift += len(edit.new) - (edit.end - edit.start)
    if any(edit.start < end and start < edit.end for edit in fix.edits for start, end in reached):
        return None
    return Repair(
        edits=tuple(Edit(origin(done, edit.start), origin(done, edit.end), edit.new) for edit in fix.edits),
        title=words.title,
        reason=words.reason,
        start=origin(done, words.blames[0]),
        end=max(origin(done, words.blames[1]), origin(done, words.blames[0]) + 1),
        sure=fix is one.fixes[0] and one.sure,
    )


def _together(firsts: Sequence[Repair], edits: tuple[Edit, ...]) -> Repair:
    return Repair(
        edits=edits,
        title=f"Repair {len(firsts)} places",
        reason=" ".join(dict.fromkeys(repair.reason for repair in firsts)),
        start=firsts[0].start,
        end=firsts[0].end,
        sure=False,
    )
