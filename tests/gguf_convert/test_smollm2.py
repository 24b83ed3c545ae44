"""The default model as a checkpoint again, converted here: the same bytes, and the engine completes code with it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.backends.llama_cpp import LlamaBackend
from engine.models.gguf_header import Tensor, read_header
from engine.models.resolve import resolve
from engine.types import EngineOptions, Sampling
from gguf_convert import ggml
from gguf_convert.cli import main
from tests.engine.host.test_llama import Runner
from tests.gguf_convert.checkpoints import write_safetensors
from tests.reference.gguf_file import GgufFile, read_gguf
from tests.reference.tokenizers import BYTE_LEVEL

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("model"), pytest.mark.timeout(300)]

PARTS = {
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_output": "self_attn.o_proj",
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip
CODE = "def fibonacci(n):\n    if n < 2:\n        return n\n    return"
OTHERWISE = {"fim_pre", "fim_suf", "fim_mid", "fim_rep", "fim_sep", "fim_pad", "add_space_prefix"}


def checkpoint(path: Path, folder: Path) -> Path:
    """The model in the file at `path` as Hugging Face would store it."""
    folder.mkdir()
    said = {key: entry.value for key, entry in read_gguf(path).metadata.items()}
    (folder / "config.json").write_text(json.dumps(_config(said)))
    (folder / "tokenizer.json").write_text(json.dumps(_tokenizer(said)))
    tokens = said["tokenizer.ggml.tokens"]
    keys = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    special = {name: tokens[said[f"tokenizer.ggml.{key}_token_id"]] for name, key in keys.items()}
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "GPT2Tokenizer", "chat_template": said["tokenizer.chat_template"], **special})
    )
    header = read_header(path)
    weights = {_name(t.name): _weight(path, header.data_start, t, said) for t in header.tensors}
    write_safetensors(folder / "model.safetensors", weights)
    return folder


def _config(said: dict[str, Any]) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "hidden_size": said["llama.embedding_length"],
        "intermediate_size": said["llama.feed_forward_length"],
        "num_hidden_layers": said["llama.block_count"],
        "num_attention_heads": said["llama.attention.head_count"],
        "num_key_value_heads": said["llama.attention.head_count_kv"],
        "vocab_size": said["llama.vocab_size"],
        "max_position_embeddings": said["llama.context_length"],
        "rms_norm_eps": 1e-5,
        "rope_theta": said["llama.rope.freq_base"],
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "bos_token_id": said["tokenizer.ggml.bos_token_id"],
        "eos_token_id": said["tokenizer.ggml.eos_token_id"],
    }


def _tokenizer(said: dict[str, Any]) -> dict[str, Any]:
    tokens, kinds = said["tokenizer.ggml.tokens"], said["tokenizer.ggml.token_type"]
    added = [
        {"id": number, "content": text, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
         "special": True}
        for number, (text, kind) in enumerate(zip(tokens, kinds, strict=True)) if kind == 3
    ]  # fmt: skip
    digits = {"type": "Digits", "individual_digits": True}
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, BYTE_LEVEL]},
        "post_processor": None,
        "decoder": BYTE_LEVEL,
        "model": {
            "type": "BPE",
            "vocab": {text: number for number, text in enumerate(tokens)},
            "merges": said["tokenizer.ggml.merges"],
        },
    }


def _name(name: str) -> str:
    if name.startswith("blk."):
        _, layer, part, _ = name.split(".")
        return f"model.layers.{layer}.{PARTS[part]}.weight"
    return {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}[name]


def _weight(path: Path, data_start: int, tensor: Tensor, said: dict[str, Any]) -> np.ndarray:
    data = np.fromfile(path, np.uint8, tensor.size, offset=data_start + tensor.offset)
    rows = ggml.dequantise(tensor.type.name, data, tensor.shape[0])
    if tensor.name.endswith(("attn_q.weight", "attn_k.weight")):  # neighbouring rows -> two halves of each head
        heads = said["llama.attention.head_count" + ("_kv" if "attn_k." in tensor.name else "")]
        rows = rows.reshape(heads, -1, 2, tensor.shape[0]).swapaxes(1, 2)
    return np.ascontiguousarray(rows.reshape(tensor.shape[::-1]))


def written(path: Path) -> str:
    """What the engine makes of the beginning of a function, the likeliest token at each place."""
    options = EngineOptions(model=str(path), threads=1, n_ctx=512)
    backend = LlamaBackend(resolve(options), options, lambda stage, fraction: None)
    try:
        runner = Runner(backend)
        return runner.text(runner.ask(CODE, max_tokens=16, sampling=Sampling(temperature=0)))
    finally:
        backend.close()


def _of_the_model(file: GgufFile) -> dict[str, Any]:
    """What decides how the model is run; not what it is called, nor what docs/conversion.md says we write otherwise."""
    return {
        key: entry.value
        for key, entry in file.metadata.items()
        if not key.startswith("general.") and key.split(".")[-1].removesuffix("_token_id") not in OTHERWISE
    }


def test_the_default_model_is_converted_to_the_same_model(tmp_path: Path) -> None:
    """It was stored in the type that is fastest here; Q8_0 of what Q8_0 means is the same bytes again."""
    path, ours = resolve(EngineOptions()).path, tmp_path / "ours.gguf"
    source = checkpoint(path, tmp_path / "SmolLM2")
    assert main(["convert", str(source), str(ours), "--type", "Q8_0"]) == 0
    was, now = read_gguf(path), read_gguf(ours)
    assert _of_the_model(was).items() <= _of_the_model(now).items()
    assert {name: tensor.shape for name, tensor in now.tensors.items()} == {
        name: tensor.shape for name, tensor in was.tensors.items()
    }
    same_type = {name for name, tensor in was.tensors.items() if tensor.type == now.tensors[name].type}
    assert "output_norm.weight" in same_type
    assert {name: now.tensors[name] for name in same_type} == {name: was.tensors[name] for name in same_type}
    assert "fibonacci(n" in written(ours)
