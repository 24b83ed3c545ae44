"""`check` and `fix` over folders, standard input, odd files: what is printed, what is written, the exit code."""

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from r1_lsp.cli import main
from tests.support.process import COMMAND

SURE = "def area(é, b):\n    return sorted(é, key=b\n\n\ndef rim(a, b):\n    return 2 * (a + b)\n"
MENDED = SURE.replace("key=b", "key=b)")
UNSURE = "result = a + b * (\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a sound file, one with a sure repair, one with an unsure one, and one that is ignored."""
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "--quiet"], check=True)
    for name, text in {
        "sound.ts": "const é: string = '😀';\n",
        "pkg/sure.py": SURE,
        "pkg/unsure.py": UNSURE,
        "pkg/made.py": SURE,
        ".gitignore": "made.py\n",
    }.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, "utf-8")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def texts() -> dict[str, str]:
    return {path.as_posix(): path.read_text("utf-8") for path in sorted(Path("pkg").iterdir())}


@pytest.mark.usefixtures("here")
def test_check_sums_up_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "."]) == 1
    out = capsys.readouterr().out
    assert "pkg/sure.py:2:18: `(` opened on line 2 is never closed.\n" in out
    assert "pkg/unsure.py:1:18: " in out
    assert out.endswith("3 files, 2 problems, 1 can be repaired surely\n")
    assert main(["check", "sound.ts"]) == 0


@pytest.mark.usefixtures("here")
def test_check_json_has_the_documented_shape(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--json", "pkg"]) == 1
    found = said(capsys)
    assert {name: found[name] for name in ("files", "unread", "sure")} == {"files": 2, "unread": [], "sure": 1}
    sure, unsure = found["problems"]
    assert sure == {
        "path": "pkg/sure.py",
        "line": 2,
        "column": 18,
        "end_line": 2,
        "end_column": 19,
        "message": "`(` opened on line 2 is never closed.",
        "sure": True,
        "repair": "Insert `)`",
        "choices": [
            {
                "title": "Insert `)`",
                "reason": "`(` opened on line 2 is never closed.",
                "result": "return sorted(é, key=b)",
                "changes": [{"line": 2, "column": 27, "end_line": 2, "end_column": 27, "new": ")"}],
            }
        ],
    }
    assert (unsure["sure"], unsure["repair"], len(unsure["choices"])) == (False, None, 2)


@pytest.mark.usefixtures("here")
def test_fix_writes_sure_repairs_only_and_what_is_ignored_stays(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--write", "."]) == 1
    assert capsys.readouterr().out.endswith("3 files, 2 problems: 1 repaired, 1 left\n")
    assert texts() == {"pkg/made.py": SURE, "pkg/sure.py": MENDED, "pkg/unsure.py": UNSURE}
    assert main(["fix", "--write", "pkg/sure.py"]) == 0


@pytest.mark.usefixtures("here")
def test_guess_writes_the_first_choice_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--write", "--guess", "--json", "."]) == 0
    found = said(capsys)
    assert texts() == {"pkg/made.py": SURE, "pkg/sure.py": MENDED, "pkg/unsure.py": "result = a + b * ()\n"}
    assert [change["written"] for change in found["changes"]] == [True, True]
    assert [problem["repaired"] for problem in found["problems"]] == [True, True]
    assert main(["check", "."]) == 0


def test_several_errors_of_one_file_are_mended_in_one_call(tmp_path: Path) -> None:
    path, mended = tmp_path / "a.py", "def f(x):\n    return sorted(x, key=g)\n\n\n"
    path.write_text((mended.replace(":", "") + mended.replace("g)", "g")) * 10, "utf-8")
    assert main(["fix", "--write", str(path)]) == 0
    assert path.read_text("utf-8") == mended * 20


@pytest.mark.parametrize("command", [["check"], ["fix"], ["fix", "--guess"]])
def test_a_diff_is_all_there_is_on_stdout_and_git_applies_it(
    command: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--diff", "pkg"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("--- a/pkg/sure.py\n+++ b/pkg/sure.py\n@@")
    assert "problems" in err
    subprocess.run(["git", "apply", "-"], input=out.encode(), cwd=here, check=True)
    guessed = "result = a + b * ()\n" if "--guess" in command else UNSURE
    assert texts() == {"pkg/made.py": SURE, "pkg/sure.py": MENDED, "pkg/unsure.py": guessed}


def pipe_in(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))


def test_standard_input_comes_out_repaired(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    pipe_in(monkeypatch, b"\xef\xbb\xbf" + SURE.replace("\n", "\r\n").encode())
    assert main(["fix", "--write", "--language", "py", "-"]) == 0
    out, err = capfdbinary.readouterr()
    assert out == b"\xef\xbb\xbf" + MENDED.replace("\n", "\r\n").encode()
    assert b"-:2:18: repaired" in err


@pytest.mark.parametrize("data", [b"x = 1\r\n", b"", UNSURE.encode(), b"\0binary"])
def test_standard_input_without_a_sure_repair_comes_out_as_it_was(
    data: bytes, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    pipe_in(monkeypatch, data)
    assert main(["fix", "--write", "--language", "python", "-"]) == (1 if data in (UNSURE.encode(), b"\0binary") else 0)
    assert capfdbinary.readouterr().out == data


@pytest.mark.process
def test_standard_input_that_is_closed() -> None:
    shell = f"'{COMMAND}' check --language python - <&-"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == "r1-lsp check: standard input is closed\n"


@pytest.mark.parametrize("name", ["python", "py", ".py", "Python", "typescriptreact", "tsx"])
def test_a_language_is_named_in_several_ways(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe_in(monkeypatch, b"x = [1, 2\n")
    assert main(["check", "--language", name, "-"]) == 1
    assert capsys.readouterr().out.startswith("-:1:5: `[` opened on line 1 is never closed.\n")


def test_a_named_file_of_any_name_is_taken_with_a_language(tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_text(SURE, "utf-8")
    assert main(["fix", "--write", "--language", "python", str(path)]) == 0
    assert path.read_text("utf-8") == MENDED


def test_a_folder_without_sources_is_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes.txt").write_text("words\n", "utf-8")
    for command in ("check", "fix"):
        assert main([command, str(tmp_path)]) == 0
        assert capsys.readouterr().out == "no file of a known language\n"


def test_names_that_are_not_utf8_and_names_with_control_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (b"b\xff.py", b"c\x1b[31m.py", b"d\n.py"):
        Path(os.fsdecode(name)).write_text(SURE, "utf-8")
    assert main(["check", "."]) == 1
    out = capsys.readouterr().out
    assert "b\\udcff.py:2:18: " in out
    assert "c\\x1b[31m.py:2:18: " in out
    assert "d\\x0a.py:2:18: " in out
    assert main(["fix", "--write", "--json", "."]) == 0
    assert len(said(capsys)["changes"]) == 3


def test_a_file_of_ten_megabytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "large.js"
    path.write_bytes(b"const x = [1, 2, 3].map((y) => y + 1);\n" * 270_000 + b"f(1;\n")
    assert main(["check", "--json", str(path)]) == 1
    found = said(capsys)
    assert found["unread"] or found["problems"][0]["line"] == 270_001


def test_a_write_protected_file_is_one_sentence_and_the_others_are_repaired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.py", "b.py", "c.py"):
        (tmp_path / name).write_text(SURE, "utf-8")
    (tmp_path / "b.py").chmod(0o444)
    assert main(["fix", "--write", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert err == f"r1-lsp fix: cannot write {tmp_path}/b.py: it is write-protected\n"
    assert out.endswith("3 files, 3 problems: 2 repaired, 1 left\n")
    assert [(tmp_path / name).read_text("utf-8") == MENDED for name in ("a.py", "b.py", "c.py")] == [True, False, True]


def test_a_file_that_changes_between_reading_and_writing_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.py"
    path.write_text(SURE, "utf-8")

    def changed_first(*arguments: Any, **named: Any) -> Any:
        found = real(*arguments, **named)
        path.write_text(SURE + "# typed meanwhile\n", "utf-8")
        return found

    from r1_lsp.cli import fix

    real = fix.examine_all
    monkeypatch.setattr(fix, "examine_all", changed_first)
    assert main(["fix", "--write", str(path)]) == 1
    assert "has changed meanwhile and was left alone" in capsys.readouterr().err
    assert path.read_text("utf-8") == SURE + "# typed meanwhile\n"


def test_no_model_is_asked_unless_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.py"
    path.write_text(f"print(f(2{' 3 4' * 40}))\n", "utf-8")  # more than the tree has a repair for
    asked: list[Any] = []

    async def suggestions(*arguments: Any) -> dict[str, Any]:
        asked.append(arguments)
        return {}

    monkeypatch.setattr("r1_lsp.cli.by_model.suggestions", suggestions)
    for words in ([], ["--write", "--guess"], ["--model", "x", "--no-model"], ["--model", "x", "--write"]):
        assert main(["fix", *words, str(path)]) == 1
    assert asked == []
    assert main(["fix", "--model", "x", str(path)]) == 1
    assert len(asked) == 1


@pytest.mark.process
def test_a_bar_on_the_terminal_and_nothing_of_it_in_a_pipe(tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"{number}.py").write_text("x = 1\n" * 2000, "utf-8")
    ours, theirs = pty.openpty()
    done = subprocess.run([COMMAND, "check", tmp_path], stdout=subprocess.PIPE, stderr=theirs, timeout=60, check=True)
    os.close(theirs)
    shown = os.read(ours, 1_000_000).decode()
    os.close(ours)
    assert "looking at files" in shown
    assert done.stdout == b"no syntax problems in 60 files\n"
    quiet = subprocess.run([COMMAND, "check", tmp_path], capture_output=True, timeout=60, check=True)
    assert (quiet.stdout, quiet.stderr) == (done.stdout, b"")
