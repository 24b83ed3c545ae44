"""Repairs of one statement that are worth trying, ranked by what people do; none is checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ast_tools.edits import Edit
from ast_tools.repair.indentation import indentations
from ast_tools.repair.literals import literal_edits
from ast_tools.repair.logical_lines import Lines
from ast_tools.repair.pairs import pair_edits
from ast_tools.repair.ranking import features, score
from ast_tools.repair.reading import FAR, Change, Reading
from ast_tools.repair.statements import Broken
from ast_tools.repair.token_edits import deleted, token_edits
from ast_tools.repair.typos import word_edits
from ast_tools.repair.vocabulary import SAME

AROUND = 8
"""Tokens before the broken statement that may be wrong as well."""
WIDEST = 60
"""Tokens of a broken statement that are edited."""
SEEDS = 14
"""Likeliest single edits that are tried two at a time."""
ENDED = 5
"""Of these, edits of a string without an end, where there is one."""
MOST_ALIKE = 8
"""Edits of one class that are made together."""
INDENTED = 12.0
"""Score of the likeliest change of white space where the indentation cannot be right."""


@dataclass(frozen=True, slots=True)
class Fix:
    """A repair of one statement: changes in the order of the text, and their score."""

    changes: tuple[Change, ...]
    score: float

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What it does to the text."""
        return tuple(change.edit for change in self.changes)


def candidates(reading: Reading, broken: Broken, weights: Mapping[str, float]) -> tuple[list[Fix], list[Fix]]:
    """Repairs that are worth trying for one broken statement, likeliest first: simple ones, and two such together.

    None is checked.
    """
    low = max(broken.start - AROUND, 0)
    limit = min(broken.start + WIDEST, len(reading.found))
    high = min(broken.end + 1, limit)
    while high < limit and reading.steps[high] == SAME:
        high += 1
    endless = _endless(reading, broken)
    found = _singles(reading, broken, low, high) if not endless else _at_endless(reading, broken, endless, low, high)
    simple = [_fix(reading, broken, (change,), weights) for change in found]
    if not endless:
        simple += [_fix(reading, broken, changes, weights) for changes in pair_edits(reading, low, high)]
    simple.sort(key=lambda fix: -fix.score)
    ended = [fix for fix in simple if not endless or _ends(fix.changes, endless)]
    seeds = [fix for fix in ended if fix.changes[0].new][:ENDED] if endless else []
    pairs = _combined([*seeds, *(fix for fix in simple if not endless or fix not in ended)])
    double = [_fix(reading, broken, changes, weights) for changes in pairs if not endless or _ends(changes, endless)]
    return ended, sorted(double, key=lambda fix: -fix.score)


def _endless(reading: Reading, broken: Broken) -> list[int]:
    """The strings and comments without an end in a broken statement."""
    if not reading.language.lexis.exact:
        return []
    found = range(broken.start, min(broken.end, broken.start + WIDEST))
    return [number for number in found if reading.found[number].kind == "unclosed"]


def _ends(changes: Sequence[Change], endless: Sequence[int]) -> bool:
    """Whether some changes take away a token of these, and bring none like them."""
    takes = any(change.start <= number < change.end for change in changes for number in endless)
    return takes and not any(new.kind == "unclosed" for change in changes for new in change.new)


def _singles(reading: Reading, broken: Broken, low: int, high: int) -> Iterator[Change]:
    yield from literal_edits(reading, low, high)
    yield from word_edits(reading, low, high)
    yield from token_edits(reading, low, high)
    yield from _dropped(reading, broken, high)


def _dropped(reading: Reading, broken: Broken, high: int) -> Iterator[Change]:
    for end in range(broken.start + 1, high):
        if reading.steps[end] != SAME or end == broken.end:
            yield Change(broken.start, end, (), "drop", deleted(reading, broken.start, end))


def _at_endless(reading: Reading, broken: Broken, endless: Sequence[int], low: int, high: int) -> Iterator[Change]:
    """Edits of strings, and what may be missing around one without an end."""
    yield from literal_edits(reading, low, high)
    yield from token_edits(reading, max(endless[0] - 2, low), min(endless[-1] + 1, high))
    yield from _dropped(reading, broken, high)


def _fix(reading: Reading, broken: Broken, changes: tuple[Change, ...], weights: Mapping[str, float]) -> Fix:
    return Fix(changes, score(features(reading, changes, reading.gain(changes), broken), weights))


def _combined(fixes: Sequence[Fix]) -> Iterator[tuple[Change, ...]]:
    """Two of the best changes together; all changes of one kind together."""
    singles = [fix.changes[0] for fix in fixes if len(fix.changes) == 1 and len(fix.changes[0].new) < FAR]
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
        if 3 <= len(group) <= MOST_ALIKE and apart:
            yield tuple(group)


def indented(lines: Lines, broken: Broken) -> list[Fix]:
    """Changes of white space for a broken line."""
    number = next((n for n, line in enumerate(lines.lines) if line.last > broken.start), 0)
    return [Fix((change,), INDENTED + liking) for change, liking in indentations(lines, number)]
