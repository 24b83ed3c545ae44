"""What the user did with suggestions: undone changes, dismissals, what was accepted."""

import hashlib
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Self

from r1_lsp.features.completion.ask import Suggestion
from r1_lsp.snapshot import Snapshot

_STATES = 30
_SHOWN = 100
_DISMISSED = 50
_ONE_CHARACTER = 4  # bytes
_NEAR = 2_048  # bytes on either side of the cursor that tell one text from another


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    version: int
    length: int
    digest: bytes

    @classmethod
    def of(cls, snapshot: Snapshot, offset: int) -> Self:
        """The text as it looks from the cursor: its length, where the cursor is, what is near. Microseconds."""
        near = snapshot.text[max(0, offset - _NEAR) : offset + _NEAR]
        place = f"{snapshot.uri} {offset} {len(snapshot.text)} ".encode("utf-8", "replace")
        return cls(version=snapshot.version or 0, length=len(snapshot.text), digest=_digest(place + near))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    suggestion: Suggestion
    uri: str
    whole_line: bytes
    state: bytes


class History:
    """Bounded memory of texts (as digests) and of suggestions. Event-loop thread only."""

    def __init__(self) -> None:
        self._states: OrderedDict[str, deque[_State]] = OrderedDict()
        self._shown: OrderedDict[str, _Shown] = OrderedDict()
        self._dismissed: deque[tuple[str, bytes]] = deque(maxlen=_DISMISSED)
        self._accepted_from: deque[bytes] = deque(maxlen=_STATES)
        self.n_accepted = 0
        self.n_dismissed = 0

    def undone(self, snapshot: Snapshot, offset: int) -> bool:
        """Notes this text and cursor; whether they came about by an undo or redo: they were there before.

        Taking back one character looks the same as an undo of it, and goes on as if it had never been typed.
        """
        state = _State.of(snapshot, offset)
        states = self._states.setdefault(snapshot.uri, deque(maxlen=_STATES))
        self._states.move_to_end(snapshot.uri)
        while len(self._states) > _STATES:
            self._states.popitem(last=False)
        newest = states[-1] if states else state
        came_back = any(s.digest == state.digest and s.version < state.version for s in states)
        if not states or newest.version != state.version:
            states.append(state)
        if not came_back:
            return False
        jumped = newest.digest != state.digest and abs(newest.length - state.length) > _ONE_CHARACTER
        return jumped or state.digest in self._accepted_from

    def shown(self, snapshot: Snapshot, offset: int, suggestions: tuple[Suggestion, ...]) -> None:
        """Remembers what was offered, so that the editor's commands can name it."""
        for one in suggestions:
            self._shown[one.id] = _Shown(
                suggestion=one,
                uri=snapshot.uri,
                whole_line=_whole_line(snapshot, offset, one.text),
                state=_State.of(snapshot, offset).digest,
            )
        while len(self._shown) > _SHOWN:
            self._shown.popitem(last=False)

    def accepted(self, suggestion_id: str) -> None:
        if (shown := self._shown.get(suggestion_id)) is not None:
            self._accepted_from.append(shown.state)
            self.n_accepted += 1

    def dismissed(self, suggestion_id: str) -> None:
        if (shown := self._shown.get(suggestion_id)) is not None:
            self._dismissed.append((shown.uri, shown.whole_line))
            self.n_dismissed += 1

    def dismissed_latest(self, uri: str) -> None:
        """The user sent away whatever this document was offered last."""
        for name in reversed(self._shown):
            if self._shown[name].uri == uri:
                self.dismissed(name)
                return

    def was_dismissed(self, snapshot: Snapshot, offset: int, text: str) -> bool:
        """Whether this suggestion, typed on or not, was dismissed on this line before."""
        return (snapshot.uri, _whole_line(snapshot, offset, text)) in self._dismissed


def _whole_line(snapshot: Snapshot, offset: int, text: str) -> bytes:
    """What stands from the line's start to the end of the suggestion, as a digest: the same however much is typed."""
    start = snapshot.lines.start(snapshot.lines.line_at(offset))
    return _digest(snapshot.text[start:offset] + text.encode("utf-8", "replace"))


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16, usedforsecurity=False).digest()
