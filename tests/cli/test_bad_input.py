"""What people do wrong: one clear sentence on stderr, the documented exit code, never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from r1_lsp.cli import main

MEGABYTE = 2**20


@pytest.fixture
def odd_files(tmp_path: Path) -> Path:
    (tmp_path / "empty.py").write_bytes(b"")
    (tmp_path / "binary.py").write_bytes(bytes(range(256)) * 16)
    (tmp_path / "latin1.py").write_bytes("name = 'Müller'\n".encode("latin-1"))
    (tmp_path / "huge.py").write_bytes(b"x = 1\n" * (17 * MEGABYTE // 6))
    (tmp_path / "notes.txt").write_bytes(b"plain words\n")
    (tmp_path / "good.py").write_bytes(b"print(1)\n")
    (tmp_path / "one.py").write_bytes(b"def one(x): return x + 1\n")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    return tmp_path


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """What was said on stderr: exactly one line, no traceback."""
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        ("chek good.py", 2, "did you mean `r1-lsp check`?"),
        ("frobnicate", 2, "`r1-lsp --help` lists the commands"),
        ("check", 2, "PATH"),
        ("check nothing.py", 2, "there is no nothing.py"),
        ("check notes.txt", 2, "no syntax is known"),
        ("fix nothing.py", 2, "there is no nothing.py"),
        ("check --jobs 0 good.py", 2, "--jobs wants a number from 1 to 256"),
        ("check --jobs many good.py", 2, "invalid int value"),
        ("check --language klingon good.py", 2, "'klingon' is not known; there are"),
        ("check -", 2, "say --language"),
        ("check pipe.py", 2, "is not a regular file"),
        ("fix --guess --frob good.py", 2, "--frob"),
        ("fix binary.py", 1, "binary file"),
        ("check binary.py", 1, "binary file"),
        ("check huge.py", 1, "larger than 16 MB"),
        ("fix huge.py", 1, "larger than 16 MB"),
        ("fix notes.txt", 2, "no syntax is known"),
        ("complete good.py", 2, "FILE:LINE:COL is wanted"),
        ("complete good.py:0:1", 2, "FILE:LINE:COL is wanted"),
        ("complete good.py:9:1", 2, "has 2 lines, there is no line 9"),
        ("complete good.py:1:99", 2, "has 8 characters, no column 99"),
        ("complete nothing.py:1:1", 2, "cannot read nothing.py"),
        ("complete latin1.py:1:1", 1, "not UTF-8"),
        ("complete good.py:1:1 -n 9", 2, "from 1 to 5"),
        ("doc good.py:x", 2, "FILE:LINE is wanted"),
        ("doc good.py:9:1", 2, "has 2 lines, there is no line 9"),
        ("doc one.py:1", 1, "its body stands on the line of its header"),
        ("context folder:1:1", 2, "is a directory"),
        ("why -n 0", 2, "from 1 on"),
        ("serve --tcp", 2, "--tcp wants a value"),
        ("serve --tcp nowhere", 2, "nowhere"),
        ("serve --frob", 2, "there is no option '--frob'"),
        ("serve --log-level loud", 2, "none of error, warning, info, debug"),
    ],
)
def test_one_sentence(
    words: str,
    code: int,
    part: str,
    odd_files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(odd_files)
    assert main(words.split()) == code
    assert part in sentence(capsys)


def test_an_empty_file_has_no_problems(odd_files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(odd_files / "empty.py")]) == 0
    assert "no syntax problems in 1 file" in capsys.readouterr().out


def test_check_reports_unreadable_files_in_a_folder_and_goes_on(
    odd_files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (odd_files / "broken.py").write_bytes("é = '😀' + (1\n".encode())
    assert main(["check", str(odd_files)]) == 1
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "huge.py is larger than 16 MB" in err
    assert "latin1.py:1:10: The byte 0xfc is not UTF-8" in out
    assert "broken.py:1:" in out
    assert "good.py" not in out
    assert "5 files (1 binary file passed over), 2 problems" in out


def test_help_names_every_command_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert all(name in out for name in ("serve", "demo", "complete", "fix", "check", "doc", "context", "models", "why"))


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    """As in `r1-lsp models --json | head`."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-I", "-m", "r1_lsp", "models", "list", "--json"]
    environment = {**os.environ, "R1_LSP_DATA_DIR": str(tmp_path)}
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment, timeout=60, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("columns", [60, 80, 400])
def test_the_catalogue_fits_the_terminal(
    columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("R1_LSP_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("r1_lsp.cli.models.stdout", lambda: Console(highlight=False, width=columns))
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    names = [line for line in lines if line.startswith("r1-671b-1.58bit")]
    assert len(names) == 1
    assert ("MIT" in names[0]) == (columns == 400)
