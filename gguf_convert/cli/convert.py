"""`r1-gguf convert SRC DST`: one pass from a checkpoint to a GGUF file, resumable."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from gguf_convert.budget import budget_for
from gguf_convert.cli.arguments import Arguments
from gguf_convert.cli.requests import add_options, request_of, target_of
from gguf_convert.cli.sources import add_download_options, to_be_converted
from gguf_convert.convert import Order, Tell, convert
from gguf_convert.convert import Progress as Step
from gguf_convert.manifest import SUFFIX, Manifest
from gguf_convert.plan import Plan
from gguf_convert.request import prepare
from gguf_convert.source.known_hashes import known_hashes
from gguf_convert.units import duration, in_units

_SECONDS_BETWEEN = 0.5


def run(words: list[str]) -> int:
    """Converts; Ctrl-C leaves what is done for the same command to go on with."""
    options = _arguments().parse_args(words)
    target = target_of(options, options.target)
    checkpoint, supply = to_be_converted(options, target)
    prepared = prepare(request_of(options, checkpoint.folder, target.name), checkpoint)
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
    for warning in prepared.plan.warnings:
        print(f"r1-gguf: {warning}", file=sys.stderr)
    began = time.monotonic()
    try:
        with _telling(prepared.plan, as_json=options.json) as tell:
            manifest = convert(order, tell)
    except KeyboardInterrupt:
        print("r1-gguf: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    _say_done(target, prepared.plan, manifest, time.monotonic() - began, as_json=options.json)
    return 0


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


@contextmanager
def _telling(plan: Plan, *, as_json: bool) -> Iterator[Tell]:
    """How progress is shown: lines of JSON, a bar on a terminal, nothing in a pipe."""
    if as_json:
        yield _rarely(_json_line)
    elif sys.stderr.isatty():
        with _bar() as bar:
            yield _on_bar(bar, plan)
    else:
        yield lambda step: None


def _rarely(tell: Tell) -> Tell:
    """Passes on the first step, and then at most two a second."""
    last = -_SECONDS_BETWEEN

    def at_times(step: Step) -> None:
        nonlocal last
        if step.seconds - last >= _SECONDS_BETWEEN:
            last = step.seconds
            tell(step)

    return at_times


def _json_line(step: Step) -> None:
    event = {
        "event": "progress",
        "done": round(step.done / step.total, 6) if step.total else 1.0,
        "seconds": round(step.seconds, 1),
        "left": None if step.left is None else round(step.left, 1),
        "bytes": step.written,
        "at": step.at,
    }
    print(json.dumps(event), flush=True)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.percentage:5.1f} %"),
        BarColumn(),
        TextColumn("{task.fields[written]}, {task.fields[speed]}/s, {task.fields[left]} left"),
        TextColumn("[dim]{task.fields[at]}"),
        console=Console(stderr=True, highlight=False),
        transient=True,
    )


def _on_bar(bar: Progress, plan: Plan) -> Tell:
    task = bar.add_task("", total=1.0, written="", speed="-", left="-", at="")

    def tell(step: Step) -> None:
        speed = in_units(int(step.written_now / step.seconds)) if step.seconds else "-"
        bar.update(
            task,
            completed=step.done / step.total if step.total else 1.0,
            written=f"{in_units(step.written)} of {in_units(plan.size)}",
            speed=speed,
            left="-" if step.left is None else duration(step.left),
            at=step.at,
        )

    return tell


def _say_done(target: Path, plan: Plan, manifest: Manifest, seconds: float, *, as_json: bool) -> None:
    files = [str(target.with_name(name)) for name in manifest.files]
    record = str(target.with_name(target.name + SUFFIX))
    if as_json:
        print(json.dumps({"event": "done", "files": files, "size": plan.size, "manifest": record}))
        return
    named = files[0] if len(files) == 1 else f"{files[0]} and {len(files) - 1} more"
    print(f"{named}: {in_units(plan.size)}, {manifest.recipe}, {duration(seconds)}; the record is {record}")
