"""Each rule about models that would end llama.cpp's process refuses its file with one sentence."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import ModelUnusable
from engine.models.gguf_header import GgufError
from engine.models.gguf_model import read_model_header
from engine.models.store import usable_header
from tests.engine.models.gguf_files import STRING, Model, Typed
from tests.robustness.gguf_mutations import put
from tests.robustness.tiny_gguf import F32, TYPE_IDS, U32, deepseek, llama, qwen


def with_type(model: Model, name: str, kind: str, size: int) -> Model:
    tensors = [
        (tensor[0], tensor[1], TYPE_IDS[kind], bytes(size)) if tensor[0] == name else tensor for tensor in model.tensors
    ]
    assert tensors != model.tensors
    return replace(model, tensors=tensors)


def without_bytes(model: Model) -> Model:
    tokens = dict(model.metadata)["tokenizer.ggml.tokens"].value
    assert isinstance(tokens, list)
    return put(model, "tokenizer.ggml.tokens", Typed(STRING, ["<0xZZ>" if t == "<0x41>" else t for t in tokens]))


def unaligned(model: Model) -> Model:
    model = put(replace(model, alignment=8), "general.alignment", Typed(U32, 8))
    # A longer name moves the data by 8 bytes until it is not where 32 would put it.
    while -(-len(model.header()) // 8) * 8 % 32 == 0:
        model = put(model, "general.name", Typed(STRING, "12345678"))
    return model


REFUSED: dict[str, tuple[Callable[[], Model], str]] = {
    "no layers": (lambda: put(llama(), "llama.block_count", Typed(U32, 0)), "claims 0 layers; 1 to 512 are possible"),
    "many layers": (lambda: put(llama(), "llama.block_count", Typed(U32, 513)), "claims 513 layers"),
    "layers ahead": (
        lambda: put(deepseek(), "deepseek2.nextn_predict_layers", Typed(U32, 3)),
        "claims that 3 of its 2 layers predict tokens ahead",
    ),
    "many experts": (lambda: put(deepseek(), "deepseek2.expert_count", Typed(U32, 2000)), "claims 2000 experts"),
    "experts used": (
        lambda: put(deepseek(), "deepseek2.expert_used_count", Typed(U32, 9)),
        "uses 9 of 8 experts",
    ),
    "experts used by one layer": (
        lambda: put(deepseek(), "deepseek2.expert_used_count", Typed(U32, [2, 9])),
        "uses 9 of 8 experts",
    ),
    "no expert used": (
        lambda: put(deepseek(), "deepseek2.expert_used_count", Typed(U32, 0)),
        "uses 0 of 8 experts",
    ),
    "groups of one": (
        lambda: put(deepseek(), "deepseek2.expert_group_count", Typed(U32, 8)),
        "has 8 groups for 8 experts",
    ),
    "uneven groups": (
        lambda: put(deepseek(), "deepseek2.expert_group_count", Typed(U32, 3)),
        "uses 2 of 3 groups of its 8 experts",
    ),
    "all groups used": (
        lambda: put(deepseek(), "deepseek2.expert_group_used_count", Typed(U32, 4)),
        "uses 4 of 4 groups of its 8 experts",
    ),
    "groups without experts": (
        lambda: put(llama(), "llama.expert_group_count", Typed(U32, 2)),
        "has 2 groups for 0 experts",
    ),
    "gating": (
        lambda: put(deepseek(), "deepseek2.expert_gating_func", Typed(U32, 5)),
        "chooses experts by function 5; there are 4",
    ),
    "bytes named as RWKV does not": (
        lambda: put(llama(), "tokenizer.ggml.model", Typed(STRING, "rwkv")),
        "has a vocabulary without a token for each byte",
    ),
    "scaling": (
        lambda: put(qwen("qwen3"), "qwen3.rope.scaling.type", Typed(STRING, "dynamic")),
        "scales positions by 'dynamic', which does not exist",
    ),
    "negative epsilon": (
        lambda: put(llama(), "llama.attention.layer_norm_rms_epsilon", Typed(F32, -1.0)),
        "has -1.0 under 'attention.layer_norm_rms_epsilon'",
    ),
    "no number for epsilon": (
        lambda: put(llama(), "llama.attention.layer_norm_rms_epsilon", Typed(F32, float("nan"))),
        "has nan under",
    ),
    "heads of values": (
        lambda: put(qwen("qwen2"), "qwen2.attention.value_length", Typed(U32, 4)),
        "has heads of 8 for keys, 4 for values and 8 for positions",
    ),
    "heads and embedding": (
        lambda: put(qwen("qwen2"), "qwen2.attention.head_count", Typed(U32, 2)),
        "has 2 heads of 8 for an embedding of 32",
    ),
    "uneven sharing": (
        lambda: put(llama(), "llama.attention.head_count_kv", Typed(U32, 3)),
        "shares 3 heads of keys among 4 of queries",
    ),
    "uneven sharing in one layer": (
        lambda: put(llama(), "llama.attention.head_count_kv", Typed(U32, [2, 3])),
        "shares 3 heads of keys among 4 of queries",
    ),
    "nothing unturned": (
        lambda: put(deepseek(), "deepseek2.rope.dimension_count", Typed(U32, 40)),
        "turns 40 of 40 dimensions of each head by their position",
    ),
    "keys of another length": (
        lambda: put(deepseek(), "deepseek2.attention.key_length", Typed(U32, 24)),
        "has 1 keys of 24 for a latent vector of 32 and 8 dimensions that are turned; 1 of 40 is needed",
    ),
    "latent keys for each head": (
        lambda: put(deepseek(), "deepseek2.attention.head_count_kv", Typed(U32, 4)),
        "has 4 keys of 40 for a latent vector of 32",
    ),
    "no heads": (
        lambda: put(deepseek(), "deepseek2.attention.head_count", Typed(U32, 0)),
        "has 1 keys of 0 for a latent vector of 32 and 0 dimensions",
    ),
    "only layers ahead": (
        lambda: put(deepseek(), "deepseek2.nextn_predict_layers", Typed(U32, 2)),
        "claims that 2 of its 2 layers predict tokens ahead",
    ),
    "a scale in another type": (
        lambda: replace(
            qwen("qwen2"), tensors=[*qwen("qwen2").tensors, ("blk.0.attn_q.scale", (1,), TYPE_IDS["F64"], bytes(8))]
        ),
        "stores 'blk.0.attn_q.scale' as F64",
    ),
    "integers": (
        lambda: with_type(llama(), "blk.0.attn_k.weight", "I8", 32 * 16),
        "stores the matrix 'blk.0.attn_k.weight' as I8, with which nothing can be multiplied",
    ),
    "half a norm": (
        lambda: with_type(llama(), "output_norm.weight", "F16", 64),
        "stores 'output_norm.weight' as F16; norms, biases and factors",
    ),
    "half a bias": (
        lambda: with_type(qwen("qwen2"), "blk.1.attn_k.bias", "F16", 32),
        "stores 'blk.1.attn_k.bias' as F16",
    ),
    "alignment": (lambda: unaligned(llama()), "where memory is not aligned to 32 bytes"),
    "a byte without a token": (lambda: without_bytes(llama()), "has a vocabulary without a token for each byte"),
    "bytes in BERT": (
        lambda: put(llama(), "tokenizer.ggml.model", Typed(STRING, "bert")),
        "has tokens of bytes, which vocabularies of this kind cannot have",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_that_would_end_the_process_is_refused(name: str, tmp_path: Path) -> None:
    build, sentence = REFUSED[name]
    path = build().write(tmp_path / "it.gguf")
    with pytest.raises(GgufError) as caught:
        read_model_header(path)
    assert str(caught.value).startswith(str(path))
    assert sentence in str(caught.value)


def test_the_engine_does_not_load_it(tmp_path: Path) -> None:
    path = put(llama(), "llama.block_count", Typed(U32, 513)).write(tmp_path / "it.gguf")
    with pytest.raises(ModelUnusable, match="claims 513 layers"):
        usable_header(path)


def test_shards_after_the_first_say_nothing_about_the_model(tmp_path: Path) -> None:
    shard = replace(llama(), metadata=[("split.no", Typed(2, 1)), ("split.count", Typed(2, 2))])
    assert read_model_header(shard.write(tmp_path / "it.gguf")).architecture == ""
