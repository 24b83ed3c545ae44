"""`r1-gguf inspect` prints any file readably, and nothing in it reaches the terminal as a command."""

import json
from pathlib import Path

import pytest

from gguf_convert.cli import main
from gguf_convert.inspect import printable
from tests.engine.models.gguf_files import STRING, Typed, small_model


def test_a_file_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = small_model().write(tmp_path / "m.gguf")
    assert main(["inspect", str(path), "--tensors"]) == 0
    out = capsys.readouterr().out
    for shown in ("llama", "320 in 3 tensors", "2,048 tokens", "Tiny é😀", "8 of string: <unk>", "token_embd.weight"):
        assert shown in out


def test_json_holds_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = small_model().write(tmp_path / "m.gguf")
    assert main(["inspect", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["parameters"] == 320
    assert told["metadata"]["general.name"] == "Tiny é😀"
    assert told["tensors"][0] == {
        "name": "token_embd.weight",
        "shape": [32, 8],
        "type": "Q8_0",
        "offset": 0,
        "size": 272,
    }


def test_a_hostile_file_cannot_speak_to_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = small_model()
    evil = "\x1b]0;owned\x07[bold red]x[/bold]\u202e\r\n" + "y" * 100_000
    model.metadata += [("evil\x1b[2J", Typed(STRING, evil))]
    model.tensors[1] = ("\x1b[31m[red]t", *model.tensors[1][1:])
    assert main(["inspect", str(model.write(tmp_path / "m.gguf")), "--tensors"]) == 0
    out = capsys.readouterr().out
    assert not set(out) & {"\x1b", "\x07", "\r", "\u202e"}
    assert "[bold red]x[/bold]" in out, "no markup of ours either"
    assert len(out) < 10_000


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["inspect", "TMP"], 1, "is a directory, not a GGUF file"),
        (["inspect", "TMP/missing"], 1, "there is no file"),
        (["inspect", "TMP/empty"], 1, "is empty"),
        ([], 2, "a command is missing"),
        (["inspect"], 2, "required: file"),
        (["melt", "x"], 2, "there is no command 'melt'"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    words: list[str], code: int, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert main([word.replace("TMP", str(tmp_path)) for word in words]) == code
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1


def test_text_is_made_one_safe_line() -> None:
    assert printable("a\nb\x1bc é😀") == "a\\nb\\u001bc é😀"
    assert printable("x" * 500).endswith("(500 characters)")
