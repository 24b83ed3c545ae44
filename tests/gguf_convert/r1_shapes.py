"""DeepSeek-R1 as its checkpoint lays it out, headers and all, without a weight: sparse files of the real sizes.

Names, shapes and configuration as published (huggingface.co/deepseek-ai/DeepSeek-R1); 163 files of about 4.3 GB.
"""

import json
import struct
from collections.abc import Callable, Iterable, Iterator
from math import prod
from pathlib import Path
from typing import Any, Final

BLOCK: Final = 128
SHARDS: Final = 163
R1: Final[dict[str, Any]] = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "num_hidden_layers": 61,
    "num_nextn_predict_layers": 1,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "n_shared_experts": 1,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "routed_scaling_factor": 2.5,
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
    "n_group": 8,
    "topk_group": 4,
    "topk_method": "noaux_tc",
    "scoring_func": "sigmoid",
    "norm_topk_prob": True,
    "first_k_dense_replace": 3,
    "moe_layer_freq": 1,
    "vocab_size": 129280,
    "max_position_embeddings": 163840,
    "rope_theta": 10000,
    "rope_scaling": {
        "type": "yarn",
        "factor": 40,
        "original_max_position_embeddings": 4096,
        "beta_fast": 32,
        "beta_slow": 1,
        "mscale": 1.0,
        "mscale_all_dim": 1.0,
    },
    "rms_norm_eps": 1e-6,
    "hidden_act": "silu",
    "attention_bias": False,
    "attention_dropout": 0.0,
    "tie_word_embeddings": False,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "torch_dtype": "bfloat16",
    "quantization_config": {
        "quant_method": "fp8",
        "fmt": "e4m3",
        "activation_scheme": "dynamic",
        "weight_block_size": [BLOCK, BLOCK],
    },
}

Entry = tuple[str, str, tuple[int, ...]]
Fill = Callable[[Entry], Iterable[bytes]]


def r1_tensors(config: dict[str, Any]) -> Iterator[Entry]:
    """Name, dtype and shape of every tensor of a checkpoint with this configuration."""
    hidden, vocab = config["hidden_size"], config["vocab_size"]
    yield "model.embed_tokens.weight", "BF16", (vocab, hidden)
    for layer in range(config["num_hidden_layers"] + config["num_nextn_predict_layers"]):
        prefix = f"model.layers.{layer}"
        yield from _attention(prefix, config)
        if layer < config["first_k_dense_replace"]:
            yield from _feed_forward(f"{prefix}.mlp", hidden, config["intermediate_size"])
        else:
            yield from _experts(f"{prefix}.mlp", config)
        if layer >= config["num_hidden_layers"]:
            yield from _mtp(prefix, config)
    yield "model.norm.weight", "BF16", (hidden,)
    yield "lm_head.weight", "BF16", (vocab, hidden)


def write_r1(folder: Path, config: dict[str, Any] = R1, shards: int = SHARDS, fill: Fill | None = None) -> Path:
    """The checkpoint's files in a folder. Weights are the pieces that `fill` makes of each tensor; holes without."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    entries = list(r1_tensors(config))
    each = -(-sum(map(size_of, entries)) // shards)
    groups: list[list[Entry]] = [[]]
    filled = 0
    for entry in entries:
        if filled >= each and len(groups) < shards:
            groups.append([])
            filled = 0
        groups[-1].append(entry)
        filled += size_of(entry)
    names = [f"model-{number + 1:05d}-of-{len(groups):06d}.safetensors" for number in range(len(groups))]
    for name, group in zip(names, groups, strict=True):
        _write(folder / name, group, fill)
    weight_map = {entry[0]: name for name, group in zip(names, groups, strict=True) for entry in group}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return folder


def _attention(prefix: str, config: dict[str, Any]) -> Iterator[Entry]:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    nope, rope, value = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
    q_rank, kv_rank = config["q_lora_rank"], config["kv_lora_rank"]
    yield f"{prefix}.input_layernorm.weight", "BF16", (hidden,)
    yield f"{prefix}.post_attention_layernorm.weight", "BF16", (hidden,)
    yield f"{prefix}.self_attn.q_a_layernorm.weight", "BF16", (q_rank,)
    yield f"{prefix}.self_attn.kv_a_layernorm.weight", "BF16", (kv_rank,)
    for name, rows, columns in (
        ("q_a_proj", q_rank, hidden),
        ("q_b_proj", heads * (nope + rope), q_rank),
        ("kv_a_proj_with_mqa", kv_rank + rope, hidden),
        ("kv_b_proj", heads * (nope + value), kv_rank),
        ("o_proj", hidden, heads * value),
    ):
        yield from _fp8(f"{prefix}.self_attn.{name}", rows, columns)


def _feed_forward(prefix: str, hidden: int, inner: int) -> Iterator[Entry]:
    yield from _fp8(f"{prefix}.gate_proj", inner, hidden)
    yield from _fp8(f"{prefix}.up_proj", inner, hidden)
    yield from _fp8(f"{prefix}.down_proj", hidden, inner)


def _experts(prefix: str, config: dict[str, Any]) -> Iterator[Entry]:
    hidden, inner = config["hidden_size"], config["moe_intermediate_size"]
    yield f"{prefix}.gate.weight", "BF16", (config["n_routed_experts"], hidden)
    yield f"{prefix}.gate.e_score_correction_bias", "F32", (config["n_routed_experts"],)
    for expert in range(config["n_routed_experts"]):
        yield from _feed_forward(f"{prefix}.experts.{expert}", hidden, inner)
    yield from _feed_forward(f"{prefix}.shared_experts", hidden, inner * config["n_shared_experts"])


def _mtp(prefix: str, config: dict[str, Any]) -> Iterator[Entry]:
    hidden, vocab = config["hidden_size"], config["vocab_size"]
    yield f"{prefix}.eh_proj.weight", "BF16", (hidden, 2 * hidden)
    for name in ("enorm", "hnorm", "shared_head.norm"):
        yield f"{prefix}.{name}.weight", "BF16", (hidden,)
    yield f"{prefix}.embed_tokens.weight", "BF16", (vocab, hidden)
    yield f"{prefix}.shared_head.head.weight", "BF16", (vocab, hidden)


def _fp8(name: str, rows: int, columns: int) -> Iterator[Entry]:
    yield f"{name}.weight", "F8_E4M3", (rows, columns)
    yield f"{name}.weight_scale_inv", "F32", (-(-rows // BLOCK), -(-columns // BLOCK))


def size_of(entry: Entry) -> int:
    """Bytes of one tensor."""
    return prod(entry[2]) * {"BF16": 2, "F32": 4, "F8_E4M3": 1}[entry[1]]


def _write(path: Path, entries: list[Entry], fill: Fill | None) -> None:
    header, offset = {}, 0
    for name, dtype, shape in entries:
        size = size_of((name, dtype, shape))
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for entry in entries if fill else ():
            file.writelines(fill(entry))
        file.truncate(8 + len(text) + offset)
