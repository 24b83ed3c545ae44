"""The brackets of a whole text: the candidates of each region in order, checked with the best of all others."""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ast_tools.edits import Edit, moved_behind
from ast_tools.repair.brackets import LAST, breaks_off, candidates, closed_at_end, several
from ast_tools.repair.fixes import Words
from ast_tools.repair.found import Candidate, Found
from ast_tools.repair.layout import CLOSERS, Survey, begins, line_start
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
SMALL = 0.5
"""Share of the text up to which a piece of it is asked before the whole."""
ENOUGH = 0.99
"""Probability from which on no other choice is looked for."""


_LINE_END = re.compile(rb"[ \t)\]},;:{]*+(?:[\r\n]|\Z)")
_OPENERS, _CLOSERS = frozenset((b"(", b"[", b"{")), frozenset((b")", b"]", b"}"))

Takes = Callable[[Candidate], bool]
"""Whether the parser finds nothing wrong after a candidate."""


def _always(_candidate: Candidate) -> bool:
    return True


@dataclass(slots=True)
class _Part:
    """A region and its candidates, likeliest first. `pick` is the one the others are checked with; `told`: its repairs
    were handed out."""

    region: Region
    ranked: list[Candidate]
    pick: Candidate | None = None
    told: bool = False


class BracketSearch:
    """The regions of one text. Mutable: finds what it is asked for and remembers it. After `run`, `clean` says whether
    the text is clean with the first choice of each region. `odd`: brackets that match in spite of their layout are
    suspects too."""

    def __init__(
        self, verifier: Verifier, marks: list[Mark], seen: Survey, near: int | None, *, odd: bool = False
    ) -> None:
        self.verifier, self.marks, self.seen, self.near, self.odd = verifier, marks, seen, near, odd
        self.language, self.text = verifier.tree.language, verifier.tree.text
        self.words = Words(self.language, self.text)
        self.sure = table(self.language).sure
        self.clean = False
        self._known: dict[Region, _Part] = {}
        self._ways: dict[Region, list[Candidate]] = {}

    @cached_property
    def regions(self) -> list[Region]:
        """What is to be repaired, nearest to where the user last typed first."""
        found = regions(self.language, self.text, self.marks, self.seen, odd=self.odd)
        near = self.near
        if near is not None:
            found.sort(key=lambda region: max(region.start - near, near - region.end, 0))
        return found[:MAX_REGIONS]

    def leave_out(self, spans: Iterable[tuple[int, int]]) -> None:
        """Regions in these spans are not repaired."""
        for start, end in spans:
            self.regions = [one for one in self.regions if one.end <= start or end <= one.start]

    @property
    def _parts(self) -> list[_Part]:
        for region in self.regions:
            if region not in self._known:
                self._known[region] = self._part(region)
        return [self._known[region] for region in self.regions]

    def _part(self, region: Region) -> _Part:
        if self.verifier.late:
            return _Part(region, [])
        ranked = candidates(self.language, self.text, region, self.words, self.near)
        if not ranked and breaks_off(self.text):
            ranked = closed_at_end(self.language, self.text, region)
        ranked = ranked or self._several(region)
        return _Part(region, ranked, ranked[0] if ranked else None)

    def _several(self, region: Region) -> list[Candidate]:
        if region not in self._ways:
            found = several(self.language, self.text, region, self.words, self.near, lambda: self.verifier.late)
            self._ways[region] = found
        return self._ways[region]

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
        """The repairs of all regions that, all together, let the text parse."""
        parts = self._parts
        if not parts:
            return []
        if len(parts) > 1:
            self._descend()
        found = []
        for part in parts:
            if part is parts[0] or not self.verifier.late:
                found += self._clean_choices(part)
        picks = [edit for part in parts if part.pick is not None for edit in part.pick.edits]
        self.clean = self.verifier.after(picks).clean
        return found

    def _clean_choices(self, part: _Part) -> list[Found]:
        """Those with which the whole text is clean.

        Where the piece of the text around a region is small, it is asked instead, and the whole about the first only.
        """
        others = self._others(part)

        def clean(candidate: Candidate) -> bool:
            return self.verifier.after((*others, *candidate.edits)).clean

        start, end = self._around(part.region)
        if end - start < SMALL * len(self.text):
            inside = tuple(edit for edit in others if start <= edit.start and edit.end <= end)
            found = self._choices(part, self._alone_with(start, end, inside), clean)
            if found:
                return found
        return self._choices(part, clean)

    def within(self, start: int, end: int, besides: tuple[Edit, ...]) -> list[Found]:
        """The repairs of the regions in a piece of the text, with edits that are made `besides`.

        The piece must parse by itself; where a region does not end with it, the text must hold fewer errors.
        """
        found: list[Found] = []
        for part in self._touched(start, end):
            others = (*self._others(part), *besides)
            inside = tuple(edit for edit in others if start <= edit.start and edit.end <= end)
            whole = start <= part.region.start and part.region.end <= end
            choices = self._choices(part, self._alone_with(start, end, inside)) if whole else []
            if not choices and not part.told:
                choices = self._tolerated(part.ranked, part.region, others)
            part.told = part.told or bool(choices)
            found += choices
        return found

    def _alone_with(self, start: int, end: int, others: tuple[Edit, ...]) -> Takes:
        return lambda candidate: parses_alone(self.verifier.tree, start, end, (*others, *candidate.edits))

    def _touched(self, start: int, end: int) -> list[_Part]:
        return [part for part in self._parts if part.region.start < end and start < part.region.end]

    def touches(self, start: int, end: int) -> bool:
        """Whether there is a region in a piece of the text."""
        return bool(self._touched(start, end))

    def told(self, start: int, end: int) -> bool:
        """Whether a region of a piece was repaired before."""
        return any(part.told for part in self._touched(start, end))

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

    def _choices(self, part: _Part, takes: Takes, confirms: Takes = _always) -> list[Found]:
        """The first candidates of a region that are taken; where singles do not do, several at once.

        `confirms`: what the first must pass besides.
        """
        found = self._verified(part.ranked, takes, confirms)
        ways = self._several(part.region) if not found and not self.verifier.late else part.ranked
        if ways is not part.ranked:
            found = self._verified(ways, takes, confirms)
        if found:
            part.pick = found[0].candidate
        return found

    def _verified(self, ranked: Sequence[Candidate], takes: Takes, confirms: Takes) -> list[Found]:
        taken, refused = list[int](), set[int]()
        for number, candidate in enumerate(ranked):
            if self.verifier.late or len(taken) == CHOICES:
                break
            if number >= TRIES and candidate.score > LAST:
                continue
            settled = bool(taken) and not ranked[taken[0]].doubtful and not self._unopens(ranked[taken[0]])
            if settled and _share(ranked, taken[0], refused) >= ENOUGH:
                break
            if takes(candidate) and (taken or confirms(candidate)):
                taken.append(number)
            else:
                refused.add(number)
        if not taken:
            return []
        sure = not self.verifier.late and self._is_sure(ranked, taken[0], refused)
        if sure and self._unopens(ranked[taken[0]]):
            # Who typed the bracket may be about to close it.
            sure = not any(self._closes_line(ranked[number]) for number in taken[1:])
        return [Found(ranked[number], sure and number == taken[0]) for number in taken]

    def _unopens(self, candidate: Candidate) -> bool:
        """Whether it deletes an opener."""
        return any(self.text[edit.start : edit.end].strip() in _OPENERS for edit in candidate.edits if not edit.new)

    def _closes_line(self, candidate: Candidate) -> bool:
        """Whether it only inserts closers, where a line ends but for brackets and punctuation."""
        return all(
            edit.start == edit.end and edit.new.strip() in _CLOSERS and _LINE_END.match(self.text, edit.start)
            for edit in candidate.edits
        )

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
            if self.verifier.late:
                break
            verdict = self.verifier.after(edits)
            start, end = moved_behind(edits, region.start), moved_behind(edits, region.end)
            if verdict.errors and self.verifier.better(verdict, start, end):
                good.append((len(verdict.errors), number))
        good.sort()
        if not good:
            return []
        refused = set(range(min(len(ranked), TRIES))) - {number for _, number in good}
        first = good[0][1]
        sure = not self.verifier.late and self._is_sure(ranked, first, refused) and self._alone(region)(ranked[first])
        return [Found(ranked[number], sure and number == first) for _, number in good[:CHOICES]]

    def _around(self, region: Region) -> tuple[int, int]:
        """The top-level piece of the text around a region."""
        start, end = 0, len(self.text)
        first = bisect_left(self.marks, (region.start, -1 << 62))
        for index in range(min(first, len(self.marks) - 1), -1, -1):
            if self._is_top(index) and self.marks[index][0] <= region.start:
                start = line_start(self.text, self.marks[index][0])
                break
        last = bisect_left(self.marks, (region.end, -1 << 62))
        for index in range(last, len(self.marks)):
            if self._is_top(index):
                end = line_start(self.text, self.marks[index][0])
                break
        return start, end

    def _alone(self, region: Region) -> Takes:
        return self._alone_with(*self._around(region), ())

    def _is_top(self, index: int) -> bool:
        """Whether a statement begins here at the margin."""
        at, code = self.marks[index]
        if code != 0 or self.text[at] in CLOSERS:
            return False
        return begins(self.language, self.text, self.marks, index, block=True)


def _share(ranked: Sequence[Candidate], number: int, refused: set[int]) -> float:
    """How likely a candidate is among those that are not refused."""
    left = [index for index in range(len(ranked)) if index not in refused]
    return shares([ranked[index].score for index in left])[left.index(number)]
