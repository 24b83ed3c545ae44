"""The words the model side and its callers share: requests, chunks, what a model is, how the engine is doing."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol


class Lane(StrEnum):
    """Who waits for the answer. The host runs the first lane that has work; the others pause with their KV kept."""

    TYPING = "typing"
    ACTION = "action"
    IDLE = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is chosen. The defaults are greedy: temperature 0."""

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    seed: int = 0


GREEDY = Sampling()


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPrompt:
    """Plain continuation. The text is content: control tokens spelled out in it stay ordinary text."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InfillPrompt:
    """Fill in the middle, laid out as llama.vim does: `middle` stands after the middle marker.

    `prefix` is everything before the cursor's line and `suffix` everything after the cursor, so that neither changes
    while one line is typed and the KV cache of both is kept; `middle` is the cursor's line up to the cursor.
    `context` is other code put before the prefix (signatures, imports), in an order the caller keeps frozen.
    """

    prefix: str
    suffix: str
    middle: str = ""
    context: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatPrompt:
    """A conversation for an instruct or reasoning model; the engine applies the model family's template."""

    messages: tuple[Message, ...]
    prefill: str = ""
    """The beginning of the answer, put in the model's mouth."""


Prompt = TextPrompt | InfillPrompt | ChatPrompt


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateRequest:
    """One piece of work for a model.

    `session` names what a newer request replaces: the host stops an older request of the same session and lane.
    `time_budget_s` bounds generation from the first token on; `think_budget` bounds reasoning tokens (None: the
    model's own default, 0: the reasoning block is closed before it starts).

    With `choices` the model writes nothing: it says how likely each of them is as what follows a text prompt, and the
    last chunk of candidate i has the `score` of choice i. `max_tokens`, `stop`, `sampling` and `n` mean nothing then.
    """

    prompt: Prompt
    max_tokens: int = 128
    stop: tuple[str, ...] = ()
    sampling: Sampling = GREEDY
    n: int = 1
    lane: Lane = Lane.TYPING
    session: str = ""
    time_budget_s: float | None = None
    think_budget: int | None = None
    choices: tuple[str, ...] = ()

    @property
    def n_candidates(self) -> int:
        return len(self.choices) or self.n


FinishReason = Literal["stop", "length", "budget", "superseded", "loop"]
"""Why a candidate ended. "loop": it repeats itself, period 64 tokens or less; the text ends where it stood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts and times of one finished request; times in seconds."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    prefill_s: float = 0.0
    decode_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of an answer. `text` never ends inside a character and never holds reasoning, which is in `thinking`.

    `index` numbers the candidate (0 .. n-1). The last chunk of each candidate has `finish`, the last of all `usage`.
    `score`: see `Engine.score`; None where the request has no choices, and where a choice was not read to its end.
    """

    text: str = ""
    thinking: str = ""
    index: int = 0
    finish: FinishReason | None = None
    usage: Usage | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What a caller must know of the loaded model. Speeds: tokens per second measured on this machine, 0 if unknown."""

    id: str
    family: str = "unknown"
    n_ctx: int = 4096
    can_infill: bool = False
    can_chat: bool = True
    reasons: bool = False
    prefill_tps: float = 0.0
    decode_tps: float = 0.0
    chars_per_token: float = 3.0
    remote: bool = False


class EnginePhase(StrEnum):
    OFF = "off"
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    RESTARTING = "restarting"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """How the engine is doing, for progress bars and status lines. `fraction` is None when unknown."""

    phase: EnginePhase
    detail: str = ""
    fraction: float | None = None
    model: ModelInfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """Which model to run and how; every field is part of the shared host's name.

    `model` is "default", a catalogue name or a path to a GGUF file; `adapter` the path of a LoRA adapter for it, as
    `r1-gguf lora` makes one. `url` points to an OpenAI-compatible server instead
    of a host of our own; `api_key` goes there and nowhere else.
    """

    model: str = "default"
    n_ctx: int | None = None
    threads: int | None = None
    gpu_layers: int | None = None
    adapter: str | None = None
    url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    remote_model: str | None = None
    script: str | None = None
    """Path of a script for the scripted backend; replaces the model."""


class Engine(Protocol):
    """What features know of the model side. Implementations: engine.client, engine.scripted (in process, for tests)."""

    @property
    def status(self) -> EngineStatus: ...

    def watch(self, listener: Callable[[EngineStatus], None]) -> Callable[[], None]:
        """Calls `listener` on the event loop at each change of status; returns a function that ends the watch."""
        ...

    def start(self) -> None:
        """Begins to bring the engine up in the background; returns at once. Further calls do nothing."""
        ...

    async def info(self) -> ModelInfo:
        """The model, once it is ready. Raises EngineError when it will not become ready."""
        ...

    def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        """Streams an answer. Closing the generator (or cancelling its task) stops the work on the model's thread.

        A first chunk without content may say that the model has begun: there is time now to prepare for its words.
        Raises EngineError. A host that dies on the way raises EngineUnavailable; nothing is retried here.
        """
        ...

    async def score(self, request: GenerateRequest) -> tuple[float, ...]:
        """How likely each of the request's choices is: the higher, the likelier, and only differences mean something.

        A score is the sum of the natural logarithms of its tokens' probabilities, from the first token on that is not
        the same in all of them. Cancelling stops the work. Raises EngineError: Unsupported where the engine can only
        write, EngineUnavailable when a newer request of the session came in between.
        """
        ...

    async def count_tokens(self, text: str) -> int: ...

    async def close(self) -> None: ...
