"""The brackets of a whole text: the candidates of each region in order, checked with the best of all others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ast_tools.edits import Edit
from ast_tools.repair.brackets import LAST, Candidate, candidates, several
from ast_tools.repair.fixes import Words
from ast_tools.repair.found import Found
from ast_tools.repair.layout import CLOSERS, begins, line_start
from ast_tools.repair.regions import Region, regions
from ast_tools.repair.scan import Mark
from ast_tools.repair.verify import Verifier, parses_alone
from ast_tools.repair.weights import shares, table

MAX_REGIONS = 8
TRIES = 14
"""Candidates of one region that the parser is asked about."""
DESCENT = 4
"""Those that are tried in each of several regions to get the text clean."""
CHOICES = 3
ENOUGH = 0.99
"""Probability from which on no other choice is looked for."""


@dataclass(slots=True)
class _Part:
    """A region and its candidates, likeliest first. `pick` is the one the others are checked with."""

    region: Region
    ranked: list[Candidate]
    pick: Candidate | None = None
    verified: list[Candidate] = field(default_factory=list)


class BracketSearch:
    """The regions of one text. Mutable: finds what it is asked for and remembers it. After `run`, `clean` says whether
    the text is clean with the first choice of each region."""

    def __init__(self, verifier: Verifier, marks: list[Mark], near: int | None) -> None:
        self.verifier, self.marks, self.near = verifier, marks, near
        self.language, self.text = verifier.tree.language, verifier.tree.text
        self.words = Words(self.language, self.text)
        self.sure = table(self.language).sure
        self.clean = False
        self._left_out: list[tuple[int, int]] = []

    @cached_property
    def regions(self) -> list[Region]:
        """What is to be repaired, nearest to where the user last typed first."""
        found = regions(self.language, self.text, self.marks)
        near = self.near
        if near is not None:
            found.sort(key=lambda region: max(region.start - near, near - region.end, 0))
        free = (r for r in found if not any(a < r.end and r.start < b for a, b in self._left_out))
        return list(free)[:MAX_REGIONS]

    def leave_out(self, spans: Iterable[tuple[int, int]]) -> None:
        """Regions in these spans are not repaired."""
        self._left_out += spans
        self.__dict__.pop("regions", None)
        self.__dict__.pop("_parts", None)

    @cached_property
    def _parts(self) -> list[_Part]:
        return [self._part(region) for region in self.regions]

    def _part(self, region: Region) -> _Part:
        ranked = candidates(self.language, self.text, region, self.words, self.near)
        ranked = ranked or several(self.language, self.text, region, self.near)
        return _Part(region, ranked, ranked[0] if ranked else None)

    def unverified(self) -> list[Found]:
        """The first choices of each region by their scores alone."""
        found = []
        for part in self._parts:
            likely = shares([candidate.score for candidate in part.ranked])
            for number, candidate in enumerate(part.ranked[:CHOICES]):
                sure = number == 0 and likely[0] >= self.sure and not candidate.doubtful
                found.append(Found(candidate, sure))
        return found

    def run(self) -> list[Found]:
        """The repairs of all regions."""
        parts = self._parts
        if not parts:
            return []
        if len(parts) > 1:
            self._descend()
        found = [one for part in parts for one in self._choices(part, self._others(part))]
        picks = [edit for part in parts if part.pick is not None for edit in part.pick.edits]
        self.clean = self.verifier.after(picks).clean
        return found

    def within(self, start: int, end: int, besides: tuple[Edit, ...]) -> list[Found]:
        """The repairs of the regions in a span, with edits that are made `besides`."""
        inside = [part for part in self._parts if part.region.start < end and start < part.region.end]
        return [one for part in inside for one in self._choices(part, (*self._others(part), *besides))]

    def _others(self, part: _Part) -> tuple[Edit, ...]:
        picks = (other.pick for other in self._parts if other is not part)
        return tuple(edit for pick in picks if pick is not None for edit in pick.edits)

    def _descend(self) -> None:
        """Takes in each region the first candidate with which the fewest errors are left."""
        parts = self._parts
        if self.verifier.after([e for p in parts if p.pick is not None for e in p.pick.edits]).clean:
            return
        for part in parts:
            others = self._others(part)
            tried = part.ranked[:DESCENT] if not self.verifier.late else []
            if tried:
                part.pick = min(tried, key=lambda one: self.verifier.after((*others, *one.edits)).badness)

    def _choices(self, part: _Part, others: tuple[Edit, ...]) -> list[Found]:
        """The first candidates of a region that the parser takes; where singles do not do, several at once."""
        found = self._verified(part.ranked, part.region, others)
        if not found and len(part.region.suspects) > 1 and not self.verifier.late:
            ways = several(self.language, self.text, part.region, self.near)
            found = self._verified(ways, part.region, others)
        if found:
            part.pick = found[0].candidate
        return found

    def _verified(self, ranked: Sequence[Candidate], region: Region, others: tuple[Edit, ...]) -> list[Found]:
        taken, refused = list[int](), set[int]()
        for number, candidate in enumerate(ranked[:TRIES]):
            if self.verifier.late or len(taken) == CHOICES:
                break
            if taken and _share(ranked, taken[0], refused) >= ENOUGH:
                break
            if self.verifier.after((*others, *candidate.edits)).clean:
                taken.append(number)
            else:
                refused.add(number)
        if not taken:
            return self._tolerated(ranked, region, others)
        sure = not self.verifier.late and self._is_sure(ranked, taken[0], refused)
        return [Found(ranked[number], sure and number == taken[0]) for number in taken]

    def _is_sure(self, ranked: Sequence[Candidate], number: int, refused: set[int]) -> bool:
        best = ranked[number]
        return _share(ranked, number, refused) >= self.sure and not best.doubtful and best.score > LAST

    def _tolerated(self, ranked: Sequence[Candidate], region: Region, others: tuple[Edit, ...]) -> list[Found]:
        """Where more is wrong with the text than its brackets: what leaves no error in the region, and fewer in all.

        Sure only if the piece of the text that holds the region is clean by itself.
        """
        good: list[tuple[int, int]] = []
        for number, candidate in enumerate(ranked[:TRIES]):
            edits = (*others, *candidate.edits)
            if self.verifier.late and good:
                break
            verdict = self.verifier.after(edits)
            start, end = _moved(region.start, edits), _moved(region.end, edits)
            if verdict.errors and self.verifier.better(verdict, start, end):
                good.append((len(verdict.errors), number))
        good.sort()
        if not good:
            return []
        refused = set(range(min(len(ranked), TRIES))) - {number for _, number in good}
        first = good[0][1]
        sure = not self.verifier.late and self._is_sure(ranked, first, refused) and self._alone(region, ranked[first])
        return [Found(ranked[number], sure and number == first) for _, number in good[:CHOICES]]

    def _alone(self, region: Region, candidate: Candidate) -> bool:
        """Whether the top-level piece around a region is clean after a repair of it."""
        start, end = 0, len(self.text)
        for index, (at, code) in enumerate(self.marks):
            if code != 0 or self.text[at] in CLOSERS:
                continue
            if at <= region.start and begins(self.language, self.text, self.marks, index, block=True):
                start = line_start(self.text, at)
            elif at >= region.end:
                end = line_start(self.text, at)
                break
        return parses_alone(self.verifier.tree, start, end, candidate.edits)


def _share(ranked: Sequence[Candidate], number: int, refused: set[int]) -> float:
    """How likely a candidate is among those that are not refused."""
    left = [index for index in range(len(ranked)) if index not in refused]
    return shares([ranked[index].score for index in left])[left.index(number)]


def _moved(offset: int, edits: Iterable[Edit]) -> int:
    return offset + sum(len(edit.new) - (edit.end - edit.start) for edit in edits if edit.end <= offset)
