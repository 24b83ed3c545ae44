"""A backend that answers from a script (the format of `engine.scripted`), deterministically and without a model.

Its tokens are pieces of text. Each encoded prompt ends in a marker token that no other prompt has: it names the answer,
so that the fake needs no memory of requests beside what a real model sees, its tokens.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.backends.backend import Encoded, LoadProgress, Logits, Outcome, Part
from engine.errors import ONLY_TEXT, ContextOverflow, EngineUnavailable, ModelUnusable, Unsupported
from engine.prompt.chat import THINK_CLOSE
from engine.prompt.think import Start
from engine.scripted import Rule, Script, pieces, render
from engine.shared_start import n_shared
from engine.types import GenerateRequest, ModelInfo, TextPrompt, Usage

N_SLOTS = 16
MAX_BATCH = 256
END = 0
_FIRST_MARKER = 1 << 40
_LOAD_STEPS = 4


@dataclass(slots=True)
class _Answer:
    """What the candidates of one request say, as tokens; `given` counts the candidates that have begun.

    `costs`: of each reply, what every token of it adds to its score; none where nothing is scored.
    """

    replies: list[list[int]]
    delay_s: float
    costs: list[float] = field(default_factory=list)
    given: int = 0

    def take(self) -> int:
        """Which reply the next candidate gets."""
        self.given += 1
        return min(self.given, len(self.replies)) - 1


@dataclass(slots=True)
class _Memory:
    """What a slot holds: its tokens, the cell of each, and the answer it is in the middle of."""

    tokens: list[int] = field(default_factory=list)
    cells: list[object] = field(default_factory=list)
    answer: _Answer = field(default_factory=lambda: _Answer(replies=[[]], delay_s=0.0))
    which: int = 0
    reply_at: int = 0

    def next_token(self, close: int) -> tuple[int, float]:
        """What the reply says after the tokens already here, and its cost.

        A close tag from outside skips what it cuts off.
        """
        if self.answer.costs:
            self._recognise()
        at, reply = 0, self.answer.replies[self.which]
        for token in self.tokens[self.reply_at :]:
            if at < len(reply) and token == reply[at]:
                at += 1
            elif token == close and close in reply[at:]:
                at = reply.index(close, at) + 1
        return reply[at] if at < len(reply) else END, self.answer.costs[self.which] if self.answer.costs else 0.0

    def _recognise(self) -> None:
        """Who reads a choice again, because it had to give its memory back, does not say which it was."""
        said, replies = self.tokens[self.reply_at :], self.answer.replies
        if replies[self.which][: len(said)] != said:
            alike = (which for which, reply in enumerate(replies) if reply[: len(said)] == said)
            self.which = next(alike, self.which)


class ScriptedBackend:
    """Implements `engine.backends.backend.Backend`."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.n_slots = N_SLOTS
        self.max_batch = MAX_BATCH
        self._lock = threading.Lock()
        self._ids: dict[str, int] = {"": END}
        self._texts: list[bytes] = [b""]
        self._answers: dict[int, _Answer] = {}
        self._close = self._id(THINK_CLOSE)
        self._slots = [_Memory() for _ in range(N_SLOTS)]
        self._next: list[tuple[int, float]] = []
        self._aborted = threading.Event()

    @classmethod
    def load(cls, script: Script, progress: LoadProgress) -> "ScriptedBackend":
        """Takes as long as the script says. Raises ModelUnusable when the script wants that."""
        for step in range(_LOAD_STEPS if script.load_s else 0):
            progress("loading the script", step / _LOAD_STEPS)
            time.sleep(script.load_s / _LOAD_STEPS)
        if script.fail:
            raise ModelUnusable(script.fail)
        return cls(script)

    @property
    def info(self) -> ModelInfo:
        return self.script.info

    def encode(self, request: GenerateRequest) -> Encoded:
        if request.choices and not isinstance(request.prompt, TextPrompt):
            raise Unsupported(ONLY_TEXT)
        rendered = render(request.prompt)
        texts = [self.tokens_of(rendered + choice) for choice in request.choices or ("",)]
        longest = max(map(len, texts))
        if longest >= self.info.n_ctx:
            raise ContextOverflow(longest, self.info.n_ctx)
        n = n_shared(texts)
        tokens, choices = texts[0][:n], [text[n:] for text in texts] if request.choices else []
        with self._lock:
            rule = self.script.answer(rendered)
            if rule.error:
                raise EngineUnavailable(rule.error)
            marker = _FIRST_MARKER + len(self._answers)
            self._answers[marker] = _scored(rule, request.choices, choices) if choices else self._answer(rule, request)
        thinks = bool(rule.thinking)
        return Encoded(
            tokens=[*tokens, marker],
            start=Start.THINKING if thinks else None,
            think_close=(self._close,) if thinks else (),
            choices=tuple(map(tuple, choices)),
        )

    def _answer(self, rule: Rule, request: GenerateRequest) -> _Answer:
        thinking = [*pieces(rule.thinking)[: request.think_budget], THINK_CLOSE] if rule.thinking else []
        said = [[self._id(text) for text in (*thinking, *pieces(reply))] for reply in rule.replies]
        return _Answer(replies=said, delay_s=rule.delay_s)

    def tokens_of(self, text: str) -> list[int]:
        with self._lock:
            return [self._id(piece) for piece in pieces(text)]

    def _id(self, text: str) -> int:
        found = self._ids.setdefault(text, len(self._texts))
        if found == len(self._texts):
            self._texts.append(text.encode("utf-8", "replace"))
        return found

    def piece(self, token: int) -> bytes:
        return self._texts[token]

    def ends(self, token: int) -> bool:
        return token == END

    def run(self, parts: Sequence[Part]) -> Outcome:
        if self._is_full(parts):
            return "full"
        if self._aborted.wait(self._delay(parts)) or self._aborted.is_set():
            return "aborted"
        for part in parts:
            memory = self._slots[part.slot]
            for token in part.tokens:
                memory.tokens.append(token)
                memory.cells.append(object())
                if token >= _FIRST_MARKER:
                    memory.answer = self._answers[token]
                    memory.which, memory.reply_at = memory.answer.take(), len(memory.tokens)
        self._next = [self._slots[part.slot].next_token(self._close) for part in parts]
        return "done"

    def _is_full(self, parts: Sequence[Part]) -> bool:
        added = sum(len(part.tokens) for part in parts)
        held = sum(len(memory.cells) for memory in self._slots)
        if held + added <= self.info.n_ctx:
            return False
        return len({id(cell) for memory in self._slots for cell in memory.cells}) + added > self.info.n_ctx

    def _delay(self, parts: Sequence[Part]) -> float:
        """`prefill_s` where a prompt ends, the rule's delay for every piece of an answer."""
        ends_prompt = any(token >= _FIRST_MARKER for part in parts for token in part.tokens)
        spoken = max((self._slots[part.slot].answer.delay_s for part in parts if part.wants_logits), default=0.0)
        return self.script.prefill_s if ends_prompt else spoken

    def logits(self, part: int) -> Logits:
        row = np.full(len(self._texts), -np.inf, dtype=np.float32)
        token, cost = self._next[part]
        row[END] = np.log(-np.expm1(cost)) if cost else -np.inf
        row[token] = cost
        return row

    def rewind(self, slot: int, n: int) -> bool:
        memory = self._slots[slot]
        del memory.tokens[n:], memory.cells[n:]
        return True

    def copy(self, source: int, target: int, n: int) -> None:
        held = self._slots[source]
        self._slots[target] = _Memory(held.tokens[:n], held.cells[:n], held.answer, held.which, held.reply_at)

    def served(self, usage: Usage) -> None:
        """A script's speed is what its `info` says."""

    def abort(self) -> None:
        self._aborted.set()

    def clear_abort(self) -> None:
        self._aborted.clear()

    def close(self) -> None:
        self.abort()


def _scored(rule: Rule, choices: Sequence[str], rests: list[list[int]]) -> _Answer:
    """Choices whose tokens, behind those that all share, cost alike and together what the rule says."""
    costs = [rule.score(choice) / max(len(rest), 1) for choice, rest in zip(choices, rests, strict=True)]
    return _Answer(replies=rests, delay_s=rule.delay_s, costs=costs)
