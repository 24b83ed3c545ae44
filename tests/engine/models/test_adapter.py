"""LoRA adapters are checked against their model before llama.cpp sees them."""

from pathlib import Path

import pytest

from engine.models.adapter import check_adapter
from engine.models.gguf_header import GgufError, read_header
from gguf_convert.fields import Field
from gguf_convert.header import TensorInfo, encode_header

Shapes = dict[str, tuple[int, ...]]
MODEL: Shapes = {"token_embd.weight": (64, 100), "output.weight": (64, 100), "blk.0.attn_q.weight": (64, 32)}
GOOD: Shapes = {"blk.0.attn_q.weight.lora_a": (64, 4), "blk.0.attn_q.weight.lora_b": (4, 32)}
ADAPTER = ("general.type", "adapter"), ("adapter.type", "lora")


def write(path: Path, shapes: Shapes, architecture: str = "llama", *fields: tuple[str, str]) -> Path:
    infos, offset = [], 0
    for name, shape in shapes.items():
        size = 4
        for n in shape:
            size *= n
        infos.append(TensorInfo(name=name, shape=shape, type="F32", offset=offset))
        offset += -(-size // 32) * 32
    said = [Field("general.architecture", "string", architecture), *(Field(key, "string", v) for key, v in fields)]
    path.write_bytes(encode_header(said, infos) + bytes(offset))
    return path


def check(tmp_path: Path, adapter: Path, model: Shapes = MODEL, architecture: str = "llama") -> None:
    half = len(model) // 2
    parts = [dict(list(model.items())[:half]), dict(list(model.items())[half:])]
    files = [write(tmp_path / f"model-{n}.gguf", part, architecture) for n, part in enumerate(parts)]
    check_adapter(adapter, map(read_header, files))


def test_one_that_fits_is_taken(tmp_path: Path) -> None:
    embeddings: Shapes = {"token_embd.weight.lora_a": (4, 100), "token_embd.weight.lora_b": (4, 64)}
    check(tmp_path, write(tmp_path / "a.gguf", {**GOOD, **embeddings}, "llama", *ADAPTER))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"blk.0.attn_q.weight.lora_b": (8, 32)}, "matrices of another size"),
        ({"blk.0.attn_q.weight.lora_a": (32, 4)}, "matrices of another size"),
        ({"blk.0.attn_q.weight.lora_b": (4, 64)}, "matrices of another size"),
        ({"token_embd.weight.lora_a": (100, 4), "token_embd.weight.lora_b": (4, 64)}, "matrices of another size"),
        ({"blk.9.attn_q.weight.lora_a": (64, 4), "blk.9.attn_q.weight.lora_b": (4, 32)}, "does not have"),
        ({"blk.1.attn_q.weight.lora_a": (64, 4)}, "only one of the two"),
        ({"blk.0.attn_norm.weight": (64,)}, "no part of a LoRA adapter"),
    ],
)
def test_one_that_does_not_fit_is_refused(tmp_path: Path, change: Shapes, sentence: str) -> None:
    adapter = write(tmp_path / "a.gguf", {**GOOD, **change}, "llama", *ADAPTER)
    with pytest.raises(GgufError, match=sentence) as refusal:
        check(tmp_path, adapter)
    assert "\n" not in str(refusal.value)


def test_what_llama_cpp_would_ignore_is_refused(tmp_path: Path) -> None:
    adapter = write(tmp_path / "a.gguf", GOOD, "deepseek2", *ADAPTER)
    with pytest.raises(GgufError, match="ignores adapters"):
        check(tmp_path, adapter, architecture="deepseek2")


def test_embeddings_that_are_the_output_too_are_refused(tmp_path: Path) -> None:
    tied = {name: shape for name, shape in MODEL.items() if name != "output.weight"}
    shapes: Shapes = {"token_embd.weight.lora_a": (4, 100), "token_embd.weight.lora_b": (4, 64)}
    with pytest.raises(GgufError, match="which are also this model's output"):
        check(tmp_path, write(tmp_path / "a.gguf", shapes, "llama", *ADAPTER), tied)


def test_a_model_is_no_adapter(tmp_path: Path) -> None:
    with pytest.raises(GgufError, match="is not a LoRA adapter"):
        check(tmp_path, write(tmp_path / "a.gguf", GOOD, "llama", ("general.type", "model")))
