"""The tables: a row for each arm and language, the bounds, and what remains and why."""

import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.repair.arms import ARMS
from bench.repair.cases import Mode
from bench.repair.judge import Outcome
from bench.repair.work import Done
from bench.report import Report

SHOWN_CLASSES = 25
SHARES = ("exact", "right", "shape", "parses", "line", "three", "sure")

# Bounds for one deleted bracket in the test projects: over all languages, and for each.
RIGHT_ALL, RIGHT_EACH, THREE, SURE, SURE_WRONG = 92.0, 86.0, 97.5, 80.0, 2.0
RATIO_P50, RATIO_P95 = 8.0, 15.0

Figures = dict[str, float]


def figures(found: Sequence[Outcome]) -> Figures:
    """Percentages of the cases, milliseconds, and times as multiples of one parse."""
    ratios = sorted(one.ratio for one in found)
    return {
        "n": len(found),
        **{name: percent([getattr(one, name) for one in found]) for name in SHARES},
        "wrong": percent([one.sure and not one.right for one in found]),
        "ms": statistics.median(one.seconds for one in found) * 1e3,
        "p50": ratios[len(found) // 2],
        "p95": ratios[len(found) * 95 // 100],
    }


def percent(found: Sequence[bool]) -> float:
    """How many are true, of a hundred."""
    return 100 * statistics.mean(found)


def by_language(done: Sequence[Done], mode: Mode, arm: str) -> dict[str, Figures]:
    """The figures of each language, and of all together."""
    mine: dict[str, list[Outcome]] = defaultdict(list)
    for one in done:
        if one.mode == mode:
            mine[one.language].append(one.outcomes[arm])
            mine["all"].append(one.outcomes[arm])
    order = [*(name for name in mine if name != "all"), "all"]
    return {name: figures(mine[name]) for name in order if mine[name]}


def print_mode(done: Sequence[Done], mode: Mode, report: Report) -> dict[str, dict[str, Figures]]:
    """Prints a mode's table; the line over all languages goes into the report. Returns all figures."""
    columns = ("exact", "right", "parses", "line", "three", "sure", "wrong", "ms", "p50", "p95")
    table = Table("arm", "language", "n", *columns, title=mode)
    found = {arm: by_language(done, mode, arm) for arm in ARMS}
    for arm, rows in found.items():
        for language, row in rows.items():
            table.add_row(arm, language, f"{row['n']:.0f}", *(f"{row[name]:.1f}" for name in columns))
        table.add_section()
        if "all" in rows:
            report.row(f"{mode}: {arm}", _shown(rows["all"]), value=rows["all"]["right"])
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return found


def _shown(row: Figures) -> str:
    return (
        f"right {row['right']:.1f} %, three {row['three']:.1f} %, sure {row['sure']:.1f} % (wrong {row['wrong']:.1f})"
    )


def bounds(report: Report, done: Sequence[Done]) -> None:
    """The wanted figures for one deleted bracket."""
    rows = by_language(done, "delete", "ours")
    whole = rows.pop("all")
    least = min(rows, key=lambda name: rows[name]["right"])
    report.at_least("delete: right, all languages", whole["right"], RIGHT_ALL, " %")
    report.at_least(f"delete: right, the weakest language ({least})", rows[least]["right"], RIGHT_EACH, " %")
    report.at_least("delete: right among the first three", whole["three"], THREE, " %")
    report.at_least("delete: sure, of all cases", whole["sure"], SURE, " %")
    report.at_most("delete: sure and wrong, of all cases", whole["wrong"], SURE_WRONG, " %")
    report.at_most("delete: time in parses of the file, median", whole["p50"], RATIO_P50)
    report.at_most("delete: time in parses of the file, p95", whole["p95"], RATIO_P95)


def remains(done: Sequence[Done]) -> list[str]:
    """The classes of failures, largest first, with an example each."""
    found = [(one, one.failure) for one in done if one.failure is not None]
    classes = Counter((one.mode, failed.why) for one, failed in found)
    lines = [f"what remains and why: {len(found)} of {len(done)} cases are not right at the first suggestion"]
    for (mode, why), count in classes.most_common(SHOWN_CLASSES):
        one, failed = next((o, f) for o, f in found if (o.mode, f.why) == (mode, why))
        lines.append(escape(f"  {count:4} {mode}: {why}"))
        lines.append(escape(f"         {one.language}, {one.project}: {failed.wanted}"))
        if failed.got and failed.got != failed.wanted:
            lines.append(escape(f"         became: {failed.got}"))
    return lines
