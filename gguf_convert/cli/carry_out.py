"""Runs an order with its progress shown: a bar on a terminal, lines of JSON for programs."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from gguf_convert.convert import Order, Tell, convert
from gguf_convert.convert import Progress as Step
from gguf_convert.manifest import SUFFIX, Manifest
from gguf_convert.plan import Plan
from gguf_convert.units import duration, in_units

_SECONDS_BETWEEN = 0.5


def carry_out(order: Order, *, as_json: bool) -> int:
    """Does it and returns the exit code. Ctrl-C leaves what is done for the same command to go on with."""
    for warning in order.plan.warnings:
        print(f"r1-gguf: {warning}", file=sys.stderr)
    began = time.monotonic()
    try:
        with _telling(order.plan, as_json=as_json) as tell:
            manifest = convert(order, tell)
    except KeyboardInterrupt:
        print("r1-gguf: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    _say_done(order.target, order.plan, manifest, time.monotonic() - began, as_json=as_json)
    return 0


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
