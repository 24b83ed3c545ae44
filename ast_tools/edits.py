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


def composed(first: Iterable[Edit], then: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits that do at once what `first` and, in the text after it, `then` do. Each must be free of overlaps.

    Edits that touch become one.
    """
    made, more = (sorted(edits, key=lambda edit: (edit.start, edit.end)) for edits in (first, then))
    for edit in reversed(more):
        made = _with(made, edit)
    return tuple(made)


def _with(made: list[Edit], edit: Edit) -> list[Edit]:
    """One more edit, of the text after those `made`, which are in order."""
    before, touched, after = [], [], []
    shift = start_shift = end_shift = 0
    for one in made:
        start, end = one.start + shift, one.start + shift + len(one.new)
        shift += len(one.new) - (one.end - one.start)
        if start > edit.end:
            after.append(one)
            continue
        end_shift = shift
        if end < edit.start:
            before.append(one)
            start_shift = shift
        else:
            touched.append((one, start, end))
    old_start, old_end, new = edit.start - start_shift, edit.end - end_shift, edit.new
    if touched:
        (first, start, _), (last, _, end) = touched[0], touched[-1]
        old_start, old_end = min(old_start, first.start), max(old_end, last.end)
        new = first.new[: max(edit.start - start, 0)] + new + (last.new[edit.end - end :] if edit.end < end else b"")
    return [*before, Edit(old_start, old_end, new), *after]


def origin(edits: Iterable[Edit], offset: int) -> int:
    """Where in the old text an offset of the text after `edits` stands; inside what an edit put in, where it begins."""
    shift = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        start = edit.start + shift
        if offset < start:
            break
        if offset < start + len(edit.new):
            return edit.start
        shift += len(edit.new) - (edit.end - edit.start)
    return offset - shift


def moved(edits: Iterable[Edit], offset: int) -> int:
    """Where an offset of the old text stands after `edits`; inside what one replaces, where its new text begins."""
    shift = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if offset < edit.end or offset == edit.start:
            return min(offset, edit.start) + shift
        shift += len(edit.new) - (edit.end - edit.start)
    return offset + shift


def moved_behind(edits: Iterable[Edit], offset: int) -> int:
    """Where an offset of the old text stands after `edits`, behind what one that ends there puts in."""
    return offset + sum(len(edit.new) - (edit.end - edit.start) for edit in edits if edit.end <= offset)


def inverted(text: bytes, edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits that lead from `apply(text, edits)` back to `text`."""
    back, shift = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        start = edit.start + shift
        back.append(Edit(start, start + len(edit.new), text[edit.start : edit.end]))
        shift += len(edit.new) - (edit.end - edit.start)
    return tuple(back)
