"""Recipe files: what they may say, and what ours give to the models they are for."""

from pathlib import Path

import pytest

from gguf_convert.errors import RecipeError
from gguf_convert.facts import Facts, facts_of
from gguf_convert.mixes import MIXES
from gguf_convert.recipe import (
    TYPES,
    Part,
    Recipe,
    assign,
    bits_per_weight,
    file_order,
    load_recipe,
    parse_recipe,
    part_of,
    recipe_names,
)
from tests.gguf_convert.shapes import MODELS, summary
from tests.support.cases import Case, case_id, cases


@pytest.mark.parametrize("case", cases("recipes"), ids=case_id)
def test_our_recipes(case: Case) -> None:
    recipe, model = case["recipe"].strip(), MODELS[case["model"].strip()]
    types = assign(load_recipe(recipe), model.tensors, model.facts, model.shapes)
    size = sum(tensor.elements * bits_per_weight(types[tensor.name]) / 8 for tensor in model.tensors)
    elements = sum(tensor.elements for tensor in model.tensors)
    figures = f"{size / 1e9:.1f} GB, {size * 8 / elements:.2f} bits per weight"
    case.check("want", "\n".join([figures, *summary(types)]))


def test_every_recipe_of_ours_has_a_case() -> None:
    ours = set(recipe_names()) - set(MIXES)
    assert ours == {case["recipe"].strip() for case in cases("recipes")}


@pytest.mark.parametrize("name", ["r1-q4", "r1-q3", "r1-q2", "lite-q4"])
def test_recipes_that_need_no_importance_matrix(name: str) -> None:
    for model in ("deepseek-r1", "deepseek-r1-mtp", "deepseek-v2-lite"):
        assert assign(load_recipe(name), MODELS[model].tensors, MODELS[model].facts)


def test_the_one_that_does() -> None:
    model = MODELS["deepseek-r1-mtp"]
    with pytest.raises(RecipeError, match="needs an importance matrix"):
        assign(load_recipe("r1-iq1"), model.tensors, model.facts)
    measured = [name for name in model.shapes if "_exps" in name and not name.startswith("blk.61.")]
    assert assign(load_recipe("r1-iq1"), model.tensors, model.facts, measured)


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'base = "q4_k"\n'
        '[[rule]]\npart = "attention"\nname = "attn_v"\nlayers = [0, 1]\ntype = "f16"\n'
        '[[rule]]\npart = ["attention"]\nname = "attn_?"\nlayers = [-2, -1]\ntype = "Q3_K"\n'
        '[[rule]]\nname = "ffn_up"\ntype = "Q2_K"\n'
        '[[minimum]]\npart = ["attention", "dense"]\nlayers = [-1, -1]\ntype = "Q5_K"\n'
    )
    recipe, model = load_recipe(str(path)), MODELS["llama-8b"]
    assert (recipe.name, recipe.file_type) == ("mine", 15)
    types = assign(recipe, model.tensors, model.facts)
    assert [types[f"blk.{i}.attn_v.weight"] for i in (0, 1, 2, 29, 30, 31)] == [
        "F16",
        "F16",
        "Q6_K",
        "Q6_K",
        "Q3_K",
        "Q5_K",
    ]
    assert [types[f"blk.{i}.ffn_up.weight"] for i in (0, 30, 31)] == ["Q2_K", "Q2_K", "Q5_K"]
    assert types["blk.31.ffn_down.weight"] == "Q6_K", "a minimum lowers nothing"
    assert types["blk.31.attn_norm.weight"] == "F32", "no rule reaches what is never quantised"


def test_tensors_with_a_rule_are_not_counted_by_the_mix() -> None:
    """As with `--tensor-type` of llama.cpp's quantiser: Q3_K_M gives its five bits to the first two values it sees."""
    model = MODELS["llama-8b"]
    recipe = parse_recipe('base = "Q3_K_M"\n[[rule]]\nname = "attn_v"\nlayers = [0, 2]\ntype = "Q8_0"', "x")
    types = assign(recipe, model.tensors, model.facts)
    got = [types[f"blk.{i}.attn_v.weight"] for i in range(6)]
    assert got == ["Q8_0", "Q8_0", "Q8_0", "Q5_K", "Q5_K", "Q4_K"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("base = ", "the recipe x is not TOML: "),
        ("", "the recipe x is wrong at base: Field required"),
        ('base = "Q9"', "the recipe x has the unknown base 'Q9'; known are F32, F16, "),
        ('base = "Q4_0"\nbse = 1', "the recipe x is wrong at bse: there is no such key"),
        ('base = "Q4_0"\n[[rule]]\ntyp = "Q4_0"', "the recipe x is wrong at rule.1.type: Field required"),
        (
            'base = "Q4_0"\n[[rule]]\ntype = "Q4_0"\nlayer = 1',
            "the recipe x is wrong at rule.1.layer: there is no such key",
        ),
        ('base = "Q4_0"\n[[minimum]]\ntype = "Q4_K_M"', "the recipe x is wrong at minimum.1.type: 'Q4_K_M' is no type"),
        ('base = "Q4_0"\n[[rule]]\ntype = "Q8_1"', "the recipe x is wrong at rule.1.type: 'Q8_1' is no type"),
        ('base = "Q4_0"\n[[rule]]\ntype = 4', "the recipe x is wrong at rule.1.type: 4 is no type"),
        ('base = "Q4_0"\n[[rule]]\ntype = "Q4_0"\npart = "head"', "the recipe x is wrong at rule.1: head is no part"),
        (
            'base = "Q4_0"\n[[rule]]\ntype = "Q4_0"\nlayers = [1]',
            "rule.1: layers are two numbers, the first and the last",
        ),
        ('base = "Q4_0"\n[[rule]]\ntype = "Q4_0"\nlayers = ["1", 2]', "the recipe x is wrong at rule.1.layers.1: "),
    ],
)
def test_what_is_wrong_with_a_file(text: str, sentence: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text, "x")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_such_recipe(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"there is no recipe 'R1-Q5'; did you mean r1-q"):
        load_recipe("R1-Q5")
    with pytest.raises(RecipeError, match=r"there is no recipe 'best'; known are F32, .*, r1-q4"):
        load_recipe("best")
    with pytest.raises(RecipeError, match=r"mine\.toml cannot be read: No such file"):
        load_recipe(str(tmp_path / "mine.toml"))
    (tmp_path / "mine.toml").write_bytes(b"base = \xff")
    with pytest.raises(RecipeError, match="is not UTF-8"):
        load_recipe(str(tmp_path / "mine.toml"))


def test_other_architectures() -> None:
    llama = MODELS["llama-8b"]
    with pytest.raises(RecipeError, match="the recipe r1-q4 is for deepseek2, and this model is llama"):
        assign(load_recipe("R1-Q4"), llama.tensors, llama.facts)
    falcon = Facts(architecture="falcon", n_layer=1, n_head=1, n_head_kv=1)
    with pytest.raises(RecipeError, match="mixes of its own for falcon"):
        assign(load_recipe("Q4_0"), [], falcon)


def test_parts_of_r1() -> None:
    model = MODELS["deepseek-r1-mtp"]
    parts = {name: part_of(name, model.facts) for name in model.shapes}
    assert set(parts.values()) == set(Part)
    assert {name for name, part in parts.items() if part is Part.MTP} == {
        name for name in model.shapes if name.startswith("blk.61.")
    }
    assert parts["blk.2.ffn_down.weight"] is Part.DENSE
    assert parts["blk.3.ffn_down_exps.weight"] is Part.ROUTED
    assert parts["blk.3.ffn_gate_shexp.weight"] is Part.SHARED
    assert parts["blk.3.ffn_gate_inp.weight"] is Part.OTHER
    assert parts["blk.3.attn_kv_a_mqa.weight"] is Part.ATTENTION


def test_facts() -> None:
    assert MODELS["deepseek-r1-mtp"].facts == Facts(
        architecture="deepseek2", n_layer=62, n_head=128, n_head_kv=1, n_expert=256, n_nextn=1
    )
    by_layer = facts_of(
        {
            "general.architecture": "a",
            "a.block_count": 2,
            "a.attention.head_count": (8, 4),
            "a.attention.head_count_kv": (2, 4),
        }
    )
    assert by_layer.n_gqa == 4
    with pytest.raises(RecipeError, match=r"general\.architecture"):
        facts_of({})
    with pytest.raises(RecipeError, match=r"a\.block_count"):
        facts_of({"general.architecture": "a", "a.block_count": True - 1})


def test_file_order() -> None:
    names = ["blk.10.a.weight", "blk.2.b.weight", "blk.2.B.weight", "token_embd.weight", "output.weight"]
    assert sorted(names, key=file_order) == [names[4], names[3], names[2], names[1], names[0]]


def test_types() -> None:
    assert TYPES.keys() >= {mix.default for mix in MIXES.values()}
    assert {"Q8_1", "Q8_K", "I32", "F64"}.isdisjoint(TYPES)
    assert bits_per_weight("Q4_K") == 4.5
    assert isinstance(load_recipe("mxfp4"), Recipe)
