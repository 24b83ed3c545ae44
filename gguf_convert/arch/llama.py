"""Llama: the R1 distills on Llama 3, SmolLM2, and whatever else is a plain `LlamaForCausalLM`."""

from collections.abc import Iterator, Sequence

from gguf_convert.arch.architecture import Architecture, Choices, Config, Layout
from gguf_convert.arch.config import TransformerConfig, read_config, refuse, unknown_keys
from gguf_convert.arch.inventory import Inventory
from gguf_convert.arch.rope import llama3_factors, rope_fields
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
from gguf_convert.rows import HalvesInterleaved, WeightReader
from gguf_convert.tensors import TargetTensor

_NAME = "llama"


class LlamaConfig(TransformerConfig):
    """Keys that only this architecture has."""

    head_dim: int | None = None
    attention_bias: bool = False
    mlp_bias: bool = False
    rope_interleaved: bool = False

    @property
    def head_size(self) -> int:
        return self.head_dim or self.hidden_size // self.num_attention_heads


def layout(config: Config, weights: Sequence[str], reader: WeightReader, choices: Choices) -> Layout:
    """See `Architecture.layout`."""
    llama = read_config(LlamaConfig, config)
    _check(llama)
    refuse_mtp(choices)
    inventory = Inventory(weights, reader)
    tensors = [*embeddings(inventory, llama), *_rope_factors(llama)]
    for layer in range(llama.num_hidden_layers):
        tensors += _block(inventory, layer, llama)
    leave_what_adds_nothing(inventory)
    return Layout(
        tensors=in_file_order(tensors),
        fields=_fields(llama),
        unused=inventory.finish(),
        warnings=unknown_keys(LlamaConfig, config),
    )


def _check(config: LlamaConfig) -> None:
    refuse(
        (config.attention_bias, "biases in attention (attention_bias)"),
        (config.mlp_bias, "biases in the feed-forward network (mlp_bias)"),
        (config.rope_interleaved, "rotary positions on neighbouring rows (rope_interleaved)"),
        (config.head_size % 2 == 1, "heads of an odd size, which cannot be rotated"),
        (
            config.num_attention_heads % config.n_head_kv != 0,
            "key heads that do not divide the query heads",
        ),
    )


def _rope_factors(config: LlamaConfig) -> Iterator[TargetTensor]:
    if config.rope.kind == "llama3":
        yield vector("rope_freqs.weight", llama3_factors(config, config.head_size))


def _block(inventory: Inventory, layer: int, config: LlamaConfig) -> Iterator[TargetTensor]:
    yield from block_norms(inventory, layer, config)
    sources = heads(inventory, layer, config, config.head_size)
    sources["attn_q"] = HalvesInterleaved(sources["attn_q"], config.num_attention_heads)
    sources["attn_k"] = HalvesInterleaved(sources["attn_k"], config.n_head_kv)
    for name, source in sources.items():
        yield matrix(f"blk.{layer}.{name}.weight", source)
    yield from feed_forward(inventory, layer, config)


def _fields(config: LlamaConfig) -> list[Field]:
    more = {
        "attention.key_length": config.head_size,
        "attention.value_length": config.head_size,
        "vocab_size": config.vocab_size,
        "rope.dimension_count": config.head_size,
    }
    return [
        *model_fields(_NAME, config, blocks=config.num_hidden_layers, n_head_kv=config.n_head_kv),
        *rope_fields(_NAME, config, ("linear", "yarn", "llama3")),
        *(Field(f"{_NAME}.{key}", "u32", value) for key, value in more.items()),
    ]


LLAMA = Architecture(name=_NAME, classes=("LlamaForCausalLM",), layout=layout)
