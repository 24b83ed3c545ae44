"""Ways to spoil a GGUF file: some at random, most aimed at what a reader may believe. Each is a table row."""

import random
import struct
from collections.abc import Callable, Mapping
from dataclasses import replace

from engine.models.gguf_header import TENSOR_TYPES
from tests.engine.models.gguf_files import CODES, STRING, Model, Typed
from tests.robustness.tiny_gguf import BOOL, F32, I32, TYPE_IDS, U32, weights

NUMBERS = (0, 1, 2, 3, 5, 7, 31, 33, 255, 513, 1025, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
FLOATS = (0.0, -0.0, -1.0, 1e-45, 1e38, float("inf"), float("-inf"), float("nan"))
Mutator = Callable[[Model, random.Random], bytes]


def keys_of(model: Model, *kinds: int, inside: str = "") -> list[int]:
    """Where in the metadata single values of these types are, whose key contains a text."""
    return [
        index
        for index, (key, typed) in enumerate(model.metadata)
        if inside in key and (not kinds or typed.type in kinds) and not isinstance(typed.value, list)
    ]


def put(model: Model, key: str, typed: Typed) -> Model:
    kept = [(name, value) for name, value in model.metadata if name != key]
    return replace(model, metadata=[*kept, (key, typed)])


def number(rng: random.Random) -> int:
    return rng.choice(NUMBERS) if rng.random() < 0.7 else rng.randrange(64)


def extreme_number(model: Model, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 2))):
        key, typed = model.metadata[rng.choice(keys_of(model, U32, F32, inside=architecture(model)))]
        value: object = rng.choice(FLOATS) if typed.type == F32 else number(rng)
        model = put(model, key, Typed(typed.type, value))
    return model.bytes()


def architecture(model: Model) -> str:
    return str(dict(model.metadata)["general.architecture"].value) + "."


def missing_key(model: Model, rng: random.Random) -> bytes:
    gone = set(rng.sample(range(len(model.metadata)), rng.choice((1, 1, 2, 3))))
    return replace(model, metadata=[pair for i, pair in enumerate(model.metadata) if i not in gone]).bytes()


def wrong_kind(model: Model, rng: random.Random) -> bytes:
    key, typed = rng.choice(model.metadata)
    kind = rng.choice([*CODES, STRING])
    several = isinstance(typed.value, list)
    value: object = "7" if kind == STRING else 1
    return put(model, key, Typed(kind, [value] * len(typed.value) if several else value)).bytes()  # type: ignore[arg-type]


def array_for_number(model: Model, rng: random.Random) -> bytes:
    key, typed = model.metadata[rng.choice(keys_of(model, U32, F32))]
    layers = rng.choice((0, 1, 2, 2, 2, 3, 600))
    values = [rng.choice((typed.value, number(rng))) if typed.type == U32 else typed.value for _ in range(layers)]
    return put(model, key, Typed(typed.type, values)).bytes()


def expert_counts(model: Model, rng: random.Random) -> bytes:
    arch = architecture(model)
    for key in ("expert_count", "expert_used_count", "expert_group_count", "expert_group_used_count"):
        if rng.random() < 0.6:
            model = put(model, arch + key, Typed(U32, rng.choice((0, 1, 2, 3, 4, 8, 9, 16, 1025))))
    return model.bytes()


def head_counts(model: Model, rng: random.Random) -> bytes:
    arch = architecture(model)
    for key in ("head_count", "head_count_kv", "key_length", "value_length", "key_length_mla", "value_length_mla"):
        if rng.random() < 0.35:
            model = put(model, f"{arch}attention.{key}", Typed(U32, rng.choice((0, 1, 2, 3, 4, 8, 16, 64, 2**31))))
    if rng.random() < 0.5:
        model = put(model, arch + "rope.dimension_count", Typed(U32, rng.choice((0, 1, 3, 4, 8, 9, 64, 2**31))))
    return model.bytes()


def layer_counts(model: Model, rng: random.Random) -> bytes:
    arch = architecture(model)
    for key in ("block_count", "nextn_predict_layers", "leading_dense_block_count"):
        if rng.random() < 0.6:
            model = put(model, arch + key, Typed(U32, rng.choice((0, 1, 2, 3, 26, 27, 512, 513, 2**32 - 1))))
    return model.bytes()


def rope_scaling(model: Model, rng: random.Random) -> bytes:
    arch = architecture(model)
    kind = rng.choice(("none", "linear", "yarn", "longrope", "", "Yarn", "dynamic", "\udcff"))
    model = put(model, arch + "rope.scaling.type", Typed(STRING, kind))
    if rng.random() < 0.5:
        model = put(model, arch + "rope.scaling.factor", Typed(F32, rng.choice(FLOATS)))
    return model.bytes()


def other_architecture(model: Model, rng: random.Random) -> bytes:
    name = rng.choice(("llama", "qwen2", "qwen3", "deepseek2", "gemma3", "mamba", "rwkv6", "bert", "phi3", "t5", "x"))
    old = architecture(model)
    renamed = [(key.replace(old, name + ".", 1), typed) for key, typed in model.metadata]
    return put(replace(model, metadata=renamed), "general.architecture", Typed(STRING, name)).bytes()


def tokens_of(model: Model) -> list[object]:
    value = dict(model.metadata)["tokenizer.ggml.tokens"].value
    assert isinstance(value, list)
    return list(value)


def doubled_tokens(model: Model, rng: random.Random) -> bytes:
    tokens = tokens_of(model)
    for _ in range(rng.choice((1, 1, 5))):
        one, other = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        suffix = rng.choice(("", "", "\0a"))
        tokens[one] = str(tokens[other]) + suffix
    return put(model, "tokenizer.ggml.tokens", Typed(STRING, tokens)).bytes()


def odd_tokens(model: Model, rng: random.Random) -> bytes:
    tokens = tokens_of(model)
    for _ in range(rng.choice((1, 20, len(tokens)))):
        odd = rng.choice(("", "\udcff\udcfe", "[EMPTY_3]", "\0", " ", "x" * 3000, "<0x0A>", "<0xZZ>", "<0x", "\n"))
        tokens[rng.randrange(len(tokens))] = odd
    return put(model, "tokenizer.ggml.tokens", Typed(STRING, tokens)).bytes()


def token_types(model: Model, rng: random.Random) -> bytes:
    types = [rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 1)) if rng.random() < 0.5 else 1 for _ in tokens_of(model)]
    types = types if rng.random() < 0.7 else [rng.choice(range(8))] * len(types)
    return put(model, "tokenizer.ggml.token_type", Typed(I32, types)).bytes()


def token_ids(model: Model, rng: random.Random) -> bytes:
    for end in ("bos", "eos", "unknown", "padding", "seperator", "eot", "fim_pre", "mask"):
        if rng.random() < 0.4:
            value = rng.choice((0, 1, 11, 259, 261, 262, 264, 2**31, 2**32 - 1))
            model = put(model, f"tokenizer.ggml.{end}_token_id", Typed(U32, value))
    for end in ("bos", "eos", "sep"):
        if rng.random() < 0.4:
            model = put(model, f"tokenizer.ggml.add_{end}_token", Typed(BOOL, rng.random() < 0.7))
    return model.bytes()


def fewer_tokens(model: Model, rng: random.Random) -> bytes:
    tokens = tokens_of(model)
    kept = rng.choice((0, 1, 2, 10, 100, len(tokens) - 1))
    for key, typed in list(model.metadata):
        if isinstance(typed.value, list) and len(typed.value) == len(tokens):
            model = put(model, key, Typed(typed.type, typed.value[:kept]))
    if rng.random() < 0.7:
        shapes = [
            (name, (*shape[:-1], kept), kind, data[: len(data) // len(tokens) * kept])
            if shape[-1] == len(tokens)
            else (name, shape, kind, data)
            for name, shape, kind, data in model.tensors
        ]
        model = replace(model, tensors=shapes)
    return model.bytes()


def other_tokenizer(model: Model, rng: random.Random) -> bytes:
    kinds = ("llama", "gpt2", "bert", "t5", "rwkv", "plamo2", "none", "test", "hybriddna", "whitespace", "gemma4", "")
    model = put(model, "tokenizer.ggml.model", Typed(STRING, rng.choice(kinds)))
    if rng.random() < 0.5:
        pre = rng.choice(("default", "qwen2", "llama-bpe", "gpt-2", "kimi-k2", "gemma4", "whitespace", "", "x"))
        model = put(model, "tokenizer.ggml.pre", Typed(STRING, pre))
    if rng.random() < 0.3:
        blob = [rng.randrange(256) for _ in range(rng.choice((0, 3, 4, 8, 100)))]
        model = put(model, "tokenizer.ggml.precompiled_charsmap", Typed(0, blob))
    return model.bytes()


def odd_merges(model: Model, rng: random.Random) -> bytes:
    merges = [rng.choice(("", " ", "a", "a b", " b", "a ", "\udcff \udcfe", "\0 a", "x" * 500)) for _ in range(20)]
    return put(model, "tokenizer.ggml.merges", Typed(STRING, merges)).bytes()


def tensor_type(model: Model, rng: random.Random) -> bytes:
    """Another storage type, with as many bytes as it needs."""
    tensors = list(model.tensors)
    for _ in range(rng.choice((1, 1, 3))):
        index = rng.randrange(len(tensors))
        name, shape, _kind, _data = tensors[index]
        fitting = [kind for kind in TENSOR_TYPES.values() if shape[0] % kind.block == 0]
        kind = TYPE_IDS[rng.choice(fitting).name]
        elements = Model(tensors=[tensors[index]]).tensors[0][1]
        tensors[index] = (name, shape, kind, weights(product(elements), kind, rng))
    return replace(model, tensors=tensors).bytes()


def product(shape: tuple[int, ...]) -> int:
    result = 1
    for n in shape:
        result *= n
    return result


def tensor_shape(model: Model, rng: random.Random) -> bytes:
    """The same elements in another shape, or fewer."""
    tensors = list(model.tensors)
    index = rng.randrange(len(tensors))
    name, shape, _kind, _data = tensors[index]
    made = rng.choice(
        (
            shape[::-1],
            (product(shape),),
            (*shape, 1, 1)[:4],
            (shape[0], *(1 for _ in shape[1:])),
            tuple(n * 2 for n in shape),
            (1, *shape)[:4],
        )
    )
    tensors[index] = (name, made, TYPE_IDS["F32"], weights(product(made), TYPE_IDS["F32"], rng))
    return replace(model, tensors=tensors).bytes()


def tensor_names(model: Model, rng: random.Random) -> bytes:
    tensors = list(model.tensors)
    index, other = rng.randrange(len(tensors)), rng.randrange(len(tensors))
    kind = rng.randrange(5)
    if kind == 0:
        del tensors[index]
    elif kind == 1:
        name = tensors[other][0] if rng.random() < 0.5 else tensors[other][0].replace("blk.0", "blk.7")
        tensors[index] = (name, *tensors[index][1:])
    elif kind == 2:
        name = tensors[index][0].replace("weight", rng.choice(("bias", "scale", "input_scale", "lora_a")))
        tensors.append((name, (1,), TYPE_IDS["F32"], bytes(4)))
    elif kind == 3:
        name = rng.choice(("rope_freqs.weight", "output.bias", "blk.0.attn_output.bias", "cls.weight"))
        tensors.append((name, (rng.choice((1, 4, 32)),), TYPE_IDS["F32"], bytes(128)))
    else:
        tensors[index], tensors[other] = (
            (tensors[other][0], *tensors[index][1:]),
            (tensors[index][0], *tensors[other][1:]),
        )
    return replace(model, tensors=tensors).bytes()


def extra_tensors(model: Model, rng: random.Random) -> bytes:
    """Tensors that are read when they are there: factors of the rotation, biases, scales."""
    names = ("rope_freqs.weight", "output.bias", "blk.0.attn_output.bias", "blk.0.attn_q.bias", "blk.1.ffn_up.bias")
    names += (
        "rope_freqs.weight",
        "blk.0.attn_q.scale",
        "blk.0.exp_probs_b.bias",
        "blk.0.rope_freqs.weight",
        "blk.0.attn_qkv.weight",
    )
    for name in rng.sample(names, rng.choice((1, 1, 1, 3))):
        kind = TYPE_IDS[rng.choice(("F32", "F32", "F16", "I32", "I8", "F64", "BF16"))]
        length = rng.choice((1, 2, 4, 8, 16, 32, 64))
        model = replace(model, tensors=[*model.tensors, (name, (length,), kind, weights(length, kind, rng))])
    return model.bytes()


def vast_shape(model: Model, rng: random.Random) -> bytes:
    tensors = list(model.tensors)
    index = rng.randrange(len(tensors))
    name, shape, kind, data = tensors[index]
    vast = rng.choice((0, 2**31, 2**32, 2**33, 2**61, 2**62, 2**63, 2**64 - 32))
    position = rng.randrange(len(shape))
    tensors[index] = (name, (*shape[:position], vast, *shape[position + 1 :]), kind, data)
    return replace(model, tensors=tensors).bytes()


def moved_offset(model: Model, rng: random.Random) -> bytes:
    index = rng.randrange(len(model.tensors))
    offset = rng.choice((0, 1, 32, 2**31, 2**63, 2**64 - 32))
    return replace(model, offsets={index: offset}).bytes()


def alignment(model: Model, rng: random.Random) -> bytes:
    kind, value = rng.choice(((U32, 0), (U32, 3), (U32, 2**31), (U32, 1), (U32, 64), (10, 32), (STRING, "32")))
    return put(model, "general.alignment", Typed(kind, value)).bytes()


def split(model: Model, rng: random.Random) -> bytes:
    model = put(model, "split.count", Typed(2, rng.choice((0, 1, 2, 65535))))
    model = put(model, "split.no", Typed(rng.choice((2, U32)), rng.choice((0, 1, 7))))
    return put(model, "split.tensors.count", Typed(I32, rng.choice((0, 1, 10_000)))).bytes()


def counts(model: Model, rng: random.Random) -> bytes:
    data = bytearray(model.bytes())
    place = rng.choice((8, 16))
    data[place : place + 8] = struct.pack("<Q", rng.choice((0, 1, 2**31, 2**40, 2**63, 2**64 - 1)))
    return bytes(data)


def header_bytes(model: Model, rng: random.Random) -> bytes:
    """Any byte of the header, or a whole number in it."""
    size = len(model.header())
    data = bytearray(model.bytes())
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(size)
        if rng.random() < 0.6:
            data[at] = rng.randrange(256)
        else:
            data[at : at + 8] = struct.pack("<Q", rng.choice((0, 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1)))
    return bytes(data)


def lengths(model: Model, rng: random.Random) -> bytes:
    """Bytes cut out, put in, or cut off."""
    data = bytearray(model.bytes())
    at = rng.randrange(len(data) if rng.random() < 0.3 else len(model.header()))
    kind = rng.randrange(3)
    if kind == 0:
        del data[at : at + rng.randrange(1, 64)]
    elif kind == 1:
        data[at:at] = rng.randbytes(rng.randrange(1, 64))
    else:
        del data[at:]
    return bytes(data) or b"G"


def odd_weights(model: Model, rng: random.Random) -> bytes:
    """Random bytes for weights, and so numbers that are none."""
    tensors = [(name, shape, kind, rng.randbytes(len(data))) for name, shape, kind, data in model.tensors]
    return replace(model, tensors=tensors).bytes()


MUTATORS: Mapping[str, Mutator] = {
    mutator.__name__: mutator
    for mutator in (
        extreme_number,
        missing_key,
        wrong_kind,
        array_for_number,
        expert_counts,
        head_counts,
        layer_counts,
        rope_scaling,
        other_architecture,
        doubled_tokens,
        odd_tokens,
        token_types,
        token_ids,
        fewer_tokens,
        other_tokenizer,
        odd_merges,
        tensor_type,
        tensor_shape,
        tensor_names,
        extra_tensors,
        vast_shape,
        moved_offset,
        alignment,
        split,
        counts,
        header_bytes,
        lengths,
        odd_weights,
    )
}
