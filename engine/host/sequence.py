"""One request's work: a job, and its candidates as sequences of tokens."""

import time
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.backends.backend import Backend, Encoded, Logits
from engine.host.kv import Slot
from engine.host.sampling import Sampler, log_probability, make_sampler
from engine.host.text import AnswerText, Said
from engine.types import Chunk, FinishReason, GenerateRequest, Lane, Usage

LOOP_PERIOD = 64
"""Longest period, in tokens, of a repetition that is looked for."""
LOOP_TOKENS = 64
"""A candidate ends when this many tokens in a row have repeated what stood one period before."""


@dataclass(eq=False, slots=True)
class Job:
    """A request at work. `ended` may be set by any thread; all else belongs to the model's thread."""

    request: GenerateRequest
    encoded: Encoded
    ended: Literal["superseded", "cancelled"] | None = None
    sequences: list["Sequence"] = field(init=False)
    n_cached: int | None = None
    began: float = 0.0
    first_token: float | None = None

    def __post_init__(self) -> None:
        self.sequences = [Sequence(self, index) for index in range(self.request.n_candidates)]

    @property
    def lane(self) -> Lane:
        return self.request.lane

    @property
    def live(self) -> list["Sequence"]:
        return [sequence for sequence in self.sequences if sequence.finish is None]

    def start(self, n_cached: int) -> None:
        """The model turns to the job; `n_cached` of its prompt's tokens need no evaluation."""
        self.n_cached, self.began = n_cached, time.monotonic()

    def closed(self, chunk: Chunk) -> Chunk:
        """The job's last chunk, with its usage."""
        return replace(chunk, usage=self._usage())

    def _usage(self) -> Usage:
        now = time.monotonic()
        first = self.first_token or now
        return Usage(
            prompt_tokens=len(self.encoded.tokens),
            cached_tokens=self.n_cached or 0,
            completion_tokens=sum(sequence.n_out for sequence in self.sequences),
            prefill_s=first - self.began if self.began else 0.0,
            decode_s=now - first,
        )


class Sequence:
    """One candidate. `tokens` are prompt and answer; those before `slot.n` have been evaluated.

    The tokens of a choice are given and scored instead of chosen.
    """

    def __init__(self, job: Job, index: int) -> None:
        self.job = job
        self.index = index
        self.tokens = list(job.encoded.tokens)
        self.slot: Slot | None = None
        self.finish: FinishReason | None = None
        self.n_out = 0
        self._n_thinking = 0
        self._given = job.encoded.choices[index] if job.encoded.choices else None
        self._score = 0.0
        self._sampler: Sampler = make_sampler(job.request.sampling, index)
        self._answer = AnswerText((*job.request.stop, *job.encoded.stops), job.encoded.start)

    @property
    def n_pending(self) -> int:
        """How many tokens wait for evaluation: more than one while the prompt is read."""
        return len(self.tokens) - (self.slot.n if self.slot is not None else 0)

    @property
    def may_start(self) -> bool:
        """The first candidate reads the prompt; the others wait for it and then share its memory."""
        leader = self.job.sequences[0]
        return self.index == 0 or leader.finish is not None or (leader.slot is not None and leader.n_pending <= 1)

    def extend(self, backend: Backend, part: int, max_tokens: int) -> Chunk | None:
        """Chooses the next token after a batch; returns what can be shown of it. Sets `finish` at the end.

        `max_tokens`: the most tokens this answer may have in the model's context.
        """
        if self._given is not None:
            return self._follow(self._given, backend.logits(part))
        if max_tokens == 0:
            return self.end("length")
        token = self._sampler(backend.logits(part))
        if self.job.first_token is None:
            self.job.first_token = time.monotonic()
        if backend.ends(token) or token in self.job.encoded.ends:
            return self.end("stop")
        self.tokens.append(token)
        self.n_out += 1
        said = self._answer.feed(backend.piece(token))
        reason: FinishReason | None = "stop" if said.stopped else self._limit(max_tokens)
        if reason is not None:
            return self.end(reason, said)
        said = self._spend_thinking(backend, said)
        return Chunk(index=self.index, text=said.text, thinking=said.thinking) if said.text or said.thinking else None

    def _follow(self, given: tuple[int, ...], logits: Logits) -> Chunk | None:
        """Adds what the next token of a choice costs; the last one needs no evaluation of its own."""
        if self.job.first_token is None:
            self.job.first_token = time.monotonic()
        if self.n_out < len(given):
            token = given[self.n_out]
            self._score += log_probability(logits, token)
            self.tokens.append(token)
            self.n_out += 1
        return replace(self.end("stop"), score=self._score) if self.n_out == len(given) else None

    def end(self, reason: FinishReason, said: Said | None = None) -> Chunk:
        """Finishes the candidate; what was held back is released unless a stop string has been found."""
        self.finish = reason
        said = said or Said()
        rest = Said() if said.stopped else self._answer.finish()
        text, thinking = said.text + rest.text, said.thinking + rest.thinking
        return Chunk(index=self.index, text=text, thinking=thinking, finish=reason)

    def _limit(self, max_tokens: int) -> FinishReason | None:
        budget_s, first = self.job.request.time_budget_s, self.job.first_token
        if self.n_out >= max_tokens:
            return "length"
        if budget_s is not None and first is not None and time.monotonic() - first >= budget_s:
            return "budget"
        return "loop" if self._loops() else None

    def _loops(self) -> bool:
        """Whether the last `LOOP_TOKENS` tokens repeat those one period before, for any period that is looked for."""
        tokens, n = self.tokens, self.n_out
        last = tokens[-1]
        periods = range(1, min(LOOP_PERIOD, n - LOOP_TOKENS) + 1)
        return any(
            tokens[-1 - period] == last and tokens[-LOOP_TOKENS:] == tokens[-LOOP_TOKENS - period : -period]
            for period in periods
        )

    def _spend_thinking(self, backend: Backend, said: Said) -> Said:
        """Closes the reasoning block in the model's mouth when its budget is spent."""
        budget = self.job.request.think_budget
        if budget is None or not self._answer.thinking:
            return said
        self._n_thinking += 1
        if self._n_thinking < budget:
            return said
        close = self.job.encoded.think_close
        self.tokens.extend(close)
        closed = self._answer.feed(b"".join(map(backend.piece, close)))
        return Said(said.text + closed.text, said.thinking + closed.thinking, closed.stopped)
