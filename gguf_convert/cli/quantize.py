"""`r1-gguf quantize SRC DST`: a GGUF file with other types for its tensors, as llama.cpp's quantiser writes it."""

from pathlib import Path

from gguf_convert.budget import budget_for
from gguf_convert.cli.arguments import Arguments, Misuse
from gguf_convert.cli.carry_out import carry_out
from gguf_convert.cli.requests import (
    add_output_options,
    add_type_options,
    recipe_of,
    save_recipe,
    size_of,
    split_of,
    target_of,
)
from gguf_convert.convert import Order
from gguf_convert.imatrix import read_imatrix, sha256_of
from gguf_convert.quantize import Requantisation, plan_quantise
from gguf_convert.recipe import load_recipe


def run(words: list[str]) -> int:
    """Quantises; Ctrl-C leaves what is done for the same command to go on with."""
    options = _arguments().parse_args(words)
    target = target_of(options, options.target)
    size = size_of(options)
    importance = read_imatrix(options.imatrix) if options.imatrix else None
    made = plan_quantise(
        Path(options.source),
        size or load_recipe(recipe_of(options)),
        file_name=target.name,
        importance=importance,
        allow_requantise=options.allow_requantize,
        split=split_of(options),
    )
    _check_apart(made, target.parent)
    save_recipe(options.save_recipe, made.recipe)
    checkpoint = made.source.checkpoint
    order = Order(
        checkpoint=checkpoint,
        plan=made.plan,
        target=target,
        recipe=made.recipe.name,
        budget=budget_for(made.plan, len(checkpoint.tensors), workers=options.workers, max_memory=options.max_memory),
        importance=importance,
        importance_sha256=sha256_of(options.imatrix) if options.imatrix else None,
        hash_sources=not options.no_source_hash,
        restart=options.restart,
    )
    return carry_out(order, as_json=options.json)


def _check_apart(made: Requantisation, folder: Path) -> None:
    """An output in the place of its source would be made of a file that it replaces."""
    sources = {shard.path.resolve() for shard in made.source.checkpoint.shards.values()}
    if any((folder / file.name).resolve() in sources for file in made.plan.files):
        raise Misuse("the output would replace its source; give it another name")


def _arguments() -> Arguments:
    parser = Arguments(
        prog="r1-gguf quantize",
        description="A GGUF file again, with other types for its tensors. Killed or stopped, the same command goes on.",
    )
    parser.add_argument("source", metavar="SRC", help="a GGUF file, or any file of a split one")
    add_type_options(parser)
    add_output_options(parser)
    parser.add_argument("target", type=Path, metavar="DST", help="a name that ends in .gguf, or a folder")
    parser.add_argument("--allow-requantize", action="store_true", help="of weights, too, that are quantised already")
    parser.add_argument("--restart", action="store_true", help="forget what an earlier run has done, replace its file")
    parser.add_argument("--no-source-hash", action="store_true", help="no sha256 of the source in the manifest")
    return parser
