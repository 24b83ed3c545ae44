"""Models as lists of tensors with their real shapes, and GGUF files of them that take a few kilobytes of disk."""

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from engine.models.gguf_header import read_header
from gguf_convert import ggml
from gguf_convert.facts import Facts, facts_of
from gguf_convert.mixes import may_quantise
from gguf_convert.rows import Weight
from gguf_convert.tensors import TargetTensor

Shape = tuple[int, ...]
_TYPE_IDS = {"F32": 0, "F16": 1, "BF16": 30}
_TYPE_BYTES = {"F32": 4, "F16": 2, "BF16": 2}


@dataclass(frozen=True)
class Model:
    metadata: Mapping[str, int | float | str]
    shapes: Mapping[str, Shape]

    @property
    def facts(self) -> Facts:
        return facts_of(self.metadata)

    @property
    def tensors(self) -> list[TargetTensor]:
        return [
            TargetTensor(name=name, shape=shape, source=Weight(name, prod(shape[1:]), shape[0]))
            for name, shape in self.shapes.items()
        ]

    @property
    def types(self) -> dict[str, str]:
        """As a converter to BF16 would write them."""
        return {name: "BF16" if may_quantise(name, shape) else "F32" for name, shape in self.shapes.items()}


def deepseek(
    *,
    layers: int,
    hidden: int,
    heads: int,
    q_lora: int | None,
    experts: int,
    shared: int,
    moe: int,
    dense: tuple[int, int],
    vocab: int,
    mtp: bool = False,
    kv_lora: int = 512,
    rope: int = 64,
    head: int = 128,
) -> Model:
    """DeepSeek-V2-Lite, V3, R1. `dense`: how many blocks without experts come first, and how wide they are."""
    arch = "deepseek2."
    metadata: dict[str, int | float | str] = {
        "general.architecture": "deepseek2",
        arch + "block_count": layers + mtp,
        arch + "context_length": 163840,
        arch + "embedding_length": hidden,
        arch + "feed_forward_length": dense[1],
        arch + "attention.head_count": heads,
        arch + "attention.head_count_kv": 1,
        arch + "attention.layer_norm_rms_epsilon": 1e-6,
        arch + "attention.kv_lora_rank": kv_lora,
        arch + "attention.key_length": kv_lora + rope,
        arch + "attention.value_length": kv_lora,
        arch + "attention.key_length_mla": head + rope,
        arch + "attention.value_length_mla": head,
        arch + "leading_dense_block_count": dense[0],
        arch + "vocab_size": vocab,
        arch + "expert_count": experts,
        arch + "expert_used_count": min(6, experts),
        arch + "expert_shared_count": shared,
        arch + "expert_feed_forward_length": moe,
        arch + "expert_weights_scale": 1.0,
        arch + "rope.dimension_count": rope,
        "tokenizer.ggml.model": "none",
    }
    if q_lora:
        metadata[arch + "attention.q_lora_rank"] = q_lora
    if mtp:
        metadata[arch + "nextn_predict_layers"] = 1
    shapes: dict[str, Shape] = {
        "token_embd.weight": (hidden, vocab),
        "output_norm.weight": (hidden,),
        "output.weight": (hidden, vocab),
    }
    for i in range(layers + mtp):
        block: dict[str, Shape] = {
            "attn_norm.weight": (hidden,),
            **(
                {
                    "attn_q_a.weight": (hidden, q_lora),
                    "attn_q_a_norm.weight": (q_lora,),
                    "attn_q_b.weight": (q_lora, heads * (head + rope)),
                }
                if q_lora
                else {"attn_q.weight": (hidden, heads * (head + rope))}
            ),
            "attn_kv_a_mqa.weight": (hidden, kv_lora + rope),
            "attn_kv_a_norm.weight": (kv_lora,),
            "attn_k_b.weight": (head, kv_lora, heads),
            "attn_v_b.weight": (kv_lora, head, heads),
            "attn_output.weight": (heads * head, hidden),
            "ffn_norm.weight": (hidden,),
            **(_feed_forward(hidden, dense[1]) if i < dense[0] else _experts(hidden, moe, experts, shared)),
        }
        if i >= layers:
            block |= {
                "nextn.eh_proj.weight": (2 * hidden, hidden),
                "nextn.enorm.weight": (hidden,),
                "nextn.hnorm.weight": (hidden,),
                "nextn.embed_tokens.weight": (hidden, vocab),
                "nextn.shared_head_head.weight": (hidden, vocab),
                "nextn.shared_head_norm.weight": (hidden,),
            }
        shapes |= {f"blk.{i}.{name}": shape for name, shape in block.items()}
    return Model(metadata, shapes)


def _feed_forward(hidden: int, width: int, suffix: str = "", *stack: int) -> dict[str, Shape]:
    return {
        f"ffn_gate{suffix}.weight": (hidden, width, *stack),
        f"ffn_up{suffix}.weight": (hidden, width, *stack),
        f"ffn_down{suffix}.weight": (width, hidden, *stack),
    }


def _experts(hidden: int, moe: int, experts: int, shared: int) -> dict[str, Shape]:
    return {
        "ffn_gate_inp.weight": (hidden, experts),
        "exp_probs_b.bias": (experts,),
        **_feed_forward(hidden, moe, "_exps", experts),
        **(_feed_forward(hidden, moe * shared, "_shexp") if shared else {}),
    }


def classic(
    architecture: str,
    *,
    layers: int,
    hidden: int,
    heads: tuple[int, int],
    width: int,
    vocab: int,
    tied: bool = False,
    experts: int = 0,
    head: int = 0,
) -> Model:
    """llama, qwen2 and qwen3. `heads`: of queries, and of keys and values."""
    arch = architecture + "."
    head = head or hidden // heads[0]
    metadata: dict[str, int | float | str] = {
        "general.architecture": architecture,
        arch + "block_count": layers,
        arch + "context_length": 32768,
        arch + "embedding_length": hidden,
        arch + "feed_forward_length": width,
        arch + "attention.head_count": heads[0],
        arch + "attention.head_count_kv": heads[1],
        arch + "attention.layer_norm_rms_epsilon": 1e-6,
        arch + "vocab_size": vocab,
        "tokenizer.ggml.model": "none",
    }
    if experts:
        metadata |= {arch + "expert_count": experts, arch + "expert_used_count": 2}
    shapes: dict[str, Shape] = {"token_embd.weight": (hidden, vocab), "output_norm.weight": (hidden,)}
    if not tied:
        shapes["output.weight"] = (hidden, vocab)
    for i in range(layers):
        block: dict[str, Shape] = {
            "attn_norm.weight": (hidden,),
            "attn_q.weight": (hidden, heads[0] * head),
            "attn_k.weight": (hidden, heads[1] * head),
            "attn_v.weight": (hidden, heads[1] * head),
            "attn_output.weight": (heads[0] * head, hidden),
            "ffn_norm.weight": (hidden,),
            **(_experts(hidden, width, experts, 0) if experts else _feed_forward(hidden, width)),
        }
        if architecture == "qwen2":
            block["attn_q.bias"] = (heads[0] * head,)
        shapes |= {f"blk.{i}.{name}": shape for name, shape in block.items()}
    return Model(metadata, shapes)


_R1 = dict(
    layers=61, hidden=7168, heads=128, q_lora=1536, experts=256, shared=1, moe=2048, dense=(3, 18432), vocab=129280
)

MODELS: Mapping[str, Model] = {
    "deepseek-r1": deepseek(**_R1),  # type: ignore[arg-type]
    "deepseek-r1-mtp": deepseek(**_R1, mtp=True),  # type: ignore[arg-type]
    "deepseek-v2-lite": deepseek(
        layers=27, hidden=2048, heads=16, q_lora=None, experts=64, shared=2, moe=1408, dense=(1, 10944), vocab=102400
    ),
    "qwen2-1.5b-tied": classic("qwen2", layers=28, hidden=1536, heads=(12, 2), width=8960, vocab=151936, tied=True),
    "qwen2-7b": classic("qwen2", layers=28, hidden=3584, heads=(28, 4), width=18944, vocab=152064),
    "qwen2-72b": classic("qwen2", layers=80, hidden=8192, heads=(64, 8), width=29568, vocab=152064),
    "qwen3-8b": classic("qwen3", layers=36, hidden=4096, heads=(32, 8), width=12288, vocab=151936, head=128),
    "llama-7b-no-gqa": classic("llama", layers=32, hidden=4096, heads=(32, 32), width=11008, vocab=32000),
    "llama-8b": classic("llama", layers=32, hidden=4096, heads=(32, 8), width=14336, vocab=128256),
    "llama-65b-no-gqa": classic("llama", layers=80, hidden=8192, heads=(64, 64), width=22016, vocab=32000),
    "llama-70b": classic("llama", layers=80, hidden=8192, heads=(64, 8), width=28672, vocab=128256),
    "llama-eight-experts": classic("llama", layers=32, hidden=4096, heads=(32, 8), width=14336, vocab=32000, experts=8),
    "smollm2-135m-tied": classic("llama", layers=30, hidden=576, heads=(9, 3), width=1536, vocab=49152, tied=True),
    "llama-odd-rows": classic("llama", layers=9, hidden=144, heads=(2, 1), width=336, vocab=512),
}


def write_sparse(model: Model, path: Path, types: Mapping[str, str] | None = None) -> None:
    """A GGUF file whose data is a hole: 1.3 TB for R1 in BF16, and 90 KB of disk."""
    types = types or model.types
    out = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(model.shapes), len(model.metadata)))
    for key, value in model.metadata.items():
        out += _text(key)
        if isinstance(value, str):
            out += struct.pack("<I", 8) + _text(value)
        else:
            out += struct.pack("<If", 6, value) if isinstance(value, float) else struct.pack("<II", 4, value)
    offset = 0
    for name, shape in model.shapes.items():
        out += _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, _TYPE_IDS[types[name]], offset)
        offset += -(-prod(shape) * _TYPE_BYTES[types[name]] // 32) * 32
    out += bytes(-len(out) % 32)
    path.write_bytes(out)
    os.truncate(path, len(out) + offset)


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def summary(types: Mapping[str, str]) -> Iterator[str]:
    """One line for each type: its tensors, those of blocks with the blocks' numbers. F32 is left out."""
    for type_name in sorted(set(types.values()) - {"F32"}):
        blocks: dict[str, list[int]] = {}
        others = []
        for name in (name for name, found in types.items() if found == type_name):
            if name.startswith("blk."):
                _, number, short = name.split(".", 2)
                blocks.setdefault(short.removesuffix(".weight"), []).append(int(number))
            else:
                others.append(name.removesuffix(".weight"))
        by_numbers: dict[str, list[str]] = {}
        for short, numbers in sorted(blocks.items()):
            by_numbers.setdefault(_ranges(sorted(numbers)), []).append(short)
        places = [*sorted(others), *(f"{' '.join(names)} in {numbers}" for numbers, names in by_numbers.items())]
        yield f"  {type_name}: {'; '.join(places)}"


def _ranges(numbers: list[int]) -> str:
    out: list[list[int]] = []
    for number in numbers:
        if out and out[-1][1] == number - 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in out)


def write_random(model: Model, path: Path, types: Mapping[str, str], seed: int = 1) -> None:
    """The same with weights: normal ones, a few of them large, as trained weights have them."""
    write_sparse(model, path, types)
    random = np.random.default_rng(seed)
    header = read_header(path)
    with path.open("r+b") as file:
        for tensor in header.tensors:
            values = random.standard_normal(tensor.elements, dtype=np.float32) * 0.02
            values[::61] *= 6
            file.seek(header.data_start + tensor.offset)
            file.write(ggml.quantise(tensor.type.name, values.reshape(-1, tensor.shape[0])).tobytes())
