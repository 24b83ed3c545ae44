"""Reads LoRA adapters as PEFT saves them: adapter_config.json, and pairs of small matrices in safetensors.

What such a pair means is alpha / rank (or alpha / sqrt(rank), https://arxiv.org/abs/2312.03732) times B A, added to a
weight; rank and alpha may differ from module to module. Whatever else PEFT can train (DoRA, biases, whole modules) is
refused by name: leaving it out would make another model without a word.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, FiniteFloat, PositiveInt, ValidationError

from gguf_convert.errors import SourceError, Unsupported
from gguf_convert.source.checkpoint import Checkpoint, Shard, read_json_object, shard_at
from gguf_convert.source.safetensors import read_safetensors
from gguf_convert.tensors import SourceTensor

PREFIX: Final = "lora:"
"""What names of an adapter's tensors and files begin with where they stand beside a checkpoint's."""
_CONFIG: Final = "adapter_config.json"
_WEIGHTS: Final = "adapter_model.safetensors"
_MAX_CONFIG: Final = 2**20
_MAX_PATTERNS: Final = 1024
_PATTERN: Final = re.compile(r"(?:[\w|.-]|\\\.|\.\*|\\d\+?|\[\d-\d\])+")
_MOST_REPEATS: Final = 3
_MOST_EFFORT: Final = 10**10
"""Steps of matching; a few seconds. All of R1's 44,000 experts with four patterns of two repeats take a fifth of it."""
_INITIAL: Final = (None, True, False, "gaussian", "eva", "orthogonal")
"""Ways to begin (init_lora_weights) that leave the model's own weights alone; PiSSA, OLoRA and others change them."""
_Number = TypeVar("_Number", int, float)
_TENSOR: Final = re.compile(r"base_model\.model\.(.+)\.lora_(embedding_)?([AB])(?:\.default)?(?:\.weight)?")
_LEFT_OUT: Final = {
    "use_dora": "DoRA, which scales whole columns",
    "fan_in_fan_out": "transposed weights (fan_in_fan_out)",
    "lora_bias": "biases of its own (lora_bias)",
    "modules_to_save": "whole modules beside LoRA (modules_to_save)",
    "layer_replication": "layers used more than once (layer_replication)",
    "target_parameters": "parameters instead of modules (target_parameters)",
    "alora_invocation_tokens": "tokens that switch it on (alora_invocation_tokens)",
    "trainable_token_indices": "single tokens (trainable_token_indices)",
    "use_qalora": "QALoRA, which groups inputs",
    "use_bdlora": "block-diagonal matrices (use_bdlora)",
    "kasa_config": "KaSA",
    "monteclora_config": "MonteCLoRA",
    "arrow_config": "a router of adapters (arrow_config)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """The pair for one weight: names of the two matrices, A of [rank, in] and B of [out, rank], what their product is
    multiplied by, and whether the weight is a table of embeddings, to which the product is added transposed.
    """

    weight: str
    down: str
    up: str
    rank: int
    n_in: int
    n_out: int
    scale: float
    embedding: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """An adapter: its modules by the name of the weight they change. `tensors` and `shards` as a checkpoint's."""

    folder: Path
    config: Mapping[str, Any]
    modules: Mapping[str, Module]
    tensors: Mapping[str, SourceTensor]
    shards: Mapping[str, Shard]

    def beside(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with the adapter's tensors at hand."""
        return replace(
            checkpoint,
            tensors={**checkpoint.tensors, **self.tensors},
            shards={**checkpoint.shards, **self.shards},
        )

    def alone(self) -> Checkpoint:
        """The adapter's tensors as a checkpoint of their own."""
        return Checkpoint(folder=self.folder, config={}, tensors=self.tensors, shards=self.shards)


class _Config(BaseModel):
    """What of adapter_config.json decides what the matrices mean. What is refused stays in the raw object."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    peft_type: str
    r: PositiveInt
    lora_alpha: FiniteFloat
    use_rslora: bool = False
    bias: str = "none"
    rank_pattern: dict[str, PositiveInt] = {}
    alpha_pattern: dict[str, FiniteFloat] = {}


def open_adapter(folder: Path) -> Adapter:
    """Reads the adapter's configuration and header. Raises SourceError when it is unsound, Unsupported for what is more
    than LoRA.
    """
    said = read_json_object(folder / _CONFIG, _MAX_CONFIG)
    config = _config(folder / _CONFIG, said)
    path = folder / _WEIGHTS
    shard = replace(shard_at(path), name=PREFIX + _WEIGHTS)
    pairs: dict[tuple[str, bool], dict[str, SourceTensor]] = {}
    for tensor in read_safetensors(path):
        module, embedding, side = _place(path, tensor.name)
        pairs.setdefault((module, embedding), {})[side] = tensor
    if not pairs:
        raise SourceError(f"{path} holds no matrices")
    _check_effort(path, config, [module for module, _ in pairs])
    modules = [_module(path, config, key, sides) for key, sides in pairs.items()]
    tensors = {PREFIX + t.name: replace(t, name=PREFIX + t.name, shard=shard.name) for t in _all(pairs)}
    return Adapter(
        folder=folder,
        config=said,
        modules={module.weight: module for module in modules},
        tensors=tensors,
        shards={shard.name: shard},
    )


def _config(path: Path, said: Mapping[str, Any]) -> _Config:
    try:
        config = _Config.model_validate(said)
    except ValidationError as exc:
        where = ".".join(map(str, exc.errors()[0]["loc"]))
        raise SourceError(f"{path} is no configuration of a LoRA adapter: see its {where}") from None
    if config.peft_type.upper() != "LORA":
        raise Unsupported(f"{path} is of the kind {config.peft_type}; only LoRA adapters are converted")
    for key, what in _LEFT_OUT.items():
        if said.get(key):
            raise Unsupported(f"the adapter in {path.parent} uses {what}, which cannot be converted")
    if config.bias != "none":
        raise Unsupported(f"the adapter in {path.parent} has trained biases (bias: {config.bias}), which are not LoRA")
    if said.get("init_lora_weights") not in _INITIAL:
        how = said["init_lora_weights"]
        raise Unsupported(f"the adapter in {path.parent} began by changing the model's own weights ({how})")
    if len(config.rank_pattern) + len(config.alpha_pattern) > _MAX_PATTERNS:
        raise SourceError(f"{path} has more than {_MAX_PATTERNS} patterns")
    _check_patterns(path, config)
    return config


def _place(path: Path, name: str) -> tuple[str, bool, str]:
    """The module that a tensor belongs to, whether it is one of embeddings, and which of the two matrices it is."""
    found = _TENSOR.fullmatch(name)
    if not found:
        raise Unsupported(f"{path} holds {name}, which is no matrix of LoRA and would be left out")
    return found[1], found[2] is not None, found[3]


def _module(path: Path, config: _Config, key: tuple[str, bool], sides: Mapping[str, SourceTensor]) -> Module:
    module, embedding = key
    missing = {"A", "B"} - sides.keys()
    if missing:
        raise SourceError(f"{path} has only one half of the pair for {module}: lora_{missing.pop()} is missing")
    down, up = sides["A"], sides["B"]
    rank = _pattern(config.rank_pattern, module, config.r)
    if len(down.shape) != 2 or len(up.shape) != 2 or down.shape[0] != rank or up.shape[1] != rank:
        raise SourceError(
            f"{path} has matrices of {list(down.shape)} and {list(up.shape)} for {module}, whose rank is {rank}"
        )
    alpha = _pattern(config.alpha_pattern, module, config.lora_alpha)
    return Module(
        weight=f"{module}.weight",
        down=PREFIX + down.name,
        up=PREFIX + up.name,
        rank=rank,
        n_in=down.shape[1],
        n_out=up.shape[0],
        scale=alpha / math.sqrt(rank) if config.use_rslora else alpha / rank,
        embedding=embedding,
    )


def _pattern(patterns: Mapping[str, _Number], module: str, otherwise: _Number) -> _Number:
    """The value of the first key that the module's name ends in, as PEFT has it (utils/other.py, get_pattern_key)."""
    for key, value in patterns.items():
        if _ending_in(key).fullmatch(module):
            return value
    return otherwise


@cache
def _ending_in(key: str) -> re.Pattern[str]:
    return re.compile(rf"(.*\.)?({key})")


def _check_effort(path: Path, config: _Config, modules: Sequence[str]) -> None:
    """Each repeat in a pattern may be tried at every letter of a name, behind each of its dots."""
    repeats = Counter(map(_repeats, (*config.rank_pattern, *config.alpha_pattern)))
    effort = sum(
        times * sum((module.count(".") + 1) * len(module) ** number for module in modules)
        for number, times in repeats.items()
        if number
    )
    if effort > _MOST_EFFORT:
        raise Unsupported(f"{path} has patterns of ranks that would take too long to find in the names of its modules")


def _repeats(key: str) -> int:
    return key.count("*") + key.count("+")


def _check_patterns(path: Path, config: _Config) -> None:
    """Keys are regular expressions from somebody else's file: only those that are matched in a short time are."""
    for key in (*config.rank_pattern, *config.alpha_pattern):
        if not _PATTERN.fullmatch(key) or _repeats(key) > _MOST_REPEATS:
            raise Unsupported(f"{path} has a pattern of ranks that is not understood: {key!r}")


def _all(pairs: Mapping[tuple[str, bool], Mapping[str, SourceTensor]]) -> list[SourceTensor]:
    return [tensor for sides in pairs.values() for tensor in sides.values()]
