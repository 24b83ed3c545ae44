"""Metadata, names and shapes of the tiny checkpoints against what llama.cpp's converter wrote for them.

The list of all differences is in tests/reference/differences.py; each has its reason in docs/conversion.md.
"""

import hashlib
import json
import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from gguf_convert.arch.architecture import Choices
from gguf_convert.fields import Field
from gguf_convert.general import general_fields
from gguf_convert.tokenizer import tokenizer_fields
from tests.gguf_convert.arch.listing import Shapes, layout_of
from tests.reference.checkpoints import CHECKPOINTS, write_checkpoint
from tests.reference.differences import DIFFERENCES, unexplained
from tests.reference.digests import load_digests, shortened
from tests.reference.gguf_file import Entry, GgufFile


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_metadata(name: str, tmp_path: Path) -> None:
    folder = write_checkpoint(CHECKPOINTS[name], tmp_path)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    layout = layout_of(config, _weights(folder))
    ours = [
        *layout.fields,
        *general_fields(folder, config, layout.tensors),
        *tokenizer_fields(folder, config),
    ]
    theirs = load_digests(name).files["F32"]
    assert len({field.key for field in ours}) == len(ours)
    assert unexplained(_without_file_type(theirs.metadata), _entries(ours)) == {}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_names_shapes_and_their_order(name: str, tmp_path: Path) -> None:
    folder = write_checkpoint(CHECKPOINTS[name], tmp_path)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    tensors = layout_of(config, _weights(folder)).tensors
    files = load_digests(name).files
    assert {t.name: t.shape for t in tensors} == {n: tuple(t.shape) for n, t in files["F32"].tensors.items()}
    if "Q8_0" in files:
        unquantised = {name for name, tensor in files["Q8_0"].tensors.items() if tensor.type == "F32"}
        assert {tensor.name for tensor in tensors if tensor.pinned == "F32"} == unquantised


def test_the_layer_of_multi_token_prediction_adds_to_the_same_file(tmp_path: Path) -> None:
    folder = write_checkpoint(CHECKPOINTS["tiny-v3-mtp"], tmp_path)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    kept = layout_of(config, _weights(folder), Choices(mtp="keep"))
    theirs = load_digests("tiny-v3-mtp").files["F32"]
    more = {tensor.name for tensor in kept.tensors} - set(theirs.tensors)
    assert set(theirs.tensors) <= {tensor.name for tensor in kept.tensors}
    assert more == {tensor.name for tensor in kept.tensors if tensor.name.startswith("blk.3.")}
    changed = {key for key in unexplained(theirs.metadata, _entries(kept.fields)) if key.startswith("deepseek2.")}
    assert changed == {"deepseek2.block_count", "deepseek2.nextn_predict_layers"}


def _entries(fields: Sequence[Field]) -> Mapping[str, Entry]:
    """As the digests have them."""
    return shortened(GgufFile({field.key: _entry(field) for field in fields}, {})).metadata


def _without_file_type(metadata: Mapping[str, Entry]) -> Mapping[str, Entry]:
    return {key: entry for key, entry in metadata.items() if key != "general.file_type"}


def _entry(field: Field) -> Entry:
    """As it is read back from a file: floats in single precision."""
    value = list(field.value) if isinstance(field.value, tuple) else field.value
    return Entry(field.type, struct.unpack("<f", struct.pack("<f", value))[0] if field.type == "f32" else value)


def _weights(folder: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all weights, without the scales of FP8 blocks."""
    shapes = {}
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        shapes |= {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
    return {name: shape for name, shape in shapes.items() if not name.endswith("_scale_inv")}


def test_factors_of_llama3_are_the_same_bits(tmp_path: Path) -> None:
    folder = write_checkpoint(CHECKPOINTS["tiny-llama"], tmp_path)
    layout = layout_of(json.loads((folder / "config.json").read_text("utf-8")), _weights(folder))
    [factors] = [tensor for tensor in layout.tensors if tensor.name == "rope_freqs.weight"]
    made = np.ascontiguousarray(factors.source.rows(Shapes({}), 0, 1), dtype="<f4").tobytes()
    theirs = load_digests("tiny-llama").files["F32"].tensors["rope_freqs.weight"]
    assert hashlib.sha256(made).hexdigest()[: len(theirs.digest)] == theirs.digest


@pytest.mark.parametrize("key", DIFFERENCES)
def test_every_difference_is_in_the_documentation(key: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "conversion.md").read_text("utf-8")
    general = re.sub("fim_.*_token_id", "fim_*_token_id", key).replace("qwen3.rope.", "*.rope.")
    assert f"`{general}`" in page
