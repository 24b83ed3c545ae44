"""The way through a checkpoint's files: which piece is possible when, and how few files are kept for it."""

import random
from collections.abc import Sequence

import pytest

from gguf_convert.route import Leg, Stretch, kept_at_once, last_legs, route, stretches_of
from gguf_convert.rows import Constant, HalvesInterleaved, LatentKeys, RowSource, Stacked, Weight

SIZES = dict.fromkeys("abcdefgh", 1)


def needs(weights: Sequence[str]) -> frozenset[str]:
    """A weight `x1` lies in file x; one of two letters `xy1` in both."""
    return frozenset(letter for weight in weights for letter in weight if letter.isalpha())


def cut(source: RowSource) -> list[tuple[int, int, str]]:
    return [(s.start, s.stop, "".join(sorted(s.files))) for s in stretches_of(0, source, needs)]


def experts(*names: str, rows: int = 10) -> Stacked:
    return Stacked(tuple(Weight(name, rows, 4) for name in names))


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (Weight("a1", 1000, 4), [(0, 1000, "a")]),
        (Weight("ab1", 1000, 4), [(0, 1000, "ab")]),
        (Constant((1.0, 2.0)), [(0, 1, "")]),
        (experts("a1", "a2", "b1", "b2", "b3"), [(0, 20, "a"), (20, 50, "b")]),
        (experts("a1", "ab1", "b1"), [(0, 10, "a"), (10, 20, "ab"), (20, 30, "b")]),
        (experts("a1", "b1", "a2"), [(0, 10, "a"), (10, 20, "b"), (20, 30, "a")]),
        (experts("a1", "b1", rows=1), [(0, 1, "a"), (1, 2, "b")]),
        (HalvesInterleaved(experts("a1", "b1"), 2), [(0, 10, "a"), (10, 20, "b")]),
        (HalvesInterleaved(experts("a1", "b1"), 1), [(0, 20, "ab")]),
        (LatentKeys(Weight("c1", 12, 8), 2, 4, 2), [(0, 16, "c")]),
    ],
)
def test_rows_are_cut_where_their_files_change(source: RowSource, wanted: list[tuple[int, int, str]]) -> None:
    assert cut(source) == wanted


def legs_of(*files: str) -> tuple[Leg, ...]:
    return route(Stretch(number, 0, 1, frozenset(names)) for number, names in enumerate(files))


def shown(legs: Sequence[Leg]) -> list[tuple[str | None, list[int]]]:
    return [(leg.file, [stretch.tensor for stretch in leg.stretches]) for leg in legs]


def test_files_come_by_name_and_pieces_by_their_last_file() -> None:
    assert shown(legs_of("b", "a", "ab", "c", "")) == [(None, [4]), ("a", [1]), ("b", [0, 2]), ("c", [3])]


def test_what_completes_a_kept_file_comes_first() -> None:
    legs = legs_of("a", "ad", "b", "c", "d")
    assert shown(legs) == [("a", [0]), ("d", [1, 4]), ("b", [2]), ("c", [3])]
    assert kept_at_once(legs, SIZES) == 3, "a and d, and b ahead of its turn"


def test_a_chain_of_files_keeps_three_at_most() -> None:
    legs = legs_of("ab", "bc", "cd", "de", "ef", "fg")
    assert [leg.file for leg in legs] == list("abcdefg")
    assert last_legs(legs) == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 6}
    assert kept_at_once(legs, SIZES) == 3


def test_one_after_the_other_keeps_one_and_the_next() -> None:
    assert kept_at_once(legs_of("a", "b", "c"), {"a": 5, "b": 7, "c": 1}) == 12
    assert kept_at_once((), {}) == 0


def test_whatever_the_needs_every_piece_comes_once_and_has_its_files() -> None:
    rng = random.Random(3)
    for _ in range(300):
        files = ["".join(rng.sample("abcdefgh", rng.choice([0, 1, 1, 1, 2, 3]))) for _ in range(rng.randrange(12))]
        legs = legs_of(*files)
        here: set[str] = set()
        seen = []
        for leg in legs:
            here |= {leg.file} if leg.file else set()
            assert all(stretch.files <= here for stretch in leg.stretches)
            seen += [stretch.tensor for stretch in leg.stretches]
        assert sorted(seen) == list(range(len(files)))
        assert here == set("".join(files))
