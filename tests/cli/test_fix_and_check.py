"""`r1-lsp fix` and `check`: from the tree alone."""

import json
from pathlib import Path

import pytest

from r1_lsp.cli import main

BROKEN = "def area(é, b):\n    return sorted(é, key=b\n\n\ndef rim(a, b):\n    return 2 * (a + b)\n"
MENDED = BROKEN.replace("key=b", "key=b)")


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "shapes.py"
    path.write_text(BROKEN, "utf-8")
    return path


def test_fix_shows_a_diff_and_leaves_the_file(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", str(broken)]) == 1
    assert "+    return sorted(é, key=b)" in capsys.readouterr().out
    assert broken.read_text("utf-8") == BROKEN


def test_fix_write_changes_the_file_and_keeps_its_mode(broken: Path) -> None:
    broken.chmod(0o755)
    assert main(["fix", "--write", str(broken)]) == 0
    assert broken.read_text("utf-8") == MENDED
    assert broken.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in broken.parent.iterdir()] == ["shapes.py"]


def test_fix_of_a_sound_file_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sound.py"
    path.write_text(MENDED, "utf-8")
    assert main(["fix", str(path)]) == 0
    assert "no syntax problems in 1 file" in capsys.readouterr().out


def test_fix_never_applies_a_guess(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "guess.py"
    path.write_text("result = a + b * (\n", "utf-8")
    assert main(["fix", "--write", str(path)]) == 1
    assert path.read_text("utf-8") == "result = a + b * (\n"
    assert "1 file, 1 problem: 0 repaired, 1 left" in capsys.readouterr().out


def test_check_counts_columns_in_characters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wide.py"
    path.write_text("x = '😀é'; y = len(x\n", "utf-8")
    assert main(["check", "--json", str(path)]) == 1
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["line"], problem["column"], problem["repair"]) == (1, 18, "Insert `)`")


def test_check_names_every_error_not_only_the_one_with_a_sure_repair(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.py"
    path.write_text("def area(w, h)\n    return w * h\n\nfor r in x\n    y(\n\nprint(total([(1, 2)])\n", "utf-8")
    assert main(["check", "--json", str(path)]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    lines = [problem["line"] for problem in problems]
    assert lines == sorted(lines)
    assert {1, 7} <= set(lines)


def test_check_places_what_is_left_where_it_stands_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The missing brace of `g` is a line of its own once mended; what follows has not moved in the file itself."""
    path = tmp_path / "brace.js"
    path.write_text(
        "function g(x) {\n  if (x) {\n    return 1;\n  return 2;\n}\n\nfunction h() {\n  return 3;\n}\n", "utf-8"
    )
    assert main(["check", "--json", str(path)]) == 1
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["line"], problem["repair"]) == (2, "Insert `}`")


def test_fix_names_a_repair_that_is_not_sure_and_does_not_make_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "unsure.js"
    text = "let é = f(a + g(b)\n"
    path.write_text(text, "utf-8")
    assert main(["fix", "--write", "--json", str(path)]) == 1
    said = json.loads(capsys.readouterr().out)
    [problem] = said["problems"]
    assert (problem["sure"], problem["repair"], problem["repaired"]) == (False, None, False)
    first = problem["choices"][0]
    assert (first["title"], first["result"]) == ("Insert `)`", "let é = f(a + g(b))")
    assert first["changes"] == [{"line": 1, "column": 19, "end_line": 1, "end_column": 19, "new": ")"}]
    assert said["changes"] == []
    assert path.read_text("utf-8") == text


def test_tabs_stay_tabs_in_a_piped_diff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tabs.py"
    path.write_text("def f(x)\n\treturn x\n", "utf-8")
    assert main(["fix", str(path)]) == 1
    assert " \treturn x\n" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "fix"])
def test_what_only_pythons_own_parser_refuses_is_a_problem(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "flat.py"
    path.write_text("def f(x):\nreturn x\n", "utf-8")
    assert main([command, str(path)]) == 1
    said = capsys.readouterr().out
    assert "Line 2 is not indented as its block asks for." in said
    assert "no syntax problems" not in said


@pytest.mark.parametrize("command", ["check", "fix"])
@pytest.mark.parametrize("text", [b"# coding: utf-8\n\nx = '\xc3\xa9'\n", b"type X = int\n", b"x = f'{y['a']}'\n"])
def test_a_file_newer_than_this_python_is_no_problem(command: str, text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "new.py"
    path.write_bytes(text)
    assert main([command, str(path)]) == 0


def test_check_takes_a_file_in_the_coding_it_declares(tmp_path: Path) -> None:
    path = tmp_path / "latin.py"
    path.write_bytes(b"# -*- coding: latin-1 -*-\nname = 'M\xfcller'\n")
    assert main(["check", str(path)]) == 0
    path.write_bytes(b"# -*- coding: latin-1 -*-\nname = 'M\xfcller'\ndef f(x)\n    return x\n")
    assert main(["check", str(path)]) == 1
