"""`r1-gguf convert SRC DST`: one pass from a checkpoint to a GGUF file, resumable."""

from pathlib import Path

from gguf_convert.budget import budget_for
from gguf_convert.cli.arguments import Arguments
from gguf_convert.cli.carry_out import carry_out
from gguf_convert.cli.requests import add_options, request_of, save_recipe, target_of
from gguf_convert.cli.sources import add_download_options, to_be_converted
from gguf_convert.convert import Order
from gguf_convert.request import prepare
from gguf_convert.source.known_hashes import known_hashes


def run(words: list[str]) -> int:
    """Converts; Ctrl-C leaves what is done for the same command to go on with."""
    options = _arguments().parse_args(words)
    target = target_of(options, options.target)
    checkpoint, supply = to_be_converted(options, target)
    prepared = prepare(request_of(options, checkpoint.folder, target.name), checkpoint)
    save_recipe(options.save_recipe, prepared.solved)
    order = Order(
        checkpoint=prepared.checkpoint,
        plan=prepared.plan,
        target=target,
        recipe=prepared.recipe,
        budget=budget_for(
            prepared.plan, len(prepared.checkpoint.tensors), workers=options.workers, max_memory=options.max_memory
        ),
        importance=prepared.importance,
        importance_sha256=prepared.importance_sha256,
        hash_sources=not options.no_source_hash,
        expected=known_hashes(prepared.checkpoint),
        restart=options.restart,
        supply=supply,
    )
    return carry_out(order, as_json=options.json)


def _arguments() -> Arguments:
    parser = Arguments(
        prog="r1-gguf convert",
        description="A checkpoint as a quantised GGUF file, in one pass. Killed or stopped, the same command goes on.",
    )
    add_options(parser)
    parser.add_argument("target", type=Path, metavar="DST", help="a name that ends in .gguf, or a folder")
    parser.add_argument("--restart", action="store_true", help="forget what an earlier run has done, replace its file")
    add_download_options(parser)
    parser.add_argument("--no-source-hash", action="store_true", help="no sha256 of the checkpoint in the manifest")
    return parser
