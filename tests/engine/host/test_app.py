import asyncio
import io
import json
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from engine.backends.backend import Backend, Encoded, LoadProgress
from engine.errors import EngineUnavailable
from engine.host.app import Host, create_app
from engine.host.scheduler import Scheduler
from engine.types import EngineOptions, GenerateRequest, TextPrompt

WORDS = " ".join(f"w{n}" for n in range(300))
SCRIPT: dict[str, Any] = {
    "info": {"n_ctx": 2000},
    "rules": [
        {"match": "slow", "reply": WORDS, "delay_s": 0.02},
        {"match": "broken", "error": "the script says no"},
        {"match": "think", "reply": "é😀 yes", "thinking": "hm hm"},
        {"match": "two", "reply": ["one", "other"]},
    ],
    "default": {"reply": "hello world"},
}

Client = aiohttp.ClientSession


@asynccontextmanager
async def served(folder: Path, **script: Any) -> AsyncIterator[tuple[Host, Client]]:
    path = folder / "script.json"
    path.write_text(json.dumps({**SCRIPT, **script}))
    host = Host(EngineOptions(script=str(path)))
    runner = web.AppRunner(create_app(host), handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(folder / "s")).start()
    host.start()
    try:
        connector = aiohttp.UnixConnector(str(folder / "s"))
        async with aiohttp.ClientSession("http://host", connector=connector) as client:
            yield host, client
    finally:
        await runner.cleanup()
        await asyncio.to_thread(host.close)


def with_host(folder: Path, test: Callable[[Host, Client], Awaitable[None]], **script: Any) -> None:
    async def run() -> None:
        async with served(folder, **script) as (host, client):
            await until(lambda: host.health()["status"] != "loading")
            await test(host, client)

    asyncio.run(run())


async def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < timeout_s, "waited in vain"
        await asyncio.sleep(0.002)
    return time.monotonic() - began


async def post(client: Client, path: str, body: Any) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with client.post(path, data=io.BytesIO(data)) as response:
        return response.status, await response.json()


async def events(client: Client, path: str, body: dict[str, Any]) -> list[Any]:
    async with client.post(path, json={**body, "stream": True}) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        lines = [line[6:] for line in (await response.text()).splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def test_completions_stream_and_whole(tmp_path: Path) -> None:
    async def check(_host: Host, client: Client) -> None:
        status, whole = await post(client, "/v1/completions", {"prompt": "two", "n": 2})
        assert status == 200
        assert [choice["text"] for choice in whole["choices"]] == ["one", "other"]
        assert whole["usage"]["completion_tokens"] == 2
        streamed = await events(client, "/v1/completions", {"prompt": "hi"})
        assert streamed.pop() == "[DONE]"
        assert "".join(event["choices"][0]["text"] for event in streamed) == "hello world"
        assert [event["choices"][0]["finish_reason"] for event in streamed][-1] == "stop"
        assert "usage" in streamed[-1]
        assert "timings" in streamed[-1]

    with_host(tmp_path, check)


def test_choices_are_scored(tmp_path: Path) -> None:
    rule = {"match": r"é😀$", "scores": {"😀?": -0.5, "no": -4.25}}

    async def check(_host: Host, client: Client) -> None:
        body = {"prompt": "é😀", "r1": {"choices": [" no, no", " 😀?", " a b"], "lane": "action"}}
        status, whole = await post(client, "/v1/completions", body)
        assert status == 200
        assert [choice["score"] for choice in whole["choices"]] == pytest.approx([-4.25, -0.5, -2.0], abs=1e-6)
        assert {(choice["text"], choice["finish_reason"]) for choice in whole["choices"]} == {("", "stop")}
        ends = (await events(client, "/v1/completions", body))[:-1]
        told = {event["choices"][0]["index"]: event["choices"][0]["score"] for event in ends}
        assert told == pytest.approx({0: -4.25, 1: -0.5, 2: -2.0}, abs=1e-6)

    with_host(tmp_path, check, rules=[rule])


def test_chat_parts_reasoning(tmp_path: Path) -> None:
    async def check(_host: Host, client: Client) -> None:
        body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "think"}]}], "model": "whatever"}
        _, whole = await post(client, "/v1/chat/completions", body)
        assert whole["choices"][0]["message"] == {
            "role": "assistant",
            "content": "é😀 yes",
            "reasoning_content": "hm hm",
        }
        streamed = (await events(client, "/v1/chat/completions", body))[:-1]
        deltas = [event["choices"][0]["delta"] for event in streamed]
        assert "".join(delta.get("content", "") for delta in deltas) == "é😀 yes"
        assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "hm hm"

    with_host(tmp_path, check)


def test_infill_takes_llama_cpps_fields(tmp_path: Path) -> None:
    rule = {"match": r"<fim_prefix>ABdef f\(\):\n<fim_suffix>\nend<fim_middle>    re$", "reply": "turn 1"}

    async def check(_host: Host, client: Client) -> None:
        body = {
            "input_prefix": "def f():\n",
            "input_suffix": "\nend",
            "prompt": "    re",
            "input_extra": [{"filename": "a.py", "text": "A"}, {"text": "B", "filename": "b.py"}],
            "n_predict": 16,
            "cache_prompt": True,
            "samplers": ["top_k"],
        }
        status, whole = await post(client, "/infill", body)
        assert (status, whole["content"], whole["choices"][0]["text"]) == (200, "turn 1", "turn 1")

    with_host(tmp_path, check, rules=[rule])


def test_models_health_and_tokenize(tmp_path: Path) -> None:
    async def check(_host: Host, client: Client) -> None:
        async with client.get("/v1/models") as response:
            model = (await response.json())["data"][0]
        assert model["id"] == "scripted"
        assert model["meta"]["n_ctx"] == 2000
        _, tokens = await post(client, "/tokenize", {"content": "a b c"})
        assert len(tokens["tokens"]) == 3
        async with client.get("/health") as response:
            health = await response.json()
        assert set(health) == {"status", "progress", "busy", "detail", "fraction", "pid", "version"}
        assert (health["status"], health["busy"], health["pid"]) == ("ok", False, os.getpid())

    with_host(tmp_path, check)


def test_progress_grows_with_work_and_not_without(tmp_path: Path) -> None:
    async def check(host: Host, client: Client) -> None:
        before = host.health()["progress"]
        await asyncio.sleep(0.05)
        assert host.health()["progress"] == before
        await post(client, "/v1/completions", {"prompt": "x"})
        assert host.health()["progress"] >= before + 3

    with_host(tmp_path, check)


def test_while_loading_health_answers_and_work_is_put_off(tmp_path: Path) -> None:
    async def run() -> None:
        async with served(tmp_path, load_s=0.4) as (host, client):
            async with client.get("/health") as response:
                assert (await response.json())["status"] == "loading"
            async with client.post("/v1/completions", json={"prompt": "x"}) as response:
                assert response.status == 503
                assert response.headers["Retry-After"] == "1"
                assert (await response.json())["error"]["type"] == "loading"
            await until(lambda: host.health()["status"] == "ok")
            status, _ = await post(client, "/v1/completions", {"prompt": "x"})
            assert status == 200

    asyncio.run(run())


def test_a_model_that_does_not_load_is_said_in_one_sentence(tmp_path: Path) -> None:
    async def check(host: Host, client: Client) -> None:
        assert host.health()["status"] == "error"
        assert host.health()["detail"] == "no such luck"
        status, answer = await post(client, "/v1/completions", {"prompt": "x"})
        assert status == 500
        assert answer["error"]["message"] == "no such luck"

    with_host(tmp_path, check, fail="no such luck")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_while_the_model_loads_is_not_taken_for_loading() -> None:
    def breaks(options: EngineOptions, progress: LoadProgress) -> Backend:
        raise ZeroDivisionError

    async def run() -> None:
        host = Host(EngineOptions(), backend=breaks)
        host.start()
        await until(lambda: host.health()["status"] == "error")
        with pytest.raises(EngineUnavailable, match="internal error"):
            host.ready()
        await asyncio.to_thread(host.close)

    asyncio.run(run())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_request_is_answered_when_the_model_ends_before_it_is_queued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(scheduler: Scheduler) -> bool:
        raise ZeroDivisionError

    async def check(host: Host, client: Client) -> None:
        def encode(request: GenerateRequest) -> Encoded:
            monkeypatch.setattr(Scheduler, "step", breaks)
            while host.health()["status"] != "error":
                time.sleep(0.01)
            return Encoded(tokens=[1])

        monkeypatch.setattr(host.ready(), "encode", encode)
        async with asyncio.timeout(10):
            status, answer = await post(client, "/v1/completions", {"prompt": "x"})
        assert (status, answer["error"]["message"]) == (500, "the host has an internal error")

    with_host(tmp_path, check)


def test_a_closed_connection_stops_the_work(tmp_path: Path) -> None:
    async def check(host: Host, client: Client) -> None:
        for stream in (True, False):
            ask = asyncio.create_task(post(client, "/v1/completions", {"prompt": "slow", "stream": stream}))
            await until(lambda: host.health()["busy"])
            ask.cancel()
            await asyncio.gather(ask, return_exceptions=True)
            assert await until(lambda: not host.health()["busy"]) < 1

    with_host(tmp_path, check)


def test_a_closed_connection_stops_the_reading_of_a_prompt(tmp_path: Path) -> None:
    async def check(host: Host, client: Client) -> None:
        ask = asyncio.create_task(post(client, "/v1/completions", {"prompt": "x"}))
        await until(lambda: host.health()["busy"])
        await asyncio.sleep(0.05)
        ask.cancel()
        await asyncio.gather(ask, return_exceptions=True)
        assert await until(lambda: not host.health()["busy"]) < 1

    with_host(tmp_path, check, prefill_s=60.0)


def test_an_answer_that_nobody_reads_is_stopped(tmp_path: Path) -> None:
    async def check(host: Host, _client: Client) -> None:
        async with host.answering(GenerateRequest(prompt=TextPrompt(text="slow"))):
            assert host.health()["busy"]
        assert await until(lambda: not host.health()["busy"]) < 1

    with_host(tmp_path, check)


def test_a_newer_request_of_a_session_ends_the_older(tmp_path: Path) -> None:
    async def check(host: Host, client: Client) -> None:
        body = {"prompt": "slow", "r1": {"session": "doc", "lane": "typing"}}
        older = asyncio.create_task(post(client, "/v1/completions", body))
        await until(lambda: host.health()["busy"])
        _, newer = await post(client, "/v1/completions", {**body, "prompt": "x"})
        _, ended = await older
        assert ended["choices"][0]["finish_reason"] == "superseded"
        assert newer["choices"][0]["text"] == "hello world"

    with_host(tmp_path, check)


def test_too_many_requests_are_refused_at_once(tmp_path: Path) -> None:
    async def check(_host: Host, client: Client) -> None:
        async def ask() -> int:
            async with client.post("/v1/completions", json={"prompt": "slow", "max_tokens": 2}) as response:
                assert response.status == 200 or "Retry-After" in response.headers
                return response.status

        statuses = await asyncio.gather(*(ask() for _ in range(90)))
        assert set(statuses) == {200, 503}
        assert statuses.count(200) >= 64

    with_host(tmp_path, check)


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        ("/v1/completions", {}, 400, "bad_request"),
        ("/v1/completions", b"{", 400, "bad_request"),
        ("/v1/completions", b"\xff\xfe", 400, "bad_request"),
        ("/v1/completions", b"[" * 100_000, 400, "bad_request"),
        ("/v1/completions", [], 400, "bad_request"),
        ("/v1/completions", {"prompt": 7}, 400, "bad_request"),
        ("/v1/completions", {"prompt": ["x"]}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "surprise": 1}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "temperature": float("nan")}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "temperature": float("inf")}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "top_p": -1}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "max_tokens": -2}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "max_tokens": 1e300}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "max_tokens": "5"}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "max_tokens": True}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "n": 0}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "n": 1000}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "seed": 1 << 80}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "stop": ["y"] * 1000}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "r1": {"lane": "fast"}}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "r1": {"time_budget_s": -1}}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "r1": {"choices": "y"}}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "r1": {"choices": ["y"] * 9}}, 400, "bad_request"),
        ("/v1/completions", {"prompt": "x", "r1": {"choices": ["y", "z " * 5000]}}, 400, "context_overflow"),
        ("/infill", {"input_prefix": "x", "r1": {"choices": ["y", "z"]}}, 501, "unsupported"),
        ("/v1/completions", b'{"prompt": "a\\ud800b"}', 400, "bad_request"),
        ("/v1/completions", {"prompt": "word " * 2_000_000}, 400, "context_overflow"),
        ("/v1/completions", {"prompt": "x", "grammar": "root ::= ["}, 501, "unsupported"),
        ("/v1/completions", {"prompt": "x", "json_schema": {"type": "object"}}, 501, "unsupported"),
        ("/v1/completions", {"prompt": "broken"}, 500, "internal"),
        ("/v1/chat/completions", {"messages": []}, 400, "bad_request"),
        ("/v1/chat/completions", {"messages": [{"role": "robot", "content": "x"}]}, 400, "bad_request"),
        ("/infill", {"input_prefix": 1}, 400, "bad_request"),
        ("/tokenize", {"content": None}, 400, "bad_request"),
        ("/no/such/route", {}, 404, "bad_request"),
        ("/health", {}, 405, "bad_request"),
    ],
)
def test_bad_requests_get_one_sentence(tmp_path: Path, path: str, body: Any, status: int, kind: str) -> None:
    async def check(host: Host, client: Client) -> None:
        got, answer = await post(client, path, body)
        assert (got, answer["error"]["type"]) == (status, kind)
        message = answer["error"]["message"]
        assert message
        assert "\n" not in message
        assert len(message) < 300
        got, _ = await post(client, "/v1/completions", {"prompt": "still there"})
        assert got == 200
        assert host.health()["status"] == "ok"

    with_host(tmp_path, check)


def test_a_body_too_large_to_read_is_refused(tmp_path: Path) -> None:
    async def check(_host: Host, client: Client) -> None:
        status, answer = await post(client, "/v1/completions", b'{"prompt": "' + b"x" * (33 << 20) + b'"}')
        assert (status, answer["error"]["type"]) == (413, "bad_request")

    with_host(tmp_path, check)


@pytest.mark.fuzz
def test_any_json_gets_an_answer(tmp_path: Path) -> None:
    seed = int(os.environ.get("R1_FUZZ_SEED", time.time_ns() % 1_000_000))
    print(f"R1_FUZZ_SEED={seed}")
    chance = random.Random(seed)
    rounds = int(200 * float(os.environ.get("R1_FUZZ_SCALE", "1")))
    odd = [None, True, 0, -1, 1 << 70, 1.5, -0.0, "", "x", "\0", "é😀\u2028", "a" * 5000, [], ["x"], {}, {"a": 1}]
    names = ["prompt", "max_tokens", "n", "stop", "temperature", "top_p", "top_k", "min_p", "seed", "stream", "r1"]
    odd += [{"choices": ["x", ""]}, {"choices": []}, {"choices": [7]}]
    names += ["messages", "input_prefix", "input_suffix", "input_extra", "n_predict", "logit_bias", "model", "content"]

    def body() -> dict[str, Any]:
        start: dict[str, Any] = {"prompt": "x"} if chance.random() < 0.7 else {}
        return start | {chance.choice(names): chance.choice(odd) for _ in range(chance.randint(0, 3))}

    async def check(host: Host, client: Client) -> None:
        for _ in range(rounds):
            sent = body()
            path = chance.choice(["/v1/completions", "/v1/chat/completions", "/infill", "/tokenize"])
            async with client.post(path, json=sent) as response:
                assert response.status in {200, 400, 501}, (path, sent, await response.text())
                await response.read()
        assert host.health()["status"] == "ok"
        assert not host.health()["busy"]

    with_host(tmp_path, check)
