"""Content stays text: no control token spelled out in it can be recognised."""

from hypothesis import given
from hypothesis import strategies as st

from engine.prompt.pieces import Piece, guarded, joined

MARKERS = ("<think>", "<|EOT|>", "<｜User｜>", "<｜User｜><think>", "aa", "x")


def test_scaffold_is_kept_whole_and_content_is_cut_inside_each_marker() -> None:
    pieces = [Piece("<think>", special=True), Piece('s = "<think>é😀"', special=False)]
    cut = guarded(pieces, MARKERS)
    assert cut == [Piece("<think>", special=True), Piece('s = "<', special=False), Piece('think>é😀"', special=False)]


def test_nothing_changes_without_markers() -> None:
    pieces = [Piece("a", special=False), Piece("b", special=False)]
    assert guarded(pieces, ()) == pieces
    assert guarded(pieces, ("x",)) == pieces


def test_neighbouring_content_is_joined_and_scaffold_is_not() -> None:
    mark = Piece("<m>", special=True)
    pieces = [Piece("a", special=False), Piece("", special=True), Piece("b", special=False), mark, mark]
    assert joined(pieces) == [Piece("ab", special=False), mark, mark]


@given(st.lists(st.sampled_from([*MARKERS, "a", "<", "é", "\n", "|>"]), max_size=12).map("".join))
def test_no_marker_survives_in_content_and_the_text_stays_the_same(text: str) -> None:
    cut = guarded([Piece(text, special=False)], MARKERS)
    assert "".join(p.text for p in cut) == text
    assert not [p for p in cut for m in MARKERS if len(m) > 1 and m in p.text]
