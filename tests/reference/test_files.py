"""Whole files, made as a user makes them, against llama.cpp's: tensors, their types, and metadata key by key."""

import platform
from pathlib import Path

import pytest

from tests.reference.checkpoints import CHECKPOINTS, write_checkpoint
from tests.reference.differences import DIFFERENCES, unexplained
from tests.reference.digests import load_digests, shortened
from tests.reference.gguf_file import GgufFile, read_gguf
from tests.reference.ours import our_file

EVERYWHERE = {
    "tiny-v2-lite": "Q8_0",
    "tiny-v3-fp8": "BF16",
    "tiny-v3-mtp": "F16",
    "tiny-qwen3": "F32",
}
"""One kind of file each: all of what the checkpoints are stored as, and all that is plain arithmetic."""

THOROUGH = ("F32", "Q8_0", "Q2_K", "Q4_K_M", "Q5_K_S", "IQ4_XS", "IQ3_M")


@pytest.mark.process
@pytest.mark.parametrize(("name", "kind"), EVERYWHERE.items())
def test_files_are_those_of_llama_cpp(name: str, kind: str, tmp_path: Path) -> None:
    check_file(name, kind, tmp_path)


@pytest.mark.process
@pytest.mark.skipif(platform.machine() != "x86_64", reason="another machine's quantiser may round in another way")
def test_a_searched_type_is_that_of_llama_cpp(tmp_path: Path) -> None:
    check_file("tiny-llama-tied", "Q3_K_M", tmp_path)


@pytest.mark.process
@pytest.mark.reference
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_files_of_many_kinds_are_those_of_llama_cpp(name: str, tmp_path: Path) -> None:
    for kind in set(THOROUGH) & load_digests(name).files.keys():
        check_file(name, kind, tmp_path / kind)


def test_every_difference_is_met_somewhere() -> None:
    """A difference that is gone must go from the list as well: those of the digests alone can be looked for here."""
    keys = {key for name in CHECKPOINTS for key in load_digests(name).files["F32"].metadata}
    theirs = {key for key, difference in DIFFERENCES.items() if difference.theirs is not None}
    assert theirs <= keys


def check_file(name: str, kind: str, work: Path) -> None:
    """Raises AssertionError with what is different."""
    folder = write_checkpoint(CHECKPOINTS[name], work)
    ours = shortened(read_gguf(our_file(folder, work / "ours.gguf", kind)))
    theirs = load_digests(name).files[kind]
    assert different_tensors(theirs, ours) == []
    assert unexplained(theirs.metadata, ours.metadata) == {}


def different_tensors(theirs: GgufFile, ours: GgufFile) -> list[str]:
    names = theirs.tensors.keys() | ours.tensors.keys()
    return sorted(name for name in names if theirs.tensors.get(name) != ours.tensors.get(name))
