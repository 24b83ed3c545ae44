"""The recipe for a wanted size: bits go where they save most error for each byte.

A tensor's part in the model's loss is taken as its sensitivity times the relative squared error of its type. Every
tensor starts at its smallest type; then the step to a larger one that gains most for a byte is taken, again and again,
until nothing fits. Along the lower convex hull of each tensor's (bytes, error) that is the best there is but for the
last steps (H. Everett, "Generalized Lagrange multiplier method", Operations Research 11, 1963).

What it goes by is published or measured, and small: see `TYPE_ERRORS` and `_R1_RISES`. It says nothing about a model
that nobody measured; for those, errors count by weight, and more where llama.cpp's own mixes give more bits.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gguf_convert.arch.architecture import Layout
from gguf_convert.errors import RecipeError
from gguf_convert.facts import Facts
from gguf_convert.fields import Field
from gguf_convert.ggml import NEED_IMPORTANCE
from gguf_convert.header import padded
from gguf_convert.mixes import MIXES, OTHER_RULES, may_quantise
from gguf_convert.plan import header_size
from gguf_convert.recipe import TYPES, Part, Recipe, Rule, bits_per_weight, file_order, fitting, part_of, split_name
from gguf_convert.tensors import TargetTensor
from gguf_convert.units import in_units

TYPE_ERRORS: Final[Mapping[str, float]] = {
    "IQ1_S": 0.235,
    "IQ1_M": 0.203,
    "IQ2_XXS": 0.118,
    "IQ2_XS": 0.0900,
    "IQ2_S": 0.0621,
    "Q2_K": 0.0887,
    "IQ3_XXS": 0.0330,
    "IQ3_S": 0.0275,
    "Q3_K": 0.0225,
    "IQ4_XS": 0.00584,
    "IQ4_NL": 0.00575,
    "Q4_0": 0.00734,
    "Q4_1": 0.00609,
    "Q4_K": 0.00508,
    "Q5_0": 0.00181,
    "Q5_1": 0.00143,
    "Q5_K": 0.00129,
    "Q6_K": 0.000312,
    "Q8_0": 0.0000285,
    "F16": 0.0000000431,
}
"""Mean squared error over mean square, of normally distributed weights (`python -m bench.type_errors`; an importance
matrix of ones where one is needed). R1's weights are close to it: 0.0051 for Q4_K and 0.0003 for Q6_K.
"""

_R1_RISES: Final[Mapping[str, tuple[float, float, float]]] = {
    "output": (0.514, 0.514, 0.514),
    "token_embd": (0.026, 0.026, 0.026),
    "ffn_down_exps": (0.0021, 0.0106, 0.0113),
    "ffn_gate_exps": (0.0021, 0.0063, 0.0108),
    "ffn_gate": (0.0009, 0.0009, 0.0009),
    "ffn_up": (0.0009, 0.0009, 0.0009),
    "ffn_down": (0.0009, 0.0009, 0.0009),
}
"""How much the perplexity of R1-0528 (3.200) rises when one tensor goes to IQ1_M, in the first, second and last third
of the blocks: ppl_results.csv of Thireus' GGUF-Tool-Suite, means. For the ups there is none; they count as the gates.
"""
_UNNAMED: Final = 0.25
"""A tensor of attention or of a shared expert counts as this part of a routed gate, for want of published figures: with
it the estimates for files in Q4_0 and IQ4_XS throughout are near the perplexities that were measured (docs/recipes.md).
Each is a hundred times smaller than a routed tensor, so this gives them more bits by far.
"""
_R1_LAST_SHARED: Final[Mapping[str, float]] = {
    "ffn_down_shexp": 0.095,
    "ffn_up_shexp": 0.047,
    "ffn_gate_shexp": 0.029,
}
"""The same for the shared expert of the last block, by far the most sensitive tensors of any block."""

_FACTORS: Final[Mapping[str, float]] = {"output": 4, "attn_v": 4, "ffn_down": 2, "attn_output": 2, "token_embd": 0.5}
"""For other models: how much more an error counts in these than in other weights. Not measured; these are the tensors
that llama.cpp's mixes raise.
"""

_BLOCK_TYPES: Final = tuple(name for name in TYPE_ERRORS if TYPES[name].block > 1)
_MORE_METADATA: Final = 4096  # file type, and the counts of split files
_MTP_EXPERTS, _MTP_OTHERS = "Q4_K", "Q8_0"
_FLOOR: Final = 4.25  # bits; below that goes only what makes up nearly all of the model


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """What somebody wants: so many `bytes` for all files together, or `bits` for each weight, metadata aside."""

    bytes: int | None = None
    bits: float | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """A type, the bytes and the loss that a tensor has with it."""

    type: str
    size: int
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """`tied`: the embedding is the output too."""

    facts: Facts
    tied: bool


def solve(
    tensors: Sequence[TargetTensor],
    facts: Facts,
    target_bytes: int,
    *,
    overhead: int = 0,
    importance_names: Collection[str] = (),
) -> Recipe:
    """The recipe whose file has at most `target_bytes`, and at least 99 % of it unless everything is Q8_0 by then (F16
    where no block fits the rows). `overhead` are the bytes of the file that are no tensors; types that need an
    importance matrix go only to tensors in `importance_names`.

    The same arguments give the same recipe. Raises RecipeError for a size that cannot be reached, naming the smallest.
    """
    if facts.architecture in OTHER_RULES:
        raise RecipeError(f"llama.cpp has mixes of its own for {facts.architecture}, which are not known here")
    free = [tensor for tensor in tensors if not tensor.pinned and may_quantise(tensor.name, tensor.shape)]
    free.sort(key=lambda tensor: file_order(tensor.name))
    chosen_by_us = {tensor.name for tensor in free}
    room = target_bytes - overhead - sum(_size(t, t.pinned or "F32") for t in tensors if t.name not in chosen_by_us)
    model = _Model(facts=facts, tied=all(tensor.name != "output.weight" for tensor in tensors))
    ladders = [_ladder(tensor, model, importance=tensor.name in importance_names) for tensor in free]
    smallest = sum(ladder[0].size for ladder in ladders)
    if smallest > room:
        least = in_units(target_bytes - room + smallest)
        hint = "" if importance_names else "; with an importance matrix it could be smaller"
        raise RecipeError(f"{in_units(target_bytes)} are too few; the smallest is {least}{hint}")
    types = dict(zip((tensor.name for tensor in free), _climb(ladders, room - smallest), strict=True))
    return _recipe(in_units(target_bytes), types, free)


def recipe_for(
    size: Size, layout: Layout, fields: Sequence[Field], facts: Facts, importance_names: Collection[str] = ()
) -> Recipe:
    """The recipe with which a layout and the other metadata become files of that size. Raises RecipeError."""
    overhead = header_size(layout, fields) + _MORE_METADATA
    if size.bits is not None:
        wanted = int(sum(tensor.elements for tensor in layout.tensors) * size.bits / 8) + overhead
    else:
        wanted = size.bytes or 0
    return solve(layout.tensors, facts, wanted, overhead=overhead, importance_names=importance_names)


def estimated_rise(types: Mapping[str, str], tensors: Iterable[TargetTensor], facts: Facts) -> float:
    """By how much these types raise R1's perplexity, by the published figures that the solver goes by."""
    model = _Model(facts=facts, tied=False)
    return sum(
        _sensitivity(tensor, model) * TYPE_ERRORS[types[tensor.name]]
        for tensor in tensors
        if TYPES[types[tensor.name]].block > 1
    )


def recipe_text(recipe: Recipe) -> str:
    """The recipe as a file that `load_recipe` reads; of its name nothing is kept."""
    lines = [f'description = "{recipe.description}"', f'base = "{recipe.base.name}"']
    if recipe.architectures:
        lines.append(f"architectures = {_list(recipe.architectures)}")
    for kind, rules in (("rule", recipe.rules), ("minimum", recipe.minimums)):
        for rule in rules:
            lines += ["", f"[[{kind}]]", *_rule_lines(rule)]
    return "\n".join(lines) + "\n"


def _rule_lines(rule: Rule) -> Iterator[str]:
    if rule.parts:
        yield f"part = {_list(sorted(rule.parts))}"
    if rule.name is not None:
        yield f'name = "{rule.name}"'
    if rule.layers is not None:
        yield f"layers = [{rule.layers[0]}, {rule.layers[1]}]"
    yield f'type = "{rule.type}"'


def _list(items: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{item}"' for item in items) + "]"


def _climb(ladders: Sequence[Sequence[_Step]], room: int) -> Iterator[str]:
    """The type of each tensor, after the steps that gain most for a byte."""
    at = [0] * len(ladders)
    queue = [(-_gain(ladder, 0), number) for number, ladder in enumerate(ladders) if len(ladder) > 1]
    heapq.heapify(queue)
    while queue:
        _, number = heapq.heappop(queue)
        ladder, step = ladders[number], at[number]
        cost = ladder[step + 1].size - ladder[step].size
        if cost > room:
            continue
        room -= cost
        at[number] = step + 1
        if step + 2 < len(ladder):
            heapq.heappush(queue, (-_gain(ladder, step + 1), number))
    return (ladder[step].type for ladder, step in zip(ladders, at, strict=True))


def _gain(ladder: Sequence[_Step], step: int) -> float:
    return (ladder[step].loss - ladder[step + 1].loss) / (ladder[step + 1].size - ladder[step].size)


def _ladder(tensor: TargetTensor, model: _Model, *, importance: bool) -> list[_Step]:
    """The types that a tensor may have, from small to large: the lower convex hull of size and loss."""
    sensitivity = _sensitivity(tensor, model)
    steps = [
        _Step(name, _size(tensor, name), sensitivity * TYPE_ERRORS[name])
        for name in _allowed(tensor, model.facts, importance=importance)
    ]
    hull: list[_Step] = []
    for step in sorted(steps, key=lambda step: (step.size, step.loss)):
        if hull and (step.loss >= hull[-1].loss or step.size == hull[-1].size):
            continue
        while len(hull) > 1 and _gain([hull[-2], hull[-1]], 0) <= _gain([hull[-1], step], 0):
            hull.pop()
        hull.append(step)
    return hull


def _allowed(tensor: TargetTensor, facts: Facts, *, importance: bool) -> Iterator[str]:
    part = part_of(tensor.name, facts)
    if part is Part.MTP:
        _, short = split_name(tensor.name)
        yield fitting(_MTP_EXPERTS if short.endswith("_exps") else _MTP_OTHERS, tensor.row_length)
        return
    if tensor.row_length % 32:
        yield "F16"  # no block fits
    large = part is (Part.ROUTED if facts.n_expert else Part.DENSE)
    for name in _BLOCK_TYPES:
        if tensor.row_length % TYPES[name].block or (name in NEED_IMPORTANCE and not importance):
            continue
        if large or bits_per_weight(name) >= _FLOOR:
            yield name


def _sensitivity(tensor: TargetTensor, model: _Model) -> float:
    facts = model.facts
    layer, short = split_name(tensor.name)
    if short == "token_embd" and model.tied:
        short = "output"
    if facts.architecture != "deepseek2":
        return tensor.elements * _FACTORS.get(short, 1.0)
    n_main = facts.n_layer - facts.n_nextn
    if layer == n_main - 1 and short in _R1_LAST_SHARED:
        rise = _R1_LAST_SHARED[short]
    else:
        third = min(3 * (layer or 0) // n_main, 2)
        gate = _R1_RISES["ffn_gate_exps"][third]
        named = gate if short == "ffn_up_exps" else _UNNAMED * gate
        rise = _R1_RISES[short][third] if short in _R1_RISES else named
    return rise / TYPE_ERRORS["IQ1_M"]


def _size(tensor: TargetTensor, type_name: str) -> int:
    type_ = TYPES[type_name]
    return padded(tensor.elements // type_.block * type_.size)


def _recipe(name: str, types: Mapping[str, str], tensors: Sequence[TargetTensor]) -> Recipe:
    elements: dict[str, int] = {}
    for tensor in tensors:
        elements[types[tensor.name]] = elements.get(types[tensor.name], 0) + tensor.elements
    most = max(elements, key=lambda type_name: (elements[type_name], type_name), default="Q8_0")
    base = next((mix for mix in MIXES.values() if mix.default == most), MIXES["Q8_0"])
    return Recipe(name=name, base=base, description=f"solved for {name}", rules=tuple(_rules(types)))


def _rules(types: Mapping[str, str]) -> Iterator[Rule]:
    """One rule for each run of blocks in which tensors of a name have the same type."""
    runs: dict[str, list[tuple[str, int, int]]] = {}
    for name, type_name in types.items():
        layer, short = split_name(name)
        if layer is None:
            yield Rule(type=type_name, name=short)
            continue
        of_name = runs.setdefault(short, [])
        if of_name and of_name[-1][0] == type_name and of_name[-1][2] == layer - 1:
            of_name[-1] = (type_name, of_name[-1][1], layer)
        else:
            of_name.append((type_name, layer, layer))
    for short, of_name in runs.items():
        for type_name, first, last in of_name:
            yield Rule(type=type_name, name=short, layers=(first, last))
