"""Which prefix already sits in the model's memory, and which slot a new sequence gets.

Slots share cells: copying a prefix from one to another costs nothing. No position is ever shifted (some architectures
cannot); reuse is always the longest common prefix.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.backends.backend import Backend

Tokens = NDArray[np.int64]


@dataclass(slots=True, eq=False)
class Slot:
    """One sequence of the model's memory; `tokens[:n]` have been evaluated. `used` orders slots by last use."""

    number: int
    tokens: Tokens
    n: int = 0
    busy: bool = False
    used: int = 0

    def common(self, tokens: Tokens) -> int:
        """How many of the first tokens are the same."""
        n = min(self.n, len(tokens))
        same = self.tokens[:n] == tokens[:n]
        return n if same.all() else int(same.argmin())

    def append(self, tokens: Sequence[int]) -> None:
        self.tokens[self.n : self.n + len(tokens)] = tokens
        self.n += len(tokens)


@dataclass(slots=True)
class KvCache:
    """Owns the slots of one backend."""

    backend: Backend
    slots: list[Slot] = field(init=False)
    _clock: int = 0

    def __post_init__(self) -> None:
        size = self.backend.info.n_ctx + self.backend.max_batch
        self.slots = [Slot(number, np.zeros(size, dtype=np.int64)) for number in range(self.backend.n_slots)]

    def acquire(self, tokens: list[int]) -> tuple[Slot, int] | None:
        """A slot for a sequence that begins with `tokens`, and how many of them need no evaluation. None: all busy.

        At least one token is always left to evaluate: its logits are what comes next. The slot with the longest
        common prefix is taken over when little else is lost with it; otherwise the prefix is copied to an empty slot
        or the one unused for longest, so that an unrelated short request never costs somebody's long prefix.
        """
        wanted = np.array(tokens, dtype=np.int64)
        free = [slot for slot in self.slots if not slot.busy]
        if not free:
            return None
        common = {slot.number: slot.common(wanted) for slot in self.slots}
        best = max(self.slots, key=lambda slot: (common[slot.number], not slot.busy, slot.used))
        n = min(common[best.number], len(tokens) - 1)
        if best.busy or n * 2 < best.n:
            others = [slot for slot in free if slot is not best] or free
            target = min(others, key=lambda slot: (slot.n > 0, slot.used))
            n = self._copied(best, target, n)
        else:
            target = best
            n = self.rewind(target, n)
        target.busy = True
        return target, n

    def _copied(self, best: Slot, target: Slot, n: int) -> int:
        if target is best:
            return self.rewind(target, n)
        self.rewind(target, 0)
        if n:
            self.backend.copy(best.number, target.number, n)
            target.append(best.tokens[:n].tolist())
        return n

    def rewind(self, slot: Slot, n: int) -> int:
        """Forgets what is behind the first `n` tokens; returns how many are left (0 where memory cannot rewind)."""
        if n < slot.n or n == 0:
            slot.n = n if self.backend.rewind(slot.number, n) else 0
        return slot.n

    def restore(self, slot: Slot) -> None:
        """Forgets what an aborted batch may have left behind the slot's tokens."""
        if not self.backend.rewind(slot.number, slot.n):
            slot.n = 0

    def release(self, slot: Slot) -> None:
        """The sequence is over or paused; its tokens stay for the next one."""
        self._clock += 1
        slot.busy, slot.used = False, self._clock

    def evict(self) -> bool:
        """Empties the free slot that has been unused for longest. False when there is none."""
        held = [slot for slot in self.slots if not slot.busy and slot.n]
        if not held:
            return False
        self.rewind(min(held, key=lambda slot: slot.used), 0)
        return True

    def clear(self) -> None:
        """Forgets everything, after the model failed."""
        for slot in self.slots:
            self.rewind(slot, 0)
