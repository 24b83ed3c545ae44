"""The seam between the scheduler and whatever runs the model. Real: `llama_cpp`; deterministic fake: `scripted`.

A backend has `n_slots` sequences ("slots") over one shared memory of `n_cells` token positions. Only the model's thread
calls it, except for `encode`, `tokens_of` and `abort`, which any thread may call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.prompt.think import Start
from engine.types import GenerateRequest, ModelInfo, Usage

Logits = NDArray[np.float32]
Outcome = Literal["done", "aborted", "full"]
LoadProgress = Callable[[str, float | None], None]
"""Called while a model is loaded: what is being done, and the fraction that is done where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """A request as the model reads it.

    `start` says whether the answer begins inside a reasoning block (None: no reasoning to part from the answer);
    `think_close` are the tokens that end such a block from outside; `ends` and `stops` end an answer besides the
    vocabulary's own end tokens and the request's stop strings. `choices` are the tokens of the request's choices behind
    `tokens`, which all of them share.
    """

    tokens: list[int]
    start: Start | None = None
    think_close: tuple[int, ...] = ()
    ends: frozenset[int] = frozenset()
    stops: tuple[str, ...] = ()
    choices: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One slot's share of a batch: `tokens` go to positions `start`, `start + 1`, ...

    `wants_logits`: what follows the last of the tokens is asked for with `Backend.logits`.
    """

    slot: int
    start: int
    tokens: Sequence[int]
    wants_logits: bool


class Backend(Protocol):
    @property
    def info(self) -> ModelInfo: ...

    @property
    def n_slots(self) -> int: ...

    @property
    def max_batch(self) -> int:
        """The most tokens one `run` may hold."""
        ...

    def encode(self, request: GenerateRequest) -> Encoded:
        """Renders and tokenises a request. Any thread. Raises ContextOverflow, BadRequest, Unsupported."""
        ...

    def tokens_of(self, text: str) -> list[int]:
        """The tokens of a content text, without scaffold. Any thread."""
        ...

    def piece(self, token: int) -> bytes:
        """The bytes a token stands for; they may end inside a character. Empty for control tokens."""
        ...

    def ends(self, token: int) -> bool:
        """Whether the vocabulary says that this token ends a text."""
        ...

    def run(self, parts: Sequence[Part]) -> Outcome:
        """Evaluates a batch. Raises EngineError when the model failed.

        After "full" (no memory for the batch) nothing has changed; after "aborted" each slot of the batch has to be
        rewound to where its part started.
        """
        ...

    def logits(self, part: int) -> Logits:
        """The logits after the last token of the batch's part number `part`. Valid until the next `run`."""
        ...

    def rewind(self, slot: int, n: int) -> bool:
        """Forgets all of a slot but its first `n` tokens. False: this memory cannot; the slot is then empty."""
        ...

    def copy(self, source: int, target: int, n: int) -> None:
        """Makes the first `n` tokens of a slot those of an empty slot, too. They share memory."""
        ...

    def served(self, usage: Usage) -> None:
        """Told of every answer of one candidate: a machine that was busy when it was measured shows its speed later."""
        ...

    def abort(self) -> None:
        """Makes the `run` at work return "aborted" soon. Any thread. Holds until `clear_abort`."""
        ...

    def clear_abort(self) -> None: ...

    def close(self) -> None: ...
