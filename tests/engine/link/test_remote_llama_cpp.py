"""The remote path against llama.cpp's own server with the real default model."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from engine.client import create_engine
from engine.errors import BadRequest, ContextOverflow, Unsupported
from engine.models.resolve import resolve
from engine.types import (
    ChatPrompt,
    Chunk,
    Engine,
    EngineOptions,
    GenerateRequest,
    InfillPrompt,
    Message,
)
from tests.engine.link.hosts import asking

pytestmark = [pytest.mark.model]
N_CTX = 1024


@pytest.fixture(name="url", scope="module")
def _url() -> Iterator[str]:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(resolve(EngineOptions()).path)
    parameters.n_ctx = 2 * N_CTX
    parameters.n_parallel = 2
    parameters.kv_unified = False
    parameters.port = 0
    server = xllamacpp.Server(parameters)
    yield server.listening_address
    del server


def using(url: str, work: Callable[[Engine], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        engine = create_engine(EngineOptions(url=url))
        try:
            return await asyncio.wait_for(work(engine), 60)
        finally:
            await engine.close()

    return asyncio.run(run())


def answer_to(url: str, request: GenerateRequest) -> list[Chunk]:
    async def read(engine: Engine) -> list[Chunk]:
        return [chunk async for chunk in engine.generate(request)]

    chunks: list[Chunk] = using(url, read)
    return chunks


def test_what_it_is(url: str) -> None:
    async def work(engine: Engine) -> tuple[Any, int]:
        return await engine.info(), await engine.count_tokens("def add(a, b):")

    info, n_tokens = using(url, work)
    assert (info.family, info.n_ctx, info.remote, info.can_infill) == ("smollm2", N_CTX, True, False)
    assert 4 <= n_tokens <= 12


def test_completion(url: str) -> None:
    chunks = answer_to(url, asking("def add(a, b):\n    return a +", max_tokens=8, stop=("\n",)))
    assert "".join(chunk.text for chunk in chunks).strip() == "b"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0
    assert [chunk.finish for chunk in chunks if chunk.finish] == ["stop"]


def test_chat_with_its_length(url: str) -> None:
    prompt = ChatPrompt(messages=(Message(role="user", content="Count to a hundred: é😀"),))
    chunks = answer_to(url, GenerateRequest(prompt=prompt, max_tokens=12))
    assert "".join(chunk.text for chunk in chunks)
    assert [chunk.finish for chunk in chunks if chunk.finish] == ["length"]


def test_infill_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(BadRequest, match="cannot fill in the middle"):
        answer_to(url, GenerateRequest(prompt=InfillPrompt(prefix="a", suffix="b")))


def test_scoring_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(Unsupported, match=r"cannot score texts$"):
        using(url, lambda engine: engine.score(asking(choices=("a", "b"))))


def test_a_prompt_that_is_too_long(url: str) -> None:
    with pytest.raises(ContextOverflow, match=f"the model's context holds {N_CTX}"):
        answer_to(url, asking("word " * (2 * N_CTX)))


def test_closing_frees_the_server(url: str) -> None:
    """Two slots, four long answers cut off: the fifth does not wait for their 3,600 tokens."""

    async def work(engine: Engine) -> float:
        for _ in range(4):
            answer = engine.generate(asking("Once upon a time", max_tokens=900))
            await anext(answer)
            await answer.aclose()
        began = time.monotonic()
        async for _ in engine.generate(asking("def f(", max_tokens=2)):
            pass
        return time.monotonic() - began

    assert using(url, work) < 30
