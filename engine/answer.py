"""Answers of OpenAI-compatible servers (and llama.cpp's own /infill) as chunks; their refusals as our errors."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from engine.errors import (
    REPLACED,
    BadRequest,
    ContextOverflow,
    EngineBusy,
    EngineError,
    EngineUnavailable,
    ModelNotFound,
    ModelUnusable,
    Unsupported,
)
from engine.shared_start import n_shared
from engine.types import Chunk, FinishReason, Usage

_FINISH: dict[str, FinishReason] = {reason: reason for reason in get_args(FinishReason)}
_FINISH |= {"limit": "length", "eos": "stop", "word": "stop", "eos_token": "stop"}
_BY_TYPE: dict[str, type[EngineError]] = {
    "model_not_found": ModelNotFound,
    "model_unusable": ModelUnusable,
    "unsupported": Unsupported,
    "bad_request": BadRequest,
    "internal": EngineUnavailable,
}
_LONGEST_MESSAGE = 300


def chunks(data: str) -> Iterator[Chunk]:
    """The chunks in one event's data; reasoning only where the server itself set it apart. Raises EngineError."""
    try:
        event: dict[str, Any] = json.loads(data)
        refused = event.get("error")
        if refused:
            raise error_of(refused, 500)
        yield from _native(event) if "content" in event and "choices" not in event else _choices(event)
    except (ValueError, TypeError, LookupError, AttributeError) as exc:
        raise EngineUnavailable("the engine's answer could not be understood") from exc


def _choices(event: Mapping[str, Any]) -> Iterator[Chunk]:
    choices = event.get("choices") or ()
    usage = usage_of(event)
    for place, choice in enumerate(choices):
        delta = choice.get("delta") or choice.get("message") or {}
        last = place == len(choices) - 1
        yield Chunk(
            text=choice.get("text") or delta.get("content") or "",
            thinking=delta.get("reasoning_content") or delta.get("reasoning") or "",
            index=int(choice.get("index") or 0),
            finish=finish_of(choice.get("finish_reason")),
            usage=usage if last else None,
        )
    if not choices and usage is not None:
        yield Chunk(usage=usage)


def _native(event: Mapping[str, Any]) -> Iterator[Chunk]:
    """llama.cpp's own shape: `content`, and at the end `stop` with `stop_type`."""
    ended = bool(event.get("stop"))
    finish = finish_of(event.get("stop_type") or "stop") if ended else None
    usage = usage_of({**event, "usage": {}}) if ended else None
    yield Chunk(text=event["content"], index=int(event.get("index") or 0), finish=finish, usage=usage)


def scores_of(answer: Mapping[str, Any], n: int, who: str) -> tuple[float, ...]:
    """The scores of n choices in our host's answer. Raises EngineUnavailable."""
    try:
        choices = sorted(answer["choices"], key=lambda choice: int(choice["index"]))
        if any(choice["finish_reason"] == "superseded" for choice in choices):
            raise EngineUnavailable(REPLACED)
        scores = tuple(float(choice["score"]) for choice in choices)
    except (ValueError, TypeError, LookupError) as exc:
        raise EngineUnavailable(f"{who} did not score every choice") from exc
    if len(scores) != n or not all(map(math.isfinite, scores)):
        raise EngineUnavailable(f"{who} did not score every choice")
    return scores


def echoed_scores(answer: Mapping[str, Any], n: int, who: str) -> tuple[float, ...]:
    """The scores of n texts that a server has echoed with what each token cost. Raises Unsupported where it has not.

    Tokens that all texts begin with do not count, nor does the very first one, which follows nothing.
    """
    try:
        echoed = [choice["logprobs"] for choice in sorted(answer["choices"], key=lambda choice: int(choice["index"]))]
        shared = n_shared([list(map(str, text["tokens"])) for text in echoed])
        costs = [text["token_logprobs"] for text in echoed]
        scores = tuple(sum(map(float, row[shared or row[0] is None :])) for row in costs)
        complete = all(len(text["tokens"]) == len(row) for text, row in zip(echoed, costs, strict=True))
    except (ValueError, TypeError, LookupError, AttributeError) as exc:
        raise Unsupported(f"{who} cannot score texts") from exc
    if len(scores) != n or not complete or not all(map(math.isfinite, scores)):
        raise Unsupported(f"{who} cannot score texts")
    return scores


def finish_of(word: str | None) -> FinishReason | None:
    """A server's reason as one of ours; reasons we do not know count as "stop"."""
    return None if not word else _FINISH.get(word, "stop")


def usage_of(event: Mapping[str, Any]) -> Usage | None:
    """Token counts from `usage` and, where the server gives them (llama.cpp and our host), `timings`."""
    usage, timings = event.get("usage"), event.get("timings") or {}
    if usage is None:
        return None
    details = usage.get("prompt_tokens_details") or {}
    cached = int(details.get("cached_tokens") or usage.get("prompt_cache_hit_tokens") or timings.get("cache_n") or 0)
    return Usage(
        prompt_tokens=int(usage.get("prompt_tokens") or event.get("tokens_evaluated") or 0),
        cached_tokens=cached,
        completion_tokens=int(usage.get("completion_tokens") or event.get("tokens_predicted") or 0),
        prefill_s=float(timings.get("prompt_ms") or 0.0) / 1000,
        decode_s=float(timings.get("predicted_ms") or 0.0) / 1000,
    )


def refusal(status: int, body: bytes, retry_after: str | None, who: str) -> EngineError:
    """A response that is not 200 as an error; `who` names the server in sentences of ours."""
    if status in (401, 403):
        return EngineUnavailable(f"{who} refused the API key (status {status})")
    if 300 <= status < 400:
        return EngineUnavailable(f"{who} redirects elsewhere, which is refused; put the final address in the settings")
    try:
        record = json.loads(body)
        error = record.get("error", record) if isinstance(record, dict) else record
    except ValueError:
        error = None
    if error is None or (isinstance(error, dict) and not error):
        error = f"{who} answered with status {status}"
    return error_of(error, status, retry_after)


def error_of(error: object, status: int, retry_after: str | None = None) -> EngineError:
    """The `error` object of an answer. Its type decides where it is one of ours or llama.cpp's, else the status."""
    record = error if isinstance(error, dict) else {"message": error}
    kind = str(record.get("type") or "")
    message = _sentence(record.get("message") or record.get("detail") or f"the engine answered with status {status}")
    if kind in ("context_overflow", "exceed_context_size_error"):
        n_prompt, n_ctx = record.get("n_prompt") or record.get("n_prompt_tokens"), record.get("n_ctx")
        if isinstance(n_prompt, int) and isinstance(n_ctx, int):
            return ContextOverflow(n_prompt, n_ctx)
        return BadRequest(message)
    if kind in ("busy", "loading") or status in (429, 503):
        return EngineBusy(message, retry_after_s=_seconds(record.get("retry_after_s") or retry_after))
    found = _BY_TYPE.get(kind)
    if found is None:
        found = EngineUnavailable if status >= 500 and status != 501 else BadRequest
    return found(message)


def _sentence(message: object) -> str:
    """One line, printable, of bearable length: it goes into a message box."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(message)).split())
    return line if len(line) <= _LONGEST_MESSAGE else line[:_LONGEST_MESSAGE] + "..."


def _seconds(value: object) -> float:
    try:
        return max(float(str(value)), 0.0)
    except ValueError:
        return 1.0
