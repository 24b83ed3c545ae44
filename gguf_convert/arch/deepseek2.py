"""DeepSeek-V2-Lite, DeepSeek-Coder-V2-Lite, DeepSeek-V3 and R1: latent attention and a mixture of experts.

llama.cpp computes the attention in its absorbed form, one key/value head of the latent's size, from the two halves
of `kv_b_proj` (DeepSeek-V2, arXiv 2405.04434, section 2.1). V3 and R1 have a layer of multi-token prediction behind
the last (DeepSeek-V3, arXiv 2412.19437, section 2.2), which may be kept, left out, or made a file of its own.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveInt

from gguf_convert.arch.architecture import Architecture, Choices, Config, Layout
from gguf_convert.arch.config import TransformerConfig, read_config, refuse, unknown_keys
from gguf_convert.arch.inventory import Inventory
from gguf_convert.arch.rope import latent_rope_fields
from gguf_convert.arch.transformer import (
    GATED,
    block_norms,
    embeddings,
    feed_forward,
    gated_part,
    in_file_order,
    leave_what_adds_nothing,
    matrix,
    model_fields,
    vector,
)
from gguf_convert.errors import SourceError, Unsupported
from gguf_convert.fields import Field
from gguf_convert.rows import LatentKeys, LatentValues, RowSource, Stacked, WeightReader
from gguf_convert.tensors import TargetTensor

_NAME = "deepseek2"
_MOST_EXPERTS = 1024  # LLAMA_MAX_EXPERTS: llama.cpp ends the process over more
_WARNINGS = {
    "separate": (
        "the file is a draft for speculative decoding (llama.cpp: --spec-type draft-mtp); opened as a model of its own "
        "it ends llama.cpp",
    )
}
_LAYER = re.compile(r"model\.layers\.(\d+)\.")
_GATING = {"softmax": 1, "sigmoid": 2}  # LLAMA_EXPERT_GATING_FUNC_TYPE_*

# What a missing key means differs between the two classes. V3's own code knows only the sigmoid, and configurations
# that transformers has written do not say so.
_CLASSES: Mapping[str, Mapping[str, Any]] = {
    "DeepseekV2ForCausalLM": {
        "scoring_func": "softmax",
        "topk_method": "greedy",
        "norm_topk_prob": False,
        "routed_scaling_factor": 1.0,
        "first_k_dense_replace": 0,
    },
    "DeepseekV3ForCausalLM": {
        "scoring_func": "sigmoid",
        "topk_method": "noaux_tc",
        "norm_topk_prob": True,
        "routed_scaling_factor": 2.5,
        "first_k_dense_replace": 3,
        "n_group": 8,
        "topk_group": 4,
    },
}


class DeepseekConfig(TransformerConfig):
    """Keys that only this architecture has. Those without a default here have one by class, in `_CLASSES`."""

    architectures: tuple[str, ...]
    q_lora_rank: PositiveInt | None = None
    kv_lora_rank: PositiveInt
    qk_nope_head_dim: PositiveInt
    qk_rope_head_dim: PositiveInt
    v_head_dim: PositiveInt
    moe_intermediate_size: PositiveInt
    n_routed_experts: PositiveInt
    n_shared_experts: PositiveInt
    num_experts_per_tok: PositiveInt
    first_k_dense_replace: NonNegativeInt
    moe_layer_freq: int = 1
    scoring_func: Literal["softmax", "sigmoid"]
    topk_method: Literal["greedy", "noaux_tc", "group_limited_greedy"]
    n_group: PositiveInt | None = None
    topk_group: PositiveInt | None = None
    norm_topk_prob: bool
    routed_scaling_factor: float
    num_nextn_predict_layers: NonNegativeInt = 0
    attention_bias: bool = False
    mlp_bias: bool = False
    rope_interleave: bool = True
    head_dim: int | None = None
    qk_head_dim: int | None = None

    @property
    def usual(self) -> Mapping[str, Any]:
        """What the class takes a missing key to mean."""
        return _CLASSES[self.architectures[0]]

    @property
    def head_size(self) -> int:
        return self.qk_nope_head_dim + self.qk_rope_head_dim

    @property
    def mtp_layer(self) -> str:
        """Where the names of the layer behind the last start."""
        return f"model.layers.{self.num_hidden_layers}."


def layout(config: Config, weights: Sequence[str], reader: WeightReader, choices: Choices) -> Layout:
    """See `Architecture.layout`."""
    deepseek = read_config(DeepseekConfig, {**_CLASSES[config["architectures"][0]], **_said(config)})
    _check(deepseek)
    inventory = Inventory(weights, reader)
    tensors = list(_PARTS[choices.mtp](inventory, deepseek, weights))
    leave_what_adds_nothing(inventory)
    return Layout(
        tensors=in_file_order(tensors),
        fields=_fields(deepseek, mtp=choices.mtp != "drop"),
        unused=inventory.finish(),
        warnings=(*unknown_keys(DeepseekConfig, config), *_WARNINGS.get(choices.mtp, ())),
    )


def _said(config: Config) -> Config:
    return {key: value for key, value in config.items() if value is not None}


# What the file holds: one function for each choice about the layer of multi-token prediction.


def _without_mtp(inventory: Inventory, config: DeepseekConfig, weights: Sequence[str]) -> Iterator[TargetTensor]:
    yield from _trunk(inventory, config)
    layers = {int(found[1]) for name in weights if (found := _LAYER.match(name))}
    for layer in sorted(layer for layer in layers if layer >= config.num_hidden_layers):
        reason = "the layer of multi-token prediction is not kept"
        inventory.leave(prefix=f"model.layers.{layer}.", reason=reason)


def _with_mtp(inventory: Inventory, config: DeepseekConfig, weights: Sequence[str]) -> Iterator[TargetTensor]:
    _check_mtp(config, weights)
    yield from _trunk(inventory, config)
    yield from _mtp(inventory, config)


def _mtp_alone(inventory: Inventory, config: DeepseekConfig, weights: Sequence[str]) -> Iterator[TargetTensor]:
    """llama.cpp loads a file whose first block is missing as a draft; it needs embeddings, last norm and output."""
    _check_mtp(config, weights)
    yield from embeddings(inventory, config)
    yield from _mtp(inventory, config)
    inventory.leave(prefix="model.layers.", reason="this file is the layer of multi-token prediction alone")


_PARTS = {"drop": _without_mtp, "keep": _with_mtp, "separate": _mtp_alone}


def _trunk(inventory: Inventory, config: DeepseekConfig) -> Iterator[TargetTensor]:
    yield from embeddings(inventory, config)
    for layer in range(config.num_hidden_layers):
        yield from _block(inventory, layer, config)


def _mtp(inventory: Inventory, config: DeepseekConfig) -> Iterator[TargetTensor]:
    layer, hidden, vocabulary = config.num_hidden_layers, config.hidden_size, config.vocab_size
    yield from _block(inventory, layer, config)
    for target, source in {"enorm": "enorm", "hnorm": "hnorm", "shared_head_norm": "shared_head.norm"}.items():
        yield vector(f"blk.{layer}.nextn.{target}.weight", inventory.take(_weight(layer, source), hidden))
    yield matrix(f"blk.{layer}.nextn.eh_proj.weight", inventory.take(_weight(layer, "eh_proj"), hidden, 2 * hidden))
    for target, source in {"embed_tokens": "embed_tokens", "shared_head_head": "shared_head.head"}.items():
        if _weight(layer, source) in inventory:  # copies of the model's own, which llama.cpp uses where they are absent
            weight = inventory.take(_weight(layer, source), vocabulary, hidden)
            yield matrix(f"blk.{layer}.nextn.{target}.weight", weight)


# One block.


def _block(inventory: Inventory, layer: int, config: DeepseekConfig) -> Iterator[TargetTensor]:
    yield from block_norms(inventory, layer, config)
    yield from _queries(inventory, layer, config)
    yield from _keys_and_values(inventory, layer, config)
    width = config.num_attention_heads * config.v_head_dim
    output = inventory.take(_weight(layer, "self_attn.o_proj"), config.hidden_size, width)
    yield matrix(f"blk.{layer}.attn_output.weight", output)
    if layer < config.first_k_dense_replace:
        yield from feed_forward(inventory, layer, config)
    else:
        yield from _experts(inventory, layer, config)


def _queries(inventory: Inventory, layer: int, config: DeepseekConfig) -> Iterator[TargetTensor]:
    block, module = f"blk.{layer}.attn_q", "self_attn.q"
    width, rank = config.num_attention_heads * config.head_size, config.q_lora_rank
    if rank is None:
        yield matrix(f"{block}.weight", inventory.take(_weight(layer, f"{module}_proj"), width, config.hidden_size))
        return
    down, up = _weight(layer, f"{module}_a_proj"), _weight(layer, f"{module}_b_proj")
    yield matrix(f"{block}_a.weight", inventory.take(down, rank, config.hidden_size))
    yield vector(f"{block}_a_norm.weight", inventory.take(_weight(layer, f"{module}_a_layernorm"), rank))
    yield matrix(f"{block}_b.weight", inventory.take(up, width, rank))


def _keys_and_values(inventory: Inventory, layer: int, config: DeepseekConfig) -> Iterator[TargetTensor]:
    block, heads, latent = f"blk.{layer}.attn", config.num_attention_heads, config.kv_lora_rank
    nope, value = config.qk_nope_head_dim, config.v_head_dim
    down, up = _weight(layer, "self_attn.kv_a_proj_with_mqa"), _weight(layer, "self_attn.kv_b_proj")
    yield matrix(f"{block}_kv_a_mqa.weight", inventory.take(down, latent + config.qk_rope_head_dim, config.hidden_size))
    yield vector(f"{block}_kv_a_norm.weight", inventory.take(_weight(layer, "self_attn.kv_a_layernorm"), latent))
    both = inventory.take(up, heads * (nope + value), latent)
    keys, values = LatentKeys(both, heads, nope, value), LatentValues(both, heads, nope, value)
    yield TargetTensor(name=f"{block}_k_b.weight", shape=(nope, latent, heads), source=keys)
    yield TargetTensor(name=f"{block}_v_b.weight", shape=(latent, value, heads), source=values)


def _experts(inventory: Inventory, layer: int, config: DeepseekConfig) -> Iterator[TargetTensor]:
    block, module, count = f"blk.{layer}", f"model.layers.{layer}.mlp", config.n_routed_experts
    width, hidden = config.moe_intermediate_size, config.hidden_size
    router = inventory.take(f"{module}.gate.weight", count, hidden)
    yield matrix(f"{block}.ffn_gate_inp.weight", router, pinned="F32")
    if config.topk_method == "noaux_tc":
        yield vector(f"{block}.exp_probs_b.bias", inventory.take(f"{module}.gate.e_score_correction_bias", count))
    for part in GATED:
        experts = (gated_part(inventory, f"{module}.experts.{e}", part, width, hidden) for e in range(count))
        yield _stacked(f"{block}.ffn_{part}_exps.weight", tuple(experts))
        shared = gated_part(inventory, f"{module}.shared_experts", part, width * config.n_shared_experts, hidden)
        yield matrix(f"{block}.ffn_{part}_shexp.weight", shared)


def _stacked(name: str, parts: tuple[RowSource, ...]) -> TargetTensor:
    shape = parts[0].row_length, parts[0].n_rows, len(parts)
    return TargetTensor(name=name, shape=shape, source=Stacked(parts))


def _weight(layer: int, module: str) -> str:
    return f"model.layers.{layer}.{module}.weight"


# Metadata.


def _fields(config: DeepseekConfig, *, mtp: bool) -> list[Field]:
    sizes = model_fields(_NAME, config, blocks=config.num_hidden_layers + mtp, n_head_kv=1)
    rope = [*latent_rope_fields(_NAME, config), _u32("rope.dimension_count", config.qk_rope_head_dim)]
    nextn = [_u32("nextn_predict_layers", 1)] if mtp else []
    vocabulary = _u32("vocab_size", config.vocab_size)
    return [*sizes, vocabulary, *_attention_fields(config), *rope, *_expert_fields(config), *nextn]


def _attention_fields(config: DeepseekConfig) -> Iterator[Field]:
    if config.q_lora_rank is not None:
        yield _u32("attention.q_lora_rank", config.q_lora_rank)
    yield _u32("attention.kv_lora_rank", config.kv_lora_rank)
    yield _u32("attention.key_length", config.kv_lora_rank + config.qk_rope_head_dim)
    yield _u32("attention.value_length", config.kv_lora_rank)
    yield _u32("attention.key_length_mla", config.head_size)
    yield _u32("attention.value_length_mla", config.v_head_dim)


def _expert_fields(config: DeepseekConfig) -> Iterator[Field]:
    yield _u32("leading_dense_block_count", config.first_k_dense_replace)
    yield _u32("expert_count", config.n_routed_experts)
    yield _u32("expert_used_count", config.num_experts_per_tok)
    yield _u32("expert_shared_count", config.n_shared_experts)
    yield _u32("expert_feed_forward_length", config.moe_intermediate_size)
    if config.n_group is not None:
        yield _u32("expert_group_count", config.n_group)
    if config.topk_group is not None:
        yield _u32("expert_group_used_count", config.topk_group)
    yield _u32("expert_gating_func", _GATING[config.scoring_func])
    yield Field(f"{_NAME}.expert_weights_scale", "f32", config.routed_scaling_factor)
    if config.norm_topk_prob:
        yield Field(f"{_NAME}.expert_weights_norm", "bool", value=True)


def _u32(key: str, value: int) -> Field:
    return Field(f"{_NAME}.{key}", "u32", value)


# What is refused.


def _check(config: DeepseekConfig) -> None:
    refuse(
        (config.attention_bias, "biases in attention (attention_bias)"),
        (config.mlp_bias, "biases in the feed-forward network (mlp_bias)"),
        (not config.rope_interleave, "rotary positions that are not interleaved (rope_interleave: false)"),
        (config.n_head_kv != config.num_attention_heads, "fewer key heads than query heads"),
        (config.moe_layer_freq != 1, "experts in some layers only (moe_layer_freq other than 1)"),
        (config.first_k_dense_replace >= config.num_hidden_layers, "no layer with experts at all"),
    )
    _check_queries(config)
    _check_routing(config)


def _check_queries(config: DeepseekConfig) -> None:
    """llama.cpp tells the lite models, which have no q_lora_rank, by their size (models/deepseek2.cpp, is_lite)."""
    layers = config.num_hidden_layers
    lite = layers in (26, 27) or (layers == 48 and config.vocab_size == 128256)
    if config.q_lora_rank is None and not lite:
        raise Unsupported(
            f"llama.cpp loads a deepseek2 model without q_lora_rank only with 26 or 27 layers, or 48 and a vocabulary "
            f"of 128256; this one has {layers}"
        )
    if config.q_lora_rank is not None and lite:
        raise Unsupported(f"llama.cpp takes a deepseek2 model of {layers} layers to have no q_lora_rank; this one has")


def _check_routing(config: DeepseekConfig) -> None:
    experts, groups, used = config.n_routed_experts, config.n_group or 0, config.topk_group or 0
    by_sum, usual = config.topk_method == "noaux_tc", config.usual
    refuse(
        (config.scoring_func != usual["scoring_func"], f"{config.scoring_func} gating, which this class does not have"),
        (
            config.norm_topk_prob and not usual["norm_topk_prob"],
            "norm_topk_prob, which DeepSeek's own code and transformers compute differently for this class",
        ),
        (experts > _MOST_EXPERTS, f"more than {_MOST_EXPERTS} experts"),
        (config.num_experts_per_tok > experts, "more experts for a token than there are"),
        (
            groups > 1 and not by_sum,
            f"groups of experts chosen by {config.topk_method} (n_group {groups}), as DeepSeek-V2 of 236B does, while "
            "llama.cpp chooses them by the sum of their best two experts",
        ),
        # From here on: what llama.cpp asserts, and ends the process over (llama-model.cpp, load_hparams).
        (groups >= experts, "as many groups as experts (n_group)"),
        (groups > 1 and experts % groups != 0, "groups of unequal size (n_group does not divide n_routed_experts)"),
        (groups > 1 and experts // max(groups, 1) < 2, "groups of a single expert"),
        (groups > 1 and not 0 < used < groups, "a topk_group that is not between 1 and n_group - 1"),
    )


def _check_mtp(config: DeepseekConfig, weights: Sequence[str]) -> None:
    """llama.cpp's graph of the draft asserts one such layer, and queries of low rank."""
    if not any(name.startswith(config.mtp_layer) for name in weights):
        raise SourceError("the checkpoint has no layer of multi-token prediction to keep; --mtp drop converts the rest")
    refuse(
        (config.num_nextn_predict_layers > 1, "more than one layer of multi-token prediction"),
        (config.q_lora_rank is None, "multi-token prediction without q_lora_rank"),
    )


DEEPSEEK2 = Architecture(name=_NAME, classes=tuple(_CLASSES), layout=layout)
