"""The options that `plan` and `convert` share, and the request they make."""

import argparse
from pathlib import Path

from gguf_convert.arch.architecture import Choices
from gguf_convert.cli.arguments import Misuse, bits, count, size
from gguf_convert.cli.sources import SOURCE_HELP, add_hub_options, name_of
from gguf_convert.errors import TargetError
from gguf_convert.plan import Split
from gguf_convert.recipe import Recipe
from gguf_convert.request import Request
from gguf_convert.solver import Size, recipe_text

DEFAULT_TYPE = "Q4_K_M"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What is to be made of the checkpoint, and with how much of the machine."""
    parser.add_argument("source", metavar="SRC", help=SOURCE_HELP)
    add_type_options(parser)
    parser.add_argument("--adapter", type=Path, metavar="DIR", help="a LoRA adapter (PEFT) to add to the weights")
    parser.add_argument(
        "--mtp", choices=("keep", "drop", "separate"), default="drop", help="the layer of multi-token prediction"
    )
    add_output_options(parser)
    add_hub_options(parser)


def add_type_options(parser: argparse.ArgumentParser) -> None:
    """Which types the tensors are to have."""
    types = parser.add_mutually_exclusive_group()
    types.add_argument("--type", help="one of llama.cpp's mixes (Q4_K_M, the default) or of our recipes")
    types.add_argument("--recipe", type=Path, metavar="FILE", help="a recipe file")
    types.add_argument("--target-size", type=size, metavar="SIZE", help="finds the recipe for a size, such as 180GB")
    types.add_argument("--bpw", type=bits, metavar="BITS", help="finds the recipe for so many bits per weight")
    parser.add_argument("--imatrix", type=Path, metavar="FILE", help="llama.cpp's importance matrix")
    parser.add_argument("--save-recipe", type=Path, metavar="FILE", help="writes the recipe that was found for a size")


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Into how many files, and with how much of the machine."""
    parser.add_argument("--split-max-size", type=size, metavar="SIZE", help="begin another file before one holds more")
    parser.add_argument("--split-max-tensors", type=count, metavar="N", help="the same by number of tensors")
    parser.add_argument("--workers", type=count, metavar="N", help="processes; one for each core unless given")
    parser.add_argument("--max-memory", type=size, metavar="SIZE", help="what all processes together may take")
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def request_of(options: argparse.Namespace, folder: Path, file_name: str) -> Request:
    """The request that the options make for a checkpoint whose configuration is in `folder`."""
    return Request(
        source=folder,
        recipe=recipe_of(options),
        size=size_of(options),
        file_name=file_name,
        importance=options.imatrix,
        adapter=options.adapter,
        choices=Choices(mtp=options.mtp),
        split=split_of(options),
    )


def recipe_of(options: argparse.Namespace) -> str:
    """The name or the file of the wanted recipe."""
    return str(options.recipe) if options.recipe else options.type or DEFAULT_TYPE


def size_of(options: argparse.Namespace) -> Size | None:
    """The wanted size, if one is."""
    if options.save_recipe and options.target_size is None and options.bpw is None:
        raise Misuse("--save-recipe is for a recipe found by --target-size or --bpw")
    if options.target_size is None and options.bpw is None:
        return None
    return Size(bytes=options.target_size, bits=options.bpw)


def split_of(options: argparse.Namespace) -> Split:
    """When another file is begun."""
    return Split(max_size=options.split_max_size, max_tensors=options.split_max_tensors)


def save_recipe(path: Path | None, solved: Recipe | None) -> None:
    """Writes a recipe that was found, where the user asked for that. Raises TargetError when it cannot be written."""
    if path is None or solved is None:
        return
    try:
        path.write_text(recipe_text(solved), "utf-8")
    except OSError as exc:
        raise TargetError(f"{path} cannot be written: {exc.strerror or exc}") from exc


def target_of(options: argparse.Namespace, target: Path) -> Path:
    """The output's path: the target itself, or a name like the source's in a folder."""
    if target.is_dir():
        return target / f"{name_of(options.source).removesuffix('.gguf')}-{_short_name(options)}.gguf"
    if target.suffix != ".gguf":
        raise Misuse(f"{target} is neither a folder nor a name that ends in .gguf")
    check_parent(target)
    return target


def check_parent(target: Path) -> None:
    """Raises TargetError when there is no folder to write the output into."""
    if not target.parent.is_dir():
        raise TargetError(f"there is no folder {target.parent} for {target.name}")


def _short_name(options: argparse.Namespace) -> str:
    """What the types are called in a file's name."""
    if options.recipe:
        return str(options.recipe.stem)
    if options.bpw is not None:
        return f"{options.bpw:g}bpw"
    if options.target_size is not None:
        return f"{options.target_size / 1e9:.4g}GB"
    return Path(options.type or DEFAULT_TYPE).name.removesuffix(".toml")
