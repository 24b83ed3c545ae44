"""Edits of a text: byte ranges and what replaces them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the bytes [start, end) by `new`."""

    start: int
    end: int
    new: bytes


def apply(text: bytes, edits: Iterable[Edit]) -> bytes:
    """The text after all edits. Offsets are those of the old text; edits must not overlap.

    Several insertions at one place keep the order in which they are given. Raises ValueError for an edit that
    overlaps another or reaches outside the text.
    """
    pieces, at = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if not at <= edit.start <= edit.end <= len(text):
            raise ValueError(f"edit {edit.start}..{edit.end} overlaps another or leaves the text of {len(text)} bytes")
        pieces += [text[at : edit.start], edit.new]
        at = edit.end
    return b"".join([*pieces, text[at:]])


def inverted(text: bytes, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits that lead from `apply(text, edits)` back to `text`."""
    back, shift = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        start = edit.start + shift
        back.append(Edit(start, start + len(edit.new), text[edit.start : edit.end]))
        shift += len(edit.new) - (edit.end - edit.start)
    return tuple(back)
