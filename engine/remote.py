"""An OpenAI-compatible server that the user runs or rents: what it can do, and how to ask it.

The key goes to the configured address and nowhere else: redirects are refused, and proxies from the environment are
not used. What a foreign server does not do for us is done here: infill markers, parting reasoning from the answer,
budgets, and stopping what a newer request of the same session replaces.
"""

import asyncio
import contextlib
import logging
import math
import re
from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from engine import payload
from engine.client import Call, ask, unreachable
from engine.errors import ONLY_TEXT, REPLACED, BadRequest, EngineError, EngineUnavailable, ModelNotFound, Unsupported
from engine.prompt import chat, fim
from engine.prompt.pieces import guarded
from engine.prompt.think import Parted, Start, ThinkParser
from engine.status import StatusBoard
from engine.types import (
    ChatPrompt,
    Chunk,
    EngineOptions,
    EnginePhase,
    EngineStatus,
    FinishReason,
    GenerateRequest,
    InfillPrompt,
    Lane,
    ModelInfo,
    TextPrompt,
    Usage,
)

if TYPE_CHECKING:
    import aiohttp

logger = logging.getLogger(__name__)

T = TypeVar("T")

CONNECT_S = 10.0
READ_S = 300.0
"""Seconds without a byte: a remote R1 may read a long prompt for minutes before its first token."""
RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a make of server does. `infill`: "native" is llama.cpp's /infill, "suffix" OpenAI's field of /completions,
    "markers" means that a text prompt's markers become tokens. `scores`: it echoes a text with what each token of it
    cost, as OpenAI's /completions did. `prefill`: how the beginning of an answer is given.
    """

    infill: Literal["native", "suffix", "markers"]
    extra_sampling: bool = False
    candidates: bool = True
    scores: bool = False
    prefill: Mapping[str, Any] | None = None
    prefill_message: Mapping[str, Any] | None = None
    beta: str = ""
    tokenize: Literal["content", "prompt"] | None = None


_CONTINUE = {"continue_final_message": True, "add_generation_prompt": False}
_BY_OWNER: Mapping[str, Kind] = {
    "llamacpp": Kind(infill="native", extra_sampling=True, prefill={}, tokenize="content"),
    "vllm": Kind(infill="markers", extra_sampling=True, scores=True, prefill=_CONTINUE, tokenize="prompt"),
    "sglang": Kind(infill="markers", extra_sampling=True, scores=True, prefill=_CONTINUE),
    "deepseek": Kind(infill="suffix", candidates=False, prefill={}, prefill_message={"prefix": True}, beta="/beta"),
    "library": Kind(infill="suffix", candidates=False),  # ollama
}
_OTHER = Kind(infill="markers", scores=True)  # tried: nothing says what it can do

# Families by the names that makers and servers give their models; the first that is found decides.
_BY_NAME: tuple[tuple[str, str], ...] = (
    (r"r1[-_]0528[-_]qwen3", "r1-0528-qwen3"),
    (r"r1[-_]distill[-_]qwen", "r1-distill-qwen"),
    (r"r1[-_]distill[-_]llama", "r1-distill-llama"),
    (r"deepseek[-_]?(r1|reasoner)", "deepseek-r1"),
    (r"deepseek[-_]?coder[-_]?v2", "deepseek-coder-v2"),
    (r"deepseek[-_]?coder", "deepseek-coder"),
    (r"deepseek[-_]?(v3|chat)", "deepseek-v3"),
    (r"qwen2\.5[-_]?coder", "qwen2.5-coder"),
    (r"qwen3[-_]?coder", "qwen3-coder"),
    (r"qwen3", "qwen3"),
    (r"qwen2\.5", "qwen2.5"),
    (r"starcoder2", "starcoder2"),
    (r"codestral", "codestral"),
    (r"seed[-_]?coder", "seed-coder"),
    (r"granite.*code", "granite-code"),
    (r"smollm2", "smollm2"),
    (r"llama[-_]?3", "llama3"),
)


def family_of(name: str) -> str:
    """The family a model's name speaks of, "unknown" when none is recognised."""
    return next((family for pattern, family in _BY_NAME if re.search(pattern, name.lower())), "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """`api` is what /completions and /models hang from, `root` what llama.cpp's and vLLM's own routes hang from."""

    api: str
    root: str


def addresses(url: str) -> Addresses:
    """Reads the user's URL; one without a path gets /v1. Raises BadRequest."""
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadRequest("the engine's url must begin with http:// or https:// and name a server")
    if parts.username or parts.query or parts.fragment:
        raise BadRequest("the engine's url must be a plain address; give the key as its own setting")
    root, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return Addresses(api=root + (path or "/v1"), root=root + path.removesuffix("/v1"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What probing found."""

    info: ModelInfo
    kind: Kind


class RemoteDoor:
    """The way to a remote server. Unreachable, it is FAILED with the reason and is asked again, ever less often."""

    def __init__(self, options: EngineOptions) -> None:
        self.board = StatusBoard()
        self._options = options
        self._known: Known | None = None
        self._http: aiohttp.ClientSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._newest: dict[tuple[Lane, str], asyncio.Event] = {}
        self._open: set[aiohttp.ClientResponse] = set()
        self._at = Addresses(api="", root="")

    @property
    def _who(self) -> str:
        return f"the engine at {self._at.root}"

    def start(self) -> None:
        if self._task is None:
            self.board.put(EngineStatus(phase=EnginePhase.STARTING, detail="asking the remote engine"))
            self._task = asyncio.get_running_loop().create_task(self._probe_until_ready())
            self._task.add_done_callback(self._probe_ended)

    def served(self) -> None:
        """Nothing to count: a remote server is not ours to restart."""

    async def restart(self) -> None:
        await self._stop()
        self.start()

    async def close(self) -> None:
        await self._stop()
        self.board.put(EngineStatus(phase=EnginePhase.OFF, detail="the engine is closed"))

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for response in tuple(self._open):
            response.close()
        if self._http is not None:
            await self._http.close()
            self._http = None

    # -- probing -----------------------------------------------------------------------------------------------------

    async def _probe_until_ready(self) -> None:
        tries = 0
        while True:
            try:
                self._at = addresses(self._options.url or "")
                self._http = self._http or _session(self._options.api_key)
                self._known = await self._probe()
            except EngineError as error:
                self.board.fail(error)
            else:
                self.board.put(EngineStatus(phase=EnginePhase.READY, model=self._known.info))
                return
            await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
            tries += 1

    def _probe_ended(self, task: "asyncio.Task[None]") -> None:
        """A server that answers in a shape nobody foresaw must not leave everybody waiting."""
        defect = None if task.cancelled() else task.exception()
        if defect is not None:
            logger.error("the probe of the remote engine stopped", exc_info=defect)
            self.board.fail(EngineUnavailable(f"{self._who} does not speak the OpenAI protocol"))

    async def _probe(self) -> Known:
        rows = (await self._get(f"{self._at.api}/models")).get("data")
        rows = [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)] if rows else []
        row = _chosen(rows, self._options.remote_model, self._who)
        kind = _BY_OWNER.get(str(row.get("owned_by")), _OTHER)
        family = family_of(row["id"])
        info = ModelInfo(
            id=row["id"],
            family=family,
            n_ctx=await self._n_ctx(row, kind),
            can_infill=await self._can_infill(kind, row["id"], family),
            reasons=chat.reasons(family),
            remote=True,
        )
        return Known(info=info, kind=kind)

    async def _n_ctx(self, row: Mapping[str, Any], kind: Kind) -> int:
        """The context's size: what the server says it runs with, else what the model was trained for."""
        found = [row.get("max_model_len"), row.get("context_length")]
        if kind.infill == "native":
            with contextlib.suppress(EngineError):
                props = await self._get(f"{self._at.root}/props")
                found.append((props.get("default_generation_settings") or {}).get("n_ctx"))
        found.append((row.get("meta") or {}).get("n_ctx_train"))
        return next((n for n in found if isinstance(n, int) and n > 0), ModelInfo(id="").n_ctx)

    async def _can_infill(self, kind: Kind, model: str, family: str) -> bool:
        if kind.infill == "native":
            try:
                await ask(self._call(f"{self._at.root}/infill", dict(input_prefix="a", input_suffix="b", n_predict=1)))
            except EngineError:
                return False
            return True
        row = fim.row_for(family)
        return (row is not None and row.trained) or (kind.infill == "suffix" and model == "deepseek-chat")

    async def _get(self, url: str) -> dict[str, Any]:
        import aiohttp

        from engine.answer import refusal

        assert self._http is not None
        try:
            async with self._http.get(url, allow_redirects=False) as response:
                if response.status != 200:
                    raise refusal(response.status, await response.content.read(65536), None, self._who)
                record = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError) as exc:
            raise unreachable(self._who, exc) from exc
        except ValueError as exc:
            raise EngineUnavailable(f"{self._who} does not speak the OpenAI protocol") from exc
        return record if isinstance(record, dict) else {}

    # -- asking ------------------------------------------------------------------------------------------------------

    async def call(self, request: GenerateRequest) -> Call:
        known = await self._ready()
        replaced = self._replaced_by(request)
        url, body = self._ask_for(request, known)
        call = self._call(url, {"model": known.info.id, **_common(request, known.kind), **body})

        def tame(raw: AsyncGenerator[Chunk, None]) -> AsyncGenerator[Chunk, None]:
            return self._tamed(raw, request, known, replaced)

        return replace(call, tame=tame)

    async def score(self, request: GenerateRequest) -> tuple[float, ...]:
        from engine.answer import echoed_scores

        known = await self._ready()
        if not known.kind.scores:
            raise Unsupported(f"{self._who} cannot score texts")
        if not isinstance(request.prompt, TextPrompt):
            raise Unsupported(ONLY_TEXT)
        texts = [request.prompt.text + choice for choice in request.choices]
        body = {"model": known.info.id, "prompt": texts, "echo": True, "max_tokens": 0, "logprobs": 1}
        call = self._call(f"{self._at.api}/completions", body)
        answer = await _unless(self._replaced_by(request), ask(call))
        if isinstance(answer, str):
            raise EngineUnavailable(REPLACED)
        return echoed_scores(answer, len(texts), self._who)

    async def _ready(self) -> Known:
        self.start()
        await self.board.ready()
        if self._known is None:
            raise EngineUnavailable("the engine is not running")
        return self._known

    def _replaced_by(self, request: GenerateRequest) -> asyncio.Event:
        """Ends an older request of the same session and lane; returns what ends this one in its turn."""
        event = asyncio.Event()
        if request.session:
            older = self._newest.get((request.lane, request.session))
            if older is not None:
                older.set()
            self._newest[request.lane, request.session] = event
        return event

    def _call(self, url: str, body: dict[str, Any]) -> Call:
        if self._http is None:
            raise EngineUnavailable("the engine is not running")
        return Call(http=self._http, url=url, body=body, who=self._who, open=self._open)

    def _ask_for(self, request: GenerateRequest, known: Known) -> tuple[str, dict[str, Any]]:
        prompt, kind = request.prompt, known.kind
        api = self._at.root + kind.beta if kind.beta else self._at.api
        match prompt:
            case TextPrompt(text=text):
                return f"{api}/completions", {"prompt": text}
            case ChatPrompt():
                return f"{api if prompt.prefill else self._at.api}/chat/completions", _chat(prompt, kind)
            case InfillPrompt():
                if not known.info.can_infill:
                    raise BadRequest(f"the model {known.info.id} cannot fill in the middle")
                if kind.infill == "native":
                    whole = replace(prompt, prefix=prompt.context + prompt.prefix)
                    return f"{self._at.root}/infill", {**payload.infill(whole), "n_predict": request.max_tokens}
                return f"{api}/completions", _infill_text(prompt, known, request.stop)

    async def _tamed(
        self, raw: AsyncGenerator[Chunk, None], request: GenerateRequest, known: Known, replaced: asyncio.Event
    ) -> AsyncGenerator[Chunk, None]:
        """Parts reasoning from the answer and holds the request's limits, which a foreign server does not know."""
        loop = asyncio.get_running_loop()
        reader = _Reader(request, known.info)
        deadline: float | None = None
        while True:
            step = reader.overthinks or await _next(raw, replaced, deadline)
            if step is None:
                return
            if not isinstance(step, Chunk):
                for last in reader.end(step):
                    yield last
                return
            if deadline is None and request.time_budget_s is not None:
                deadline = loop.time() + request.time_budget_s
            chunk = reader.read(step)
            if chunk is not None:
                yield chunk

    async def count_tokens(self, text: str) -> int:
        info = await self.board.ready()
        how = self._known.kind.tokenize if self._known else None
        if how is None:
            return math.ceil(len(text) / info.chars_per_token)
        answer = await ask(self._call(f"{self._at.root}/tokenize", {"model": info.id, how: text}))
        tokens = answer.get("tokens")
        return len(tokens) if isinstance(tokens, list) else int(answer.get("count", 0))


def _chosen(rows: list[dict[str, Any]], wanted: str | None, who: str) -> dict[str, Any]:
    """The row of the model to ask: the wanted one, else the first. Raises ModelNotFound."""
    if wanted is None:
        if not rows:
            raise ModelNotFound(f"{who} names no model; set the model's name in the settings")
        return rows[0]
    if not rows:
        return {"id": wanted}
    for row in rows:
        if row["id"] == wanted:
            return {**rows[0], **row}
    names = ", ".join(row["id"] for row in rows[:5]) + (", ..." if len(rows) > 5 else "")
    raise ModelNotFound(f"{who} has no model {wanted!r}; it has {names}")


def _session(api_key: str | None) -> "aiohttp.ClientSession":
    import aiohttp

    if api_key is not None and not (api_key.isascii() and api_key.isprintable()):
        raise BadRequest("the engine's API key holds characters that cannot be in a key")
    return aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=READ_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    )


def _common(request: GenerateRequest, kind: Kind) -> dict[str, Any]:
    """The fields every server takes; what is not standard only where it is known and not at its default."""
    body: dict[str, Any] = {
        "max_tokens": request.max_tokens,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": request.sampling.temperature,
        "top_p": request.sampling.top_p,
    }
    if request.stop:
        body["stop"] = list(request.stop)
    if request.n > 1 and kind.candidates:
        body["n"] = request.n
    if request.sampling.seed:
        body["seed"] = request.sampling.seed
    if kind.extra_sampling:
        extra = {"top_k": request.sampling.top_k, "min_p": request.sampling.min_p}
        body |= {key: value for key, value in extra.items() if value}
    return body


def _chat(prompt: ChatPrompt, kind: Kind) -> dict[str, Any]:
    """A conversation. A beginning of the answer is given only where the server can continue one."""
    messages = payload.messages(prompt)
    if not prompt.prefill or kind.prefill is None:
        return {"messages": messages}
    begun = {"role": "assistant", "content": prompt.prefill, **(kind.prefill_message or {})}
    return {"messages": [*messages, begun], **kind.prefill}


def _infill_text(prompt: InfillPrompt, known: Known, stop: tuple[str, ...]) -> dict[str, Any]:
    """An infill as a text completion: with OpenAI's `suffix`, or with the family's markers written out."""
    row = fim.row_for(known.info.family)
    if known.kind.infill == "suffix" or row is None:
        return {"prompt": prompt.context + prompt.prefix + prompt.middle, "suffix": prompt.suffix}
    pieces = guarded(fim.render(row, prompt), {*row.markers, *row.stops})
    # The server sees one text, so a control token that the user's file spells out is broken by a space.
    text = "".join(
        piece.text if piece.special or place == 0 or pieces[place - 1].special else " " + piece.text
        for place, piece in enumerate(pieces)
    )
    return {"prompt": text, "stop": [*stop, *row.stops]}


async def _next(
    raw: AsyncGenerator[Chunk, None], replaced: asyncio.Event, deadline: float | None
) -> Chunk | FinishReason | None:
    """The next chunk, None at the end, or why there will be none."""

    async def pull() -> Chunk | None:
        return await anext(raw, None)

    return await _unless(replaced, pull(), deadline)


async def _unless(
    replaced: asyncio.Event, work: Coroutine[Any, Any, T], deadline: float | None = None
) -> T | Literal["superseded", "budget"]:
    """What `work` gives, or why it was cancelled: the request was replaced or its time is over."""
    pulling, watching = asyncio.ensure_future(work), asyncio.ensure_future(replaced.wait())
    left = None if deadline is None else max(deadline - asyncio.get_running_loop().time(), 0)
    try:
        await asyncio.wait((pulling, watching), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if replaced.is_set():
            return "superseded"
        return pulling.result() if pulling.done() else "budget"
    finally:
        pulling.cancel()
        watching.cancel()
        await asyncio.gather(pulling, watching, return_exceptions=True)


class _Reader:
    """Reads one remote answer: reasoning apart from text, which candidates still speak, how much was thought."""

    def __init__(self, request: GenerateRequest, info: ModelInfo) -> None:
        self._parts = isinstance(request.prompt, ChatPrompt)
        self._start = Start.UNKNOWN if info.reasons else Start.TEXT
        self._budget = request.think_budget
        self._parsers: dict[int, ThinkParser] = {}
        self._speaking: set[int] = {0}
        self._thought = self._pieces = 0

    @property
    def overthinks(self) -> FinishReason | None:
        """ "budget" once more was thought than allowed. 0 means not to think, which only the server could heed."""
        return "budget" if self._budget and self._thought > self._budget else None

    def read(self, chunk: Chunk) -> Chunk | None:
        """The chunk with its reasoning apart; None when all of it is held back for now."""
        if self._parts:
            chunk = self._parted(chunk)
        self._pieces += bool(chunk.text or chunk.thinking)
        self._thought += bool(chunk.thinking)
        self._speaking.add(chunk.index)
        if chunk.finish:
            self._speaking.discard(chunk.index)
        return chunk if chunk.text or chunk.thinking or chunk.finish or chunk.usage else None

    def _parted(self, chunk: Chunk) -> Chunk:
        if chunk.thinking and not chunk.text:
            # The server parts by itself: what it calls text has no block at its beginning.
            self._parsers.setdefault(chunk.index, ThinkParser(Start.TEXT))
        parser = self._parsers.setdefault(chunk.index, ThinkParser(self._start))
        parted = parser.feed(chunk.text)
        thinking, text = chunk.thinking + parted.thinking, parted.text
        if chunk.finish:
            rest = parser.finish()
            thinking, text = thinking + rest.thinking, text + rest.text
        return replace(chunk, thinking=thinking, text=text)

    def end(self, reason: FinishReason) -> Iterator[Chunk]:
        """The last chunks of an answer that is ended from here."""
        for index in sorted(self._speaking):
            rest = self._parsers[index].finish() if index in self._parsers else Parted()
            yield Chunk(index=index, text=rest.text, thinking=rest.thinking, finish=reason)
        yield Chunk(usage=Usage(completion_tokens=self._pieces))
