"""In which order the files of a checkpoint are wanted, and which pieces of the output each of them makes possible.

Pure: so the same order comes out when a conversion goes on, for the pieces that are left.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gguf_convert.rows import RowSource

NeedsOf = Callable[[Sequence[str]], frozenset[str]]
"""The files that hold these weights, scales and groups included."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The rows [start, stop) of the plan's tensor number `tensor`, which are all made from the same files."""

    tensor: int
    start: int
    stop: int
    files: frozenset[str]


@dataclass(frozen=True, slots=True)
class Leg:
    """What can be made as soon as `file` is there beside those of earlier legs; None for what needs no file at all."""

    file: str | None
    stretches: tuple[Stretch, ...]


def stretches_of(number: int, source: RowSource, needs: NeedsOf) -> Iterator[Stretch]:
    """All rows of a tensor, cut where the files change that they are made from."""
    start = 0
    while start < source.n_rows:
        files = needs(source.weights_of(start, min(start + source.unit, source.n_rows)))
        stop = _end(source, start, files, needs)
        yield Stretch(number, start, stop, files)
        start = stop


def _end(source: RowSource, start: int, files: frozenset[str], needs: NeedsOf) -> int:
    """The row up to which these files and no others are needed, found by halving. It may be found too early where
    files come and go from row to row.
    """

    def stop_of(units: int) -> int:
        return min(start + units * source.unit, source.n_rows)

    def good(units: int) -> bool:
        last = start + (units - 1) * source.unit
        return all(needs(source.weights_of(first, stop_of(units))) == files for first in (start, last))

    low, high = 1, -(-(source.n_rows - start) // source.unit)
    if good(high):
        return stop_of(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if good(middle) else (low, middle)
    return stop_of(low)


def route(stretches: Iterable[Stretch]) -> tuple[Leg, ...]:
    """The legs of the whole way: files by name, but one that completes what a file already there is kept for comes
    first, so that few are kept at a time.
    """
    todo = list(stretches)
    order = _order(todo)
    place = {name: number for number, name in enumerate(order)}
    by_leg: dict[int, list[Stretch]] = {number: [] for number in (-1, *place.values())}
    for stretch in todo:
        by_leg[max((place[name] for name in stretch.files), default=-1)].append(stretch)
    first = (Leg(None, tuple(by_leg[-1])),) if by_leg[-1] else ()
    return first + tuple(Leg(name, tuple(by_leg[number])) for name, number in place.items())


def _order(stretches: Iterable[Stretch]) -> list[str]:
    missing: dict[str, set[str]] = {}
    for files in {stretch.files for stretch in stretches}:
        for name in files:
            missing.setdefault(name, set()).update(files - {name})
    order: list[str] = []
    unvisited = sorted(missing)
    while unvisited:
        waiting = [missing[name] for name in order if missing[name]]
        fewest: set[str] = min(waiting, key=len, default=set())
        chosen = min(fewest, default=unvisited[0])
        unvisited.remove(chosen)
        order.append(chosen)
        for others in missing.values():
            others.discard(chosen)
    return order


def last_legs(legs: Sequence[Leg]) -> dict[str, int]:
    """After which leg a file is not needed any more; legs without a file are not counted."""
    last: dict[str, int] = {}
    for number, leg in enumerate(leg for leg in legs if leg.file is not None):
        last.update((name, number) for stretch in leg.stretches for name in stretch.files)
        last.setdefault(str(leg.file), number)
    return last


def kept_at_once(legs: Sequence[Leg], sizes: Mapping[str, int]) -> int:
    """The most bytes of files that are there at a time, when each goes after its last leg and one is fetched ahead."""
    last = last_legs(legs)
    files = [leg.file for leg in legs if leg.file is not None]
    return max(
        (sum(sizes[name] for name in files[: number + 2] if last[name] >= number) for number in range(len(files))),
        default=0,
    )
