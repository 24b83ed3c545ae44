"""From what somebody asks for to a plan: the checkpoint's headers are read, its architecture says what to write, the
recipe in which types, and whatever would come out wrong is refused here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gguf_convert.arch.architecture import Choices, Layout
from gguf_convert.arch.table import architecture_of
from gguf_convert.errors import SourceError
from gguf_convert.facts import facts_of
from gguf_convert.fields import Field
from gguf_convert.general import general_fields
from gguf_convert.imatrix import Importance, coverage_warnings, read_imatrix, sha256_of
from gguf_convert.lora import merged
from gguf_convert.peft import open_adapter
from gguf_convert.plan import Plan, Split, make_plan
from gguf_convert.recipe import Recipe, assign, idle_names, load_recipe, weighed
from gguf_convert.solver import Size, recipe_for
from gguf_convert.source.checkpoint import Checkpoint, open_checkpoint
from gguf_convert.source.reader import CheckpointReader, logical_weights
from gguf_convert.tokenizer import tokenizer_fields

_FILE_TYPE = "general.file_type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`recipe` is a name or a file; with a `size` a recipe for that is found instead. `importance` is the file of an
    importance matrix, `file_name` what the output is called, `adapter` a folder with a LoRA adapter that is added to
    the weights.
    """

    source: Path
    recipe: str
    file_name: str
    size: Size | None = None
    importance: Path | None = None
    adapter: Path | None = None
    choices: Choices = field(default_factory=Choices)
    split: Split = field(default_factory=Split)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request that can be met. `source_bytes` is what must be read of the checkpoint, `solved` the recipe that was
    found for a size.
    """

    request: Request
    checkpoint: Checkpoint
    plan: Plan
    recipe: str
    importance: Importance | None
    importance_sha256: str | None
    source_bytes: int
    solved: Recipe | None = None


def prepare(request: Request, checkpoint: Checkpoint | None = None) -> Prepared:
    """Everything about a conversion that can be known before weights are read. `checkpoint` is the request's source,
    where it is open already. Raises ConversionError.
    """
    named = load_recipe(request.recipe)
    importance = read_imatrix(request.importance) if request.importance else None
    checkpoint = checkpoint or open_checkpoint(request.source)
    architecture = architecture_of(checkpoint.config)
    weights = logical_weights(checkpoint)
    with CheckpointReader(checkpoint) as reader:
        layout = architecture.layout(checkpoint.config, weights, reader, request.choices)
    _check_all_used(checkpoint, weights, layout)
    if request.adapter:
        adapter = open_adapter(request.adapter)
        checkpoint, layout = adapter.beside(checkpoint), merged(layout, adapter)
    if importance:
        importance.check(layout.tensors)
    fields = _fields(checkpoint, layout, named, importance)
    facts = facts_of({field.key: field.value for field in (*layout.fields, *fields)})
    covered = importance.entries if importance else ()
    recipe = recipe_for(request.size, layout, fields, facts, covered) if request.size else named
    fields = tuple(replace(field, value=recipe.file_type) if field.key == _FILE_TYPE else field for field in fields)
    types = assign(recipe, layout.tensors, facts, covered)
    warnings = (*layout.warnings, *idle_names(recipe, layout.tensors), *_coverage(importance, types))
    plan = make_plan(
        replace(layout, warnings=warnings),
        types=types,
        fields=fields,
        file_name=request.file_name,
        split=request.split,
    )
    return Prepared(
        request=request,
        checkpoint=checkpoint,
        plan=plan,
        recipe=recipe.name,
        importance=importance,
        importance_sha256=sha256_of(request.importance) if request.importance else None,
        source_bytes=sum(shard.size for shard in checkpoint.shards.values()),
        solved=recipe if request.size else None,
    )


def _fields(checkpoint: Checkpoint, layout: Layout, recipe: Recipe, importance: Importance | None) -> tuple[Field, ...]:
    return (
        *general_fields(checkpoint.folder, checkpoint.config, layout.tensors),
        Field(_FILE_TYPE, "u32", recipe.file_type),
        *tokenizer_fields(checkpoint.folder, checkpoint.config),
        *(importance.fields() if importance else ()),
    )


def _coverage(importance: Importance | None, types: Mapping[str, str]) -> Iterator[str]:
    if importance:
        yield from coverage_warnings(importance, weighed(types))


def _check_all_used(checkpoint: Checkpoint, weights: Sequence[str], layout: Layout) -> None:
    """A weight that nobody takes is part of a model that would come out without it."""
    used = {name for tensor in layout.tensors for name in tensor.source.weights}
    over = [name for name in weights if name not in used and name not in layout.unused]
    if over:
        more = f" and {len(over) - 1} more" if len(over) > 1 else ""
        raise SourceError(f"{checkpoint.folder} holds {over[0]}{more}, which its architecture has no use for")
