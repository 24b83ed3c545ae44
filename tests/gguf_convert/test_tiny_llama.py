"""From a folder to a model that llama.cpp runs, on the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gguf_convert.cli import carry_out as command
from gguf_convert.cli import main
from gguf_convert.source.checkpoint import open_checkpoint
from gguf_convert.source.known_hashes import known_hashes
from tests.gguf_convert.tiny_llama import TOKENS, write_tiny_llama

pytestmark = pytest.mark.process

# Loads a file and prints the tokens of a text and the likeliest next one after each; llama.cpp may end its process.
_RUN = """
import json, sys, llama_cpp
model = llama_cpp.Llama(sys.argv[1], n_ctx=64, verbose=False, logits_all=True)
tokens = model.tokenize(b"hello hello", add_bos=False, special=True)
model.eval(tokens)
print(json.dumps({"tokens": tokens, "next": model.scores[: len(tokens)].argmax(axis=1).tolist()}))
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_tiny_llama(tmp_path / "tiny")


def run(path: Path) -> dict[str, list[int]]:
    process = subprocess.run(
        [sys.executable, "-c", _RUN, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert process.returncode == 0, process.stderr[-2000:]
    told: dict[str, list[int]] = json.loads(process.stdout)
    return told


def test_it_loads_and_agrees_with_its_unquantised_self(source: Path, tmp_path: Path) -> None:
    for name in ("F32", "Q8_0"):
        assert main(["convert", str(source), str(tmp_path / f"{name}.gguf"), "--type", name]) == 0
    exact, quantised = run(tmp_path / "F32.gguf"), run(tmp_path / "Q8_0.gguf")
    assert exact["tokens"] == [TOKENS.index("hello"), TOKENS.index("Ġ"), TOKENS.index("hello")]
    assert quantised == exact


def test_a_folder_is_given_a_file_named_like_the_source(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(source), str(tmp_path), "--type", "Q4_K_M", "--split-max-tensors", "12"]) == 0
    told = capsys.readouterr().out
    assert "tiny-Q4_K_M-00001-of-00002.gguf and 1 more: 0.8" in told
    assert told.count("\n") == 1
    assert run(tmp_path / "tiny-Q4_K_M-00001-of-00002.gguf")["tokens"][0] == TOKENS.index("hello")


def test_a_recipe_elsewhere_gives_its_name_and_not_its_folder(source: Path, tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    recipe = tmp_path / "recipes" / "mine.toml"
    recipe.write_text('base = "Q8_0"')
    out = tmp_path / "out"
    out.mkdir()
    assert main(["convert", str(source), str(out), "--type", str(recipe), "--workers", "1"]) == 0
    assert (out / "tiny-mine.gguf").exists()


def test_programs_are_told_line_by_line(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(source), str(tmp_path / "m.gguf"), "--type", "Q8_0", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert events[0]["event"] == "progress"
    assert events[-1] == {
        "event": "done",
        "files": [str(tmp_path / "m.gguf")],
        "size": (tmp_path / "m.gguf").stat().st_size,
        "manifest": str(tmp_path / "m.gguf.manifest.json"),
    }


def test_ctrl_c_says_how_to_go_on(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "convert", stop)
    assert main(["convert", str(source), str(tmp_path / "m.gguf")]) == 130
    assert "stopped; the same command goes on from here" in capsys.readouterr().err


def test_a_damaged_download_is_known_by_the_hubs_hash(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = source / ".cache" / "huggingface" / "download"
    folder.mkdir(parents=True)
    (folder / "model.safetensors.metadata").write_text("0" * 40 + "\n" + "ab" * 32 + "\n1763000000.0\n")
    assert known_hashes(open_checkpoint(source)) == {"model.safetensors": "ab" * 32}
    assert main(["convert", str(source), str(tmp_path / "m.gguf")]) == 1
    assert f"ought to be {'ab' * 32}" in capsys.readouterr().err
    assert not (tmp_path / "m.gguf").exists()


def test_a_file_of_the_hubs_cache_is_known_by_its_name_there(source: Path) -> None:
    blob = source / "blobs" / ("cd" * 32)
    blob.parent.mkdir()
    (source / "model.safetensors").rename(blob)
    (source / "model.safetensors").symlink_to(blob)
    assert known_hashes(open_checkpoint(source)) == {"model.safetensors": "cd" * 32}
