"""Installed models: recorded, checked before use, resolved by name or path."""

import os
from pathlib import Path

import pytest

from engine.errors import ModelNotFound, ModelUnusable
from engine.models.memory import attention_bytes, need
from engine.models.resolve import expanded, near_names, resolve, store_in
from engine.models.store import DEFAULT_ID, Store, add_file, shards, usable_header
from engine.types import EngineOptions
from tests.engine.models.gguf_files import Typed, small_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return small_model().write(tmp_path / "tiny.gguf")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return store_in(tmp_path / "data")


def options(model: object) -> EngineOptions:
    return EngineOptions(model=str(model))


def test_a_file_is_added_where_it_is_and_resolved_by_name(model: Path, store: Store, tmp_path: Path) -> None:
    manifest = add_file(store, model, "tiny")
    assert manifest.family == "smollm2"
    assert manifest.weights == "Q8_0"
    assert store.installed() == (manifest,)
    found = resolve(options("tiny"), tmp_path / "data")
    assert (found.path, found.id, found.family, found.n_ctx_train) == (model, "tiny", "smollm2", 2048)
    assert found.size == model.stat().st_size


def test_a_path_is_resolved_without_being_installed(model: Path, tmp_path: Path) -> None:
    found = resolve(options(model), tmp_path / "data")
    assert (found.path, found.id) == (model, "tiny")


def test_a_changed_file_is_read_again_and_a_wrong_one_refused(model: Path, store: Store, tmp_path: Path) -> None:
    add_file(store, model, "tiny")
    os.utime(model, ns=(1, 1))
    resolve(options("tiny"), tmp_path / "data")
    assert store.get("tiny").files[0].mtime_ns == 1  # type: ignore[union-attr]
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)
    with pytest.raises(ModelUnusable, match="its sha256 differs"):
        resolve(options("tiny"), tmp_path / "data")
    os.utime(model, ns=(1, 1))
    resolve(options("tiny"), tmp_path / "data")
    with pytest.raises(ModelUnusable, match="its sha256 differs"):
        store.check(store.get("tiny"), thorough=True)  # type: ignore[arg-type]
    model.write_bytes(data + b"x")
    with pytest.raises(ModelUnusable, match=r"bytes, .* were installed"):
        resolve(options("tiny"), tmp_path / "data")
    model.unlink()
    with pytest.raises(ModelNotFound, match=r"there is no file .* any more"):
        resolve(options("tiny"), tmp_path / "data")


def test_default_is_what_was_chosen(model: Path, store: Store, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="default model is not installed; `make setup`"):
        resolve(EngineOptions(), tmp_path / "data")
    assert store.chosen() == DEFAULT_ID
    add_file(store, model, "tiny")
    store.choose("tiny")
    assert resolve(EngineOptions(), tmp_path / "data").id == "tiny"
    assert expanded(EngineOptions(), tmp_path / "data").model == "tiny"
    assert expanded(options("other"), tmp_path / "data").model == "other"
    store.remove("tiny")
    assert store.chosen() == DEFAULT_ID
    assert model.exists(), "a user's own file is never removed"


UNKNOWN = {
    "r1-distill-qwen-7b": "is not installed; `r1-lsp models pull r1-distill-qwen-7b` installs it",
    "r1-distil-qwen-7b": "did you mean r1-distill-qwen-7b",
    "qwen2.5-coder": "did you mean qwen2.5-coder-",
    "zzz": "`r1-lsp models list` shows",
    "../../etc/nowhere": "there is no file",
    "/missing.gguf": "there is no file /missing.gguf",
    "": "there is no model ''",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_model_is_one_helpful_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises((ModelNotFound, ModelUnusable)) as caught:
        resolve(options(name), tmp_path / "data")
    assert UNKNOWN[name] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_a_model_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty.gguf").write_bytes(b"")
    (tmp_path / "text.gguf").write_text("hello")
    for path, sentence in [
        (tmp_path / "empty.gguf", "is empty"),
        (tmp_path / "text.gguf", "is not a GGUF file"),
        (f"{tmp_path}/", "is a directory"),
    ]:
        with pytest.raises(ModelUnusable, match=sentence):
            resolve(options(path), tmp_path / "data")


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "x" * 200, "a\0b", "é"])
def test_a_model_name_never_leaves_the_folder(name: str, store: Store, model: Path) -> None:
    assert store.get(name) is None
    with pytest.raises(ModelNotFound):
        add_file(store, model, name)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id": "tiny", "files": [], "source": ""}', "\0"])
def test_a_damaged_manifest_hides_no_other_model(text: str, store: Store, model: Path) -> None:
    add_file(store, model, "tiny")
    add_file(store, model, "other")
    (store.folder("tiny") / "manifest.json").write_text(text)
    assert [manifest.id for manifest in store.installed()] == ["other"]
    with pytest.raises(ModelUnusable, match="is damaged"):
        store.get("tiny")


def test_a_manifest_that_points_out_of_its_folder_is_damaged(store: Store, model: Path) -> None:
    manifest = add_file(store, model, "tiny")
    away = manifest.files[0].model_copy(update={"path": "../../tiny.gguf"})
    store.save(manifest.model_copy(update={"files": (away,)}))
    with pytest.raises(ModelUnusable, match="is damaged"):
        store.get("tiny")


def test_split_models_are_whole_or_refused(tmp_path: Path) -> None:
    first = small_model().write(tmp_path / "m-00001-of-00002.gguf")
    with pytest.raises(ModelNotFound, match=r"m-00002-of-00002.gguf is missing"):
        shards(first)
    second = small_model().write(tmp_path / "m-00002-of-00002.gguf")
    assert shards(first) == (first, second)
    assert resolve(options(first), tmp_path / "data").size == first.stat().st_size * 2
    with pytest.raises(ModelUnusable, match=r"give its first part, m-00001-of-00002.gguf"):
        shards(second)


def test_near_names_ignore_case(store: Store) -> None:
    assert near_names("R1-Distill-Qwen-7B", store)[0] == "r1-distill-qwen-7b"


def test_memory_is_weights_and_attention_and_room_to_work(tmp_path: Path) -> None:
    model = small_model()
    model.metadata += [
        ("llama.block_count", Typed(4, 30)),
        ("llama.attention.head_count", Typed(4, 9)),
        ("llama.attention.head_count_kv", Typed(4, 3)),
        ("llama.embedding_length", Typed(4, 576)),
    ]
    header = usable_header(model.write(tmp_path / "m.gguf"))
    assert attention_bytes(header, 1000) == 2 * 2 * 30 * 1000 * 3 * 64
    estimate = need(header, 1000)
    assert estimate.weights == 272 + 128 + 128
    assert estimate.total > estimate.weights + estimate.attention
    assert estimate.fits is True
