"""`r1-lsp models`: each action, and one sentence with the right exit code for everything wrong."""

import json
from pathlib import Path

import pytest

from engine.models.catalogue import CATALOGUE
from r1_lsp.cli import main
from tests.engine.models.gguf_files import small_model
from tests.engine.models.hub_server import REPOSITORY, FakeHub, serving


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("R1_LSP_DATA_DIR", str(tmp_path / "data"))
    for name in ("HF_ENDPOINT", "HF_TOKEN", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "data"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return small_model().write(tmp_path / "tiny.gguf")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> object:
    assert main(["models", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_file_is_added_used_verified_and_removed(model: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "add", str(model))["id"] == "tiny"  # type: ignore[index]
    used = told(capsys, "use", "tiny")
    assert used["file"] == str(data / "models" / "default.json")  # type: ignore[index]
    listed = told(capsys, "list")
    assert [(row["id"], row["default"]) for row in listed["installed"]] == [("tiny", True)]  # type: ignore[index]
    assert told(capsys, "verify") == {"tiny": "ok"}
    told(capsys, "rm", "tiny")
    assert told(capsys)["installed"] == []  # type: ignore[index]
    assert model.exists()


def test_removing_the_default_says_so_and_that_the_file_stays(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["add", str(model)], ["use", "tiny"], ["rm", "tiny"]):
        assert main(["models", *words]) == 0
    out = capsys.readouterr().out
    assert "removed tiny (its file stays)" in out
    assert "it was the default" in out


def test_people_get_tables_and_sentences(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert "no model is installed yet" in out
    assert all(name in out for name in CATALOGUE)
    assert main(["models", "add", str(model), "--name", "mine"]) == 0
    assert "the file stays where it is" in capsys.readouterr().out
    assert main(["models", "use", str(model)]) == 0
    assert "default.json" in capsys.readouterr().out
    assert main(["models", "list"]) == 0
    assert "mine" in capsys.readouterr().out


def test_a_model_is_pulled_from_a_hub(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving(FakeHub(files={"d/tiny-Q4_K_M.gguf": small_model().bytes()})) as hub:
        manifest = told(capsys, "pull", REPOSITORY, "--hub", hub.url)
        assert (manifest["id"], manifest["licence"]) == ("model", "mit")  # type: ignore[index]
        assert (data / "models" / "model" / "tiny-Q4_K_M.gguf").is_file()
        assert main(["models", "pull", REPOSITORY, "--hub", hub.url, "--file", "*Q8*"]) == 1
        assert "has no file *Q8*; it has: tiny-Q4_K_M.gguf" in capsys.readouterr().err


WRONG = [
    (["use", "r1-distil-qwen-7b"], 2, "did you mean r1-distill-qwen-7b"),
    (["use", "r1-distill-qwen-7b"], 2, "`r1-lsp models pull r1-distill-qwen-7b` installs it"),
    (["use", "/missing.gguf"], 2, "there is no file /missing.gguf"),
    (["pull", "r1-distil-qwen-7b"], 2, "did you mean r1-distill-qwen-7b"),
    (["pull", "zzz"], 2, "shows what can be pulled"),
    (["pull", "zzz/x", "--hub", "nowhere"], 1, "is not the address of a hub"),
    (["rm", "zzz"], 2, "there is no model 'zzz'"),
    (["verify", "zzz"], 2, "there is no model 'zzz'"),
    (["add", "TMP"], 1, "is a directory, not a GGUF file"),
    (["add", "TMP/missing"], 2, "there is no file"),
    (["add", "TMP/empty.gguf"], 1, "is empty"),
    (["add", "TMP/text.gguf"], 1, "is not a GGUF file"),
    (["add", "TMP/tiny.gguf", "--name", "../x"], 2, "is not a model name"),
    (["frobnicate"], 2, "invalid choice"),
    (["use"], 2, "required: name"),
    (["list", "--frob"], 2, "unrecognized arguments"),
]


@pytest.mark.parametrize(("words", "code", "sentence"), WRONG, ids=[" ".join(w[0]) for w in WRONG])
def test_what_is_wrong_is_one_sentence(
    words: list[str], code: int, sentence: str, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.gguf").write_bytes(b"")
    (tmp_path / "text.gguf").write_text("hello")
    assert main(["models", *(word.replace("TMP", str(tmp_path)) for word in words)]) == code
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("r1-lsp models: ")


def test_a_file_that_changed_fails_verification(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "add", str(model)]) == 0
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)
    capsys.readouterr()
    assert main(["models", "verify"]) == 1
    assert "its sha256 differs" in capsys.readouterr().err
