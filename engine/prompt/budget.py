"""How long a prompt may be: from the measured reading speed, so that the first text comes in time."""

from collections.abc import Sequence
from dataclasses import dataclass

# A prompt below this says too little to complete code from; a slower machine waits instead.
FLOOR_TOKENS = 128
# While the speed is unknown: a laptop core reads a 135 M model at about this speed (tokens per second).
UNMEASURED_TPS = 300.0


def prompt_tokens(prefill_tps: float, *, within_s: float, n_ctx: int, max_tokens: int, decode_tps: float = 0.0) -> int:
    """How many prompt tokens the model can read so that cold first text comes `within_s` seconds after the question.

    `prefill_tps`, `decode_tps`: tokens per second measured on this machine, 0 when unknown. One decode step is part of
    the wait. Never more than fits beside `max_tokens` of answer in a context of `n_ctx` tokens; never below
    `FLOOR_TOKENS` unless the context itself is smaller.
    """
    first_token_s = 1.0 / decode_tps if decode_tps > 0 else 0.0
    speed = prefill_tps if prefill_tps > 0 else UNMEASURED_TPS
    readable = int(speed * max(within_s - first_token_s, 0.0))
    room = max(n_ctx - max_tokens - _MARGIN, 0)
    return min(max(readable, FLOOR_TOKENS), room)


# The markers, the beginning-of-sequence token and a guard token at the joint of prompt and answer.
_MARGIN = 8


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a prompt that asks for room: how many tokens it has, and how much of a shortage is spared it.

    `weight`: a section gets room in proportion to it until it has what it wants.
    """

    name: str
    wanted: int
    weight: float = 1.0


def split(total: int, sections: Sequence[Section]) -> dict[str, int]:
    """Shares `total` tokens among sections: by weight, and what one does not need goes to the others.

    No section gets more than it wants; the sum is never above `total`; the result depends on nothing but the arguments.
    """
    granted = {section.name: 0 for section in sections}
    hungry = [s for s in sections if s.wanted > 0 and s.weight > 0]
    left = max(total, 0)
    while hungry and left > 0:
        weights = sum(s.weight for s in hungry)
        filled = [s for s in hungry if s.wanted <= left * s.weight / weights]
        if not filled:
            for section in hungry:
                granted[section.name] = int(left * section.weight / weights)
            break
        for section in filled:
            granted[section.name] = section.wanted
        left -= sum(s.wanted for s in filled)
        hungry = [s for s in hungry if s not in filled]
    return granted
