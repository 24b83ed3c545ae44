"""Any OpenAI-compatible server is the same engine: makes of servers imitated in process, with what they leave to us."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from engine.client import EngineClient, create_engine
from engine.errors import BadRequest, EngineError, EngineUnavailable, ModelNotFound, Unsupported
from engine.remote import addresses, family_of
from engine.types import (
    ChatPrompt,
    Chunk,
    EngineOptions,
    EnginePhase,
    GenerateRequest,
    InfillPrompt,
    Lane,
    Message,
    Sampling,
)
from tests.engine.link.hosts import asking

CHAT = ChatPrompt(messages=(Message(role="user", content="é😀?"),))
HOLE = InfillPrompt(prefix="def f(", suffix="\n\nx = 1\n", middle="a, ", context="# ctx\n")


@dataclass
class Fake:
    """A server that tells `models`, streams `events` (with `pause_s` between) and remembers what it was asked.

    What is not to be streamed gets `whole`, after `pause_s`.
    """

    models: list[dict[str, Any]]
    events: list[Any] = field(default_factory=list)
    whole: dict[str, Any] = field(default_factory=lambda: {"content": "x"})
    pause_s: float = 0.0
    status: int = 200
    seen: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    closed_early: int = 0
    url: str = ""

    async def list_models(self, request: web.Request) -> web.Response:
        self.seen.append((request.path, {}, dict(request.headers)))
        return web.json_response({"data": self.models})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self.seen.append((request.path, body, dict(request.headers)))
        if self.status != 200:
            headers = {"Location": "http://127.0.0.1:1/elsewhere"} if self.status == 302 else {}
            return web.json_response({"error": {"message": "no"}}, status=self.status, headers=headers)
        if not body.get("stream"):
            await asyncio.sleep(self.pause_s)
            return web.json_response(self.whole)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            await self._say(response)
        except (ConnectionError, asyncio.CancelledError):
            self.closed_early += 1
            raise
        return response

    async def _say(self, response: web.StreamResponse) -> None:
        for event in self.events:
            data = event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)
            for byte in f"data: {data}\n\n".encode():  # one byte at a time: characters and events are cut everywhere
                await response.write(bytes([byte]))
            await asyncio.sleep(self.pause_s)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Fake"]:
        app = web.Application()
        app.router.add_get("/{path:.*models}", self.list_models)
        app.router.add_post("/{path:.*}", self.answer)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()


def text(*words: str, **more: Any) -> list[Any]:
    rows: list[Any] = [{"choices": [{"index": 0, "text": word, "finish_reason": None}]} for word in words]
    return [*rows, {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}], **more}, "[DONE]"]


def deltas(*rows: dict[str, str]) -> list[Any]:
    events: list[Any] = [{"choices": [{"index": 0, "delta": row}]} for row in rows]
    return [*events, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, "[DONE]"]


def vllm(name: str = "Qwen/Qwen2.5-Coder-7B", **more: Any) -> Fake:
    return Fake(models=[{"id": name, "owned_by": "vllm", "max_model_len": 32768}], **more)


def using(fake: Fake, work: Callable[[EngineClient], Awaitable[Any]], **options: Any) -> Any:
    """Runs `work` with a client of the fake server."""

    async def run() -> Any:
        async with fake.serving():
            client = create_engine(EngineOptions(url=fake.url, **options))
            assert isinstance(client, EngineClient)
            try:
                return await asyncio.wait_for(work(client), 10)
            finally:
                await client.close()

    return asyncio.run(run())


def answer_to(fake: Fake, request: GenerateRequest, **options: Any) -> list[Chunk]:
    async def read(client: EngineClient) -> list[Chunk]:
        return [chunk async for chunk in client.generate(request)]

    chunks: list[Chunk] = using(fake, read, **options)
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    return chunks


def joined(chunks: list[Chunk]) -> tuple[str, str]:
    return "".join(chunk.thinking for chunk in chunks), "".join(chunk.text for chunk in chunks)


def test_text_completion_cut_at_every_byte() -> None:
    fake = vllm(events=text("é", "😀", " done", usage={"prompt_tokens": 3, "completion_tokens": 3}))
    chunks = answer_to(fake, asking(max_tokens=7, stop=("\n",), sampling=Sampling(temperature=0.6, top_k=5)))
    assert joined(chunks) == ("", "é😀 done")
    path, body, _ = fake.seen[-1]
    assert path == "/v1/completions"
    assert (body["max_tokens"], body["stop"], body["temperature"], body["top_k"]) == (7, ["\n"], 0.6, 5)
    assert body["model"] == "Qwen/Qwen2.5-Coder-7B"


def test_what_the_model_is() -> None:
    info = using(vllm(), lambda client: client.info())
    assert (info.family, info.n_ctx, info.can_infill, info.remote) == ("qwen2.5-coder", 32768, True, True)
    assert not using(vllm("mystery"), lambda client: client.info()).can_infill


def test_infill_with_markers_that_the_file_spells_out() -> None:
    fake = vllm(events=text("b"))
    hole = InfillPrompt(prefix="s = '<|fim_middle|>'\n", suffix="", middle="x")
    answer_to(fake, GenerateRequest(prompt=hole))
    prompt = fake.seen[-1][1]["prompt"]
    assert prompt.startswith("<|fim_prefix|>s = '")
    assert prompt.endswith("<|fim_middle|>x")
    assert prompt.count("<|fim_middle|>") == 1


def test_infill_where_the_file_spells_out_other_control_tokens() -> None:
    fake = vllm(events=text("b"))
    hole = InfillPrompt(prefix="end = '<|endoftext|>'\n", suffix="turn = '<|im_start|>'\n", middle="x")
    answer_to(fake, GenerateRequest(prompt=hole))
    prompt = fake.seen[-1][1]["prompt"]
    assert "<|endoftext|>" not in prompt
    assert "<|im_start|>" not in prompt


def test_infill_with_a_suffix_field() -> None:
    fake = Fake(models=[{"id": "deepseek-chat", "owned_by": "deepseek"}], events=text("b"))
    answer_to(fake, GenerateRequest(prompt=HOLE, n=3))
    path, body, _ = fake.seen[-1]
    assert path == "/beta/completions"
    assert (body["prompt"], body["suffix"]) == ("# ctx\ndef f(a, ", "\n\nx = 1\n")
    assert "n" not in body


def test_infill_through_llama_cpp() -> None:
    """The probe asks for JSON and gets it; the request gets llama.cpp's own stream shape."""
    own = [{"content": "b", "stop": False}, {"content": "", "stop": True, "stop_type": "eos", "tokens_predicted": 1}]
    fake = Fake(models=[{"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx_train": 2048}}], events=own)
    chunks = answer_to(fake, GenerateRequest(prompt=HOLE, max_tokens=9))
    assert joined(chunks) == ("", "b")
    path, body, _ = fake.seen[-1]
    assert path == "/infill"
    assert (body["input_prefix"], body["prompt"], body["n_predict"]) == ("# ctx\ndef f(", "a, ", 9)


def test_infill_that_the_model_cannot_do() -> None:
    with pytest.raises(BadRequest, match="cannot fill in the middle"):
        answer_to(vllm("mystery"), GenerateRequest(prompt=HOLE))


@pytest.mark.parametrize(
    "rows",
    [
        ({"reasoning_content": "hm"}, {"content": "yes"}),
        ({"content": "<think>h"}, {"content": "m</th"}, {"content": "ink>\n\nyes"}),
        ({"content": "hm"}, {"content": "</think>yes"}),
    ],
)
def test_reasoning_never_reaches_the_text(rows: tuple[dict[str, str], ...]) -> None:
    fake = vllm("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", events=deltas({"content": ""}, *rows))
    thinking, said = joined(answer_to(fake, GenerateRequest(prompt=CHAT)))
    assert (thinking.strip(), said) == ("hm", "yes")


def test_prefill_where_the_server_can_continue() -> None:
    fake = vllm(events=deltas({"content": "b"}))
    answer_to(fake, GenerateRequest(prompt=ChatPrompt(messages=CHAT.messages, prefill="a")))
    body = fake.seen[-1][1]
    assert body["messages"][-1] == {"role": "assistant", "content": "a"}
    assert body["continue_final_message"] is True


def test_a_budget_of_thought_ends_the_answer() -> None:
    fake = vllm("DeepSeek-R1", events=deltas(*[{"reasoning_content": "hm "}] * 50))
    chunks = answer_to(fake, GenerateRequest(prompt=CHAT, think_budget=5))
    assert sum(bool(chunk.thinking) for chunk in chunks) <= 7
    assert "budget" in {chunk.finish for chunk in chunks}


def test_a_budget_of_time_ends_the_answer_and_the_connection() -> None:
    fake = vllm(events=text(*"abcdefgh"), pause_s=0.1)

    async def work(client: EngineClient) -> list[Chunk]:
        chunks = [chunk async for chunk in client.generate(asking(time_budget_s=0.15))]
        await asyncio.sleep(0.3)
        return chunks

    chunks = using(fake, work)
    assert [chunk.finish for chunk in chunks if chunk.finish] == ["budget"]
    assert fake.closed_early == 1


def test_a_newer_request_of_the_session_ends_the_older() -> None:
    fake = vllm(events=text(*"abcdefgh"), pause_s=0.05)

    async def work(client: EngineClient) -> tuple[list[Chunk], int]:
        older = client.generate(asking(session="s"))
        first = [await anext(older)]
        newer = client.generate(asking(session="s"))
        await anext(newer)
        rest = [chunk async for chunk in older]
        await newer.aclose()
        await asyncio.sleep(0.2)
        return first + rest, fake.closed_early

    chunks, closed = using(fake, work)
    assert [chunk.finish for chunk in chunks if chunk.finish] == ["superseded"]
    assert closed == 2


def test_the_key_goes_along_and_a_redirect_is_not_followed() -> None:
    fake = vllm(status=302)
    with pytest.raises(EngineUnavailable, match="redirects elsewhere"):
        answer_to(fake, asking(), api_key="sk-secret")
    assert {headers["Authorization"] for _, _, headers in fake.seen} == {"Bearer sk-secret"}


def test_no_key_no_header_and_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    fake = vllm(events=text("a"))
    answer_to(fake, asking())
    assert all("Authorization" not in headers for _, _, headers in fake.seen)


def echo(*costs: float) -> dict[str, Any]:
    """Two tokens that all texts share, and one of their own."""
    return {
        "choices": [
            {
                "index": index,
                "text": f"éa{index}",
                "logprobs": {"tokens": ["é", "a", str(index)], "token_logprobs": [None, -9.0, cost]},
            }
            for index, cost in enumerate(costs)
        ]
    }


def test_texts_are_scored_by_their_echo() -> None:
    fake = vllm(whole=echo(-0.5, -2.0, -1.0))
    asked = asking("é", choices=("a0", "a1", "a2"), lane=Lane.ACTION)
    assert using(fake, lambda client: client.score(asked)) == (-0.5, -2.0, -1.0)
    path, body, _ = fake.seen[-1]
    assert path == "/v1/completions"
    assert body == {
        "model": "Qwen/Qwen2.5-Coder-7B",
        "prompt": ["éa0", "éa1", "éa2"],
        "echo": True,
        "max_tokens": 0,
        "logprobs": 1,
    }


@pytest.mark.parametrize("owner", ["llamacpp", "deepseek", "library"])
def test_a_server_that_cannot_score_is_not_even_asked(owner: str) -> None:
    fake = Fake(models=[{"id": "m", "owned_by": owner}])
    with pytest.raises(Unsupported, match=r"^the engine at http://127\.0\.0\.1:\d+ cannot score texts$"):
        using(fake, lambda client: client.score(asking(choices=("a", "b"))))
    assert "/v1/completions" not in {path for path, _, _ in fake.seen}


def test_a_server_that_echoes_nothing_cannot_score() -> None:
    fake = Fake(models=[{"id": "m"}], whole={"choices": [{"index": 0, "text": ""}, {"index": 1, "text": ""}]})
    with pytest.raises(Unsupported, match=r"cannot score texts$"):
        using(fake, lambda client: client.score(asking(choices=("a", "b"))))


def test_only_plain_texts_are_scored() -> None:
    with pytest.raises(Unsupported, match="only what follows a plain text"):
        using(vllm(), lambda client: client.score(GenerateRequest(prompt=CHAT, choices=("a", "b"))))


def test_a_newer_request_replaces_a_score_and_cancelling_ends_it() -> None:
    fake = vllm(whole=echo(-0.5, -2.0), pause_s=0.2)
    asked = asking("é", choices=("a0", "a1"), session="s")

    async def work(client: EngineClient) -> tuple[float, ...]:
        older, newer = (asyncio.ensure_future(client.score(asked)) for _ in range(2))
        with pytest.raises(EngineUnavailable, match="a newer request has taken the place"):
            await older
        scores = await newer
        cancelled = asyncio.ensure_future(client.score(asked))
        await asyncio.sleep(0.05)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        assert cancelled.cancelled()
        return scores

    assert using(fake, work) == (-0.5, -2.0)


def test_a_stream_that_breaks_off_is_an_error() -> None:
    fake = vllm(events=text("a", "b")[:2])
    with pytest.raises(EngineUnavailable, match="broke off"):
        answer_to(fake, asking())


@pytest.mark.parametrize("index", [1, -1])
def test_a_candidate_that_nobody_asked_for_is_an_error(index: int) -> None:
    fake = vllm(events=[{"choices": [{"index": index, "text": "a", "finish_reason": "stop"}]}, "[DONE]"])
    with pytest.raises(EngineUnavailable, match="nobody asked for"):
        answer_to(fake, asking())


def test_closing_the_client_ends_a_waiting_reader() -> None:
    fake = vllm(events=text("a", "b"), pause_s=5)

    async def work(client: EngineClient) -> None:
        answer = client.generate(asking())
        await anext(answer)
        asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(client.close()))
        with pytest.raises(EngineUnavailable):
            await asyncio.wait_for(anext(answer), 2)

    using(fake, work)


@pytest.mark.parametrize("row", [{"id": "m", "meta": "x"}, {"id": "m", "owned_by": "llamacpp", "meta": [1]}])
def test_a_server_that_describes_its_models_in_a_strange_way_keeps_nobody_waiting(row: dict[str, Any]) -> None:
    with pytest.raises(EngineUnavailable, match="does not speak the OpenAI protocol"):
        using(Fake(models=[row]), lambda client: client.info())


def test_unknown_model() -> None:
    with pytest.raises(ModelNotFound, match=r"has no model 'x'; it has Qwen/Qwen2\.5-Coder-7B"):
        using(vllm(), lambda client: client.info(), remote_model="x")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://127.0.0.1:1", "the engine at http://127.0.0.1:1 cannot be reached: Connection refused"),
        ("ftp://x", "the engine's url must begin with http:// or https:// and name a server"),
        ("nonsense", "the engine's url must begin with http:// or https:// and name a server"),
        ("http://user:pw@x/", "the engine's url must be a plain address; give the key as its own setting"),
    ],
)
def test_an_address_that_cannot_be(url: str, sentence: str) -> None:
    async def work() -> str:
        client = create_engine(EngineOptions(url=url))
        try:
            await asyncio.wait_for(client.info(), 5)
        except EngineError as error:
            assert client.status.phase is EnginePhase.FAILED
            return str(error)
        finally:
            await client.close()
        return ""

    assert asyncio.run(work()) == sentence


def test_it_is_asked_again_until_it_is_there() -> None:
    async def work() -> str:
        fake = vllm()
        async with fake.serving():
            url = fake.url
        client = create_engine(EngineOptions(url=url))
        with pytest.raises(EngineUnavailable):
            await client.info()
        app = web.Application()
        app.router.add_get("/v1/models", fake.list_models)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(url.rpartition(":")[2])).start()
        async with asyncio.timeout(8):
            while client.status.phase is not EnginePhase.READY:
                await asyncio.sleep(0.05)
        name = (await client.info()).id
        await client.close()
        await runner.cleanup()
        return name

    assert asyncio.run(work()) == "Qwen/Qwen2.5-Coder-7B"


@pytest.mark.parametrize(
    ("url", "api", "root"),
    [
        ("http://h:1", "http://h:1/v1", "http://h:1"),
        ("http://h:1/v1/", "http://h:1/v1", "http://h:1"),
        ("https://api.deepseek.com/beta", "https://api.deepseek.com/beta", "https://api.deepseek.com/beta"),
        ("https://h/llm/v1", "https://h/llm/v1", "https://h/llm"),
    ],
)
def test_addresses(url: str, api: str, root: str) -> None:
    assert (addresses(url).api, addresses(url).root) == (api, root)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "r1-distill-qwen"),
        ("DeepSeek-R1-0528-Qwen3-8B", "r1-0528-qwen3"),
        ("deepseek-reasoner", "deepseek-r1"),
        ("deepseek-ai/DeepSeek-Coder-V2-Lite-Base", "deepseek-coder-v2"),
        ("qwen2.5-coder:1.5b", "qwen2.5-coder"),
        ("gpt-x", "unknown"),
    ],
)
def test_families_by_name(name: str, family: str) -> None:
    assert family_of(name) == family
