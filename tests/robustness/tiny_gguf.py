"""Tiny sound GGUF files of every architecture we care about, which llama.cpp loads and runs."""

import random
import struct
from collections.abc import Callable, Sequence
from math import prod

from engine.models.gguf_header import TENSOR_TYPES
from tests.engine.models.gguf_files import STRING, Model, Typed

U32, I32, F32, BOOL = 4, 5, 6, 7
TYPE_IDS = {kind.name: number for number, kind in TENSOR_TYPES.items()}
N_LAYERS, N_HEAD, N_KV, FF = 2, 4, 2, 64

Shapes = Sequence[tuple[str, tuple[int, ...]]]


def byte_letters() -> list[str]:
    """GPT-2's letters for bytes: what is printable stands for itself, the rest for letters from U+0100 on."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte if byte in plain else next(spare)) for byte in range(256)]


def bpe(pre: str = "qwen2") -> list[tuple[str, Typed]]:
    tokens = [*byte_letters(), "he", "ll", "hell", "<|endoftext|>", "<|fim_prefix|>", "<|im_end|>"]
    return [
        ("tokenizer.ggml.model", Typed(STRING, "gpt2")),
        ("tokenizer.ggml.pre", Typed(STRING, pre)),
        ("tokenizer.ggml.tokens", Typed(STRING, tokens)),
        ("tokenizer.ggml.token_type", Typed(I32, [1] * 259 + [3] * 3)),
        ("tokenizer.ggml.merges", Typed(STRING, ["h e", "l l", "he ll"])),
        ("tokenizer.ggml.bos_token_id", Typed(U32, 259)),
        ("tokenizer.ggml.eos_token_id", Typed(U32, 259)),
        ("tokenizer.ggml.padding_token_id", Typed(U32, 259)),
        ("tokenizer.ggml.add_bos_token", Typed(BOOL, True)),
        ("tokenizer.chat_template", Typed(STRING, "{{ messages }}")),
    ]


def spm() -> list[tuple[str, Typed]]:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "b", "é", "▁a"]
    return [
        ("tokenizer.ggml.model", Typed(STRING, "llama")),
        ("tokenizer.ggml.pre", Typed(STRING, "default")),
        ("tokenizer.ggml.tokens", Typed(STRING, tokens)),
        ("tokenizer.ggml.scores", Typed(F32, [-float(i) for i in range(len(tokens))])),
        ("tokenizer.ggml.token_type", Typed(I32, [2, 3, 3] + [6] * 256 + [1] * 5)),
        ("tokenizer.ggml.bos_token_id", Typed(U32, 1)),
        ("tokenizer.ggml.eos_token_id", Typed(U32, 2)),
        ("tokenizer.ggml.unknown_token_id", Typed(U32, 0)),
        ("tokenizer.ggml.add_bos_token", Typed(BOOL, True)),
        ("tokenizer.ggml.add_eos_token", Typed(BOOL, False)),
    ]


def n_tokens(vocabulary: list[tuple[str, Typed]]) -> int:
    tokens = dict(vocabulary)["tokenizer.ggml.tokens"].value
    assert isinstance(tokens, list)
    return len(tokens)


def general(arch: str, embedding: int, layers: int = N_LAYERS) -> list[tuple[str, Typed]]:
    return [
        ("general.architecture", Typed(STRING, arch)),
        ("general.name", Typed(STRING, "Tiny é😀")),
        ("general.file_type", Typed(U32, 0)),
        ("general.quantization_version", Typed(U32, 2)),
        (f"{arch}.context_length", Typed(U32, 256)),
        (f"{arch}.embedding_length", Typed(U32, embedding)),
        (f"{arch}.block_count", Typed(U32, layers)),
        (f"{arch}.feed_forward_length", Typed(U32, FF)),
        (f"{arch}.attention.head_count", Typed(U32, N_HEAD)),
        (f"{arch}.attention.layer_norm_rms_epsilon", Typed(F32, 1e-6)),
        (f"{arch}.rope.freq_base", Typed(F32, 10000.0)),
    ]


def grouped(arch: str, embedding: int) -> list[tuple[str, Typed]]:
    head = embedding // N_HEAD
    return [
        (f"{arch}.attention.head_count_kv", Typed(U32, N_KV)),
        (f"{arch}.attention.key_length", Typed(U32, head)),
        (f"{arch}.attention.value_length", Typed(U32, head)),
        (f"{arch}.rope.dimension_count", Typed(U32, head)),
    ]


def attention(embedding: int, layer: int, *, bias: bool = False, norms: bool = False) -> Shapes:
    head, kv = embedding // N_HEAD, embedding // N_HEAD * N_KV
    block = f"blk.{layer}."
    return [
        (block + "attn_norm.weight", (embedding,)),
        (block + "attn_q.weight", (embedding, embedding)),
        (block + "attn_k.weight", (embedding, kv)),
        (block + "attn_v.weight", (embedding, kv)),
        (block + "attn_output.weight", (embedding, embedding)),
        *([(f"{block}attn_{x}.bias", (embedding if x == "q" else kv,)) for x in "qkv"] if bias else []),
        *([(f"{block}attn_{x}_norm.weight", (head,)) for x in "qk"] if norms else []),
        (block + "ffn_norm.weight", (embedding,)),
    ]


def dense(embedding: int, layer: int) -> Shapes:
    return [
        (f"blk.{layer}.ffn_gate.weight", (embedding, FF)),
        (f"blk.{layer}.ffn_up.weight", (embedding, FF)),
        (f"blk.{layer}.ffn_down.weight", (FF, embedding)),
    ]


def experts(embedding: int, layer: int, n_expert: int, *, shared: bool = False, bias: bool = False) -> Shapes:
    block = f"blk.{layer}.ffn_"
    return [
        (block + "gate_inp.weight", (embedding, n_expert)),
        *([(f"blk.{layer}.exp_probs_b.bias", (n_expert,))] if bias else []),
        (block + "gate_exps.weight", (embedding, FF, n_expert)),
        (block + "up_exps.weight", (embedding, FF, n_expert)),
        (block + "down_exps.weight", (FF, embedding, n_expert)),
        *([(block + "gate_shexp.weight", (embedding, FF))] if shared else []),
        *([(block + "up_shexp.weight", (embedding, FF))] if shared else []),
        *([(block + "down_shexp.weight", (FF, embedding))] if shared else []),
    ]


def ends(embedding: int, vocabulary: list[tuple[str, Typed]], *, tied: bool = False) -> Shapes:
    size = (embedding, n_tokens(vocabulary))
    return [
        ("token_embd.weight", size),
        ("output_norm.weight", (embedding,)),
        *([] if tied else [("output.weight", size)]),
    ]


def filled(shapes: Shapes, kind: str, rng: random.Random) -> list[tuple[str, tuple[int, ...], int, bytes]]:
    """Matrices in the wanted type; norms, biases and routers in F32, and everything that does not fill its blocks."""
    return [tensor(name, shape, kind, rng) for name, shape in shapes]


def tensor(name: str, shape: tuple[int, ...], kind: str, rng: random.Random) -> tuple[str, tuple[int, ...], int, bytes]:
    small = len(shape) == 1 or "norm" in name or "gate_inp" in name
    number = TYPE_IDS["F32" if small or shape[0] % TENSOR_TYPES[TYPE_IDS[kind]].block else kind]
    return name, shape, number, weights(prod(shape), number, rng)


def weights(elements: int, number: int, rng: random.Random) -> bytes:
    kind = TENSOR_TYPES[number]
    if kind.name == "F32":
        return struct.pack(f"<{elements}f", *(rng.gauss(0, 0.3) for _ in range(elements)))
    return bytes(elements // kind.block * kind.size)


def llama(kind: str = "F32", *, n_expert: int = 0, seed: int = 0) -> Model:
    rng, width, vocabulary = random.Random(seed), width_for(kind), spm()
    shapes = [*ends(width, vocabulary)]
    for layer in range(N_LAYERS):
        shapes += attention(width, layer)
        shapes += experts(width, layer, n_expert) if n_expert else dense(width, layer)
    counts = [("llama.expert_count", Typed(U32, n_expert)), ("llama.expert_used_count", Typed(U32, 2))]
    return Model(
        metadata=general("llama", width) + grouped("llama", width) + (counts if n_expert else []) + vocabulary,
        tensors=filled(shapes, kind, rng),
    )


def qwen(arch: str, kind: str = "F32", *, tied: bool = True, seed: int = 0) -> Model:
    rng, width, vocabulary = (
        random.Random(seed),
        width_for(kind),
        bpe("deepseek-r1-qwen" if arch == "qwen2" else "qwen2"),
    )
    shapes = [*ends(width, vocabulary, tied=tied)]
    for layer in range(N_LAYERS):
        shapes += [*attention(width, layer, bias=arch == "qwen2", norms=arch == "qwen3"), *dense(width, layer)]
    scaling = [
        (f"{arch}.rope.scaling.type", Typed(STRING, "yarn")),
        (f"{arch}.rope.scaling.factor", Typed(F32, 4.0)),
        (f"{arch}.rope.scaling.original_context_length", Typed(U32, 64)),
    ]
    return Model(
        metadata=general(arch, width) + grouped(arch, width) + (scaling if arch == "qwen3" else []) + vocabulary,
        tensors=filled(shapes, kind, rng),
    )


def deepseek(kind: str = "F32", *, lite: bool = False, mtp: bool = False, seed: int = 0) -> Model:
    rng, width, vocabulary = random.Random(seed), width_for(kind), bpe("deepseek-llm" if lite else "deepseek-v3")
    layers = 27 if lite else N_LAYERS
    shapes = [*ends(width, vocabulary)]
    for layer in range(layers + mtp):
        shapes += latent_attention(width, layer, lite=lite)
        shapes += dense(width, layer) if layer == 0 else experts(width, layer, 8, shared=True, bias=not lite)
    if mtp:
        shapes += next_token(width, layers)
    return Model(
        metadata=general("deepseek2", width, layers + mtp) + latent_keys(width, lite=lite, mtp=mtp) + vocabulary,
        tensors=filled(shapes, kind, rng),
    )


LATENT, NOPE, ROPE, VALUE = 32, 32, 8, 16


def latent_attention(width: int, layer: int, *, lite: bool) -> Shapes:
    block = f"blk.{layer}."
    query: Shapes = [
        (block + "attn_q_a.weight", (width, LATENT)),
        (block + "attn_q_a_norm.weight", (LATENT,)),
        (block + "attn_q_b.weight", (LATENT, N_HEAD * (NOPE + ROPE))),
    ]
    return [
        (block + "attn_norm.weight", (width,)),
        *([(block + "attn_q.weight", (width, N_HEAD * (NOPE + ROPE)))] if lite else query),
        (block + "attn_kv_a_mqa.weight", (width, LATENT + ROPE)),
        (block + "attn_kv_a_norm.weight", (LATENT,)),
        (block + "attn_k_b.weight", (NOPE, LATENT, N_HEAD)),
        (block + "attn_v_b.weight", (LATENT, VALUE, N_HEAD)),
        (block + "attn_output.weight", (N_HEAD * VALUE, width)),
        (block + "ffn_norm.weight", (width,)),
    ]


def next_token(width: int, layer: int) -> Shapes:
    block = f"blk.{layer}.nextn."
    return [
        (block + "eh_proj.weight", (2 * width, width)),
        (block + "enorm.weight", (width,)),
        (block + "hnorm.weight", (width,)),
        (block + "shared_head_norm.weight", (width,)),
    ]


def latent_keys(width: int, *, lite: bool, mtp: bool) -> list[tuple[str, Typed]]:
    values = {
        "attention.head_count_kv": Typed(U32, 1),
        "attention.kv_lora_rank": Typed(U32, LATENT),
        "attention.key_length": Typed(U32, LATENT + ROPE),
        "attention.value_length": Typed(U32, LATENT),
        "attention.key_length_mla": Typed(U32, NOPE + ROPE),
        "attention.value_length_mla": Typed(U32, VALUE),
        "leading_dense_block_count": Typed(U32, 1),
        "expert_count": Typed(U32, 8),
        "expert_used_count": Typed(U32, 2),
        "expert_shared_count": Typed(U32, 1),
        "expert_feed_forward_length": Typed(U32, FF),
        "expert_weights_scale": Typed(F32, 1.0 if lite else 2.5),
        "expert_weights_norm": Typed(BOOL, not lite),
        "expert_gating_func": Typed(U32, 1 if lite else 2),
        "rope.dimension_count": Typed(U32, ROPE),
        "rope.scaling.type": Typed(STRING, "yarn"),
        "rope.scaling.factor": Typed(F32, 40.0),
        "rope.scaling.original_context_length": Typed(U32, 64),
        "rope.scaling.yarn_log_multiplier": Typed(F32, 0.0707 if lite else 0.1),
    }
    if not lite:
        values |= {
            "attention.q_lora_rank": Typed(U32, LATENT),
            "expert_group_count": Typed(U32, 4),
            "expert_group_used_count": Typed(U32, 2),
        }
    if mtp:
        values["nextn_predict_layers"] = Typed(U32, 1)
    return [(f"deepseek2.{key}", typed) for key, typed in values.items()]


def width_for(kind: str) -> int:
    return max(32, TENSOR_TYPES[TYPE_IDS[kind]].block)


SOUND: dict[str, Callable[[], Model]] = {
    **{
        f"llama {kind}": lambda kind=kind: llama(kind)
        for kind in ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q6_K")
    },
    **{
        f"llama {kind}": lambda kind=kind: llama(kind)
        for kind in ("IQ4_XS", "IQ4_NL", "IQ1_S", "IQ2_XXS", "IQ3_S", "Q2_K")
    },
    **{f"llama {kind}": lambda kind=kind: llama(kind) for kind in ("Q4_1", "Q5_0", "Q5_1", "MXFP4", "TQ1_0", "TQ2_0")},
    "llama with experts": lambda: llama(n_expert=4),
    "qwen2": lambda: qwen("qwen2"),
    "qwen2 Q8_0": lambda: qwen("qwen2", "Q8_0", tied=False),
    "qwen3": lambda: qwen("qwen3"),
    "qwen3 Q5_K": lambda: qwen("qwen3", "Q5_K"),
    "deepseek2": deepseek,
    "deepseek2 Q8_0": lambda: deepseek("Q8_0"),
    "deepseek2 lite": lambda: deepseek(lite=True),
    "deepseek2 with the layer of the next token": lambda: deepseek(mtp=True),
}
