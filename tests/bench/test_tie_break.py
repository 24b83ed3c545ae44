"""The benchmark of the model's choice counts what there is to win, and judges it rightly."""

import asyncio
from pathlib import Path

import pytest

from ast_tools import Edit, apply
from bench.corpora import File
from bench.repair.cases import Case
from bench.tie_break import Tie, _tie, _verdict
from engine.scripted import ScriptedEngine


def planted(clean: str, lost: str) -> Case:
    """A case in which the last of these brackets is lost."""
    text, at = clean.encode(), clean.encode().rindex(lost.encode())
    edit = Edit(at, at + 1, b"")
    return Case(
        language="python", mode="delete", seed=0, number=0, file=File("python", "one", Path("one.py")), clean=text,
        broken=apply(text, [edit]), planted=(edit,), wanted=text,
    )  # fmt: skip


def tie() -> Tie:
    found = _tie(planted("é = '😀'\nprint(max(1, 2))\n\n\ndef f():\n    return 1\n", "))"))
    assert found is not None
    return found


def test_a_tie_has_several_repairs_of_which_one_is_right() -> None:
    assert len(tie().choices) == len(tie().right) > 1
    assert sum(tie().right) == 1


@pytest.mark.parametrize("clean", ["def f(a, b):\n    return g(a)[b]\n", "x = (\n"])
def test_where_there_is_nothing_to_win_there_is_no_tie(clean: str) -> None:
    assert _tie(planted(clean, "(")) is None


@pytest.mark.parametrize(("likes", "right"), [("print(max(1, 2))\n", True), ("max(1), 2)\n", False)])
def test_a_verdict_is_on_what_the_model_likes(likes: str, right: bool) -> None:
    engine = ScriptedEngine({"default": {"scores": {likes: -0.5}}})
    verdict = asyncio.run(_verdict(engine, tie()))
    assert verdict.model is right
    assert verdict.first is tie().right[0]
