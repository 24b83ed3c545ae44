"""Checkers: what they say of a text; one that is missing, slow, noisy or broken is never taken for content."""

import asyncio
import json
import os
import stat
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ast_tools import LANGUAGES
from ast_tools.lines import Lines
from r1_lsp.features.checkers import (
    PYTHON_COMPILER,
    TREE,
    Checker,
    Finding,
    Findings,
    Reported,
    Subject,
    baseline,
    checkers_of,
    command,
    command_checker,
    complaint,
)  # fmt: skip
from r1_lsp.features.checkers.child import found
from r1_lsp.features.checkers.command import read_output

PYTHON = LANGUAGES["python"]


def ask(checker: Checker, text: str, root: str | None = None) -> Findings:
    return asyncio.run(checker.ask(Subject(text=text.encode(), language=PYTHON, path="/proj/a.py", root=root)))


def program(*lines: str) -> tuple[str, ...]:
    """A checker written in Python, to be run with the text on stdin."""
    return (sys.executable, "-I", "-c", "\n".join(("import json, sys, time, os", *lines)))


def test_tree() -> None:
    assert ask(TREE, "x = 1\n") == ()
    [finding] = ask(TREE, "x = (\n") or ()
    assert (finding.code, finding.source) == ("syntax", "r1")


def test_compiler_finds_what_no_grammar_sees() -> None:
    assert ask(PYTHON_COMPILER, "x = 1\n") == ()
    [finding] = ask(PYTHON_COMPILER, "é = '😀'; return é\n") or ()
    assert finding.message == "'return' outside function"
    assert finding.start == len("é = '😀'; ".encode())


def test_output_which_may_be_megabytes_is_not_read_on_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    readers: list[threading.Thread] = []

    def read(*args: Any) -> tuple[Finding, ...]:
        readers.append(threading.current_thread())
        return read_output(*args)

    monkeypatch.setattr(command, "read_output", read)
    assert ask(command_checker(program("print('a.py:1:1: E1 no')")), "x\n")
    assert readers
    assert threading.main_thread() not in readers


@pytest.mark.parametrize("text", ["x = 1\0", "(" * 100_000, "-" * 300_000 + "1"], ids=["nul", "brackets", "deep"])
def test_compiler_survives(text: str) -> None:
    started = time.monotonic()
    assert ask(PYTHON_COMPILER, text) is None or isinstance(ask(PYTHON_COMPILER, text), tuple)
    assert time.monotonic() - started < 60


def test_compiler_runs_nothing_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json.py", "warnings.py", "sitecustomize.py", "usercustomize.py"):
        (tmp_path / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert ask(PYTHON_COMPILER, "import json\nraise SystemExit(7)\n") == ()
    assert not (tmp_path / "ran").exists()


def test_a_command_reads_stdin_and_runs_in_the_workspace(tmp_path: Path) -> None:
    checker = command_checker(program("text = sys.stdin.read()", "print(f'-:2:3: X1 {len(text)} {os.getcwd()}')"))
    [finding] = ask(checker, "a\né😀b\n", root=str(tmp_path)) or ()
    assert (finding.start, finding.code) == (2 + len("é😀".encode()), "X1")
    assert finding.message == f"X1 6 {tmp_path}"


def test_a_command_is_no_shell_line(tmp_path: Path) -> None:
    checker = command_checker(
        (*program("print('-:1:1: ' + repr(sys.argv[1:]))"), "; touch ran", "$(touch ran)", "{file}")
    )
    [finding] = ask(checker, "x", root=str(tmp_path)) or ()
    assert finding.message == "['; touch ran', '$(touch ran)', '/proj/a.py']"
    assert list(tmp_path.iterdir()) == []


def test_a_command_may_want_a_file() -> None:
    checker = command_checker((*program("path = sys.argv[1]", "print(f'{path}:1:1: {open(path).read()}')"), "{temp}"))
    [finding] = ask(checker, "hello") or ()
    assert finding.message == "hello"


@pytest.mark.parametrize(
    "argv",
    [
        ("no-such-program-anywhere",),
        ("./not/here",),
        program("sys.exit(3)"),
        program("print('-:1:1: x' * 10**6)"),
        program("os.abort()"),
    ],
    ids=["missing", "missing path", "fails silently", "talks too much", "dies"],
)
def test_a_command_that_cannot_be_asked_is_not_content(argv: tuple[str, ...], tmp_path: Path) -> None:
    assert ask(command_checker(argv), "x = 1", root=str(tmp_path)) is None


def test_a_slow_command_is_ended_with_its_children(tmp_path: Path) -> None:
    marker = tmp_path / "alive"
    child = f"import time; time.sleep(1); open({str(marker)!r}, 'w')"
    argv = program("import subprocess", f"subprocess.Popen([sys.executable, '-c', {child!r}])", "time.sleep(60)")
    started = time.monotonic()
    assert ask(command_checker(argv, timeout_s=0.4), "x = 1") is None
    assert time.monotonic() - started < 10
    time.sleep(1.5)
    assert not marker.exists()


def test_a_bare_name_is_never_looked_up_in_the_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = tmp_path / "ruff-of-the-workspace"
    evil.write_text("#!/bin/sh\necho '-:1:1: ran'\n")
    evil.chmod(evil.stat().st_mode | stat.S_IXUSR)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".{os.pathsep}{os.pathsep}{os.environ['PATH']}")
    assert found("ruff-of-the-workspace", str(tmp_path)) is None
    assert found("./ruff-of-the-workspace", str(tmp_path)) is not None


PLACE = {"line": 2, "column": 3, "endLine": 2, "endColumn": 6}
RUFF = json.dumps(
    [
        {
            "code": "F821",
            "filename": "/proj/a.py",
            "message": "m",
            "location": {"row": 2, "column": 3},
            "end_location": {"row": 2, "column": 6},
        }
    ]
)
ESLINT = json.dumps(
    [
        {"filePath": "/proj/a.py", "messages": [{"ruleId": "no-undef", "message": "m", **PLACE}]},
        {"filePath": "/proj/b.py", "messages": [{"ruleId": "other", "message": "m", **PLACE}]},
    ]
)
RANGE = {"start": {"line": 1, "character": 2}, "end": {"line": 1, "character": 5}}
PYRIGHT = json.dumps(
    {"generalDiagnostics": [{"file": "/proj/a.py", "rule": "reportX", "message": "m", "range": RANGE}], "summary": {}}
)
TSC = "a.py(2,3): error TS2304: Cannot find name 'x'.\nb.py(1,1): error TS1: other"
MYPY = 'a.py:2:3: error: Name "x" is not defined  [name-defined]\nFound 1 error'


@pytest.mark.parametrize(
    ("output", "code"),
    [(RUFF, "F821"), (ESLINT, "no-undef"), (PYRIGHT, "reportX"), (TSC, "TS2304"), (MYPY, "name-defined")],
    ids=["ruff", "eslint", "pyright", "tsc", "mypy"],
)
def test_output_of_known_checkers(output: str, code: str) -> None:
    [finding] = read_output(output, "a.py", Lines("é\n  bad\n".encode()), "x")
    assert (finding.code, finding.start) == (code, 5)


@pytest.mark.parametrize(
    "output", ["", "nonsense", "[[[[", "[" * 5000, "null", '{"message": "m", "line": "2"}', "a.py:x:y: z"]
)
def test_strange_output_is_nothing(output: str) -> None:
    assert read_output(output, "a.py", Lines(b"x\n"), "x") == ()


def test_places_outside_the_text_are_moved_inside() -> None:
    [finding] = read_output("a.py:99999:99999: far", "a.py", Lines(b"ab\ncd"), "x")
    assert (finding.start, finding.end) == (5, 5)


def words(*said: str) -> Checker:
    """A checker that reports every one of these words it finds, by line."""

    async def asked(subject: Subject) -> Findings:
        text = subject.text.decode()
        return tuple(
            Finding(start=text.index(word), end=text.index(word), message=f"{word} on line 1", code="W")
            for word in said
            if word in text
        )

    return Checker(name="words", sources=frozenset({"words"}), ask=asked)


def verdict(checker: Checker, before: str, after: str, report: Reported | None, until: int = 10**6) -> str | None:
    async def story() -> str | None:
        subject = Subject(text=before.encode(), language=PYTHON)
        [base] = await baseline([checker], subject, report)
        return await complaint(base, Subject(text=after.encode(), language=PYTHON), until)

    return asyncio.run(story())


def test_recheck() -> None:
    bad = Reported(start=0, end=3, message="bad on line 1", source="Words")
    assert verdict(words("bad", "ugly"), "bad ugly", "good ugly", bad) is None
    assert verdict(words("bad", "ugly"), "bad", "bad too", bad) == "words still reports: bad on line 1"
    assert verdict(words("bad", "ugly"), "bad", "ugly", bad) == "words would report something new: ugly on line 1"
    assert verdict(words("bad"), "fine", "bad", None) == "words would report something new: bad on line 1"


def test_a_checker_that_vanishes_is_not_content() -> None:
    calls: list[int] = []

    async def once(subject: Subject) -> Findings:
        calls.append(1)
        return () if len(calls) == 1 else None

    gone = Checker(name="gone", sources=frozenset({"gone"}), ask=once)
    assert verdict(gone, "a", "b", None) == "gone could not be asked about the change"


def test_an_error_hidden_behind_the_first_one_is_not_new() -> None:
    before = "return 1\nx = 2\nyield = 3\n"
    report = Reported(start=0, end=8, message="'return' outside function", source="r1", code="compile")
    late = "y = 1\nx = 2\nreturn 3\n"
    assert verdict(PYTHON_COMPILER, "return 1\nx = 2\nreturn 3\n", late, report, until=5) is None
    assert verdict(PYTHON_COMPILER, before, "return (\n", report) is not None


def test_configured_commands_come_after_ours() -> None:
    names = [
        checker.name for checker in checkers_of(PYTHON, {"python": (("/opt/bin/ruff", "check"),), "rust": (("x",),)})
    ]
    assert names == ["the parser", "Python's compiler", "ruff"]
    assert [checker.name for checker in checkers_of(LANGUAGES["tsx"], {"typescriptreact": (("tsc",),)})] == [
        "the parser",
        "tsc",
    ]
