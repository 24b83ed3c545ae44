"""A checkpoint is its configuration and its shards; whatever is missing or points elsewhere is named."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from gguf_convert.errors import SourceError
from gguf_convert.source.checkpoint import MAX_INDEX, open_checkpoint
from tests.gguf_convert.source.files import safetensors_bytes, write_checkpoint

A, B = np.zeros((2, 2), np.float32), np.ones((3,), np.float16)
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def test_one_file(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_checkpoint(tmp_path, {"model.safetensors": {"a": A, "b": B}}, {"n": "é😀"}))
    assert checkpoint.config == {"n": "é😀"}
    assert [(t.name, t.shard) for t in checkpoint.tensors.values()] == [
        ("a", "model.safetensors"),
        ("b", "model.safetensors"),
    ]
    assert checkpoint.shards["model.safetensors"].size == (tmp_path / "model.safetensors").stat().st_size
    assert pickle.loads(pickle.dumps(checkpoint)) == checkpoint


@pytest.mark.parametrize("index", [True, False])
def test_several_files(tmp_path: Path, *, index: bool) -> None:
    checkpoint = open_checkpoint(write_checkpoint(tmp_path, {FIRST: {"a": A}, SECOND: {"b": B}}, index=index))
    assert {name: tensor.shard for name, tensor in checkpoint.tensors.items()} == {"a": FIRST, "b": SECOND}


def test_files_may_be_links_as_in_the_cache_of_the_hub(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / "123"
    blob.parent.mkdir()
    blob.write_bytes(safetensors_bytes({"a": A}))
    folder = write_checkpoint(tmp_path / "snapshot", {})
    (folder / "model.safetensors").symlink_to(blob)
    assert open_checkpoint(folder).tensors.keys() == {"a"}


def test_the_index_decides_where_a_name_is_in_two_files(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, {FIRST: {"a": A, "b": B}, SECOND: {"b": B}})
    assert open_checkpoint(folder).tensors["b"].shard == SECOND
    (folder / "model.safetensors.index.json").unlink()
    with pytest.raises(SourceError, match=f"has the tensor 'b' in {FIRST} and {SECOND}"):
        open_checkpoint(folder)


def with_index(folder: Path, weight_map: object) -> Path:
    write_checkpoint(folder, {FIRST: {"a": A}, SECOND: {"b": B}})
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return folder


@pytest.mark.parametrize(
    "shard", ["../x.safetensors", "/etc/x.safetensors", "a\\b.safetensors", "x.bin", "C:x.safetensors", 5, ""]
)
def test_an_index_that_points_elsewhere_is_refused(tmp_path: Path, shard: object) -> None:
    with pytest.raises(SourceError, match="which is no safetensors file beside it"):
        open_checkpoint(with_index(tmp_path, {"a": shard}))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"there is no file .*config\.json"):
        open_checkpoint(tmp_path)
    with pytest.raises(SourceError, match="holds no safetensors file"):
        open_checkpoint(write_checkpoint(tmp_path, {}))
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(SourceError, match="only pickled weights, which are not read because reading runs their code"):
        open_checkpoint(tmp_path)
    with pytest.raises(SourceError, match=f"lacks its file {SECOND}"):
        open_checkpoint(write_checkpoint(tmp_path / "numbered", {FIRST: {"a": A}}))
    folder = with_index(tmp_path / "indexed", {"a": FIRST, "b": SECOND, "c": SECOND})
    with pytest.raises(SourceError, match=rf"{SECOND} lacks the tensor 'c', which model\.safetensors\.index\.json"):
        open_checkpoint(folder)
    (folder / SECOND).unlink()
    with pytest.raises(SourceError, match=f"the checkpoint in .* lacks its file {SECOND}"):
        open_checkpoint(folder)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[1]", "holds no JSON object"),
        ("{", "does not hold sound JSON"),
        ("[" * 100_000, "does not hold sound JSON"),
        ('{"a": ' + "1" * 5000 + "}", "does not hold sound JSON"),
        ('{"a": 1, "a": 2}', "has the key 'a' twice in one object"),
        ("\udcff", "does not hold sound JSON"),
        ('{"a": [' + "[]," * 600_000 + "1]}", "holds more lists and objects"),
        (" " * 5_000_000, "is larger than 4194304 bytes"),
    ],
)
def test_a_configuration_that_is_unsound_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    write_checkpoint(tmp_path, {"model.safetensors": {"a": A}})
    (tmp_path / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SourceError, match=sentence):
        open_checkpoint(tmp_path)


def test_an_index_has_a_limit(tmp_path: Path) -> None:
    folder = with_index(tmp_path, {"a": FIRST})
    (folder / "model.safetensors.index.json").write_bytes(b" " * (MAX_INDEX + 1))
    with pytest.raises(SourceError, match="is larger than"):
        open_checkpoint(folder)
    (folder / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(SourceError, match="has no weight_map"):
        open_checkpoint(folder)
