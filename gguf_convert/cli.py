"""The `r1-gguf` command. Exit codes: 0 done, 1 failed, 2 misuse; errors are one sentence on stderr."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from engine.models.gguf_header import GgufError, read_header
from gguf_convert.inspect import as_json, report


class _Misuse(Exception):
    """A sentence for somebody who called the command wrongly."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Misuse(f"{message}; `{self.prog} --help` shows the usage")


def main(argv: list[str] | None = None) -> int:
    """Runs one subcommand and returns its exit code."""
    try:
        options = _parser().parse_args(argv)
        code = _inspect(options)
        sys.stdout.flush()
    except (_Misuse, GgufError) as exc:
        print(f"r1-gguf: {exc}", file=sys.stderr)
        return 2 if isinstance(exc, _Misuse) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left has nowhere to go
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="r1-gguf", description="Looks at model files.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    inspect = commands.add_parser("inspect", help="what a GGUF file says about itself; nothing in it is run or loaded")
    inspect.add_argument("file", type=Path)
    inspect.add_argument("--tensors", action="store_true", help="every tensor, not only a count by type")
    inspect.add_argument("--json", action="store_true", help="machine-readable output")
    return parser


def _inspect(options: argparse.Namespace) -> int:
    header = read_header(options.file)
    if options.json:
        print(json.dumps(as_json(header), ensure_ascii=True, indent=2))
        return 0
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    console.print(report(header, all_tensors=options.tensors))
    return 0
