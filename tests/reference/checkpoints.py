"""Tiny checkpoints in the shapes of the real ones, with random weights that are the same bits everywhere.

Norms lie away from 1 and routing biases apart from each other, so that no mistake in either stays hidden.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.bits import bell, bf16, fp8_blocks
from tests.reference.tokenizers import TOKENIZERS, token_id, write_tokenizer

Json = dict[str, Any]
Stored = tuple[str, str, NDArray[Any]]
"""Name, storage type in safetensors' words, bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One checkpoint: what its config.json says, and how it is stored. `shards` is the number of safetensors files."""

    name: str
    tokenizer: str
    config: Json
    fp8: bool = False
    mtp: bool = False
    shards: int = 1
    generation: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight. `kind` is a row of SPREADS; linear ones are stored in FP8 where the checkpoint is."""

    name: str
    shape: tuple[int, ...]
    kind: str = "linear"


SPREADS = {
    "linear": (0.0, 0.6),
    "table": (0.0, 0.6),
    "router": (0.0, 0.3 * 16),
    "norm": (1.0, 0.1),
    "bias": (0.0, 0.1),
    "routing bias": (1.0, 0.2),
}
"""Kind -> mean and spread; the spread of matrices is divided by the root of the row length.

Routing biases are far enough above 0 that no biased score is negative: experts of groups that were not chosen count as
0 in transformers 4.57.6, and as minus infinity in llama.cpp and in DeepSeek's own code.
"""


def write_checkpoint(checkpoint: Checkpoint, folder: Path) -> Path:
    """Writes the checkpoint into a folder of its name in `folder`, and returns it."""
    home = folder / checkpoint.name
    home.mkdir(parents=True)
    _write_json(home / "config.json", checkpoint.config)
    if checkpoint.generation:
        _write_json(home / "generation_config.json", checkpoint.generation)
    write_tokenizer(TOKENIZERS[checkpoint.tokenizer], home)
    stored = list(_stored(checkpoint))
    if checkpoint.shards == 1:
        _write_safetensors(home / "model.safetensors", stored)
    else:
        _write_shards(home, stored, checkpoint.shards)
    return home


def _stored(checkpoint: Checkpoint) -> Iterator[Stored]:
    for weight in WEIGHTS[checkpoint.config["model_type"]](checkpoint):
        values = _values(checkpoint.name, weight)
        if checkpoint.fp8 and weight.kind == "linear":
            codes, scales = fp8_blocks(values)
            yield weight.name, "F8_E4M3", codes
            yield f"{weight.name}_scale_inv", "F32", scales
        elif weight.kind == "routing bias":
            yield weight.name, "F32", values.astype("<f4")
        else:
            yield weight.name, "BF16", bf16(values)


def _values(checkpoint: str, weight: Weight) -> NDArray[np.float32]:
    mean, spread = SPREADS[weight.kind]
    if len(weight.shape) > 1:
        spread /= weight.shape[-1] ** 0.5
    return bell(f"{checkpoint}/{weight.name}", weight.shape) * np.float32(spread) + np.float32(mean)


def _write_shards(home: Path, stored: list[Stored], count: int) -> None:
    """Deals the tensors out in turn, so that weights and their scales lie in different files."""
    names = [f"model-{place:05d}-of-{count:05d}.safetensors" for place in range(1, count + 1)]
    for place, name in enumerate(names):
        _write_safetensors(home / name, stored[place::count])
    index = {
        "metadata": {"total_size": sum(data.nbytes for _, _, data in stored)},
        "weight_map": {name: names[place % count] for place, (name, _, _) in enumerate(stored)},
    }
    _write_json(home / "model.safetensors.index.json", index)


def _write_safetensors(path: Path, stored: list[Stored]) -> None:
    header: Json = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, dtype, data in stored:
        header[name] = {"dtype": dtype, "shape": list(data.shape), "data_offsets": [end, end + data.nbytes]}
        end += data.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, _, data in stored:
            file.write(data.tobytes())


def _write_json(path: Path, value: Json) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")


# Which weights ---------------------------------------------------------------------------------------------------


def _dense_weights(checkpoint: Checkpoint) -> Iterator[Weight]:
    """Llama, Qwen2 and Qwen3."""
    config = checkpoint.config
    yield from _ends(config)
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        yield from _norms(prefix, config["hidden_size"])
        yield from _grouped_attention(f"{prefix}self_attn.", config)
        yield from _feed_forward(f"{prefix}mlp.", config["hidden_size"], config["intermediate_size"])


def _ends(config: Json) -> Iterator[Weight]:
    table = (config["vocab_size"], config["hidden_size"])
    yield Weight("model.embed_tokens.weight", table, "table")
    yield Weight("model.norm.weight", (config["hidden_size"],), "norm")
    if not config["tie_word_embeddings"]:
        yield Weight("lm_head.weight", table, "table")


def _norms(prefix: str, width: int) -> Iterator[Weight]:
    yield Weight(f"{prefix}input_layernorm.weight", (width,), "norm")
    yield Weight(f"{prefix}post_attention_layernorm.weight", (width,), "norm")


def _grouped_attention(prefix: str, config: Json) -> Iterator[Weight]:
    width, heads = config["hidden_size"], config["num_attention_heads"]
    head = config.get("head_dim") or width // heads
    for name, count in (("q", heads), ("k", config["num_key_value_heads"]), ("v", config["num_key_value_heads"])):
        yield Weight(f"{prefix}{name}_proj.weight", (count * head, width))
        if config["model_type"] == "qwen2":
            yield Weight(f"{prefix}{name}_proj.bias", (count * head,), "bias")
    yield Weight(f"{prefix}o_proj.weight", (width, heads * head))
    if config["model_type"] == "qwen3":
        yield Weight(f"{prefix}q_norm.weight", (head,), "norm")
        yield Weight(f"{prefix}k_norm.weight", (head,), "norm")


def _feed_forward(prefix: str, width: int, inner: int) -> Iterator[Weight]:
    yield Weight(f"{prefix}gate_proj.weight", (inner, width))
    yield Weight(f"{prefix}up_proj.weight", (inner, width))
    yield Weight(f"{prefix}down_proj.weight", (width, inner))


def _deepseek_weights(checkpoint: Checkpoint) -> Iterator[Weight]:
    config = checkpoint.config
    yield from _ends(config)
    layers = config["num_hidden_layers"]
    for layer in range(layers + checkpoint.mtp):
        prefix = f"model.layers.{layer}."
        yield from _norms(prefix, config["hidden_size"])
        yield from _latent_attention(f"{prefix}self_attn.", config)
        if layer < config["first_k_dense_replace"]:
            yield from _feed_forward(f"{prefix}mlp.", config["hidden_size"], config["intermediate_size"])
        else:
            yield from _experts(f"{prefix}mlp.", config)
    if checkpoint.mtp:
        yield from _next_token_layer(f"model.layers.{layers}.", config)


def _latent_attention(prefix: str, config: Json) -> Iterator[Weight]:
    width, heads = config["hidden_size"], config["num_attention_heads"]
    nope, rope, value = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
    latent, queries = config["kv_lora_rank"], config["q_lora_rank"]
    if queries is None:
        yield Weight(f"{prefix}q_proj.weight", (heads * (nope + rope), width))
    else:
        yield Weight(f"{prefix}q_a_proj.weight", (queries, width))
        yield Weight(f"{prefix}q_a_layernorm.weight", (queries,), "norm")
        yield Weight(f"{prefix}q_b_proj.weight", (heads * (nope + rope), queries))
    yield Weight(f"{prefix}kv_a_proj_with_mqa.weight", (latent + rope, width))
    yield Weight(f"{prefix}kv_a_layernorm.weight", (latent,), "norm")
    yield Weight(f"{prefix}kv_b_proj.weight", (heads * (nope + value), latent))
    yield Weight(f"{prefix}o_proj.weight", (width, heads * value))


def _experts(prefix: str, config: Json) -> Iterator[Weight]:
    width, inner, count = config["hidden_size"], config["moe_intermediate_size"], config["n_routed_experts"]
    yield Weight(f"{prefix}gate.weight", (count, width), "router")
    if config["model_type"] == "deepseek_v3":
        yield Weight(f"{prefix}gate.e_score_correction_bias", (count,), "routing bias")
    for expert in range(count):
        yield from _feed_forward(f"{prefix}experts.{expert}.", width, inner)
    yield from _feed_forward(f"{prefix}shared_experts.", width, inner * config["n_shared_experts"])


def _next_token_layer(prefix: str, config: Json) -> Iterator[Weight]:
    """What the layer of multi-token prediction has beside an ordinary layer's weights."""
    width, table = config["hidden_size"], (config["vocab_size"], config["hidden_size"])
    yield Weight(f"{prefix}embed_tokens.weight", table, "table")
    yield Weight(f"{prefix}enorm.weight", (width,), "norm")
    yield Weight(f"{prefix}hnorm.weight", (width,), "norm")
    yield Weight(f"{prefix}eh_proj.weight", (width, 2 * width), "table")
    yield Weight(f"{prefix}shared_head.norm.weight", (width,), "norm")
    yield Weight(f"{prefix}shared_head.head.weight", table, "table")


WEIGHTS = {
    "deepseek_v2": _deepseek_weights,
    "deepseek_v3": _deepseek_weights,
    "qwen2": _dense_weights,
    "qwen3": _dense_weights,
    "llama": _dense_weights,
}

# The checkpoints -------------------------------------------------------------------------------------------------

_COMMON: Json = {
    "attention_bias": False,
    "attention_dropout": 0.0,
    "hidden_act": "silu",
    "initializer_range": 0.02,
    "max_position_embeddings": 2560,
    "rms_norm_eps": 1e-06,
    "rope_theta": 10000,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.46.3",
    "use_cache": True,
    "vocab_size": 512,
}


def _ends_of(tokenizer: str, begin: str, end: str) -> Json:
    known = TOKENIZERS[tokenizer]
    return {"bos_token_id": token_id(known, begin), "eos_token_id": token_id(known, end)}


def _yarn(mscale: float) -> Json:
    return {
        "beta_fast": 32,
        "beta_slow": 1,
        "factor": 40,
        "mscale": mscale,
        "mscale_all_dim": mscale,
        "original_max_position_embeddings": 64,
        "type": "yarn",
    }


_V2_LITE: Json = _COMMON | {
    "architectures": ["DeepseekV2ForCausalLM"],
    "model_type": "deepseek_v2",
    "aux_loss_alpha": 0.001,
    **_ends_of("deepseek-llm", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
    "first_k_dense_replace": 1,
    "hidden_size": 256,
    "intermediate_size": 512,
    "kv_lora_rank": 64,
    "moe_intermediate_size": 32,
    "moe_layer_freq": 1,
    "n_group": 1,
    "n_routed_experts": 4,
    "n_shared_experts": 2,
    "norm_topk_prob": False,
    "num_attention_heads": 2,
    "num_experts_per_tok": 2,
    "num_hidden_layers": 27,
    "num_key_value_heads": 2,
    "pretraining_tp": 1,
    "q_lora_rank": None,
    "qk_nope_head_dim": 32,
    "qk_rope_head_dim": 16,
    "routed_scaling_factor": 1.0,
    "scoring_func": "softmax",
    "seq_aux": True,
    "topk_group": 1,
    "topk_method": "greedy",
    "v_head_dim": 32,
}

_V3: Json = _COMMON | {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "aux_loss_alpha": 0.001,
    **_ends_of("deepseek-v3", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
    "ep_size": 1,
    "first_k_dense_replace": 1,
    "hidden_size": 256,
    "intermediate_size": 512,
    "kv_lora_rank": 256,
    "moe_intermediate_size": 256,
    "moe_layer_freq": 1,
    "n_group": 4,
    "n_routed_experts": 12,
    "n_shared_experts": 1,
    "norm_topk_prob": True,
    "num_attention_heads": 4,
    "num_experts_per_tok": 4,
    "num_hidden_layers": 3,
    "num_key_value_heads": 4,
    "num_nextn_predict_layers": 0,
    "pretraining_tp": 1,
    "q_lora_rank": 256,
    "qk_nope_head_dim": 64,
    "qk_rope_head_dim": 32,
    "rope_scaling": _yarn(1.0),
    "routed_scaling_factor": 2.5,
    "scoring_func": "sigmoid",
    "seq_aux": True,
    "topk_group": 2,
    "topk_method": "noaux_tc",
    "v_head_dim": 64,
}

_FP8: Json = {
    "quantization_config": {
        "activation_scheme": "dynamic",
        "fmt": "e4m3",
        "quant_method": "fp8",
        "weight_block_size": [128, 128],
    }
}


def _without(config: Json, *keys: str) -> Json:
    return {key: value for key, value in config.items() if key not in keys}


_QWEN2: Json = _without(_COMMON, "attention_bias") | {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    **_ends_of("deepseek-r1-qwen", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
    "hidden_size": 256,
    "intermediate_size": 768,
    "max_window_layers": 3,
    "num_attention_heads": 4,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "sliding_window": 4096,
    "use_mrope": False,
    "use_sliding_window": False,
}

_QWEN3: Json = _COMMON | {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    **_ends_of("qwen2", "<|endoftext|>", "<|im_end|>"),
    "head_dim": 96,
    "hidden_size": 256,
    "intermediate_size": 512,
    "max_window_layers": 3,
    "num_attention_heads": 4,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "rope_scaling": None,
    "rope_theta": 1000000,
    "sliding_window": None,
    "use_sliding_window": False,
}

_QWEN3_YARN: Json = {"factor": 4.0, "original_max_position_embeddings": 64, "rope_type": "yarn"}

_LLAMA: Json = _COMMON | {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    **_ends_of("llama-bpe", "<|begin_of_text|>", "<|eot_id|>"),
    "hidden_size": 256,
    "intermediate_size": 768,
    "mlp_bias": False,
    "num_attention_heads": 4,
    "num_hidden_layers": 3,
    "num_key_value_heads": 2,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": {
        "factor": 8.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 64,
        "rope_type": "llama3",
    },
    "rope_theta": 500000.0,
}

_ALL = (
    Checkpoint(name="tiny-v2-lite", tokenizer="deepseek-llm", config=_V2_LITE),
    Checkpoint(name="tiny-v2-lite-yarn", tokenizer="deepseek-llm", config=_V2_LITE | {"rope_scaling": _yarn(0.707)}),
    Checkpoint(name="tiny-v3", tokenizer="deepseek-v3", config=_V3),
    Checkpoint(
        name="tiny-v3-plain",  # no YaRN, no groups, and the keys that transformers does not write left out
        tokenizer="deepseek-v3",
        config=_without(_V3, "rope_scaling", "scoring_func", "topk_method", "num_nextn_predict_layers")
        | {"n_group": 1, "topk_group": 1, "moe_intermediate_size": 96, "kv_lora_rank": 128},
    ),
    Checkpoint(
        name="tiny-v3-fp8",  # 160 columns and 288 rows end in the middle of a block
        tokenizer="deepseek-v3",
        config=_V3 | _FP8 | {"moe_intermediate_size": 160},
        fp8=True,
        shards=2,
        generation=_ends_of("deepseek-v3", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>")
        | {"do_sample": True, "temperature": 0.6, "top_p": 0.95},
    ),
    Checkpoint(
        name="tiny-v3-mtp",
        tokenizer="deepseek-v3",
        config=_V3 | {"num_nextn_predict_layers": 1, "moe_intermediate_size": 64},
        mtp=True,
    ),
    Checkpoint(name="tiny-qwen2", tokenizer="deepseek-r1-qwen", config=_QWEN2),
    Checkpoint(
        name="tiny-qwen2-tied",
        tokenizer="qwen2",
        config=_QWEN2 | {"tie_word_embeddings": True} | _ends_of("qwen2", "<|endoftext|>", "<|im_end|>"),
    ),
    Checkpoint(name="tiny-qwen3", tokenizer="qwen2", config=_QWEN3),
    Checkpoint(
        name="tiny-qwen3-yarn",
        tokenizer="qwen2",
        config=_QWEN3 | {"rope_scaling": _QWEN3_YARN | {"attn_factor": 0.8782488562869419}},  # as R1-0528-Qwen3-8B
    ),
    Checkpoint(
        name="tiny-qwen3-yarn-factor",
        tokenizer="qwen2",
        config=_QWEN3 | {"rope_scaling": _QWEN3_YARN | {"attention_factor": 0.9}},
    ),
    Checkpoint(name="tiny-llama", tokenizer="llama-bpe", config=_LLAMA),
    Checkpoint(
        name="tiny-llama-tied",
        tokenizer="smollm",
        config=_LLAMA
        | {"tie_word_embeddings": True, "rope_scaling": None, "rope_theta": 100000}
        | _ends_of("smollm", "<|im_start|>", "<|im_end|>"),
    ),
)

CHECKPOINTS = {checkpoint.name: checkpoint for checkpoint in _ALL}


def shapes_of(checkpoint: Checkpoint) -> dict[str, tuple[int, ...]]:
    """All its weights, by name; scales are not among them."""
    return {weight.name: weight.shape for weight in WEIGHTS[checkpoint.config["model_type"]](checkpoint)}
