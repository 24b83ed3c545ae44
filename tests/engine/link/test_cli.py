"""r1-engine by hand: serve, status, stop."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import cli
from tests.engine.link.hosts import Stage, stage, wait_until


@pytest.fixture(name="theatre")
def _theatre(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with stage() as made:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(made.directory))
        yield made


def test_nothing_runs(theatre: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status"]) == 0
    assert cli.main(["stop"]) == 0
    assert capsys.readouterr().out == "no engine is running\n" * 2


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("", "COMMAND"),
        ("dance", "invalid choice"),
        ("serve --threads many", "invalid int value"),
        ("serve --tcp --port 99999", "a number up to 65535"),
        ("serve --model no-such-model", "there is no model 'no-such-model'"),
        ("serve --model nowhere/missing.gguf", "there is no file"),
    ],
)
def test_misuse_is_one_sentence_and_exit_code_2(
    words: str, part: str, theatre: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words.split()) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert part in said.err
    assert said.err.count("\n") == 1


def test_serve_refuses_a_file_that_is_no_model(
    theatre: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.gguf").write_text("not a model", "utf-8")
    assert cli.main(["serve", "--model", str(tmp_path / "text.gguf")]) == 1
    assert "is not a GGUF file" in capsys.readouterr().err


def test_a_runtime_directory_open_to_others(theatre: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    (theatre.directory / "r1-lsp").mkdir()
    (theatre.directory / "r1-lsp").chmod(0o777)
    assert cli.main(["status"]) == 1
    assert capsys.readouterr().err.startswith("r1-engine: the directory ")


@pytest.mark.process
def test_serve_status_stop(theatre: Stage, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"default": {"reply": "a"}}))
    code = "import sys; from engine.cli import main; sys.exit(main())"
    command = [sys.executable, "-I", "-c", code, "serve", "--script", str(script), "--tcp", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ)) as serving:
        try:
            use(serving, command, script, capsys)
        finally:
            serving.kill()
    assert list((theatre.directory / "r1-lsp").iterdir()) == []


def use(
    serving: "subprocess.Popen[bytes]", command: list[str], script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serving.stdout is not None
    told = json.loads(serving.stdout.readline())
    assert told["url"].startswith("http://127.0.0.1:")
    assert len(told["token"]) == 64
    wait_until(lambda: status(capsys)[0]["status"] == "ok", 30)
    [found] = status(capsys)
    assert (found["pid"], found["leases"], found["model"]) == (serving.pid, 0, str(script))
    again = subprocess.run(command[:-1], capture_output=True, text=True, check=False, timeout=30)
    assert again.returncode == 1
    assert again.stderr.strip() == "another host is already running for these options; `r1-engine status` lists it"
    assert cli.main(["stop"]) == 0
    assert capsys.readouterr().out == "stopped: 1\n"
    assert serving.wait(10) == 0


def status(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert cli.main(["status", "--json"]) == 0
    hosts: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return hosts
