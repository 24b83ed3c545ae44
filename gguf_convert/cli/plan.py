"""`r1-gguf plan SRC`: what a conversion would write and need, from headers alone."""

import json
import shutil
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from gguf_convert.budget import Budget, budget_for
from gguf_convert.cli.arguments import Arguments
from gguf_convert.cli.requests import add_options, request_of, save_recipe
from gguf_convert.cli.sources import looked_at
from gguf_convert.costs import measure
from gguf_convert.inspect import printable
from gguf_convert.plan import Plan
from gguf_convert.request import Prepared, prepare
from gguf_convert.stream import Download, download_of
from gguf_convert.units import duration, in_units


def run(words: list[str]) -> int:
    """Prints the plan; exit code 1 when there can be none."""
    options = _arguments().parse_args(words)
    with looked_at(options) as (checkpoint, hub):
        prepared = prepare(request_of(options, checkpoint.folder, "model.gguf"), checkpoint)
    save_recipe(options.save_recipe, prepared.solved)
    download = download_of(prepared.plan, prepared.checkpoint, hub.files) if hub else None
    budget = budget_for(
        prepared.plan, len(prepared.checkpoint.tensors), workers=options.workers, max_memory=options.max_memory
    )
    seconds = None if options.no_measure else _forecast(prepared, budget)
    if options.json:
        print(json.dumps(_as_json(prepared, budget, seconds, download), indent=1))
        return 0
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
    console.print(_report(prepared, _summary(prepared, budget, seconds, download), all_tensors=options.tensors))
    return 0


def _arguments() -> Arguments:
    parser = Arguments(prog="r1-gguf plan", description="What a conversion would write and need, from headers alone.")
    add_options(parser)
    parser.add_argument("--tensors", action="store_true", help="every tensor, not only a count by type")
    parser.add_argument("--no-measure", action="store_true", help="no forecast of the time, which takes five seconds")
    return parser


def _forecast(prepared: Prepared, budget: Budget) -> float:
    speed = measure(prepared.plan, prepared.checkpoint)
    return speed.forecast(prepared.plan, prepared.source_bytes, budget.workers)


def _report(prepared: Prepared, summary: Table, *, all_tensors: bool) -> Group:
    plan = prepared.plan
    tables: list[RenderableType] = [
        summary,
        Text(),
        _all_tensors(plan) if all_tensors else _by_type(plan),
    ]
    if plan.unused:
        tables += [Text(), _left_out(plan)]
    if plan.warnings:
        tables += [Text(), *(Text(f"! {printable(warning)}") for warning in plan.warnings)]
    return Group(*tables)


def _summary(prepared: Prepared, budget: Budget, seconds: float | None, download: Download | None) -> Table:
    plan, table = prepared.plan, Table.grid(padding=(0, 2))
    free = shutil.disk_usage(Path.cwd()).free
    bits = 8 * sum(tensor.size for tensor in plan.tensors) / plan.elements
    files, n_sources = _files(len(plan.files)), _files(len(prepared.checkpoint.shards))
    for name, value in (
        ("architecture", plan.architecture),
        ("checkpoint", f"{in_units(prepared.source_bytes)} in {n_sources}"),
        ("recipe", prepared.recipe),
        ("parameters", f"{plan.elements:,} in {len(plan.tensors)} tensors, {bits:.2f} bits each"),
        ("output", f"{in_units(plan.size)} in {files}"),
        *([("download", _shown(download))] if download else []),
        ("disk", f"{in_units(plan.size)} besides the checkpoint; {in_units(free)} are free here"),
        ("memory", f"{budget.memory / 1e6:,.0f} MB with {budget.workers} workers"),
        ("time", "not measured" if seconds is None else f"about {duration(seconds)}, as this machine is now"),
    ):
        table.add_row(Text(name, style="dim"), Text(printable(value)))
    return table


def _shown(download: Download) -> str:
    there = f"at most {in_units(download.at_once)} of it on the disk at a time with --stream"
    return f"{in_units(download.size)} in {_files(download.files)}, {there}"


def _files(count: int) -> str:
    return "one file" if count == 1 else f"{count} files"


def _by_type(plan: Plan) -> Table:
    tensors: Counter[str] = Counter()
    elements: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for tensor in plan.tensors:
        tensors[tensor.type] += 1
        elements[tensor.type] += tensor.target.elements
        sizes[tensor.type] += tensor.size
    table = Table("type", "tensors", "parameters", "bytes", box=None, header_style="dim")
    for name, total in sizes.most_common():
        table.add_row(name, f"{tensors[name]:,}", f"{elements[name]:,}", f"{total:,}")
    return table


def _all_tensors(plan: Plan) -> Table:
    table = Table("tensor", "shape", "type", "bytes", "file", "offset", "from", box=None, header_style="dim")
    for tensor in plan.tensors:
        weights = tensor.target.source.weights
        made_of = weights[0] if len(weights) == 1 else f"{len(weights)} weights"
        table.add_row(
            Text(printable(tensor.target.name)), " x ".join(map(str, tensor.target.shape)), tensor.type,
            f"{tensor.size:,}", str(tensor.file + 1), f"{tensor.offset:,}", Text(printable(made_of)),
        )  # fmt: skip
    return table


def _left_out(plan: Plan) -> Table:
    reasons = Counter(plan.unused.values())
    table = Table("left out", "why", box=None, header_style="dim")
    for reason, number in reasons.most_common():
        table.add_row(f"{number:,} weights", Text(printable(reason)))
    return table


def _as_json(prepared: Prepared, budget: Budget, seconds: float | None, download: Download | None) -> dict[str, Any]:
    plan = prepared.plan
    return {
        "architecture": plan.architecture,
        "recipe": prepared.recipe,
        "source_bytes": prepared.source_bytes,
        "download": asdict(download) if download else None,
        "parameters": plan.elements,
        "size": plan.size,
        "files": [{"name": file.name, "size": file.size} for file in plan.files],
        "workers": budget.workers,
        "memory": budget.memory,
        "seconds": seconds,
        "digest": plan.digest,
        "warnings": list(plan.warnings),
        "unused": dict(plan.unused),
        "tensors": [
            {
                "name": tensor.target.name, "shape": list(tensor.target.shape), "type": tensor.type,
                "file": tensor.file, "offset": tensor.offset, "size": tensor.size,
                "from": list(tensor.target.source.weights),
            }
            for tensor in plan.tensors
        ],
    }  # fmt: skip
