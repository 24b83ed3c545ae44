"""The client costs nothing to import, and asks our host in the words the host understands."""

import asyncio
import subprocess
import sys

import pytest

from engine import payload, place
from engine.errors import BadRequest, EngineUnavailable
from engine.host.bodies import ChatBody, CompletionBody, InfillBody, parse
from engine.types import ChatPrompt, EngineOptions, GenerateRequest, InfillPrompt, Lane, Message, Sampling, TextPrompt
from tests.engine.link.hosts import asking, stage

FIELDS = dict(
    max_tokens=17,
    stop=("\n\n", "é"),
    sampling=Sampling(temperature=0.6, top_p=0.95, top_k=3, min_p=0.1, seed=9),
    n=2,
    lane=Lane.ACTION,
    session="s",
    time_budget_s=1.5,
)


@pytest.mark.process
def test_importing_the_client_imports_nothing_heavy() -> None:
    heavy = {"aiohttp", "pydantic", "platformdirs", "numpy", "llama_cpp", "jinja2"}
    code = f"import sys, engine.client; print(sorted(set(sys.modules) & {heavy!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("prompt", "body"),
    [
        (TextPrompt(text="é😀"), CompletionBody),
        (InfillPrompt(prefix="a", suffix="b", middle="c", context="d"), InfillBody),
        (ChatPrompt(messages=(Message(role="user", content="é"),), prefill="x"), ChatBody),
    ],
)
def test_the_host_reads_the_request_that_was_meant(prompt: object, body: type) -> None:
    """There and back: client's JSON, host's parser, the same request."""
    import json

    think = 5 if isinstance(prompt, ChatPrompt) else None
    meant = GenerateRequest(prompt=prompt, think_budget=think, **FIELDS)  # type: ignore[arg-type]
    route, record = payload.for_host(meant)
    read = parse(body, json.dumps(record).encode())
    assert read.request(read.rendered(), Sampling()) == meant
    assert route == {CompletionBody: "/v1/completions", InfillBody: "/infill", ChatBody: "/v1/chat/completions"}[body]


def test_the_host_reads_the_choices_that_were_meant() -> None:
    import json

    meant = asking("é😀", choices=(" é", "", " 😀"), lane=Lane.ACTION, session="s")
    route, record = payload.for_host(meant)
    read = parse(CompletionBody, json.dumps(record).encode())
    assert (route, read.request(read.rendered(), Sampling())) == ("/v1/completions", meant)


def test_the_hosts_name_holds_what_matters_and_no_secret() -> None:
    from pathlib import Path

    here = Path("/run/x")
    plain = place.host_files(here, EngineOptions(model="m")).socket
    assert plain == place.host_files(here, EngineOptions(model="m", api_key="k", remote_model="r")).socket
    assert plain != place.host_files(here, EngineOptions(model="m", threads=2)).socket
    assert "sk-1" not in place.options_to_json(EngineOptions(api_key="sk-1", url="http://h"))


def test_options_there_and_back() -> None:
    options = EngineOptions(model="x.gguf", n_ctx=512, script="s.json")
    assert place.options_from_json(place.options_to_json(options)) == place.settled(options)
    assert place.settled(options).model.endswith("/x.gguf")
    assert place.settled(options).model.startswith("/")


@pytest.mark.parametrize("text", ["{", "[]", '{"modle": "x"}', "3"])
def test_wrong_options_are_one_sentence(text: str) -> None:
    with pytest.raises(BadRequest, match="the host's options are not valid"):
        place.options_from_json(text)


def test_asking_is_lazy() -> None:
    """A generator that is never read never asks."""
    from engine.client import create_engine
    from engine.types import EnginePhase

    engine = create_engine(EngineOptions())
    engine.generate(asking())
    assert engine.status.phase is EnginePhase.OFF


@pytest.mark.process
def test_a_real_host_scores_and_stops_when_nobody_waits() -> None:
    script = {
        "rules": [{"match": "slow", "delay_s": 0.05}, {"match": "é$", "scores": {"😀": -0.75}}],
        "default": {"error": "the script says no"},
    }

    async def work() -> None:
        with stage() as made:
            async with made.client(made.options(script)) as client:
                assert await client.score(asking("é", choices=(" a b", " 😀"))) == pytest.approx((-2.0, -0.75))
                cancelled = asyncio.ensure_future(client.score(asking("slow", choices=(" a" * 900, " b" * 900))))
                await asyncio.sleep(0.2)
                cancelled.cancel()
                await asyncio.gather(cancelled, return_exceptions=True)
                async with asyncio.timeout(20):
                    assert await client.score(asking("é", choices=(" a", " b b"))) == pytest.approx((-1.0, -2.0))
                with pytest.raises(EngineUnavailable, match="the script says no"):
                    await client.score(asking("x", choices=("a", "b")))

    asyncio.run(work())
