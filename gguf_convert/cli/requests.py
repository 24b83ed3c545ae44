"""The options that `plan` and `convert` share, and the request they make."""

import argparse
from pathlib import Path

from gguf_convert.arch.architecture import Choices
from gguf_convert.cli.arguments import Misuse, count, size
from gguf_convert.cli.sources import SOURCE_HELP, add_hub_options, name_of
from gguf_convert.plan import Split
from gguf_convert.request import Request


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is to be made of the checkpoint, and with how much of the machine."""
    parser.add_argument("source", metavar="SRC", help=SOURCE_HELP)
    parser.add_argument("--type", default="Q4_K_M", help="one of llama.cpp's mixes (Q4_K_M) or of our recipes")
    parser.add_argument("--recipe", type=Path, metavar="FILE", help="a recipe file, instead of --type")
    parser.add_argument("--imatrix", type=Path, metavar="FILE", help="llama.cpp's importance matrix")
    parser.add_argument("--adapter", type=Path, metavar="DIR", help="a LoRA adapter (PEFT) to add to the weights")
    parser.add_argument(
        "--mtp", choices=("keep", "drop", "separate"), default="drop", help="the layer of multi-token prediction"
    )
    parser.add_argument("--split-max-size", type=size, metavar="SIZE", help="begin another file before one holds more")
    parser.add_argument("--split-max-tensors", type=count, metavar="N", help="the same by number of tensors")
    parser.add_argument("--workers", type=count, metavar="N", help="processes; one for each core unless given")
    parser.add_argument("--max-memory", type=size, metavar="SIZE", help="what all processes together may take")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    add_hub_options(parser)


def request_of(options: argparse.Namespace, folder: Path, file_name: str) -> Request:
    """The request that the options make for a checkpoint whose configuration is in `folder`."""
    return Request(
        source=folder,
        recipe=str(options.recipe) if options.recipe else options.type,
        file_name=file_name,
        importance=options.imatrix,
        adapter=options.adapter,
        choices=Choices(mtp=options.mtp),
        split=Split(max_size=options.split_max_size, max_tensors=options.split_max_tensors),
    )


def target_of(options: argparse.Namespace, target: Path) -> Path:
    """The output's path: the target itself, or a name like the source's in a folder."""
    if target.is_dir():
        recipe = options.recipe.stem if options.recipe else options.type
        return target / f"{name_of(options.source)}-{recipe}.gguf"
    if target.suffix != ".gguf":
        raise Misuse(f"{target} is neither a folder nor a name that ends in .gguf")
    return target
