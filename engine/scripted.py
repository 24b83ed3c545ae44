"""An engine in this process that answers from a script: no model, no HTTP. Shipped, for tests and for demonstrations.

A script is a dictionary or a JSON file:

    {"info": {fields of ModelInfo},
     "rules": [{"match": regex, "reply": str or list of str, "thinking": str, "delay_s": seconds per piece,
                "times": how often the rule answers, "error": sentence instead of an answer,
                "scores": {text: score of the choices that hold it}}, ...],
     "default": {"reply": ...},
     "prefill_s": seconds before the first piece, "load_s": seconds until ready, "fail": sentence: never ready}

The first rule whose `match` is found in the rendered prompt answers. With a list of replies, candidate i gets reply
i (the last one repeats). A choice of which no score speaks has minus the number of its pieces. The prompt is rendered
by `render`, plainly, so that a rule can be read.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from engine.errors import REPLACED, BadRequest, ContextOverflow, EngineError, EngineUnavailable, ModelUnusable
from engine.status import StatusBoard
from engine.types import (
    ChatPrompt,
    Chunk,
    EnginePhase,
    EngineStatus,
    FinishReason,
    GenerateRequest,
    InfillPrompt,
    Lane,
    ModelInfo,
    Prompt,
    TextPrompt,
    Usage,
)

_PIECE = re.compile(r" ?\w{1,6}|\n[ \t]*|[ \t]+|\s|[^\w\s]")
_RULE_KEYS = frozenset({"match", "reply", "thinking", "delay_s", "times", "error", "scores"})
_SCRIPT_KEYS = frozenset({"info", "rules", "default", "prefill_s", "load_s", "fail"})


def pieces(text: str) -> list[str]:
    """Cuts a text as a tokeniser would, into pieces of a few characters; joined they are the text again."""
    return _PIECE.findall(text)


def render(prompt: Prompt) -> str:
    """The prompt as rules see it: markers of the StarCoder family for infill, `<|role|>` before each chat message."""
    match prompt:
        case TextPrompt(text=text):
            return text
        case InfillPrompt():
            before = f"<fim_prefix>{prompt.context}{prompt.prefix}"
            return f"{before}<fim_suffix>{prompt.suffix}<fim_middle>{prompt.middle}"
        case ChatPrompt():
            said = "".join(f"<|{message.role}|>{message.content}" for message in prompt.messages)
            return f"{said}<|assistant|>{prompt.prefill}"


@dataclass(slots=True)
class Rule:
    """One row of a script. `left` counts down how often it may still answer; None means for ever."""

    match: re.Pattern[str]
    replies: tuple[str, ...] = ("",)
    thinking: str = ""
    delay_s: float = 0.0
    left: int | None = None
    error: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)

    def score(self, choice: str) -> float:
        """Never above 0: it stands for the logarithm of a probability."""
        return next((score for text, score in self.scores.items() if text in choice), -float(len(pieces(choice))))


@dataclass(slots=True)
class Script:
    """A checked script. `answer` consumes `times`, so one script belongs to one engine."""

    info: ModelInfo
    rules: list[Rule] = field(default_factory=list)
    prefill_s: float = 0.0
    load_s: float = 0.0
    fail: str = ""

    def answer(self, rendered: str) -> Rule:
        """The first rule that matches and has answers left. The last rule is the default and always matches."""
        for rule in self.rules:
            if rule.left != 0 and rule.match.search(rendered):
                if rule.left is not None:
                    rule.left -= 1
                return rule
        raise BadRequest("the script has no rule for this prompt and no default")


def load_script(source: Mapping[str, Any] | str | Path) -> Script:
    """Reads and checks a script. Raises ModelUnusable with one sentence saying what is wrong."""
    if isinstance(source, Mapping):
        return _checked(source, "the script")
    try:
        raw = json.loads(Path(source).read_text(encoding="utf-8"))
    except OSError as exc:
        raise ModelUnusable(f"the script {source} cannot be read: {exc.strerror}") from exc
    except ValueError as exc:
        raise ModelUnusable(f"the script {source} is not JSON: {exc}") from exc
    if not isinstance(raw, dict):
        raise ModelUnusable(f"the script {source} is not a JSON object")
    return _checked(raw, f"the script {source}")


def _checked(raw: Mapping[str, Any], name: str) -> Script:
    unknown = sorted(set(raw) - _SCRIPT_KEYS)
    if unknown:
        raise ModelUnusable(f"{name} has unknown keys: {', '.join(unknown)}")
    info = dict(raw.get("info", {}))
    strange = sorted(set(info) - {f.name for f in fields(ModelInfo)})
    if strange:
        raise ModelUnusable(f"{name} has unknown keys in info: {', '.join(strange)}")
    rules = [_rule(row, name) for row in raw.get("rules", ())]
    if "default" in raw:
        rules.append(_rule({"match": "", **raw["default"]}, name))
    return Script(
        info=ModelInfo(**{"id": "scripted", "can_infill": True, "reasons": True, **info}),
        rules=rules,
        prefill_s=float(raw.get("prefill_s", 0.0)),
        load_s=float(raw.get("load_s", 0.0)),
        fail=str(raw.get("fail", "")),
    )


def _rule(row: Mapping[str, Any], name: str) -> Rule:
    unknown = sorted(set(row) - _RULE_KEYS)
    if unknown:
        raise ModelUnusable(f"{name} has a rule with unknown keys: {', '.join(unknown)}")
    reply = row.get("reply", "")
    try:
        pattern = re.compile(row.get("match", ""))
    except re.error as exc:
        raise ModelUnusable(f"{name} has a rule whose match is not a regular expression: {exc}") from exc
    return Rule(
        match=pattern,
        replies=(reply,) if isinstance(reply, str) else tuple(reply),
        thinking=row.get("thinking", ""),
        delay_s=float(row.get("delay_s", 0.0)),
        left=row.get("times"),
        error=row.get("error", ""),
        scores=_scores(row.get("scores", {}), name),
    )


def _scores(given: Mapping[str, float], name: str) -> dict[str, float]:
    scores = {text: float(score) for text, score in given.items()}
    if any(score > 0 for score in scores.values()):
        raise ModelUnusable(f"{name} has a score above 0, which no probability has as its logarithm")
    return scores


class ScriptedEngine:
    """Implements `engine.types.Engine` from a script (dictionary, file or `Script`).

    For tests: `requests` lists what was asked, `finished` and `closed_early` count how generators ended, `active`
    how many are at work, `interrupt` ends all work as a dying host would.
    """

    def __init__(self, script: Mapping[str, Any] | str | Path | Script) -> None:
        self.script = script if isinstance(script, Script) else load_script(script)
        self.requests: list[GenerateRequest] = []
        self.active = 0
        self.finished = 0
        self.closed_early = 0
        self.closed = False
        self._board = StatusBoard()
        self._newest: dict[tuple[Lane, str], GenerateRequest] = {}
        self._starting: asyncio.Task[None] | None = None
        self._life = 0

    @property
    def status(self) -> EngineStatus:
        return self._board.status

    def watch(self, listener: Callable[[EngineStatus], None]) -> Callable[[], None]:
        return self._board.watch(listener)

    def start(self) -> None:
        if self._starting is None and not self.closed:
            self._board.put(EngineStatus(phase=EnginePhase.STARTING))
            self._starting = asyncio.get_running_loop().create_task(self._load())

    async def _load(self) -> None:
        steps = 4
        for step in range(steps if self.script.load_s else 0):
            self._board.put(EngineStatus(phase=EnginePhase.LOADING, fraction=step / steps))
            await asyncio.sleep(self.script.load_s / steps)
        if self.script.fail:
            error = ModelUnusable(self.script.fail)
            self._board.put(EngineStatus(phase=EnginePhase.FAILED, detail=self.script.fail), error)
            return
        self._board.put(EngineStatus(phase=EnginePhase.READY, model=self.script.info))

    async def info(self) -> ModelInfo:
        if self.closed:
            raise EngineUnavailable("the engine is closed")
        self.start()
        return await self._board.ready()

    def interrupt(self, detail: str = "the engine was interrupted") -> None:
        """Every generator at work raises EngineUnavailable at its next piece, as when a host dies; then READY again."""
        self._life += 1
        self._board.put(EngineStatus(phase=EnginePhase.RESTARTING, detail=detail))
        self._board.put(EngineStatus(phase=EnginePhase.READY, model=self.script.info))

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        self.requests.append(request)
        if request.session:
            self._newest[request.lane, request.session] = request
        await self.info()
        self.active += 1
        done = False
        try:
            async for chunk in self._answer(request):
                done = chunk.usage is not None
                yield chunk
        except EngineError:
            done = True
            raise
        finally:
            self.active -= 1
            self.finished += done
            self.closed_early += not done

    async def score(self, request: GenerateRequest) -> tuple[float, ...]:
        scores: dict[int, float] = {}
        async with contextlib.aclosing(self.generate(request)) as answer:
            async for chunk in answer:
                if chunk.score is not None:
                    scores[chunk.index] = chunk.score
        if len(scores) < len(request.choices):
            raise EngineUnavailable(REPLACED)
        return tuple(scores[index] for index in range(len(request.choices)))

    async def _answer(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        rendered, life = render(request.prompt), self._life
        n_prompt = len(pieces(rendered))
        n_longest = n_prompt + max((len(pieces(choice)) for choice in request.choices), default=0)
        if n_longest >= self.script.info.n_ctx:
            raise ContextOverflow(n_longest, self.script.info.n_ctx)
        rule = self.script.answer(rendered)
        if rule.error:
            raise EngineUnavailable(rule.error)
        await asyncio.sleep(self.script.prefill_s)
        live = {index: _candidate(request, rule, index) for index in range(request.n_candidates)}
        began, n_out = asyncio.get_running_loop().time(), 0
        while live:
            await asyncio.sleep(rule.delay_s)
            if self._life != life:
                raise EngineUnavailable(self._board.status.detail or "the engine was interrupted")
            elapsed = asyncio.get_running_loop().time() - began
            late = self._ended(request, elapsed)
            for index in tuple(live):
                chunk = Chunk(index=index, finish=late) if late else next(live[index])
                n_out += chunk.finish is None
                if chunk.finish is not None:
                    del live[index]
                if not live:
                    usage = Usage(prompt_tokens=n_prompt, completion_tokens=n_out, decode_s=elapsed)
                    chunk = replace(chunk, usage=usage)
                yield chunk

    def _ended(self, request: GenerateRequest, elapsed_s: float) -> FinishReason | None:
        if request.session and self._newest.get((request.lane, request.session)) is not request:
            return "superseded"
        if request.time_budget_s is not None and elapsed_s > request.time_budget_s:
            return "budget"
        return None

    async def count_tokens(self, text: str) -> int:
        return len(pieces(text))

    async def close(self) -> None:
        self.closed = True
        if self._starting is not None:
            self._starting.cancel()
        self._life += 1
        self._board.put(EngineStatus(phase=EnginePhase.OFF, detail="the engine is closed"))


def _candidate(request: GenerateRequest, rule: Rule, index: int) -> Iterator[Chunk]:
    """One candidate's chunks, one per piece; the last one carries the reason it ended and no text.

    Of a choice there is only the last one.
    """
    if request.choices:
        yield Chunk(index=index, finish="stop", score=rule.score(request.choices[index]))
        return
    thinking = pieces(rule.thinking)
    reply = rule.replies[min(index, len(rule.replies) - 1)]
    cuts = [at for stop in request.stop if stop and (at := reply.find(stop)) >= 0]
    said = pieces(reply[: min(cuts)] if cuts else reply)
    chunks = [Chunk(index=index, thinking=piece) for piece in thinking[: request.think_budget]]
    chunks += [Chunk(index=index, text=piece) for piece in said]
    yield from chunks[: request.max_tokens]
    yield Chunk(index=index, finish="stop" if len(chunks) < request.max_tokens or cuts else "length")
