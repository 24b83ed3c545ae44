"""Requantising gives the same bytes each time and a file that is sound."""

import hashlib
import struct
from pathlib import Path

import pytest

from engine.backends.requantise import requantise
from engine.errors import ModelUnusable
from engine.models.store import usable_header
from tests.engine.models.gguf_files import Model, Typed, small_model

WIDTH, TOKENS = 32, 8


def weights(n: int) -> bytes:
    return struct.pack(f"<{n}f", *(((i * 37) % 101 - 50) / 50 for i in range(n)))


def one_layer() -> Model:
    """A llama of one layer with full-precision weights, small enough to write by hand."""
    model = small_model()
    model.metadata += [
        ("llama.block_count", Typed(4, 1)),
        ("llama.embedding_length", Typed(4, WIDTH)),
        ("llama.feed_forward_length", Typed(4, WIDTH)),
        ("llama.attention.head_count", Typed(4, 1)),
        ("llama.attention.layer_norm_rms_epsilon", Typed(6, 1e-5)),
        ("general.file_type", Typed(4, 0)),
        ("tokenizer.ggml.merges", Typed(8, ["a b"])),
    ]
    square = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    model.tensors = [
        ("token_embd.weight", (WIDTH, TOKENS), 0, weights(WIDTH * TOKENS)),
        ("output_norm.weight", (WIDTH,), 0, weights(WIDTH)),
        ("blk.0.attn_norm.weight", (WIDTH,), 0, weights(WIDTH)),
        ("blk.0.ffn_norm.weight", (WIDTH,), 0, weights(WIDTH)),
        *((f"blk.0.{name}.weight", (WIDTH, WIDTH), 0, weights(WIDTH * WIDTH)) for name in square),
    ]
    return model


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("type_name", ["Q8_0", "Q4_0"])
def test_the_same_input_gives_the_same_bytes(type_name: str, tmp_path: Path) -> None:
    source = one_layer().write(tmp_path / "source.gguf")
    usable_header(source)
    first, second = tmp_path / "first.gguf", tmp_path / "second.gguf"
    requantise(source, first, type_name, embedding="Q8_0")
    requantise(source, second, type_name, embedding="Q8_0")
    assert digest(first) == digest(second)
    types = {tensor.name: tensor.type.name for tensor in usable_header(first).tensors}
    assert types["token_embd.weight"] == "Q8_0"
    assert types["blk.0.ffn_up.weight"] == type_name
    again = tmp_path / "again.gguf"
    requantise(first, again, "Q4_0")
    assert usable_header(again).n_params == usable_header(source).n_params


def test_a_target_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    source = one_layer().write(tmp_path / "source.gguf")
    with pytest.raises(ModelUnusable, match="could not requantise"):
        requantise(source, tmp_path / "missing" / "x.gguf", "Q8_0")
