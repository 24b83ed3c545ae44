"""A whole checkpoint of a very small Llama, tokenizer included, made with numpy alone."""

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from tests.gguf_convert.checkpoints import write_safetensors

HIDDEN, INNER, LAYERS, HEADS, KV_HEADS = 256, 512, 2, 4, 2
_BOS, _EOS = "<|begin|>", "<|end|>"


def _byte_letters() -> list[str]:
    """How byte-level BPE writes each byte: as itself where that is visible, from U+0100 on otherwise."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    hidden = iter(range(256, 512))
    return [chr(byte if byte in visible else next(hidden)) for byte in range(256)]


TOKENS: Final = [*_byte_letters(), "he", "ll", "hell", "hello", _BOS, _EOS]
CONFIG: Final[dict[str, Any]] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "intermediate_size": INNER,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "vocab_size": len(TOKENS),
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "bos_token_id": TOKENS.index(_BOS),
    "eos_token_id": TOKENS.index(_EOS),
    "torch_dtype": "float32",
}


def write_tiny_llama(folder: Path) -> Path:
    """The folder, with config.json, tokenizer files and random weights."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text(json.dumps(_tokenizer()))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": _BOS, "eos_token": _EOS})
    )
    write_safetensors(folder / "model.safetensors", _weights())
    return folder


def _tokenizer() -> dict[str, Any]:
    added = [
        {"id": TOKENS.index(text), "content": text, "special": True, "lstrip": False, "rstrip": False,
         "normalized": False, "single_word": False}
        for text in (_BOS, _EOS)
    ]  # fmt: skip
    bytes_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    vocabulary = {token: number for number, token in enumerate(TOKENS) if token not in (_BOS, _EOS)}
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": bytes_level,
        "decoder": bytes_level,
        "post_processor": None,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": ["h e", "l l", "he ll", "hell o"]},
    }


def _weights() -> dict[str, np.ndarray]:
    random = np.random.default_rng(11)

    def matrix(rows: int, columns: int) -> np.ndarray:
        return random.standard_normal((rows, columns), dtype=np.float32) / np.float32(np.sqrt(columns))

    def norm() -> np.ndarray:
        return 1 + np.float32(0.1) * random.standard_normal(HIDDEN, dtype=np.float32)

    kv = HIDDEN // HEADS * KV_HEADS
    weights = {"model.embed_tokens.weight": matrix(len(TOKENS), HIDDEN)}
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}"
        weights |= {
            f"{prefix}.input_layernorm.weight": norm(),
            f"{prefix}.post_attention_layernorm.weight": norm(),
            f"{prefix}.self_attn.q_proj.weight": matrix(HIDDEN, HIDDEN),
            f"{prefix}.self_attn.k_proj.weight": matrix(kv, HIDDEN),
            f"{prefix}.self_attn.v_proj.weight": matrix(kv, HIDDEN),
            f"{prefix}.self_attn.o_proj.weight": matrix(HIDDEN, HIDDEN),
            f"{prefix}.mlp.gate_proj.weight": matrix(INNER, HIDDEN),
            f"{prefix}.mlp.up_proj.weight": matrix(INNER, HIDDEN),
            f"{prefix}.mlp.down_proj.weight": matrix(HIDDEN, INNER),
        }
    return {**weights, "model.norm.weight": norm(), "lm_head.weight": matrix(len(TOKENS), HIDDEN)}
