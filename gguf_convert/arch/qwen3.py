"""Qwen3: DeepSeek-R1-0528-Qwen3-8B and Qwen3 itself."""

from collections.abc import Iterator, Sequence

from pydantic import PositiveInt

from gguf_convert.arch.architecture import Architecture, Choices, Config, Layout
from gguf_convert.arch.config import read_config, refuse, unknown_keys
from gguf_convert.arch.inventory import Inventory
from gguf_convert.arch.qwen2 import Qwen2Config, check_attention
from gguf_convert.arch.rope import rope_fields
from gguf_convert.arch.transformer import (
    block_norms,
    embeddings,
    feed_forward,
    heads,
    in_file_order,
    leave_what_adds_nothing,
    matrix,
    model_fields,
    refuse_mtp,
    vector,
)
from gguf_convert.fields import Field
from gguf_convert.rows import WeightReader
from gguf_convert.tensors import TargetTensor

_NAME = "qwen3"


class Qwen3Config(Qwen2Config):
    """Keys that only this architecture has."""

    head_dim: PositiveInt = 128
    attention_bias: bool = False


def layout(config: Config, weights: Sequence[str], reader: WeightReader, choices: Choices) -> Layout:
    """See `Architecture.layout`."""
    qwen = read_config(Qwen3Config, config)
    check_attention(qwen)
    refuse((qwen.attention_bias, "biases in attention (attention_bias)"))
    refuse_mtp(choices)
    inventory = Inventory(weights, reader)
    tensors = embeddings(inventory, qwen)
    for layer in range(qwen.num_hidden_layers):
        tensors += _block(inventory, layer, qwen)
    leave_what_adds_nothing(inventory)
    return Layout(
        tensors=in_file_order(tensors),
        fields=_fields(qwen),
        unused=inventory.finish(),
        warnings=unknown_keys(Qwen3Config, config),
    )


def _block(inventory: Inventory, layer: int, config: Qwen3Config) -> Iterator[TargetTensor]:
    yield from block_norms(inventory, layer, config)
    for name, source in heads(inventory, layer, config, config.head_dim).items():
        yield matrix(f"blk.{layer}.{name}.weight", source)
    for part in "qk":
        norm = inventory.take(f"model.layers.{layer}.self_attn.{part}_norm.weight", config.head_dim)
        yield vector(f"blk.{layer}.attn_{part}_norm.weight", norm)
    yield from feed_forward(inventory, layer, config)


def _fields(config: Qwen3Config) -> list[Field]:
    return [
        *model_fields(_NAME, config, blocks=config.num_hidden_layers, n_head_kv=config.n_head_kv),
        *rope_fields(_NAME, config, ("linear", "yarn")),
        *(Field(f"{_NAME}.attention.{key}_length", "u32", config.head_dim) for key in ("key", "value")),
    ]


QWEN3 = Architecture(name=_NAME, classes=("Qwen3ForCausalLM",), layout=layout)
