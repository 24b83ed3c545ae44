"""What the decoders here have in common: names on both sides, and the metadata every one of them has.

Names of the checkpoint are Hugging Face's (`model.layers.0.mlp.up_proj.weight`), names of the file llama.cpp's
(`blk.0.ffn_up.weight`).
"""

import re
from collections.abc import Iterable, Sequence

from gguf_convert.arch.architecture import Choices
from gguf_convert.arch.config import TransformerConfig
from gguf_convert.arch.inventory import Inventory
from gguf_convert.errors import Unsupported
from gguf_convert.fields import Field
from gguf_convert.rows import RowSource
from gguf_convert.tensors import TargetTensor

GATED = ("gate", "up", "down")
_BLOCK = re.compile(r"blk\.(\d+)\.")


def matrix(name: str, source: RowSource, *, pinned: str | None = None) -> TargetTensor:
    """A tensor of two dimensions."""
    return TargetTensor(name=name, shape=(source.row_length, source.n_rows), source=source, pinned=pinned)


def vector(name: str, source: RowSource) -> TargetTensor:
    """A tensor of one dimension. Norms and biases stay in full precision: they are small, and llama.cpp wants F32."""
    return TargetTensor(name=name, shape=(source.row_length,), source=source, pinned="F32")


def embeddings(inventory: Inventory, config: TransformerConfig) -> list[TargetTensor]:
    """The tensors outside the blocks: token embeddings, the last norm, and the output unless it is tied."""
    size = config.vocab_size, config.hidden_size
    tensors = [
        matrix("token_embd.weight", inventory.take("model.embed_tokens.weight", *size)),
        vector("output_norm.weight", inventory.take("model.norm.weight", config.hidden_size)),
    ]
    if config.tie_word_embeddings:
        inventory.leave(prefix="lm_head.weight", reason="tied: llama.cpp uses the token embeddings for the output")
        return tensors
    return [*tensors, matrix("output.weight", inventory.take("lm_head.weight", *size))]


def block_norms(inventory: Inventory, layer: int, config: TransformerConfig) -> list[TargetTensor]:
    """The norms before attention and before the feed-forward network."""
    names = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}
    return [
        vector(f"blk.{layer}.{target}.weight", inventory.take(_weight(layer, source), config.hidden_size))
        for target, source in names.items()
    ]


def heads(inventory: Inventory, layer: int, config: TransformerConfig, head_dim: int) -> dict[str, RowSource]:
    """Queries, keys, values and output of grouped-query attention, by llama.cpp's names."""
    width = {"q": config.num_attention_heads * head_dim, "k": config.n_head_kv * head_dim}
    width["v"] = width["k"]
    sources: dict[str, RowSource] = {
        f"attn_{part}": inventory.take(_weight(layer, f"self_attn.{part}_proj"), rows, config.hidden_size)
        for part, rows in width.items()
    }
    sources["attn_output"] = inventory.take(_weight(layer, "self_attn.o_proj"), config.hidden_size, width["q"])
    return sources


def feed_forward(inventory: Inventory, layer: int, config: TransformerConfig) -> list[TargetTensor]:
    """The dense gated network of a block."""
    size = config.intermediate_size, config.hidden_size
    return [
        matrix(f"blk.{layer}.ffn_{part}.weight", gated_part(inventory, f"model.layers.{layer}.mlp", part, *size))
        for part in GATED
    ]


def gated_part(inventory: Inventory, module: str, part: str, width: int, hidden: int) -> RowSource:
    """One of the three matrices of a gated network that `width` is the inner size of."""
    shape = (hidden, width) if part == "down" else (width, hidden)
    return inventory.take(f"{module}.{part}_proj.weight", *shape)


def leave_what_adds_nothing(inventory: Inventory) -> None:
    """Old checkpoints hold the rotary frequencies as weights, quantised ones biases of zeros."""
    inventory.leave(suffix=".rotary_emb.inv_freq", reason="llama.cpp computes the rotary frequencies itself")
    inventory.leave_zero_biases()


def refuse_mtp(choices: Choices) -> None:
    """For architectures without multi-token prediction."""
    if choices.mtp != "drop":
        raise Unsupported("this architecture has no layer of multi-token prediction to keep")


def model_fields(arch: str, config: TransformerConfig, *, blocks: int, n_head_kv: int) -> list[Field]:
    """Sizes that every decoder has; those of the rotary positions are in `rope.py`."""
    sizes = {
        "block_count": blocks,
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": n_head_kv,
    }
    return [
        Field("general.architecture", "string", arch),
        *(Field(f"{arch}.{key}", "u32", value) for key, value in sizes.items()),
        Field(f"{arch}.attention.layer_norm_rms_epsilon", "f32", config.rms_norm_eps),
    ]


def in_file_order(tensors: Iterable[TargetTensor]) -> Sequence[TargetTensor]:
    """The order llama.cpp keeps its tensors in: those outside the blocks, then block after block, each by name."""
    return sorted(tensors, key=lambda tensor: (_block(tensor.name), tensor.name))


def _block(name: str) -> int:
    found = _BLOCK.match(name)
    return int(found[1]) if found else -1


def _weight(layer: int, module: str) -> str:
    return f"model.layers.{layer}.{module}.weight"
