"""`r1-gguf inspect FILE`."""

import json
import sys
from pathlib import Path

from rich.console import Console

from engine.models.gguf_header import read_header
from gguf_convert.cli.arguments import Arguments
from gguf_convert.inspect import as_json, report


def run(words: list[str]) -> int:
    """Prints what the file says about itself."""
    options = _arguments().parse_args(words)
    header = read_header(options.file)
    if options.json:
        print(json.dumps(as_json(header), ensure_ascii=True, indent=2))
        return 0
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    console.print(report(header, all_tensors=options.tensors))
    return 0


def _arguments() -> Arguments:
    parser = Arguments(
        prog="r1-gguf inspect", description="What a GGUF file says about itself; nothing in it is run or loaded."
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--tensors", action="store_true", help="every tensor, not only a count by type")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    return parser
