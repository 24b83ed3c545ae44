"""Slots: the pieces of a tensor that one worker makes at a time, a few megabytes of rows each."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gguf_convert.plan import PlannedTensor


@dataclass(frozen=True, slots=True)
class Slot:
    """The rows [start, stop) of the plan's tensor number `tensor`."""

    tensor: int
    start: int
    stop: int


def slots_of(number: int, tensor: PlannedTensor, elements: int, done: Iterable[tuple[int, int]]) -> Iterator[Slot]:
    """The rows that are not in `done`, cut where its source may be cut, each piece of about `elements` elements."""
    unit = tensor.target.source.unit
    step = max(elements // tensor.target.row_length // unit, 1) * unit
    for start, stop in gaps(tensor.target.n_rows, done):
        for first in range(start, stop, step):
            yield Slot(number, first, min(first + step, stop))


def gaps(n_rows: int, done: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The ranges of [0, n_rows) that no range of `done` covers."""
    position = 0
    for start, stop in sorted(done):
        if start > position:
            yield position, start
        position = max(position, stop)
    if position < n_rows:
        yield position, n_rows
