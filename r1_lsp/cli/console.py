"""What the subcommands share: arguments, places in files, printing, failing in one sentence."""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from rich.console import Console


MAX_FILE_BYTES = 16 * 2**20
PIPE_WIDTH = 160
_UNSHOWN = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What could steer a terminal, turn a line round, or not be printed at all."""


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


def visible(text: str) -> str:
    """One line of text or a path, with what a terminal must not get from a file shown as escapes; tabs stay."""

    def escaped(found: re.Match[str]) -> str:
        code = ord(found[0])
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

    return _UNSHOWN.sub(escaped, text)


def stdout() -> "Console":
    """The terminal; a pipe gets wide lines that wrap nowhere."""
    from rich.console import Console  # 30 ms that a child which looks at files does without

    on_terminal = sys.stdout.isatty()
    return Console(highlight=False, soft_wrap=not on_terminal, width=None if on_terminal else PIPE_WIDTH)


def stderr() -> "Console":
    """The same for what is said beside the output proper."""
    from rich.console import Console

    on_terminal = sys.stderr.isatty()
    width = None if on_terminal else PIPE_WIDTH
    return Console(stderr=True, highlight=False, soft_wrap=not on_terminal, width=width)


def print_json(value: Mapping[str, Any] | list[Any]) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
