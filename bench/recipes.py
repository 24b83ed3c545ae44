"""`python -m bench.recipes`: what recipes give to R1 and V2-Lite, as the table in docs/recipes.md.

`--write` puts it there. Sizes are of the tensors; the header of a real file adds some ten megabytes.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from gguf_convert.recipe import TYPES, Part, Recipe, Rule, assign, load_recipe
from gguf_convert.solver import estimated_rise, solve
from tests.gguf_convert.shapes import MODELS, Model

DOCUMENT = Path(__file__).parent.parent / "docs" / "recipes.md"
_BEGIN, _END = "<!-- made by `python -m bench.recipes --write` -->\n", "<!-- end -->\n"
_COLUMNS = (
    ("attention", Rule(type="", parts=frozenset({Part.ATTENTION}))),
    ("shared experts", Rule(type="", parts=frozenset({Part.SHARED}))),
    ("dense layers", Rule(type="", parts=frozenset({Part.DENSE}))),
    ("embedding, output", Rule(type="", parts=frozenset({Part.EMBEDDING, Part.OUTPUT}))),
    ("routed gates, ups", Rule(type="", parts=frozenset({Part.ROUTED}), name="ffn_[gu]*")),
    ("routed downs", Rule(type="", parts=frozenset({Part.ROUTED}), name="ffn_down*")),
)
_R1 = ("r1-q4", "Q4_K_M", "r1-q3", "Q3_K_M", "r1-q2", "Q2_K", "r1-iq1", "IQ1_S")
_SIZES = ((180, True), (250, False), (300, False))
_LITE = ("lite-q4", "Q4_K_M")


def tables() -> str:
    """Both tables in Markdown."""
    r1, lite = MODELS["deepseek-r1"], MODELS["deepseek-v2-lite"]
    solved = [_solved(r1, size, importance=importance) for size, importance in _SIZES]
    rows = [_row(load_recipe(name), r1, rise=True) for name in _R1]
    rows += [_row(recipe, r1, rise=True) for recipe in solved]
    columns = [name for name, _ in _COLUMNS]
    heads = ["recipe", "GB", "bits", "estimated rise", "importance matrix", *columns]
    lite_heads = [head for head in heads if head != "estimated rise"]
    lite_rows = [_row(load_recipe(name), lite, rise=False) for name in _LITE]
    return (
        f"DeepSeek-R1, 671 billion parameters:\n\n{_table(heads, rows)}\n"
        f"DeepSeek-V2-Lite, 15.7 billion parameters:\n\n{_table(lite_heads, lite_rows)}"
    )


def document() -> str:
    """The document with its tables made anew."""
    before, _, rest = DOCUMENT.read_text("utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{tables()}\n{_END}{after}"


def _solved(model: Model, gigabytes: int, *, importance: bool) -> Recipe:
    names = list(model.shapes) if importance else []
    return solve(model.tensors, model.facts, gigabytes * 10**9, importance_names=names)


def _row(recipe: Recipe, model: Model, *, rise: bool) -> list[str]:
    tensors = model.tensors
    types = assign(recipe, tensors, model.facts, model.shapes)
    size = sum(tensor.elements * TYPES[types[tensor.name]].size / TYPES[types[tensor.name]].block for tensor in tensors)
    bits = size * 8 / sum(tensor.elements for tensor in tensors)
    cells = [f"`{recipe.name}`" if not recipe.name.endswith("GB") else f"`--target-size {size / 1e9:.0f}GB`"]
    cells += [f"{size / 1e9:.1f}", f"{bits:.2f}"]
    if rise:
        cells.append(f"{estimated_rise(types, tensors, model.facts):.2f}")
    cells.append("needed" if set(types.values()) & recipe.base.needs_importance else "")
    return [*cells, *(_cell(model, types, column) for _, column in _COLUMNS)]


def _cell(model: Model, types: Mapping[str, str], column: Rule) -> str:
    """The types of some tensors, by the share of the weights; norms and biases aside."""
    found: dict[str, int] = {}
    for tensor in model.tensors:
        if types[tensor.name] != "F32" and column.fits(tensor.name, model.facts):
            found[types[tensor.name]] = found.get(types[tensor.name], 0) + tensor.elements
    total = sum(found.values())
    order = sorted(found, key=lambda type_name: (-found[type_name], type_name))
    shown = [f"{name} {100 * found[name] / total:.0f} %" if len(order) > 1 else name for name in order]
    return ", ".join(shown)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (heads, ["---"] * len(heads), *rows))


def main() -> None:
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(document(), "utf-8")
    else:
        print(tables())


if __name__ == "__main__":
    main()
