"""Another GGUF file out of one: other types for its tensors, everything else kept. `r1-gguf quantize` without its
command line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Final

from engine.models.gguf_header import Tensor
from gguf_convert.arch.architecture import Layout
from gguf_convert.errors import RecipeError
from gguf_convert.facts import facts_of
from gguf_convert.fields import Field
from gguf_convert.imatrix import Importance, coverage_warnings
from gguf_convert.mixes import may_quantise
from gguf_convert.plan import QUANTISATION_VERSION, Plan, Split, make_plan
from gguf_convert.recipe import Recipe, assign, file_order, idle_names, weighed
from gguf_convert.rows import Stored
from gguf_convert.solver import Size, recipe_for
from gguf_convert.source.gguf import GgufSource, open_gguf, read_fields
from gguf_convert.tensors import TargetTensor

_RENEWED: Final = frozenset(
    {
        "general.quantization_version",
        "general.file_type",
        "general.alignment",
        "split.no",
        "split.count",
        "split.tensors.count",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requantisation:
    """A GGUF file and what is to become of it; `recipe` is the wanted one, or the one that was found for a size."""

    source: GgufSource
    plan: Plan
    recipe: Recipe


def plan_quantise(
    source: Path,
    wanted: Recipe | Size,
    *,
    file_name: str,
    importance: Importance | None = None,
    allow_requantise: bool = False,
    split: Split | None = None,
) -> Requantisation:
    """Plans the file that llama.cpp's quantiser would write: the same metadata, the same bytes of every tensor.

    Raises SourceError when the source is unsound, and RecipeError for types that cannot be had or would be made of
    weights that have lost accuracy already (unless `allow_requantise`).
    """
    found = open_gguf(source)
    stored = {tensor.name: tensor.type.name for tensor in found.tensors}
    targets = sorted(map(_target, found.tensors), key=lambda target: file_order(target.name))
    if importance:
        importance.check(targets)
    covered = importance.entries if importance else ()
    layout = Layout(tensors=targets, fields=[*_kept(found.first)], unused={})
    facts = facts_of(found.metadata)
    added = importance.fields() if importance else ()
    recipe = recipe_for(wanted, layout, added, facts, covered) if isinstance(wanted, Size) else wanted
    types = assign(recipe, targets, facts, covered)
    if not allow_requantise:
        _check_accuracy(found, types)
    plan = make_plan(
        replace(layout, warnings=[*idle_names(recipe, targets), *_warnings(stored, types, importance)]),
        types=types,
        fields=(
            Field("general.quantization_version", "u32", QUANTISATION_VERSION),
            Field("general.file_type", "u32", recipe.file_type),
            *added,
        ),
        file_name=file_name,
        split=split,
    )
    return Requantisation(source=found, plan=plan, recipe=recipe)


def _target(tensor: Tensor) -> TargetTensor:
    kept = not may_quantise(tensor.name, tensor.shape)
    return TargetTensor(
        name=tensor.name,
        shape=tensor.shape,
        source=Stored(tensor.name, prod(tensor.shape[1:]), tensor.shape[0], tensor.type.name),
        pinned=tensor.type.name if kept else None,
    )


def _kept(first: Path) -> Iterator[Field]:
    return (field for field in read_fields(first) if field.key not in _RENEWED)


def _check_accuracy(source: GgufSource, types: Mapping[str, str]) -> None:
    for tensor in source.tensors:
        if tensor.type.block > 1 and types[tensor.name] != tensor.type.name:
            raise RecipeError(
                f"{source.first} has {tensor.name} as {tensor.type.name} already, and quantising that again loses more "
                f"than quantising the original; --allow-requantize does it all the same"
            )


def _warnings(stored: Mapping[str, str], types: Mapping[str, str], importance: Importance | None) -> Iterator[str]:
    changed = {name: type_ for name, type_ in types.items() if stored[name] != type_}
    if importance:
        yield from coverage_warnings(importance, weighed(changed))
    if not changed:
        yield "every tensor has the wanted type already; the output is a copy with its tensors in order"
