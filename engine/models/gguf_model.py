"""Refuses models that would end llama.cpp's process, though their GGUF header is sound. Standard library only.

llama.cpp checks with assertions much of what a file says about the model, and an assertion ends the process. Each rule
here is one of them, or a crash that was found by mutating files (tests/robustness/test_gguf_kills.py). What llama.cpp
refuses by itself with a sentence is left to it, and so is every key that the file does not have.

Rules: llama.cpp 0.5.0, src/llama-model.cpp (`load_hparams`), src/llama-vocab.cpp, src/models/*.cpp.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.models.gguf_header import GgufError, GgufHeader, LongArray, Scalar, read_header

MAX_LAYERS: Final = 512
MAX_EXPERTS: Final = 1024
LAST_GATING: Final = 4
TENSOR_ALIGNMENT: Final = 32  # of a tensor in memory, which is the file mapped

_SCALINGS: Final = frozenset({"none", "linear", "yarn", "longrope"})

# Architectures whose attention has one size of head for queries, keys, values and rotation.
_ONE_HEAD_SIZE: Final = frozenset(
    {"llama", "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "internlm2", "mistral3", "olmo", "olmo2", "smollm3"}
)
_HEADS_FILL_EMBEDDING: Final = frozenset({"qwen2"})

# Types that are only made while computing, or are no weights: nothing can be multiplied by a matrix of them.
_NOT_MULTIPLIED: Final = frozenset({"I8", "I16", "I32", "I64", "F64", "Q8_1", "Q8_K"})
_MATRICES: Final = frozenset(
    {
        *("token_embd", "output", "attn_q", "attn_k", "attn_v", "attn_qkv", "attn_output"),
        *("attn_q_a", "attn_q_b", "attn_kv_a_mqa", "attn_kv_b", "attn_k_b", "attn_v_b"),
        *("ffn_gate", "ffn_up", "ffn_down", "ffn_gate_inp", "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps"),
        *("ffn_gate_shexp", "ffn_up_shexp", "ffn_down_shexp"),
    }
)

# Names of those that llama.cpp multiplies or adds element by element.
_VECTORS: Final = ("norm", "rope_freqs")
_SUFFIXES: Final = frozenset({"bias", "scale", "input_scale"})

_BYTE_TOKEN = 6  # ggml's number of tokens that stand for a byte


@dataclass(frozen=True, slots=True)
class _Model:
    """A header, asked by keys without the architecture's name before them."""

    header: GgufHeader

    def value(self, key: str) -> Scalar | tuple[Scalar, ...] | LongArray | None:
        return self.header.metadata.get(f"{self.header.architecture}.{key}")

    def numbers(self, key: str) -> tuple[int, ...]:
        """The number under a key, or those of all layers; nothing where there is none."""
        value = self.value(key)
        several = value.head if isinstance(value, LongArray) else value if isinstance(value, tuple) else (value,)
        return tuple(n for n in several if isinstance(n, int) and not isinstance(n, bool))

    def number(self, key: str, default: int | None = None) -> int | None:
        """The number under a key, or the first layer's."""
        return next(iter(self.numbers(key)), default)

    @property
    def tokenizer(self) -> object:
        return self.header.metadata.get("tokenizer.ggml.model")


def read_model_header(path: Path) -> GgufHeader:
    """The header of a file that llama.cpp may load. Raises GgufError with one sentence."""
    header = read_header(path)
    check_model(header, str(path))
    return header


def check_model(header: GgufHeader, name: str) -> None:
    """Raises GgufError, with one sentence that begins with `name`, for a model that would end llama.cpp's process."""
    model = _Model(header)
    for rule in _RULES:
        if fault := rule(model):
            raise GgufError(f"{name} {fault}")


def _layers(model: _Model) -> str | None:
    layers, ahead = model.number("block_count"), model.number("nextn_predict_layers", 0)
    if layers is not None and not 1 <= layers <= MAX_LAYERS:
        return f"claims {layers} layers; 1 to {MAX_LAYERS} are possible"
    if layers is not None and ahead and ahead >= layers:
        return f"claims that {ahead} of its {layers} layers predict tokens ahead"
    return None


def _experts(model: _Model) -> str | None:
    count, used = model.number("expert_count", 0) or 0, max(model.numbers("expert_used_count"), default=0)
    if model.number("block_count") is None:
        return None
    if count > MAX_EXPERTS:
        return f"claims {count} experts; at most {MAX_EXPERTS} are possible"
    if used > count or (count > 0 and used == 0):
        return f"uses {used} of {count} experts"
    return _expert_groups(model, count)


def _gating(model: _Model) -> str | None:
    kind = model.number("expert_gating_func", 0)
    if kind is not None and kind > LAST_GATING:
        return f"chooses experts by function {kind}; there are {LAST_GATING}"
    return None


def _expert_groups(model: _Model, count: int) -> str | None:
    groups, used = model.number("expert_group_count", 0) or 0, model.number("expert_group_used_count", 0) or 0
    if groups and groups >= count:
        return f"has {groups} groups for {count} experts"
    if groups > 1 and (count % groups or not 0 < used < groups):
        return f"uses {used} of {groups} groups of its {count} experts"
    return None


def _scaling(model: _Model) -> str | None:
    kind = model.value("rope.scaling.type")
    if isinstance(kind, str) and kind.partition("\0")[0] not in _SCALINGS:
        return f"scales positions by {kind!r}, which does not exist"
    return None


def _epsilon(model: _Model) -> str | None:
    for key in ("attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon"):
        value = model.value(key)
        if isinstance(value, float) and not (value >= 0 and math.isfinite(value)):
            return f"has {value} under {key!r}"
    return None


def _heads(model: _Model) -> str | None:
    width, heads = model.number("embedding_length"), model.number("attention.head_count")
    if not width or not heads:
        return None
    keys, turned = _head_sizes(model, heads)
    values = model.number("attention.value_length", width // heads)
    architecture = model.header.architecture
    if architecture in _ONE_HEAD_SIZE and not keys == values == turned:
        return f"has heads of {keys} for keys, {values} for values and {turned} for positions, which must be the same"
    if architecture in _HEADS_FILL_EMBEDDING and keys and heads * keys != width:
        return f"has {heads} heads of {keys} for an embedding of {width}"
    return None


def _shared_heads(model: _Model) -> str | None:
    """Each layer's query heads are shared out evenly; a single number is that of every layer."""
    queries, keys = model.numbers("attention.head_count"), model.numbers("attention.head_count_kv")
    n_layers = max(len(queries), len(keys))
    for heads, shared in zip(_for_each(queries, n_layers), _for_each(keys, n_layers), strict=False):
        if heads and shared and heads % shared:
            return f"shares {shared} heads of keys among {heads} of queries"
    return None


def _for_each(numbers: tuple[int, ...], n_layers: int) -> tuple[int, ...]:
    return numbers * n_layers if len(numbers) == 1 else numbers


def _latent(model: _Model) -> str | None:
    """Multi-head latent attention: keys are the latent vector and the dimensions that are turned, one for all heads."""
    if model.header.architecture != "deepseek2" or model.number("block_count") is None:
        return None
    heads = model.number("attention.head_count", 0) or 0
    keys, turned = _head_sizes(model, heads)
    whole, values = model.number("attention.key_length_mla", 0), model.number("attention.value_length_mla", 0)
    each = whole if whole and values else keys
    if each - turned < 1:
        return f"turns {turned} of {each} dimensions of each head by their position"
    latent, shared = model.number("attention.kv_lora_rank", 0), model.number("attention.head_count_kv", heads)
    if whole and values and latent and (keys != latent + turned or shared != 1):
        return (
            f"has {shared} keys of {keys} for a latent vector of {latent} and {turned} dimensions that are turned; "
            f"1 of {latent + turned} is needed"
        )
    return None


def _head_sizes(model: _Model, heads: int) -> tuple[int, int]:
    """The length of a key and how much of it is turned, with llama.cpp's defaults; none where there are no heads."""
    if not heads:
        return 0, 0
    keys = model.number("attention.key_length", (model.number("embedding_length", 0) or 0) // heads) or 0
    return keys, model.number("rope.dimension_count", keys) or 0


def _alignment(model: _Model) -> str | None:
    for tensor in model.header.tensors:
        if (model.header.data_start + tensor.offset) % TENSOR_ALIGNMENT:
            return f"has the tensor {tensor.name!r} where memory is not aligned to {TENSOR_ALIGNMENT} bytes"
    return None


def _types(model: _Model) -> str | None:
    for tensor in model.header.tensors:
        name, kind = tensor.name, tensor.type.name
        stem, _, last = name.rpartition(".")
        if last == "weight" and stem.rpartition(".")[2] in _MATRICES and kind in _NOT_MULTIPLIED:
            return f"stores the matrix {name!r} as {kind}, with which nothing can be multiplied"
        if kind != "F32" and (last in _SUFFIXES or (last == "weight" and stem.endswith(_VECTORS))):
            return f"stores {name!r} as {kind}; norms, biases and factors are computed in F32 alone"
    return None


def _bytes(model: _Model) -> str | None:
    vocabulary = model.header.vocabulary
    if model.tokenizer in _NEED_BYTES and model.tokenizer not in vocabulary.bytes_for:
        return "has a vocabulary without a token for each byte, so some texts cannot be written in it"
    if model.tokenizer == "bert" and _BYTE_TOKEN in vocabulary.kinds:
        return "has tokens of bytes, which vocabularies of this kind cannot have"
    return None


_NEED_BYTES: Final = frozenset({"llama", "plamo2", "rwkv"})

_RULES: Final[tuple[Callable[[_Model], str | None], ...]] = (
    _layers,
    _experts,
    _gating,
    _scaling,
    _epsilon,
    _heads,
    _shared_heads,
    _latent,
    _alignment,
    _types,
    _bytes,
)
