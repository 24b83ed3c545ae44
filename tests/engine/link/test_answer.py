"""Servers' shapes become chunks; servers' refusals become one sentence and the right error."""

import json
from typing import Any

import pytest

from engine.answer import chunks, echoed_scores, error_of, refusal, scores_of
from engine.errors import (
    BadRequest,
    ContextOverflow,
    EngineBusy,
    EngineError,
    EngineUnavailable,
    ModelNotFound,
    Unsupported,
)
from engine.types import Chunk, Usage


def read(event: dict[str, Any]) -> list[Chunk]:
    return list(chunks(json.dumps(event)))


def test_completion() -> None:
    assert read({"choices": [{"text": "é😀", "index": 1, "finish_reason": None}]}) == [Chunk(text="é😀", index=1)]


def test_chat_with_reasoning_set_apart() -> None:
    event = {"choices": [{"delta": {"reasoning_content": "hm", "content": None}, "index": 0}]}
    assert read(event) == [Chunk(thinking="hm")]


def test_usage_and_times() -> None:
    event = {
        "choices": [],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
        "timings": {"prompt_ms": 1500, "predicted_ms": 250},
    }
    usage = Usage(prompt_tokens=9, cached_tokens=4, completion_tokens=2, prefill_s=1.5, decode_s=0.25)
    assert read(event) == [Chunk(usage=usage)]


def test_usage_null_is_no_usage() -> None:
    assert read({"choices": [{"text": "a"}], "usage": None}) == [Chunk(text="a")]


def test_llama_cpp_own_shape() -> None:
    last = read({"content": "", "stop": True, "stop_type": "limit", "tokens_evaluated": 5, "tokens_predicted": 3})
    assert last == [Chunk(finish="length", usage=Usage(prompt_tokens=5, completion_tokens=3))]


@pytest.mark.parametrize("data", ["{", "[1]", '"x"', "null", '{"choices": 3}', '{"choices": [{"index": "a"}]}'])
def test_nonsense_is_one_error(data: str) -> None:
    with pytest.raises(EngineUnavailable, match="could not be understood"):
        list(chunks(data))


@pytest.mark.parametrize(
    ("error", "status", "wanted"),
    [
        ({"type": "context_overflow", "message": "m", "n_prompt": 9, "n_ctx": 5}, 400, ContextOverflow),
        ({"type": "exceed_context_size_error", "message": "m", "n_prompt_tokens": 9, "n_ctx": 5}, 400, ContextOverflow),
        ({"type": "context_overflow", "message": "too long"}, 400, BadRequest),
        ({"type": "busy", "message": "m", "retry_after_s": 2}, 503, EngineBusy),
        ({"type": "model_not_found", "message": "m"}, 404, ModelNotFound),
        ({"type": "unsupported", "message": "m"}, 501, Unsupported),
        ({"type": "internal", "message": "m"}, 500, EngineUnavailable),
        ("plain text", 400, BadRequest),
        ({"detail": [{"loc": ["body"]}]}, 422, BadRequest),
    ],
)
def test_error_types(error: object, status: int, wanted: type[EngineError]) -> None:
    assert type(error_of(error, status)) is wanted


def test_error_mid_stream_is_raised() -> None:
    with pytest.raises(EngineUnavailable, match="out of memory"):
        read({"error": {"message": "out of memory", "type": "internal"}})


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, b"{}", "X refused the API key (status 401)"),
        (302, b"", "X redirects elsewhere, which is refused; put the final address in the settings"),
        (502, b"<html>bad</html>", "X answered with status 502"),
        (404, b'{"error": {"message": "no\\nsuch\\u0007 route"}}', "no such route"),
        (404, b"{}", "X answered with status 404"),
    ],
)
def test_refusals_are_one_sentence(status: int, body: bytes, sentence: str) -> None:
    assert str(refusal(status, body, None, "X")) == sentence


def test_retry_after() -> None:
    busy = refusal(429, b'{"error": {"message": "slow down"}}', "7", "X")
    assert isinstance(busy, EngineBusy)
    assert busy.retry_after_s == 7.0


def echoed(*costs: list[float | None], tokens: tuple[str, ...] = ("<s>", "a", " b")) -> dict[str, Any]:
    """Texts whose last tokens differ."""
    rows = [{"tokens": [*tokens[: len(row) - 1], f"{at}"], "token_logprobs": row} for at, row in enumerate(costs)]
    return {"choices": [{"index": at, "logprobs": row} for at, row in reversed(list(enumerate(rows)))]}


def test_scores_of_our_host() -> None:
    rows = [{"index": 1, "score": -2.5, "finish_reason": "stop"}, {"index": 0, "score": 0, "finish_reason": "stop"}]
    assert scores_of({"choices": rows}, 2, "it") == (0.0, -2.5)


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([{"index": 0, "finish_reason": "superseded"}], "a newer request has taken the place of this one"),
        ([{"index": 0, "finish_reason": "length"}], "it did not score every choice"),
        ([], "it did not score every choice"),
        ([{"index": 0, "score": float("nan"), "finish_reason": "stop"}], "it did not score every choice"),
        (7, "it did not score every choice"),
    ],
)
def test_a_choice_without_a_score(rows: Any, sentence: str) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        scores_of({"choices": rows}, 1, "it")
    assert str(caught.value) == sentence


def test_echoed_texts_cost_what_they_do_not_share() -> None:
    assert echoed_scores(echoed([None, -1, -2, -3], [None, -1, -2, -4]), 2, "it") == (-3, -4)
    assert echoed_scores(echoed([None, -1, -2], [None, -1, -0.5, -4]), 2, "it") == (-2, -4.5)
    assert echoed_scores(echoed([-1], [-2]), 2, "it") == (-1, -2)
    nothing_before = {"tokens": ["a", "c"], "token_logprobs": [None, -2]}
    other = {"index": 1, "logprobs": {"tokens": ["b"], "token_logprobs": [None]}}
    assert echoed_scores({"choices": [{"index": 0, "logprobs": nothing_before}, other]}, 2, "it") == (-2, 0)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"choices": []},
        {"choices": [{"index": 0, "text": "x", "logprobs": None}] * 2},
        {"choices": [{"index": 0, "logprobs": {"tokens": ["a"], "token_logprobs": []}}] * 2},
        {"choices": [{"index": 0, "logprobs": {"tokens": ["a", "b"], "token_logprobs": [None]}}] * 2},
        echoed([None, -1]),
        echoed([None, None, -1], [-1]),
        echoed([-1, "x"], [-1, -2]),  # type: ignore[list-item]
    ],
)
def test_an_echo_without_costs_is_one_sentence(answer: dict[str, Any]) -> None:
    with pytest.raises(Unsupported, match=r"^it cannot score texts$"):
        echoed_scores(answer, 2, "it")
