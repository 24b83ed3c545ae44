"""What the subcommands share: arguments, places in files, printing, failing in one sentence."""

import argparse
import difflib
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

MAX_FILE_BYTES = 16 * 2**20
PIPE_WIDTH = 160


class Failure(Exception):
    """Ends a command: one sentence, and the exit code (2: the user asked wrongly, 1: it went wrong)."""

    def __init__(self, sentence: str, *, code: int = 1) -> None:
        super().__init__(sentence)
        self.code = code


def fail(command: str, failure: Failure) -> int:
    """Prints the sentence on stderr and returns the exit code."""
    print(f"r1-lsp {command}: {failure}", file=sys.stderr)
    return failure.code


class Arguments(argparse.ArgumentParser):
    """argparse that fails in our way: one sentence, exit code 2."""

    def __init__(self, command: str, about: str) -> None:
        super().__init__(prog=f"r1-lsp {command}", description=about)
        self.add_argument("--json", action="store_true", help="machine-readable output")

    def error(self, message: str) -> NoReturn:
        raise Failure(f"{message}; `{self.prog} --help` shows the usage", code=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """FILE:LINE:COL as people write it: both count from 1, COL counts characters; 0 when not given."""

    path: Path
    line: int
    column: int = 0


def place(text: str, *, with_column: bool) -> Place:
    """Reads FILE:LINE[:COL]. Where only a line is wanted, a column (as tools print one) is passed over."""
    wanted = "FILE:LINE:COL" if with_column else "FILE:LINE"
    if not with_column and re.search(r":\d+:\d+$", text):
        text = text.rpartition(":")[0]
    parts = text.rsplit(":", 2 if with_column else 1)
    numbers = parts[1:]
    if len(parts) != (3 if with_column else 2) or not all(number.isdecimal() and int(number) > 0 for number in numbers):
        raise Failure(f"{text!r} is not a place; {wanted} is wanted, counted from 1", code=2)
    return Place(path=Path(parts[0]), line=int(numbers[0]), column=int(numbers[1]) if with_column else 0)


def read_source(path: Path) -> bytes:
    """A file's bytes as UTF-8 text, or a Failure that says what is wrong with it."""
    try:
        if path.is_dir():
            raise Failure(f"{path} is a directory, a file is wanted", code=2)
        if path.stat().st_size > MAX_FILE_BYTES:
            raise Failure(f"{path} is larger than {MAX_FILE_BYTES >> 20} MB, which is no source file")
        data = path.read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror or error}", code=2) from None
    if b"\0" in data:
        raise Failure(f"{path} is a binary file (it holds NUL bytes)")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Failure(f"{path} is not UTF-8 (line {line}); it may be Latin-1: convert it first") from None
    return data


def replace_file(path: Path, text: bytes) -> None:
    """Writes beside the file and renames, so that a crash leaves the old or the new text, never a part."""
    target = path.resolve()
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as beside:
            beside.write(text)
        new = Path(beside.name)
        new.chmod(target.stat().st_mode)
        new.replace(target)
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror or error}") from None


def diff_of(path: Path, before: bytes, after: bytes, context: int = 3) -> str:
    """A unified diff of two versions of a file; empty when they are equal."""
    old, new = (text.decode("utf-8", "replace").splitlines() for text in (before, after))
    return "\n".join(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", n=context, lineterm=""))


def stdout() -> Console:
    """The terminal; a pipe gets wide lines that wrap nowhere."""
    on_terminal = sys.stdout.isatty()
    return Console(highlight=False, soft_wrap=not on_terminal, width=None if on_terminal else PIPE_WIDTH)


def print_json(value: Mapping[str, Any] | list[Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_diff(console: Console, diff: str) -> None:
    """A unified diff in the usual colours; in a pipe to the letter, so that `patch` can use it (rich changes tabs)."""
    if not console.is_terminal:
        if diff:
            print(diff)
        return
    for line in diff.splitlines():
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        console.print(Text(line, style="bold" if line.startswith(("+++", "---")) else style))
