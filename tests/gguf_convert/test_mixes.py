"""llama.cpp's mixes as we know them, against llama.cpp: every mix, tensor by tensor, for models of real shapes.

What its quantiser answered is in tests/cases/mixes, so that all models are compared in seconds; a few are asked anew.
`UPDATE_EXPECT=1` asks for all and rewrites the cases.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gguf_convert.errors import RecipeError
from gguf_convert.mixes import MIXES, Mix
from gguf_convert.recipe import Recipe, assign, load_recipe
from tests.gguf_convert.shapes import MODELS, Model, summary, write_sparse
from tests.support.cases import Case

_CASES = Path(__file__).parent.parent / "cases" / "mixes"
_ASKED_ANEW = ("deepseek-r1-mtp", "deepseek-v2-lite", "qwen2-1.5b-tied", "llama-eight-experts", "llama-odd-rows")

Answer = Callable[[Mix, bool], Mapping[str, str]]


@pytest.mark.parametrize("name", MODELS)
def test_as_llama_cpp_answered(name: str) -> None:
    tensors, facts = MODELS[name].tensors, MODELS[name].facts

    def ours(mix: Mix, importance: bool) -> Mapping[str, str]:
        recipe = Recipe(name=mix.name, base=replace(mix, needs_importance=frozenset()))
        try:
            return assign(recipe, tensors, facts, ["another.weight"] if importance else [])
        except RecipeError:
            return {}

    assert _listing(ours) == Case(_CASES / f"{name}.txt")["want"]


@pytest.mark.process
@pytest.mark.parametrize("name", MODELS if os.environ.get("UPDATE_EXPECT") else _ASKED_ANEW)
def test_llama_cpp_still_answers_so(name: str, tmp_path: Path) -> None:
    asked = _ask(MODELS[name], tmp_path / "model.gguf")
    Case(_CASES / f"{name}.txt").check("want", _listing(lambda mix, importance: asked[mix.name, importance]))


def _ask(model: Model, path: Path) -> dict[tuple[str, bool], Mapping[str, str]]:
    """What llama.cpp makes of the model, by mix and by whether there is an importance matrix; {} where it refuses."""
    write_sparse(model, path)
    before = model.types
    request = {"path": str(path), "file_types": [mix.file_type for mix in MIXES.values()], "importance": [False, True]}
    command = [sys.executable, "-I", str(Path(__file__).parent / "llama_dry_run.py")]
    done = subprocess.run(command, input=json.dumps(request), capture_output=True, text=True, check=True)
    answers = json.loads(done.stdout)
    assert all(answer is None or answer.keys() == before.keys() for answer in answers)
    pairs = [(mix, importance) for mix in MIXES for importance in (False, True)]
    return {
        pair: {name: type_ or before[name] for name, type_ in (answer or {}).items()}
        for pair, answer in zip(pairs, answers, strict=True)
    }


def _listing(answer: Answer) -> str:
    return "\n".join(_lines(answer)) + "\n"


def _lines(answer: Answer) -> Iterator[str]:
    for mix in MIXES.values():
        without, given = (
            list(summary(types)) if (types := answer(mix, importance)) else ["  refused"]
            for importance in (False, True)
        )
        yield f"{mix.name}"
        yield from without
        if given != without:
            yield f"{mix.name} with an importance matrix"
            yield from given


@pytest.mark.parametrize("name", ["IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "Q2_K_S"])
def test_refused_without_an_importance_matrix(name: str) -> None:
    model = MODELS["llama-8b"]
    with pytest.raises(RecipeError, match=r"blk\.0\.\w+\.weight would become \w+, which needs an importance matrix"):
        assign(load_recipe(name), model.tensors, model.facts)
    covered = [name for name in model.shapes if name.startswith("blk.")]
    assert assign(load_recipe(name), model.tensors, model.facts, covered)  # neither embedding nor output need one
    with pytest.raises(RecipeError, match="the importance matrix, which that needs, has no data for it"):
        assign(load_recipe(name), model.tensors, model.facts, covered[:20])


@pytest.mark.parametrize("name", ["Q2_K", "Q3_K_S", "IQ3_S", "IQ4_XS", "TQ1_0", "MXFP4_MOE"])
def test_not_refused(name: str) -> None:
    model = MODELS["llama-8b"]
    assert assign(load_recipe(name), model.tensors, model.facts)
