"""Diffs are what `git apply` takes, whatever the line ends, and are made in no time."""

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from ast_tools import Edit, apply
from r1_lsp.cli.diff import diff_of, unified

LINES = (b"a\n", b"b\n", b"\n", b"a\r\n", b"\x0c\n", "é😀\u2028x\n".encode(), b"c\x1dd\n", b"  \n")
NEW = (b"", b"X", b"X\n", b"\nY", b"Z\r\nZ\n", "ö".encode())


def random_change(chance: random.Random) -> tuple[bytes, list[Edit]]:
    text = b"".join(chance.choice(LINES) for _ in range(chance.randint(1, 30))) + chance.choice((b"", b"tail"))
    edits: list[Edit] = []
    at = 0
    while len(edits) < 4 and at < len(text):
        start = chance.randint(at, len(text))
        while start < len(text) and text[start] & 0xC0 == 0x80:  # not inside a character
            start += 1
        end = start if chance.random() < 0.6 else text.find(b"\n", start) + 1 or start
        edits.append(Edit(start, end, chance.choice(NEW)))
        at = end + 1
    return text, edits


def applied(folder: Path, text: bytes, diff: str) -> bytes:
    path = folder / "a.py"
    path.write_bytes(text)
    command = ["git", "apply", "--whitespace=nowarn", "--unidiff-zero", "-"]
    subprocess.run(command, input=f"{diff}\n".encode(), cwd=folder, check=True, capture_output=True)
    return path.read_bytes()


@pytest.mark.parametrize("seed", range(60))
def test_git_applies_it(seed: int, tmp_path: Path) -> None:
    text, edits = random_change(random.Random(seed))
    wanted = apply(text, edits)
    for diff in (unified("a.py", text, edits), diff_of("a.py", text, wanted), unified("a.py", text, edits, context=0)):
        assert (diff == "") == (wanted == text)
        if diff and wanted:
            assert applied(tmp_path, text, diff) == wanted


@pytest.mark.parametrize("name", [b"a b.py", b'a"b.py', b"a\\b.py", b"a\tb.py", b"\xff.py", "é😀.py".encode()])
def test_git_finds_the_file_by_its_name(name: bytes, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(b"x\n")
    diff = unified(os.fsdecode(name), b"x\n", [Edit(0, 1, b"y")])
    subprocess.run(["git", "apply", "-"], input=f"{diff}\n".encode(), cwd=tmp_path, check=True)
    assert path.read_bytes() == b"y\n"


def test_only_what_changes_is_shown() -> None:
    text = b"".join(b"line %d\n" % number for number in range(40))
    edits = [Edit(text.index(b"5\n") + 1, text.index(b"5\n") + 1, b")"), Edit(len(text), len(text), b"end")]
    assert unified("a/b.py", text, edits, context=1) == (
        "--- a/a/b.py\n+++ b/a/b.py\n@@ -5,3 +5,3 @@\n line 4\n-line 5\n+line 5)\n line 6\n"
        "@@ -40 +40,2 @@\n line 39\n+end\n\\ No newline at end of file"
    )


def test_a_large_file_takes_no_time() -> None:
    text = b"x = [1, 2, 3]\n" * 300_000
    edits = [Edit(at, at, b")") for at in range(13, len(text), len(text) // 50)]
    started = time.process_time()
    assert unified("a.py", text, edits).count("\n+") == len(edits) + 1
    assert time.process_time() - started < 2.0
