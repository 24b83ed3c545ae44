"""`python -m bench.tie_break`: how often the model's choice among unsure repairs is right, and the first one.

Errors are planted as bench.repair does. Options: --model NAME, --split dev (the default) or test, --languages, --modes,
--cases (of each language and mode), --seed.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from ast_tools import LANGUAGES, Edit, apply, parse
from ast_tools.lines import Lines
from bench import corpora
from bench.repair.arms import ours
from bench.repair.cases import BUDGET_S, MODES, Case, Mode, case
from bench.repair.judge import CHOICES, likeness
from bench.report import Report
from engine.client import EngineClient, HostDoor
from engine.errors import EngineError
from engine.supervisor import Supervisor, Watch
from engine.types import Engine, EngineOptions
from r1_lsp.features.errors import Refused
from r1_lsp.features.tie_break import likeliest

CASES = 60
PATIENT = Watch(stall_s=900.0, silent_s=900.0)
"""Nobody waits here: a host that others leave no processor to is not stuck."""
ONE_ERROR: tuple[Mode, ...] = ("delete", "extra", "swap")
"""Modes in which the right one of the choices mends the whole file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tie:
    """Repairs of one error of which none is sure, in the order they were found in, and which of them are right."""

    language: str
    mode: Mode
    text: bytes
    choices: tuple[tuple[Edit, ...], ...]
    right: tuple[bool, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the first choice and the model's are right; None where the model could not compare."""

    tie: Tie
    first: bool
    model: bool | None


def main(arguments: list[str]) -> int:
    """Exit code 1 when there is no model."""
    options = _options(arguments)
    report = Report("tie-break")
    pools = {name: corpora.files(name, options.split) for name in options.languages}
    ties = list(_ties({name: pool for name, pool in pools.items() if pool}, options))
    report.notes += [
        f"{options.split} projects, seed {options.seed}, {options.cases} cases of each language and mode "
        f"({', '.join(options.modes)}); model {escape(options.model)}",
        "of the errors with two or three repairs of which none is sure, one of them right; any: what a die would reach",
        *corpora.notes(),
    ]
    try:
        verdicts = asyncio.run(_judged(ties, options.model))
    except EngineError as problem:
        report.notes.append(escape(f"the model was not asked: {problem}"))
        report.finish()
        return 1
    for name in (*pools, "all"):
        _row(report, name, [one for one in verdicts if name in (one.tie.language, "all")])
    _exchanged(report, verdicts)
    return report.finish()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.tie_break", description="The model's choice among unsure repairs.")
    names = [name for name in corpora.SUFFIXES if name in LANGUAGES]
    parser.add_argument("--model", default="default")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--languages", nargs="+", choices=names, default=names)
    parser.add_argument("--modes", nargs="+", choices=[mode for mode in MODES if mode in ONE_ERROR], default=ONE_ERROR)
    parser.add_argument("--cases", type=int, default=CASES, help="of each language and mode")
    parser.add_argument("--seed", type=int, default=random.randrange(100_000))
    return parser.parse_args(arguments)


def _ties(pools: dict[str, tuple[corpora.File, ...]], options: argparse.Namespace) -> Iterator[Tie]:
    todo = [
        (pool, mode, number) for pool in pools.values() for mode in options.modes for number in range(options.cases)
    ]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for pool, mode, number in progress.track(todo, description="planting errors"):
            planted = case(pool, mode, options.seed, number)
            found = _tie(planted) if planted is not None else None
            if found is not None:
                yield found


def _tie(planted: Case) -> Tie | None:
    """None where a repair is sure, there is but one, or none is right: there is nothing to win."""
    language = LANGUAGES[planted.language]
    tree = parse(language, planted.broken, BUDGET_S)
    offered = ours(tree)[:CHOICES] if tree is not None else []
    if len(offered) < 2 or any(one.sure for one in offered):
        return None
    right = tuple(likeness(language, apply(planted.broken, one.edits), planted.wanted).right for one in offered)
    if not any(right):
        return None
    choices = tuple(one.edits for one in offered)
    return Tie(language=planted.language, mode=planted.mode, text=planted.broken, choices=choices, right=right)


async def _judged(ties: Sequence[Tie], model: str) -> list[Verdict]:
    options = EngineOptions(model=model)
    engine = EngineClient(options, door=HostDoor(Supervisor(options, watch=PATIENT)))
    try:
        await engine.info()
        with Progress(console=Console(stderr=True), transient=True) as progress:
            return [await _verdict(engine, tie) for tie in progress.track(ties, description="asking the model")]
    finally:
        await engine.close()


async def _verdict(engine: Engine, tie: Tie) -> Verdict:
    try:
        order = await likeliest(engine, Lines(tie.text), tie.choices, session="", heard=lambda _: None)
    except Refused:
        return Verdict(tie=tie, first=tie.right[0], model=None)
    return Verdict(tie=tie, first=tie.right[0], model=tie.right[order[0]])


def _row(report: Report, name: str, verdicts: Sequence[Verdict]) -> None:
    compared = [one for one in verdicts if one.model is not None]
    if not compared:
        return
    model = _percent([bool(one.model) for one in compared])
    first = _percent([one.first for one in compared])
    die = 100 * sum(sum(one.tie.right) / len(one.tie.right) for one in compared) / len(compared)
    shown = f"model {model:.1f} %, first {first:.1f} %, any {die:.1f} % of {len(compared)}"
    report.row(f"{name}: right", shown, value=model - first)


def _exchanged(report: Report, verdicts: Sequence[Verdict]) -> None:
    """How often the choice changes something, and how many could not be compared."""
    better = sum(one.model is True and not one.first for one in verdicts)
    worse = sum(one.model is False and one.first for one in verdicts)
    report.row("all: the model mends, spoils the first choice", f"{better}, {worse}")
    report.row("all: too far apart to compare", f"{sum(one.model is None for one in verdicts)}")


def _percent(values: Sequence[bool]) -> float:
    return 100 * sum(values) / max(len(values), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
