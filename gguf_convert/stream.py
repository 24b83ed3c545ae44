"""Slots of a checkpoint that arrives file by file: which is next, and which files nobody needs any more."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from gguf_convert.journal import Journal
from gguf_convert.plan import Plan
from gguf_convert.route import Leg, Stretch, kept_at_once, last_legs, route, stretches_of
from gguf_convert.slots import Slot, gaps, slots_of
from gguf_convert.source.checkpoint import Checkpoint
from gguf_convert.source.reader import stored_parts
from gguf_convert.source.supply import Arrivals

Ranges = Mapping[int, Sequence[tuple[int, int]]]
"""Ranges of rows, by the tensor's number."""
_POLL_S: Final = 0.1


class Stream:
    """The slots that are not made yet, in the order of the files that they need.

    `arrivals` fetches the files of `legs`. Unless its supply keeps them, a file is deleted when the slots made from it
    are on the disk, and only one is fetched ahead, and only when none waits to be deleted.
    """

    def __init__(
        self, arrivals: Arrivals, legs: Sequence[Leg], plan: Plan, journal: Journal, *, elements: int, made: Ranges
    ) -> None:
        self._arrivals, self._legs, self._plan, self._journal = arrivals, legs, plan, journal
        self._elements, self._made_before = elements, made
        self._files_begun = 0
        self._last = last_legs(legs)
        self._rows_left = dict.fromkeys(self._last, 0)
        for leg in legs:
            for stretch in leg.stretches:
                for name in stretch.files:
                    self._rows_left[name] += _rows_left(plan, stretch, made)
        self._spent: dict[str, int] = {}  # files that no slot needs any more, and how long the journal was then
        self._at_work: dict[Slot, Stretch] = {}
        self._slots = self._in_order()
        self._first = next(self._slots, None)

    @property
    def over(self) -> bool:
        """Whether every slot was given out."""
        return self._first is None

    def next(self) -> Slot | None:
        """The next slot; None while its files are not there, and when there is none."""
        if self._first is None:
            return None
        slot, stretch, name = self._first
        if name is not None and not self._arrivals.here(name):
            return None
        self._first = next(self._slots, None)
        self._at_work[slot] = stretch
        return slot

    def wait(self) -> None:
        """A moment, for a file to arrive. Raises the SourceError that ended the fetching."""
        self._arrivals.wait(_POLL_S)

    @property
    def waits_for(self) -> str:
        """What is being fetched, for a progress line."""
        return self._arrivals.at

    def made(self, slot: Slot) -> None:
        """A slot is in the output, and the journal says so."""
        supply = self._arrivals.supply
        for name in self._at_work.pop(slot).files:
            self._rows_left[name] -= slot.stop - slot.start
            if name not in self._journal.done.sources and (sha256 := supply.sha256(name)):
                self._journal.hashed_source(name, sha256)
            if not self._rows_left[name] and not supply.keep:
                self._spent[name] = self._journal.lines

    @property
    def waits_for_disk(self) -> bool:
        """Whether a file can be deleted as soon as what was made of it has reached the disk."""
        return bool(self._spent)

    def durable(self, lines: int) -> None:
        """What the first `lines` lines of the journal say has reached the disk."""
        gone = [name for name, line in self._spent.items() if line <= lines]
        if gone:
            self._journal.settle()
        for name in gone:
            self._arrivals.supply.drop(name)
            del self._spent[name], self._last[name]
        self._allow()

    def _in_order(self) -> Iterator[tuple[Slot, Stretch, str | None]]:
        for leg in self._legs:
            self._files_begun += leg.file is not None
            self._allow()
            for stretch in leg.stretches:
                tensor = self._plan.tensors[stretch.tensor]
                done = _all_but(self._plan, stretch, self._made_before)
                for slot in slots_of(stretch.tensor, tensor, self._elements, done):
                    yield slot, stretch, leg.file

    def _allow(self) -> None:
        if self._arrivals.supply.keep:
            self._arrivals.allow(len(self._legs))
            return
        if all(last >= self._files_begun - 1 for last in self._last.values()):  # none waits to be deleted
            self._arrivals.allow(self._files_begun + 1)


def remaining_route(plan: Plan, checkpoint: Checkpoint, fetched: Container[str], made: Ranges) -> tuple[Leg, ...]:
    """The way through the files for the rows that are not made. Those not in `fetched`, as an adapter's, are here."""

    known: dict[frozenset[str], frozenset[str]] = {}  # one object for each set of files

    @cache
    def files_of(weight: str) -> frozenset[str]:
        shards = {tensor.shard for tensor in stored_parts(checkpoint, weight)}
        files = frozenset(shard for shard in shards if shard in fetched)
        return known.setdefault(files, files)

    def needs(weights: Sequence[str]) -> frozenset[str]:
        return frozenset().union(*set(map(files_of, weights)))

    every = (
        stretch
        for number, tensor in enumerate(plan.tensors)
        for stretch in stretches_of(number, tensor.target.source, needs)
    )
    return route(stretch for stretch in every if _rows_left(plan, stretch, made))


@dataclass(frozen=True, slots=True)
class Download:
    """Files of a checkpoint that a conversion needs, their size in bytes, and how much of it is on the disk at a time
    when each is deleted after its last use.
    """

    files: int
    size: int
    at_once: int


def download_of(plan: Plan, checkpoint: Checkpoint, fetched: Container[str]) -> Download:
    """What a conversion fetches of a checkpoint on a hub that has the files `fetched`."""
    legs = remaining_route(plan, checkpoint, fetched, {})
    sizes = {leg.file: checkpoint.shards[leg.file].size for leg in legs if leg.file is not None}
    return Download(len(sizes), sum(sizes.values()), kept_at_once(legs, sizes))


def _rows_left(plan: Plan, stretch: Stretch, made: Ranges) -> int:
    n_rows = plan.tensors[stretch.tensor].target.n_rows
    return sum(stop - start for start, stop in gaps(n_rows, _all_but(plan, stretch, made)))


def _all_but(plan: Plan, stretch: Stretch, made: Ranges) -> list[tuple[int, int]]:
    """Rows that are not to be made for a stretch: those that are, and those beside it."""
    n_rows = plan.tensors[stretch.tensor].target.n_rows
    return [(0, stretch.start), (stretch.stop, n_rows), *made.get(stretch.tensor, ())]
