"""`python -m bench.repair`: brackets planted wrong in real files, and what each way to repair them makes of it.

Options: --split dev (for tuning; test is for judging), --languages, --modes, --cases, --seeds, --blank, --no-model.
"""

import argparse
import json
import random
import sys
from dataclasses import asdict
from functools import partial

from rich.markup import escape

from ast_tools import LANGUAGES
from bench import corpora
from bench.parallel import spread
from bench.repair import model
from bench.repair.cases import MODES, OPTIONAL_MODES, Batch, Mode, case
from bench.repair.tables import Figures, bounds, percent, print_mode, remains
from bench.repair.work import Done, worked
from bench.report import BUILD, Report
from engine.errors import EngineError

CASES, SEEDS, BATCH = 300, 3, 10
MODEL_CASES = 8


def main(arguments: list[str]) -> int:
    """Exit code 1 when a figure falls short."""
    options = _options(arguments)
    pools = {name: corpora.files(name, options.split) for name in options.languages}
    pools = {name: pool for name, pool in pools.items() if pool}
    report = Report("repair")
    report.notes += _heading(options, pools)
    batches = [
        Batch(language, mode, seed, tuple(range(at, min(at + BATCH, _n_cases(options, mode)))))
        for seed in options.seeds
        for mode in options.modes
        for language in pools
        for at in range(0, _n_cases(options, mode), BATCH)
    ]
    done = [one for _, found in spread(partial(worked, pools), batches, "cases") for one in found]
    done.sort(key=lambda one: (one.seed, one.mode, one.language, one.number))
    found = {mode: print_mode(done, mode, report) for mode in options.modes}
    if "delete" in options.modes:
        bounds(report, done)
        if not options.no_model:
            _ask_model(report, pools, options, done)
    report.notes += remains(done)
    _write(done, found, options.seeds)
    return report.finish()


def _n_cases(options: argparse.Namespace, mode: Mode) -> int:
    """Of one seed: the mode with bounds is run in full for each seed, the others share theirs among the seeds."""
    wanted: int = options.cases
    return wanted if mode == "delete" else -(-wanted // len(options.seeds))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.repair", description="Brackets planted wrong in real files.")
    names = [name for name in corpora.SUFFIXES if name in LANGUAGES]
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--languages", nargs="+", choices=names, default=names)
    parser.add_argument("--modes", nargs="+", choices=(*MODES, *OPTIONAL_MODES), default=list(MODES))
    parser.add_argument("--cases", type=int, default=CASES, help="of each language and mode; of delete for each seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[random.randrange(100_000) for _ in range(SEEDS)])
    parser.add_argument("--no-model", action="store_true", help="leave the default model out")
    return parser.parse_args(arguments)


def _heading(options: argparse.Namespace, pools: dict[str, tuple[corpora.File, ...]]) -> list[str]:
    sizes = ", ".join(f"{name} {len(pool)} files of {len({f.project for f in pool})}" for name, pool in pools.items())
    missing = [name for name in options.languages if name not in pools]
    return [
        f"{options.split} projects: {sizes}; {options.cases} cases per language and mode, of delete "
        f"for each seed; seeds {' '.join(map(str, options.seeds))}",
        "text only: ours without the parser; tree-sitter: its own recovery; naive: a stack of brackets",
        "exact: the original, white space aside; right: exact, or the same tree and names (Python: ast.dump); "
        "line: on the right line; three: right among the first three; sure, wrong: marked sure, and that wrong, of all "
        "cases; ms: median processor time; p50, p95: the same as a multiple of one parse of that file, each the "
        "shorter of two",
        *([f"no files, so left out: {', '.join(missing)}"] if missing else []),
        *corpora.notes(),
    ]


def _ask_model(
    report: Report, pools: dict[str, tuple[corpora.File, ...]], options: argparse.Namespace, done: list[Done]
) -> None:
    """The default model on the first small pieces of the first seed, beside our arm on the same cases."""
    ours = {
        (o.language, o.number): o.outcomes["ours"] for o in done if o.mode == "delete" and o.seed == options.seeds[0]
    }
    pieces: list[model.Piece] = []
    for pool in pools.values():
        made = (case(pool, "delete", options.seeds[0], number) for number in range(options.cases))
        pieces += model.first_pieces([one for one in made if one is not None], MODEL_CASES)
    if not pieces:
        report.notes.append("the model was not asked: no case is small enough")
        return
    try:
        right = model.asked(pieces)
    except EngineError as problem:
        report.notes.append(escape(f"the model was not asked: {problem}"))
        return
    same = [ours[piece.case.language, piece.case.number].right for piece in pieces]
    shown = f"right {percent(right):.1f} % of {len(pieces)} small pieces; ours on the same {percent(same):.1f} %"
    report.row("delete, all: the default model alone", shown, value=percent(right))


def _write(done: list[Done], figures: dict[Mode, dict[str, dict[str, Figures]]], seeds: list[int]) -> None:
    """All figures and all failures, for reading and for the next change."""
    BUILD.mkdir(parents=True, exist_ok=True)
    body = {"seeds": seeds, "figures": figures}
    (BUILD / "repair-figures.json").write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    with (BUILD / "repair-failures.jsonl").open("w", encoding="utf-8") as file:
        for one in done:
            if one.failure is not None:
                outcomes = {"ours": asdict(one.outcomes["ours"])}
                row = {**asdict(one), "outcomes": outcomes, "reproduce": f"--seeds {one.seed}, number {one.number}"}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
