"""Every tensor we make of the tiny checkpoints has the bits that llama.cpp's converter and quantiser give it."""

import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from gguf_convert.arch.architecture import Choices
from gguf_convert.arch.table import architecture_of
from gguf_convert.ggml import quantise
from gguf_convert.source.checkpoint import open_checkpoint
from gguf_convert.source.reader import CheckpointReader, logical_weights
from gguf_convert.tensors import TargetTensor
from tests.reference.checkpoints import CHECKPOINTS, write_checkpoint
from tests.reference.digests import load_digests, tensors_of
from tests.reference.gguf_file import digest

EXACT = frozenset({"F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"})
"""Written by plain arithmetic, the same on every machine. The other types' quantisers search for the best scales, and a
compiler for another machine may round there in another way than the one that the digests were made with.
"""

Chosen = Callable[[TargetTensor, str], bool]


def quick(tensor: TargetTensor, kind: str) -> bool:
    """What `make test` compares: all values, and searched types in one block. Equal values and the same library make
    the rest equal; the tables of IQ3_S alone take seconds.
    """
    small = tensor.name.startswith("blk.1.") and tensor.elements <= 2**17
    return kind in EXACT or (small and kind != "IQ3_S" and platform.machine() == "x86_64")


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_tensors_are_those_of_llama_cpp(name: str, tmp_path: Path) -> None:
    assert not different_tensors(name, tmp_path, quick)


@pytest.mark.reference
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_tensors_of_all_types_are_those_of_llama_cpp(name: str, tmp_path: Path) -> None:
    assert not different_tensors(name, tmp_path, lambda tensor, kind: True)


def different_tensors(name: str, work: Path, chosen: Chosen) -> list[str]:
    """Names and types of the tensors that differ; of those that only one of the two has, the names."""
    wanted = tensors_of(load_digests(name))
    checkpoint = open_checkpoint(write_checkpoint(CHECKPOINTS[name], work))
    with CheckpointReader(checkpoint) as reader:
        architecture = architecture_of(checkpoint.config)
        layout = architecture.layout(checkpoint.config, logical_weights(checkpoint), reader, Choices())
        different = sorted({tensor.name for tensor in layout.tensors} ^ wanted.keys())
        for tensor in layout.tensors:
            rows = tensor.source.rows(reader, 0, tensor.n_rows)
            different += [
                f"{tensor.name} {known.type}"
                for known in wanted.get(tensor.name, ())
                if chosen(tensor, known.type)
                and (tensor.shape, digest(quantise(known.type, rows))) != (known.shape, known.digest)
            ]
    return different
