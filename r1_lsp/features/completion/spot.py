"""A cursor's place in a text, remembered without the text, so that a later text is known to be typed on from it."""

import re
from dataclasses import dataclass
from typing import Self

from r1_lsp.features.completion.trigger import is_inert
from r1_lsp.snapshot import Snapshot

NEAR = 16_384
_MOST_CLOSERS = 16
"""Bytes that an editor may have put after the cursor by itself since."""
_LINE_END = re.compile(rb"[\r\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What happened at a spot: `typed` now stands before the cursor; `head` is what now follows it, up to the rest."""

    typed: bytes
    head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a suggestion was asked for: before the cursor, `tail` (what an editor closed by itself), and the rest.

    Kept are hashes of the `NEAR` bytes on either side, more than any prompt holds, and how much text there is beyond.
    Python's own hash of bytes: keyed by the process, and an eighth of the time of a cryptographic one.
    """

    uri: str
    offset: int
    before: int
    tail: bytes
    rest_length: int
    rest: int

    @classmethod
    def of(cls, snapshot: Snapshot, offset: int) -> Self:
        """The spot of a cursor."""
        tail = inert_tail(snapshot, offset)
        rest_start = offset + len(tail)
        return cls(
            uri=snapshot.uri,
            offset=offset,
            before=_hash_before(snapshot.text, offset),
            tail=tail,
            rest_length=len(snapshot.text) - rest_start,
            rest=_hash_after(snapshot.text, rest_start),
        )

    def reaches(self, length: int, offset: int) -> bool:
        """Whether an offset in a text of this length can be typed on from here, as far as lengths can say.

        Asked first, for all the spots remembered: nearly every one is elsewhere, with half a file between.
        """
        return 0 <= length - self.rest_length - offset <= len(self.tail) + _MOST_CLOSERS

    def since(self, snapshot: Snapshot, offset: int) -> Since | None:
        """What was typed at this spot since; None when anything else changed, or the cursor left it."""
        text = snapshot.text
        rest_start = len(text) - self.rest_length
        if snapshot.uri != self.uri or not self.offset <= offset <= rest_start:
            return None
        if not self.reaches(len(text), offset):
            return None
        head = text[offset:rest_start]
        if _LINE_END.search(head) or not is_inert(head.decode("utf-8", "replace")):
            return None
        if _hash_before(text, self.offset) != self.before or _hash_after(text, rest_start) != self.rest:
            return None
        return Since(typed=text[self.offset : offset], head=head)


def inert_tail(snapshot: Snapshot, offset: int) -> bytes:
    """The rest of the cursor's line when it is only what an editor closes by itself; else nothing."""
    after = snapshot.text[offset : snapshot.lines.end(snapshot.lines.line_at(offset))]
    return after if after.strip() and is_inert(after.decode("utf-8", "replace")) else b""


def _hash_before(text: bytes, offset: int) -> int:
    return hash(text[max(0, offset - NEAR) : offset])


def _hash_after(text: bytes, offset: int) -> int:
    return hash(text[offset : offset + NEAR])
