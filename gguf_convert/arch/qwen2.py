"""Qwen2: the R1 distills on Qwen, Qwen2.5 and Qwen2.5-Coder."""

from collections.abc import Iterator, Sequence

from gguf_convert.arch.architecture import Architecture, Choices, Config, Layout
from gguf_convert.arch.config import TransformerConfig, read_config, refuse, unknown_keys
from gguf_convert.arch.inventory import Inventory
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

_NAME = "qwen2"


class Qwen2Config(TransformerConfig):
    """Keys that only the architectures of Qwen have."""

    use_sliding_window: bool = False
    sliding_window: int | None = None
    max_window_layers: int | None = None
    layer_types: tuple[str, ...] = ()
    use_mrope: bool = False
    head_dim: int | None = None


def layout(config: Config, weights: Sequence[str], reader: WeightReader, choices: Choices) -> Layout:
    """See `Architecture.layout`."""
    qwen = read_config(Qwen2Config, config)
    check_attention(qwen)
    head_dim = qwen.head_dim or qwen.hidden_size // qwen.num_attention_heads
    refuse((head_dim * qwen.num_attention_heads != qwen.hidden_size, "heads that are not hidden_size together"))
    refuse_mtp(choices)
    inventory = Inventory(weights, reader)
    tensors = embeddings(inventory, qwen)
    for layer in range(qwen.num_hidden_layers):
        tensors += _block(inventory, layer, qwen, head_dim)
    leave_what_adds_nothing(inventory)
    return Layout(
        tensors=in_file_order(tensors),
        fields=_fields(qwen),
        unused=inventory.finish(),
        warnings=unknown_keys(Qwen2Config, config),
    )


def check_attention(config: Qwen2Config) -> None:
    """Refuses attention that llama.cpp does not compute for Qwen's architectures, each token to all before it."""
    windows = config.use_sliding_window or set(config.layer_types) - {"full_attention"}
    refuse(
        (bool(windows), "attention within a sliding window"),
        (config.use_mrope, "rotary positions in several dimensions (use_mrope)"),
        (config.num_attention_heads % config.n_head_kv != 0, "key heads that do not divide the query heads"),
    )


def _block(inventory: Inventory, layer: int, config: Qwen2Config, head_dim: int) -> Iterator[TargetTensor]:
    yield from block_norms(inventory, layer, config)
    for name, source in heads(inventory, layer, config, head_dim).items():
        yield matrix(f"blk.{layer}.{name}.weight", source)
    for part, count in {"q": config.num_attention_heads, "k": config.n_head_kv, "v": config.n_head_kv}.items():
        bias = inventory.take(f"model.layers.{layer}.self_attn.{part}_proj.bias", count * head_dim)
        yield vector(f"blk.{layer}.attn_{part}.bias", bias)
    yield from feed_forward(inventory, layer, config)


def _fields(config: Qwen2Config) -> list[Field]:
    fields = [
        *model_fields(_NAME, config, blocks=config.num_hidden_layers, n_head_kv=config.n_head_kv),
        *rope_fields(_NAME, config, ("linear", "yarn")),
    ]
    if config.head_dim is not None:
        fields += [Field(f"{_NAME}.attention.{key}_length", "u32", config.head_dim) for key in ("key", "value")]
    return fields


QWEN2 = Architecture(name=_NAME, classes=("Qwen2ForCausalLM",), layout=layout)
