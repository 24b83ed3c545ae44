"""The in-process fake behaves as an engine: pieces, candidates, limits, cancellation, failures."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from engine.errors import ContextOverflow, EngineUnavailable, ModelUnusable
from engine.scripted import ScriptedEngine, load_script, pieces, render
from engine.types import Chunk, EnginePhase, GenerateRequest, InfillPrompt
from tests.engine.link.hosts import asking


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, 10))


async def read(engine: ScriptedEngine, request: GenerateRequest) -> list[Chunk]:
    return [chunk async for chunk in engine.generate(request)]


def said(chunks: list[Chunk], index: int = 0) -> str:
    return "".join(chunk.text for chunk in chunks if chunk.index == index)


def test_pieces_are_the_text() -> None:
    text = "def f(é😀):\r\n\treturn  '🙂'\u2028\x00 end"
    assert "".join(pieces(text)) == text


def test_candidates_stop_and_usage() -> None:
    engine = ScriptedEngine({"default": {"reply": ["a = 1\nb", "c"]}})
    chunks = run(read(engine, asking(n=2, stop=("\n",))))
    assert (said(chunks, 0), said(chunks, 1)) == ("a = 1", "c")
    assert [chunk.usage is not None for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert sorted(chunk.index for chunk in chunks if chunk.finish == "stop") == [0, 1]


def test_length_and_budget() -> None:
    engine = ScriptedEngine({"default": {"reply": "a b c d", "delay_s": 0.01}})
    assert run(read(engine, asking(max_tokens=2)))[-1].finish == "length"
    engine = ScriptedEngine({"default": {"reply": "a b c d", "delay_s": 0.03}})
    assert run(read(engine, asking(time_budget_s=0.05)))[-1].finish == "budget"


def test_rules_answer_in_order_and_so_often() -> None:
    script = {"rules": [{"match": r"b$", "reply": "once", "times": 1}], "default": {"reply": "always"}}
    engine = ScriptedEngine(script)
    answers = [said(run(read(engine, asking("ab")))) for _ in range(2)]
    assert answers == ["once", "always"]


def test_closing_early_and_superseding() -> None:
    async def work() -> ScriptedEngine:
        engine = ScriptedEngine({"default": {"reply": "a b c d e f", "delay_s": 0.005}})
        first = engine.generate(asking(session="s"))
        await anext(first)
        newer = engine.generate(asking(session="s"))
        await anext(newer)
        assert (await anext(first)).finish == "superseded"
        await first.aclose()
        await newer.aclose()
        return engine

    engine = run(work())
    assert (engine.finished, engine.closed_early, engine.active) == (1, 1, 0)


def test_a_dying_host() -> None:
    async def work() -> None:
        engine = ScriptedEngine({"default": {"reply": "a b c d"}})
        answer = engine.generate(asking())
        await anext(answer)
        engine.interrupt()
        with pytest.raises(EngineUnavailable):
            await anext(answer)
        assert engine.status.phase is EnginePhase.READY

    run(work())


def test_loading_and_failing() -> None:
    async def work() -> list[EnginePhase]:
        engine = ScriptedEngine({"load_s": 0.01, "fail": "no memory"})
        phases: list[EnginePhase] = []
        engine.watch(lambda status: phases.append(status.phase))
        with pytest.raises(ModelUnusable, match="no memory"):
            await engine.info()
        return list(dict.fromkeys(phases))

    assert run(work()) == [EnginePhase.STARTING, EnginePhase.LOADING, EnginePhase.FAILED]


def test_an_overlong_prompt() -> None:
    engine = ScriptedEngine({"info": {"n_ctx": 4}, "default": {"reply": ""}})
    with pytest.raises(ContextOverflow):
        run(read(engine, asking("a b c d e f")))


@pytest.mark.parametrize(
    "script", [{"rule": []}, {"info": {"ctx": 1}}, {"rules": [{"match": "("}]}, {"default": {"x": 1}}]
)
def test_a_wrong_script_is_one_sentence(script: dict[str, Any]) -> None:
    with pytest.raises(ModelUnusable, match="the script"):
        load_script(script)


def test_infill_is_rendered_for_rules() -> None:
    prompt = InfillPrompt(prefix="P", suffix="S", middle="M", context="C")
    assert render(prompt) == "<fim_prefix>CP<fim_suffix>S<fim_middle>M"


def test_scores_as_the_rule_says_else_by_length() -> None:
    engine = ScriptedEngine({"rules": [{"match": r"x$", "scores": {"): y": -0.5}}], "default": {}})
    assert run(engine.score(asking("x", choices=(" a b c", "a): y", "")))) == (-3.0, -0.5, 0.0)
    assert run(ScriptedEngine({"default": {}}).score(asking("z", choices=("a): y", "a")))) == (-4.0, -1.0)


def test_scoring_is_cancelled_replaced_and_refused_like_writing() -> None:
    async def work() -> ScriptedEngine:
        engine = ScriptedEngine({"default": {"delay_s": 0.05}})
        request = asking(choices=("a", "b"), session="s")
        cancelled = asyncio.ensure_future(engine.score(request))
        await asyncio.sleep(0.01)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        assert (engine.active, engine.closed_early) == (0, 1)
        older = asyncio.ensure_future(engine.score(request))
        await asyncio.sleep(0.01)
        assert await engine.score(asking(choices=("a", "b c"), session="s")) == (-1.0, -2.0)
        with pytest.raises(EngineUnavailable, match="a newer request has taken the place of this one"):
            await older
        return engine

    run(work())
    with pytest.raises(EngineUnavailable, match="no"):
        run(ScriptedEngine({"default": {"error": "no"}}).score(asking(choices=("a", "b"))))
    with pytest.raises(ContextOverflow):
        run(ScriptedEngine({"info": {"n_ctx": 4}, "default": {}}).score(asking("a", choices=("b", "c d e f"))))
    with pytest.raises(ModelUnusable, match="a score above 0"):
        load_script({"default": {"scores": {"a": 0.5}}})
