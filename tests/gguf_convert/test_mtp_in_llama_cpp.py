"""Files with the layer of multi-token prediction, in the llama.cpp that the engine uses."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gguf_convert.arch.architecture import Choices
from gguf_convert.arch.table import architecture_of
from gguf_convert.fields import Field
from gguf_convert.header import TensorInfo, encode_header, padded
from gguf_convert.source.checkpoint import Checkpoint, open_checkpoint
from gguf_convert.source.reader import CheckpointReader, logical_weights
from gguf_convert.tokenizer import tokenizer_fields
from tests.reference.checkpoints import CHECKPOINTS, write_checkpoint

pytestmark = pytest.mark.process

_TOKENS = list(range(5, 60, 3))


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    return open_checkpoint(write_checkpoint(CHECKPOINTS["tiny-v3-mtp"], tmp_path_factory.mktemp("mtp")))


def test_a_kept_layer_does_not_change_what_the_model_answers(checkpoint: Checkpoint, tmp_path: Path) -> None:
    dropped, kept = (_loaded(_written(checkpoint, mtp, tmp_path)) for mtp in ("drop", "keep"))
    assert dropped == kept
    assert len(set(dropped)) > 100, "the logits are those of a model"


@pytest.mark.parametrize("mtp", ["keep", "separate"])
def test_llama_cpp_takes_the_layer_as_a_draft(mtp: str, checkpoint: Checkpoint, tmp_path: Path) -> None:
    assert _loaded(_written(checkpoint, mtp, tmp_path), draft=True) is None


def test_a_draft_alone_says_what_it_is(checkpoint: Checkpoint) -> None:
    with CheckpointReader(checkpoint) as reader:
        layout = architecture_of(checkpoint.config).layout(
            checkpoint.config, logical_weights(checkpoint), reader, Choices(mtp="separate")
        )
    assert "draft" in " ".join(layout.warnings)


def _written(checkpoint: Checkpoint, mtp: str, folder: Path) -> Path:
    """The whole checkpoint in single precision, without the machinery of a conversion."""
    path, infos, offset = folder / f"{mtp}.gguf", [], 0
    with CheckpointReader(checkpoint) as reader, path.open("wb") as file:
        layout = architecture_of(checkpoint.config).layout(
            checkpoint.config, logical_weights(checkpoint), reader, Choices(mtp=mtp)
        )
        for tensor in layout.tensors:
            infos.append(TensorInfo(name=tensor.name, shape=tensor.shape, type="F32", offset=offset))
            offset += padded(infos[-1].size)
        kind = Field("general.file_type", "u32", 0)
        fields = [*layout.fields, kind, *tokenizer_fields(checkpoint.folder, checkpoint.config)]
        file.write(encode_header(fields, infos))
        for tensor, info in zip(layout.tensors, infos, strict=True):
            rows = tensor.source.rows(reader, 0, tensor.n_rows)
            file.write(rows.astype("<f4").tobytes() + bytes(padded(info.size) - info.size))
    return path


def _loaded(path: Path, *, draft: bool = False) -> Any:
    job = {"file": str(path), "draft": draft, "tokens": _TOKENS}
    program = [sys.executable, "-I", Path(__file__).with_name("llama_context.py")]
    done = subprocess.run(program, input=json.dumps(job), capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
