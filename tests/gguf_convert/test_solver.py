"""Recipes for a wanted size."""

import itertools

import pytest

from bench.type_errors import error_of
from gguf_convert.arch.architecture import Layout
from gguf_convert.errors import RecipeError
from gguf_convert.fields import Field
from gguf_convert.header import padded
from gguf_convert.plan import Plan, Split, make_plan
from gguf_convert.recipe import TYPES, Recipe, assign, load_recipe, parse_recipe, split_name
from gguf_convert.solver import TYPE_ERRORS, Size, recipe_for, recipe_text, solve
from tests.gguf_convert.shapes import MODELS, Model, classic

_FEW = classic("llama", layers=1, hidden=512, heads=(4, 2), width=1024, vocab=2048)


def size_of(model: Model, types: dict[str, str]) -> int:
    return sum(padded(t.elements // TYPES[types[t.name]].block * TYPES[types[t.name]].size) for t in model.tensors)


def solved(name: str, gigabytes: float, *, importance: bool) -> tuple[Recipe, dict[str, str], int]:
    model = MODELS[name]
    names = list(model.shapes) if importance else []
    recipe = solve(model.tensors, model.facts, round(gigabytes * 1e9), importance_names=names)
    types = dict(assign(recipe, model.tensors, model.facts, names))
    return recipe, types, size_of(model, types)


@pytest.mark.parametrize(
    ("name", "gigabytes", "importance"),
    [
        ("deepseek-r1", 140, True),
        ("deepseek-r1", 180, True),
        ("deepseek-r1-mtp", 200, True),
        ("deepseek-r1", 250, False),
        ("deepseek-r1", 400, False),
        ("deepseek-v2-lite", 9, False),
        ("deepseek-v2-lite", 6, True),
        ("llama-8b", 5, False),
        ("llama-8b", 3, True),
        ("llama-eight-experts", 20, False),
        ("qwen2-1.5b-tied", 1, False),
        ("smollm2-135m-tied", 0.09, False),
    ],
)
def test_the_file_is_at_most_one_percent_smaller(name: str, gigabytes: float, importance: bool) -> None:
    _, _, size = solved(name, gigabytes, importance=importance)
    assert 0.99 * gigabytes * 1e9 < size <= gigabytes * 1e9


def test_impossible_sizes_are_refused_with_the_smallest() -> None:
    model = MODELS["deepseek-r1"]
    with pytest.raises(RecipeError, match=r"60\.00 GB are too few; the smallest is (\d+\.\d+) GB; with an importance"):
        solve(model.tensors, model.facts, 60 * 10**9)
    with pytest.raises(RecipeError, match=r"the smallest is (\d+\.\d+) GB$") as caught:
        solve(model.tensors, model.facts, 60 * 10**9, importance_names=model.shapes)
    smallest = float(str(caught.value).split()[-2])
    assert 100 < smallest < 140
    _, types, size = solved("deepseek-r1", smallest + 0.01, importance=True)
    assert smallest - 0.01 < size / 1e9 < smallest + 0.01
    assert types["blk.30.ffn_up_exps.weight"] == "IQ1_S"


def test_room_for_everything_is_not_filled() -> None:
    _, types, _ = solved("deepseek-r1", 900, importance=False)
    assert set(types.values()) == {"F32", "Q8_0"}


def test_rows_that_no_block_fits_are_f16() -> None:
    _, types, _ = solved("llama-odd-rows", 1, importance=False)
    assert set(types.values()) == {"F32", "F16"}


def test_what_is_sensitive_gets_more_bits() -> None:
    bits = {name: TYPES[name].size / TYPES[name].block for name in TYPES}
    _, types, _ = solved("deepseek-r1", 180, importance=True)

    def of(name: str) -> float:
        return bits[types[f"{name}.weight"]]

    assert of("blk.50.ffn_down_exps") > of("blk.30.ffn_down_exps") > of("blk.10.ffn_down_exps")
    assert of("blk.60.ffn_down_shexp") > of("blk.30.ffn_down_shexp") > of("blk.50.ffn_down_exps")
    assert min(of(f"blk.{i}.attn_{n}") for i in range(61) for n in ("q_a", "q_b", "kv_a_mqa", "output")) >= 4.25 / 8
    assert of("output") >= bits["Q6_K"]


def test_a_tied_embedding_counts_as_the_output() -> None:
    bits = {name: TYPES[name].size / TYPES[name].block for name in TYPES}
    tied, untied = solved("qwen2-1.5b-tied", 1, importance=False)[1], solved("llama-8b", 5, importance=False)[1]
    assert bits[tied["token_embd.weight"]] > bits[tied["blk.9.ffn_up.weight"]]
    assert bits[untied["output.weight"]] > bits[untied["token_embd.weight"]]


def test_mtp_has_types_that_need_no_importance_matrix() -> None:
    model = MODELS["deepseek-r1-mtp"]
    measured = [name for name in model.shapes if not name.startswith("blk.61.")]
    recipe = solve(model.tensors, model.facts, 160 * 10**9, importance_names=measured)
    types = assign(recipe, model.tensors, model.facts, measured)
    assert {type_ for name, type_ in types.items() if name.startswith("blk.61.")} == {"F32", "Q4_K", "Q8_0"}


def test_the_same_twice_and_in_any_order() -> None:
    model = MODELS["deepseek-r1"]
    first = solve(model.tensors, model.facts, 250 * 10**9)
    assert solve(list(reversed(model.tensors)), model.facts, 250 * 10**9) == first


def test_nearly_the_best_there_is() -> None:
    """Against all combinations of types of a model small enough to try them; only the last steps may differ."""
    free = [t for t in _FEW.tensors if len(t.shape) > 1]
    fixed = sum(padded(t.elements * 4) for t in _FEW.tensors if len(t.shape) == 1)
    factors = {"output": 4, "attn_v": 4, "ffn_down": 2, "attn_output": 2, "token_embd": 0.5}
    large = ["Q3_K", "IQ4_XS", "Q5_K", "Q6_K"]
    small = ["IQ4_XS", "Q5_K", "Q6_K"]

    def loss(types: dict[str, str]) -> float:
        return sum(t.elements * factors.get(split_name(t.name)[1], 1) * TYPE_ERRORS[types[t.name]] for t in free)

    options = [large if "ffn" in t.name else small for t in free]
    for share in (0.2, 0.5, 0.8):
        low = size_of(_FEW, {t.name: o[0] if len(t.shape) > 1 else "F32" for t, o in _pairs(options)})
        high = size_of(_FEW, {t.name: o[-1] if len(t.shape) > 1 else "F32" for t, o in _pairs(options)})
        target = round(low + share * (high - low))
        sizes = [
            [padded(t.elements // TYPES[n].block * TYPES[n].size) for n in o]
            for t, o in zip(free, options, strict=True)
        ]
        losses = [
            [t.elements * factors.get(split_name(t.name)[1], 1) * TYPE_ERRORS[n] for n in o]
            for t, o in zip(free, options, strict=True)
        ]
        best = min(
            sum(values[i] for values, i in zip(losses, chosen, strict=True))
            for chosen in itertools.product(*(range(len(o)) for o in options))
            if sum(values[i] for values, i in zip(sizes, chosen, strict=True)) + fixed <= target
        )
        types = assign(solve(_FEW.tensors, _FEW.facts, target), _FEW.tensors, _FEW.facts)
        assert loss(dict(types)) <= 1.15 * best


def _pairs(options: list[list[str]]) -> list[tuple[object, list[str]]]:
    found = iter(options)
    return [(t, next(found) if len(t.shape) > 1 else ["F32"]) for t in _FEW.tensors]


@pytest.mark.parametrize("name", ["r1-q2", "r1-iq1", "lite-q4"])
def test_a_recipe_as_a_file(name: str) -> None:
    recipe = load_recipe(name)
    assert parse_recipe(recipe_text(recipe), name) == recipe


def test_a_solved_recipe_as_a_file() -> None:
    recipe, types, _ = solved("deepseek-r1", 250, importance=False)
    again = parse_recipe(recipe_text(recipe), recipe.name)
    assert again == recipe
    assert assign(again, MODELS["deepseek-r1"].tensors, MODELS["deepseek-r1"].facts) == types


@pytest.mark.parametrize("split", [None, Split(max_size=2 * 10**8)])
def test_the_whole_output_has_the_size(split: Split | None) -> None:
    model = MODELS["qwen2-1.5b-tied"]
    tokens = Field("tokenizer.ggml.tokens", "[string]", tuple(f"token {number}" for number in range(150_000)))
    layout = Layout(tensors=model.tensors, fields=[tokens], unused={})

    def planned(size: Size) -> Plan:
        recipe = recipe_for(size, layout, [], model.facts)
        types = assign(recipe, model.tensors, model.facts)
        return make_plan(layout, types=types, fields=[], file_name="m.gguf", split=split)

    assert 0.99e9 < planned(Size(bytes=10**9)).size <= 10**9
    plan = planned(Size(bits=4.8))
    assert 4.75 < sum(tensor.size for tensor in plan.tensors) * 8 / plan.elements <= 4.8


@pytest.mark.parametrize("name", ["Q2_K", "Q3_K", "IQ3_S", "IQ4_XS", "IQ4_NL", "Q4_K", "Q5_K", "Q5_0", "Q6_K", "Q8_0"])
def test_errors_are_those_of_ggml(name: str) -> None:
    assert error_of(name, n_rows=4) == pytest.approx(TYPE_ERRORS[name], rel=0.05)
