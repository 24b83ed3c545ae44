"""Which type each tensor gets: one of llama.cpp's mixes, or a recipe file that changes one.

A recipe file is TOML:

    base = "Q4_K_M"                 # the mix for everything that no rule names
    architectures = ["deepseek2"]   # optional: the only ones it is meant for

    [[rule]]                        # the first rule that fits a tensor decides; it fits when all that it says does
    part = "routed"                 # embedding, output, attention, dense, shared, routed, mtp or other; or a list
    name = "ffn_down*"              # the tensor's name without "blk.N." and ".weight"; * and ? as in file names
    layers = [40, -1]               # first and last block, both included; negative ones count from the end
    type = "Q3_K"

    [[minimum]]                     # nothing that fits gets fewer bits than this type has
    part = "attention"
    type = "Q6_K"

A type whose blocks do not fit a tensor's rows is replaced as llama.cpp does it (`mixes.FALLBACK`).
"""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from engine.models.gguf_header import TensorType
from gguf_convert.errors import RecipeError
from gguf_convert.facts import Facts
from gguf_convert.ggml import TARGET_TYPES, target_type
from gguf_convert.mixes import ALIASES, FALLBACK, MIXES, OTHER_RULES, Category, Mix, Place, category_of, may_quantise
from gguf_convert.tensors import TargetTensor


class Part(StrEnum):
    """Parts of a model that recipes tell apart. Everything in a block of multi-token prediction is `mtp`."""

    EMBEDDING = "embedding"
    OUTPUT = "output"
    ATTENTION = "attention"
    DENSE = "dense"
    SHARED = "shared"
    ROUTED = "routed"
    MTP = "mtp"
    OTHER = "other"


TYPES: Final[Mapping[str, TensorType]] = {name: target_type(name) for name in TARGET_TYPES}
"""The types that tensors can be written in, by name."""
_UNWEIGHED: Final = frozenset({"F32", "F16", "BF16", "Q8_0", "MXFP4", "NVFP4", "TQ1_0", "TQ2_0", "Q1_0", "Q2_0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A type for the tensors it fits: all of those that `parts`, `name` and `layers` allow, where given."""

    type: str
    parts: frozenset[Part] = frozenset()
    name: str | None = None
    layers: tuple[int, int] | None = None

    def fits(self, tensor: str, facts: Facts) -> bool:
        """Whether it speaks about the tensor of this GGUF name."""
        layer, short = split_name(tensor)
        if self.parts and part_of(tensor, facts) not in self.parts:
            return False
        if self.name is not None and not fnmatchcase(short, self.name):
            return False
        if self.layers is None:
            return True
        n_main = facts.n_layer - facts.n_nextn
        first, last = (n_main + n if n < 0 else n for n in self.layers)
        return layer is not None and first <= layer <= last


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """`rules` go before the base mix, `minimums` after both. No `architectures` means any."""

    name: str
    base: Mix
    description: str = ""
    architectures: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    minimums: tuple[Rule, ...] = ()

    @property
    def file_type(self) -> int:
        """What is written as `general.file_type`: the base mix's number."""
        return self.base.file_type


_RECIPES: Final = files("gguf_convert") / "recipes"


def recipe_names() -> tuple[str, ...]:
    """Everything that `load_recipe` knows by name: llama.cpp's mixes, then our recipes."""
    own = sorted(entry.name.removesuffix(".toml") for entry in _RECIPES.iterdir() if entry.name.endswith(".toml"))
    return (*MIXES, *own)


def load_recipe(name_or_path: str) -> Recipe:
    """The recipe of that name (case does not matter), or of the TOML file at that path.

    Raises RecipeError with one sentence for an unknown name and for a file that is not a recipe.
    """
    if mix := _mix(name_or_path):
        return Recipe(name=mix.name, base=mix)
    if name_or_path.lower() in recipe_names():
        return parse_recipe((_RECIPES / f"{name_or_path.lower()}.toml").read_text("utf-8"), name_or_path.lower())
    path = Path(name_or_path)
    if path.suffix != ".toml" and not path.is_file():
        raise RecipeError(f"there is no recipe {name_or_path!r}; {_alike(name_or_path)}")
    try:
        return parse_recipe(path.read_text("utf-8"), path.stem)
    except OSError as exc:
        raise RecipeError(f"the recipe {path} cannot be read: {exc.strerror or exc}") from exc
    except UnicodeDecodeError:
        raise RecipeError(f"the recipe {path} is not UTF-8") from None


def _alike(name: str) -> str:
    known = {each.lower(): each for each in recipe_names()}
    near = [known[each] for each in get_close_matches(name.lower(), known, n=2, cutoff=0.75)]
    return f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known.values())}"


def parse_recipe(text: str, name: str) -> Recipe:
    """A recipe from the text of its file; `name` is what error sentences call it. Raises RecipeError."""
    try:
        model = _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as exc:
        raise RecipeError(f"the recipe {name} is not TOML: {exc}") from exc
    except ValidationError as exc:
        raise RecipeError(f"the recipe {name} is wrong {_first_problem(exc)}") from exc
    base = _mix(model.base)
    if base is None:
        raise RecipeError(f"the recipe {name} has the unknown base {model.base!r}; known are {', '.join(MIXES)}")
    return Recipe(
        name=name,
        base=base,
        description=model.description,
        architectures=tuple(model.architectures),
        rules=tuple(rule.rule() for rule in model.rule),
        minimums=tuple(rule.rule() for rule in model.minimum),
    )


def assign(
    recipe: Recipe, tensors: Sequence[TargetTensor], facts: Facts, importance_names: Collection[str] = ()
) -> Mapping[str, str]:
    """The type of every tensor, by name. `importance_names` are the tensors that an importance matrix covers; empty
    means that there is none.

    Raises RecipeError for an architecture it does not know, and for a type that needs an importance matrix where none
    covers the tensor.
    """
    if recipe.architectures and facts.architecture not in recipe.architectures:
        wanted = " or ".join(recipe.architectures)
        raise RecipeError(f"the recipe {recipe.name} is for {wanted}, and this model is {facts.architecture}")
    if facts.architecture in OTHER_RULES:
        raise RecipeError(f"llama.cpp has mixes of its own for {facts.architecture}, which are not known here")
    mix = _MixInOrder(recipe.base, tensors, facts, importance=bool(importance_names))
    types: dict[str, str] = {}
    for tensor in sorted(tensors, key=lambda tensor: file_order(tensor.name)):
        if tensor.pinned or not may_quantise(tensor.name, tensor.shape):
            types[tensor.name] = tensor.pinned or "F32"
            continue
        chosen = _chosen(recipe, tensor, facts, mix.type_of)
        if _needs_importance(tensor.name, chosen, recipe.base) and tensor.name not in importance_names:
            raise RecipeError(_without_importance(tensor.name, chosen, given=bool(importance_names)))
        types[tensor.name] = chosen
    return types


def weighed(types: Mapping[str, str]) -> Iterator[str]:
    """Names of the tensors whose quantiser uses an importance matrix where there is one: not the embedding's and the
    output's, for which none is measured as a rule.
    """
    for name, type_name in types.items():
        looked_up = category_of(name) in {Category.EMBEDDING, Category.OUTPUT}
        if not looked_up and type_name not in _UNWEIGHED:
            yield name


def idle_names(recipe: Recipe, tensors: Iterable[TargetTensor]) -> Iterator[str]:
    """A sentence about each `name` in a recipe that no tensor has: mistyped, as a rule. Blocks of multi-token
    prediction may be left out, so rules for these may be idle.
    """
    names = {split_name(tensor.name)[1] for tensor in tensors}
    for rule in (*recipe.rules, *recipe.minimums):
        pattern = rule.name
        if pattern is None or Part.MTP in rule.parts or any(fnmatchcase(name, pattern) for name in names):
            continue
        yield f"the recipe {recipe.name} has a rule for the name {pattern!r}, which no tensor of this model has"


def file_order(name: str) -> tuple[int, bytes]:
    """The key by which llama.cpp orders tensors, in its files and for its mixes: block, then name."""
    layer, _ = split_name(name)
    return (-1 if layer is None else layer, name.encode())


def part_of(name: str, facts: Facts) -> Part:
    """The part of the model that a tensor of this GGUF name belongs to."""
    layer, short = split_name(name)
    if layer is not None and facts.n_nextn and layer >= facts.n_layer - facts.n_nextn:
        return Part.MTP
    if layer is None:
        return {"token_embd": Part.EMBEDDING, "output": Part.OUTPUT}.get(short, Part.OTHER)
    if short.startswith("attn_"):
        return Part.ATTENTION
    if re.fullmatch(r"ffn_(up|gate|down|gate_up)(_exps|_shexp)?", short):
        return Part.ROUTED if short.endswith("_exps") else Part.SHARED if short.endswith("_shexp") else Part.DENSE
    return Part.OTHER


def bits_per_weight(type_name: str) -> float:
    """Bits that one weight of this type takes in a file."""
    type_ = TYPES[type_name]
    return type_.size * 8 / type_.block


class _MixInOrder:
    """Asks a mix for one tensor after the other, in llama.cpp's order: it counts tensors of a category."""

    def __init__(self, mix: Mix, tensors: Sequence[TargetTensor], facts: Facts, *, importance: bool) -> None:
        self._mix = mix
        self._facts = facts
        self._importance = importance
        self._seen: Counter[Category] = Counter()
        self._n_values = sum(category_of(tensor.name) is Category.VALUE for tensor in tensors)
        # The embedding is the output too, and gets its type, unless there is a tensor for the output.
        self._tied = all(tensor.name != "output.weight" for tensor in tensors)

    def type_of(self, tensor: TargetTensor) -> str:
        mix, category = self._mix, category_of(tensor.name)
        if TYPES[mix.default].block == 1:
            return mix.default
        if category is Category.OUTPUT or (category is Category.EMBEDDING and self._tied):
            return "Q8_0" if tensor.row_length % TYPES[mix.default].block else mix.output
        if category is Category.EMBEDDING and mix.embedding:
            return mix.embedding
        place = self._place(tensor, category)
        return next((choice.type for choice in mix.choices.get(category, ()) if choice.holds(place)), mix.default)

    def _place(self, tensor: TargetTensor, category: Category) -> Place:
        counter = self._seen[category]
        self._seen[category] += 1
        layer, _ = split_name(tensor.name)
        return Place(
            facts=self._facts,
            counter=counter,
            count=self._n_values if category is Category.VALUE else self._facts.n_layer,
            layer=layer if layer is not None and self._facts.n_expert > 1 else counter,
            stacked=len(tensor.shape) > 2 and tensor.shape[2] > 1,
            importance=self._importance,
        )


def _chosen(recipe: Recipe, tensor: TargetTensor, facts: Facts, of_mix: Callable[[TargetTensor], str]) -> str:
    rule = next((rule for rule in recipe.rules if rule.fits(tensor.name, facts)), None)
    chosen = fitting(rule.type if rule else of_mix(tensor), tensor.row_length)
    for minimum in recipe.minimums:
        if minimum.fits(tensor.name, facts) and bits_per_weight(minimum.type) > bits_per_weight(chosen):
            chosen = fitting(minimum.type, tensor.row_length)
    return chosen


def fitting(type_name: str, row_length: int) -> str:
    """The type, or what llama.cpp takes instead for rows that its blocks do not fit. Raises RecipeError when it has
    nothing to take.
    """
    block = TYPES[type_name].block
    if row_length % block == 0:
        return type_name
    if type_name not in FALLBACK and block > 32:
        raise RecipeError(f"rows of {row_length} do not fit {type_name}, which takes {block} at once")
    instead = FALLBACK.get(type_name, type_name)
    return instead if row_length % TYPES[instead].block == 0 else "F16"


def _needs_importance(tensor: str, type_name: str, mix: Mix) -> bool:
    if category_of(tensor) in {Category.EMBEDDING, Category.OUTPUT}:
        return False  # their rows are looked up, or come too late to be measured
    return type_name in mix.needs_importance


def _without_importance(tensor: str, type_name: str, *, given: bool) -> str:
    if given:
        return f"{tensor} would become {type_name}, and the importance matrix, which that needs, has no data for it"
    return f"{tensor} would become {type_name}, which needs an importance matrix (--imatrix FILE)"


_BLOCK = re.compile(r"blk\.(\d+)\.")


def split_name(name: str) -> tuple[int | None, str]:
    """The block's number, and the name without it and without ".weight"."""
    found = _BLOCK.match(name)
    short = name[found.end() if found else 0 :].removesuffix(".weight")
    return (int(found[1]) if found else None), short


def _mix(name: str) -> Mix | None:
    upper = name.upper()
    return MIXES.get(ALIASES.get(upper, upper))


def _type_name(value: Any) -> Any:
    if isinstance(value, str) and value.upper() in TYPES:
        return value.upper()
    raise ValueError(f"{value!r} is no type; known are {', '.join(TYPES)}")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _FileRule(_Strict):
    type: Annotated[str, BeforeValidator(_type_name)]
    part: str | list[str] = []
    name: str | None = None
    layers: list[int] | None = None

    def model_post_init(self, _: object) -> None:
        unknown = set(self.parts) - set(Part)
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} is no part; known are {', '.join(Part)}")
        if self.layers is not None and len(self.layers) != 2:
            raise ValueError("layers are two numbers, the first and the last")

    @property
    def parts(self) -> list[str]:
        return [self.part] if isinstance(self.part, str) else self.part

    def rule(self) -> Rule:
        layers = (self.layers[0], self.layers[1]) if self.layers is not None else None
        return Rule(type=self.type, parts=frozenset(map(Part, self.parts)), name=self.name, layers=layers)


class _File(_Strict):
    base: str
    description: str = ""
    architectures: list[str] = []
    rule: list[_FileRule] = []
    minimum: list[_FileRule] = []


def _first_problem(exc: ValidationError) -> str:
    problem = exc.errors(include_url=False)[0]
    where = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"at {where}: there is no such key"
    return f"at {where}: {problem['msg'].removeprefix('Value error, ')}"
