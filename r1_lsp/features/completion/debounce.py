"""How long to wait before the model is asked: the shorter the more likely the user has stopped to look.

The shape is that of Tabby's debouncer (a multiple of the user's own key interval, less the time the model takes
anyway), with shorter bounds: here a request that is typed over costs no network and leaves its prefix in the KV cache.
"""

import re
from collections import deque

USUAL_INTERVAL_S = 0.2
"""Assumed time between keys until there are samples."""
SHORTEST_S, LONGEST_S = 0.02, 0.4
_INTERVALS = 20
_ANSWERS = 10
_PAUSE_S = 1.5  # a longer gap between requests is thinking, not typing
_TRIGGER = re.compile(r"[^\w\s]\s?$|^\s*$")


class Typing:
    """How fast the user types and how fast the model answers; monotonic seconds, event-loop thread only."""

    def __init__(self) -> None:
        self._intervals: deque[float] = deque(maxlen=_INTERVALS)
        self._answers: deque[float] = deque(maxlen=_ANSWERS)
        self._last = float("-inf")

    def key(self, now: float) -> None:
        """A request came because of a key."""
        gap, self._last = now - self._last, now
        if 0.0 < gap < _PAUSE_S:
            self._intervals.append(gap)

    def answered(self, took_s: float) -> None:
        """The model's first text came `took_s` seconds after it was asked."""
        self._answers.append(took_s)

    @property
    def interval_s(self) -> float:
        """The usual time between two keys, within 0.1 to 0.4 s."""
        if len(self._intervals) < 5:
            return USUAL_INTERVAL_S
        return _clamp(sorted(self._intervals)[len(self._intervals) // 2], 0.1, 0.4)

    @property
    def answer_s(self) -> float:
        """The usual time to first text; 0 while unknown."""
        return sum(self._answers) / len(self._answers) if self._answers else 0.0


def promise(line_before: str, line_after: str) -> float:
    """How likely a suggestion is wanted here, 0 to 1: after punctuation or on a blank line, at a line's end."""
    return (0.6 if _TRIGGER.search(line_before) else 0.0) + (0.4 if not line_after.strip() else 0.0)


def delay_s(typing: Typing, wanted: float, *, invoked: bool, fixed_ms: int | None, waited_s: float) -> float:
    """Seconds to wait before the model is asked. `wanted`: `promise`; `waited_s`: what the editor has waited itself."""
    if invoked:
        return 0.0
    if fixed_ms is not None:
        return fixed_ms / 1000
    natural = (1.0 - 0.5 * wanted) * typing.interval_s - typing.answer_s
    return max(0.0, _clamp(natural, SHORTEST_S, LONGEST_S) - waited_s)


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
