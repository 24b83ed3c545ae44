"""A cursor's place in a text, remembered without the text, so that a later text is known to be typed on from it."""

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from r1_lsp.features.completion.trigger import is_inert
from r1_lsp.snapshot import Snapshot

NEAR = 16_384
_LINE_END = re.compile(rb"[\r\n]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What happened at a spot: `typed` now stands before the cursor; `head` is what now follows it, up to the rest."""

    typed: bytes
    head: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a suggestion was asked for: before the cursor, `tail` (what an editor closed by itself), and the rest.

    Kept are digests of the `NEAR` bytes on either side, more than any prompt holds, and how much text there is beyond.
    """

    uri: str
    offset: int
    before: bytes
    tail: bytes
    rest_length: int
    rest: bytes

    @classmethod
    def of(cls, snapshot: Snapshot, offset: int) -> Self:
        """The spot of a cursor."""
        tail = inert_tail(snapshot, offset)
        rest_start = offset + len(tail)
        return cls(
            uri=snapshot.uri,
            offset=offset,
            before=_digest_before(snapshot.text, offset),
            tail=tail,
            rest_length=len(snapshot.text) - rest_start,
            rest=_digest_after(snapshot.text, rest_start),
        )

    def since(self, snapshot: Snapshot, offset: int) -> Since | None:
        """What was typed at this spot since; None when anything else changed, or the cursor left it."""
        text = snapshot.text
        rest_start = len(text) - self.rest_length
        if snapshot.uri != self.uri or not self.offset <= offset <= rest_start:
            return None
        head = text[offset:rest_start]
        if len(head) > len(self.tail) + 16 or _LINE_END.search(head) or not is_inert(head.decode("utf-8", "replace")):
            return None
        if _digest_before(text, self.offset) != self.before or _digest_after(text, rest_start) != self.rest:
            return None
        return Since(typed=text[self.offset : offset], head=head)


def inert_tail(snapshot: Snapshot, offset: int) -> bytes:
    """The rest of the cursor's line when it is only what an editor closes by itself; else nothing."""
    after = snapshot.text[offset : snapshot.lines.end(snapshot.lines.line_at(offset))]
    return after if after.strip() and is_inert(after.decode("utf-8", "replace")) else b""


def _digest_before(text: bytes, offset: int) -> bytes:
    return _digest(text[max(0, offset - NEAR) : offset])


def _digest_after(text: bytes, offset: int) -> bytes:
    return _digest(text[offset : offset + NEAR])


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16, usedforsecurity=False).digest()
