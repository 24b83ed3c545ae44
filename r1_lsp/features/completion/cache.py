"""Suggestions that were made, to answer at once while the user types what was suggested."""

from collections import OrderedDict
from dataclasses import dataclass

from r1_lsp.features.completion.spot import Since, Spot
from r1_lsp.features.why import Reason
from r1_lsp.settings import Settings
from r1_lsp.snapshot import Snapshot

CAPACITY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Text for a spot. `covers`: it holds the spot's tail and takes its place; else it goes in before the tail."""

    text: bytes
    covers: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """What is left of an offer: put `new` in place of the `replaced` bytes after the cursor."""

    new: bytes
    replaced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One answered question. Without offers, `reason` says why, and it answers only the very same question.

    `asked`: how many offers an explicit request wanted; 0 for one that came from typing.
    """

    spot: Spot
    offers: tuple[Offer, ...]
    settings: Settings
    asked: int = 0
    reason: Reason = Reason.SHOWN
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    entry: Entry
    remaining: tuple[Remaining, ...]


class Cache:
    """The newest entries, least recently used out first. Event-loop thread only."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._entries: OrderedDict[Spot, Entry] = OrderedDict()
        self._capacity = capacity

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, entry: Entry) -> None:
        key = entry.spot
        self._entries[key] = entry
        self._entries.move_to_end(key)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def look_up(self, snapshot: Snapshot, offset: int, settings: Settings, *, asked: int = 0) -> Recalled | None:
        """The newest entry that the text before and after the cursor still fits, with what is left of its offers.

        `asked`: how many offers the entry must have been asked for; an explicit request wants several.
        """
        length = len(snapshot.text)
        for key in reversed(self._entries):
            if not key.reaches(length, offset):
                continue
            entry = self._entries[key]
            # Nearly always the same object, and comparing field by field is slow.
            if (entry.settings is not settings and entry.settings != settings) or entry.asked < asked:
                continue
            since = entry.spot.since(snapshot, offset)
            if since is not None and (recalled := _recalled(entry, since)) is not None:
                self._entries.move_to_end(key)
                return recalled
        return None


def remaining(offer: Offer, tail: bytes, since: Since) -> Remaining | None:
    """What is left of an offer after `since.typed`, now that `since.head` follows the cursor; None: it fits no more.

    The editor may have closed brackets by itself meanwhile: the head is then longer than the tail, and what is left
    must bring these closers itself, so that it can take their place.
    """
    if not offer.text.startswith(since.typed):
        return None
    rest = offer.text[len(since.typed) :]
    if not rest:
        return None
    if offer.covers:
        return Remaining(new=rest, replaced=len(since.head)) if reproduces(rest, since.head) else None
    if not since.head.endswith(tail):
        return None
    added = since.head[: len(since.head) - len(tail)]
    return Remaining(new=rest, replaced=len(added)) if reproduces(rest, added) else None


def _recalled(entry: Entry, since: Since) -> Recalled | None:
    if not entry.offers:
        same = not since.typed and since.head == entry.spot.tail
        return Recalled(entry=entry, remaining=()) if same else None
    left = tuple(left for offer in entry.offers if (left := remaining(offer, entry.spot.tail, since)) is not None)
    return Recalled(entry=entry, remaining=left) if left else None


def reproduces(text: bytes, closers: bytes) -> bool:
    """Whether every byte of `closers` occurs in `text`, in order: else editors show nothing for a range over them."""
    position = 0
    for byte in closers:
        position = text.find(byte, position) + 1
        if position == 0:
            return False
    return True
