"""What an architecture says about a checkpoint. The table of all of them is in `arch/table.py`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gguf_convert.fields import Field
from gguf_convert.rows import WeightReader
from gguf_convert.tensors import TargetTensor

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the user may choose. `mtp`: keep the layer of multi-token prediction, drop it, or make a file of it
    alone.
    """

    mtp: str = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What will be written for one checkpoint.

    `unused` are the checkpoint's weights that are left out on purpose, with the reason of each; whatever the checkpoint
    holds that is neither used nor here is an error. `warnings` are sentences for the user.
    """

    tensors: Sequence[TargetTensor]
    fields: Sequence[Field]
    unused: Mapping[str, str]
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """`name` is llama.cpp's (`general.architecture`), `classes` are the values of `architectures[0]` in
    config.json.

    `layout` raises Unsupported, with one sentence, for what would be converted wrongly, and SourceError for weights
    that are missing or of the wrong shape. The fields do not include the tokenizer's nor the file's own
    (`general.file_type`, split). `weights` are the names of all weights of the checkpoint, scales and groups of
    quantised ones left aside.
    """

    name: str
    classes: tuple[str, ...]
    layout: Callable[[Config, Sequence[str], WeightReader, Choices], Layout]
