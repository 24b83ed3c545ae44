"""Errors that people made: how often the first suggestion is what they did themselves.

Where a text has several errors a suggestion is one for the first of them and the sure ones for the others.

    python -m bench.students --data FOLDER [--only c planted fixtures] [--budget SECONDS]

FOLDER holds student_c_errors_dev, planted_syntax_errors_dev and parser_error_fixtures (gzipped JSON lines). What was
not right goes to build/bench/students-*.jsonl, one case a line.

The shipped tables of ast_tools.repair were learnt from the development data. A case that is among those is repaired
with tables that were learnt without it and its third of the data (bench.held_out), so its figure is one on cases that
nothing was learnt from; a case that is new is repaired with the shipped tables.
"""

import argparse
import gzip
import json
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ast_tools import LANGUAGES, Edit, Language, Repair, apply, parse, problems, refusal, repairs
from ast_tools.lexer import tokens
from ast_tools.repair.merging import all_repairs
from ast_tools.repair.tables import Table
from bench.compilers import Compiler, Verdict, available
from bench.held_out import Tables, fold_of, held_out, key
from bench.parallel import spread
from bench.report import BUILD, Report

BUDGET_S = 0.5
BATCH = 20
PARSE_BUDGET_S = 0.2
SLACK_S = 0.02
"""A parse stops at the end of a slice, and the machine is not ours alone."""
CRASH_TIMEOUT_S = 120
ROOT = Path(__file__).parent.parent

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was offered for a broken text: the whole texts after each suggestion, and whether anything was reported.

    `clean`: the parser took the broken text. `seconds` of processor time for the repair, `ratio` to one parse.
    """

    clean: bool
    reported: bool
    titles: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    sure: bool = False
    seconds: float = 0.0
    ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class Task:
    """Some rows for one process, with the file they are from, and what each repair may cost in seconds."""

    rows: tuple[tuple[int, Row], ...]
    folder: Path
    stem: str
    budget_s: float


def attempts(task: Task) -> list[tuple[int, Attempt]]:
    """One attempt for each row; runs in a process of its own."""
    tables = _tables(task.folder, task.stem)
    return [(number, attempt(row, tables.table(row), task.budget_s)) for number, row in task.rows]


@cache
def _tables(folder: Path, stem: str) -> Tables:
    return Tables(read(folder, stem))


def attempt(row: Row, learnt: Table | None, budget_s: float) -> Attempt:
    """What we make of a row's broken text, with the shipped table or another."""
    language, text = LANGUAGES[row["language"]], row["broken"].encode()
    started = time.thread_time()
    tree = parse(language, text, 1.0)
    parsed_s = time.thread_time() - started
    if tree is None:
        return Attempt(clean=False, reported=False)
    clean = not tree.has_error and (language.accepts is None or language.accepts(text))
    started = time.thread_time()
    found = all_repairs(tree, None, budget_s, parser=True, learnt=learnt)
    seconds = time.thread_time() - started
    return Attempt(
        clean=clean,
        reported=bool(problems(tree)) or refusal(tree) is not None,
        titles=tuple(repair.title for repair in found[:3]),
        texts=tuple(_after(text, repair, found) for repair in found[:3]),
        sure=bool(found) and found[0].sure,
        seconds=seconds,
        ratio=seconds / max(parsed_s, 1e-5),
    )


def _after(text: bytes, repair: Repair, found: Sequence[Repair]) -> str:
    """The text after a repair, and after the sure repairs of other errors, as `fix --write --guess` makes them."""
    edits = list(repair.edits)
    for other in found:
        if other.sure and all(_apart(one, made) for one in other.edits for made in edits):
            edits += other.edits
    return apply(text, edits).decode("utf-8", "replace")


def _apart(one: Edit, other: Edit) -> bool:
    return one.end < other.start or other.end < one.start


def attempted(rows: Sequence[Row], folder: Path, stem: str, budget_s: float) -> list[Attempt]:
    """An attempt for each row of a file of the data, in order; in parallel, those with the same table together."""
    numbered = sorted(enumerate(rows), key=lambda pair: (pair[1]["language"], fold_of(pair[1])))
    tasks = [Task(tuple(numbered[at : at + BATCH]), folder, stem, budget_s) for at in range(0, len(rows), BATCH)]
    found = dict(pair for _, pairs in spread(attempts, tasks, stem) for pair in pairs)
    return [found[number] for number in range(len(rows))]


def learnt_from(rows: Sequence[Row]) -> str:
    """For how many rows the shipped tables would not do."""
    known = sum(key(row) in held_out().cases for row in rows)
    return f"{known} of {len(rows)} with tables that were learnt without their third of the data"


@cache
def read(folder: Path, name: str) -> list[Row]:
    """The rows of one file of the data."""
    return [json.loads(line) for line in gzip.decompress((folder / f"{name}.jsonl.gz").read_bytes()).splitlines()]


# -- student_c_errors_dev ------------------------------------------------------------------------------------------


def student_c(folder: Path, report: Report, budget_s: float) -> None:
    """Real compile errors in C programs of students, each with the line as the student mended it."""
    if not available() or "c" not in LANGUAGES:
        report.notes.append("student_c_errors_dev: left out, it needs gcc and the grammar of C")
        return
    compiler = Compiler()
    rows = _real(read(folder, "student_c_errors_dev"), compiler)
    done = attempted(rows, folder, "student_c_errors_dev", budget_s)
    firsts = [found.texts[0] if found.texts else None for found in done]
    asked = [text.encode() for text in firsts if text is not None]
    verdicts = iter(_ask_all(compiler, asked))
    compiles = [text is not None and next(verdicts).compiles for text in firsts]
    equal = [
        text is not None and _tokens("c", text) == _tokens("c", row["fixed"])
        for row, text in zip(rows, firsts, strict=True)
    ]
    among = [
        any(_tokens("c", text) == _tokens("c", row["fixed"]) for text in found.texts)
        for row, found in zip(rows, done, strict=True)
    ]
    visible = [not found.clean for found in done]
    n, seen = len(rows), sum(visible)
    report.row("student C: one line changed, broken fails, fixed compiles", f"{n}")
    report.row("held out", learnt_from(rows))
    report.row("of these the parser sees an error in", f"{seen}")
    report.row("reported, of all", f"{sum(found.reported for found in done)} of {n}")
    report.at_least("first suggestion compiles, of the visible", _percent(compiles, visible), 75, " %")
    report.at_least("equals the student's line token for token, of the visible", _percent(equal, visible), 55, " %")
    report.row("equal among the first three, of the visible", f"{_percent(among, visible):.1f} %")
    _print_sure(report, done, equal, visible)
    everywhere = [True] * n
    report.row(
        "compiles / equal, of all", f"{_percent(compiles, everywhere):.1f} / {_percent(equal, everywhere):.1f} %"
    )
    _print_times(report, done)
    failures = [
        {**_failure(row, found), "compiles": ok, "visible": seen}
        for row, found, ok, right, seen in zip(rows, done, compiles, equal, visible, strict=True)
        if not right
    ]
    _write("students-c", failures)


def _real(rows: list[Row], compiler: Compiler) -> list[Row]:
    """Rows in which one line was changed, the broken text does not compile and the fixed one does."""
    changed = [row for row in rows if _lines_changed(row) == 1]
    verdicts = _ask_all(compiler, [row[kind].encode() for row in changed for kind in ("broken", "fixed")])
    pairs = zip(changed, verdicts[::2], verdicts[1::2], strict=True)
    return [row for row, broken, fixed in pairs if fixed.compiles and not broken.compiles]


def _lines_changed(row: Row) -> int:
    one, other = row["broken"].split("\n"), row["fixed"].split("\n")
    return sum(a != b for a, b in zip(one, other, strict=True)) if len(one) == len(other) else -1


def _ask_all(compiler: Compiler, texts: list[bytes]) -> list[Verdict]:
    print(f"gcc -fsyntax-only on {len(texts)} texts (verdicts are kept)", file=sys.stderr)
    return compiler.verdicts(texts)


def _tokens(language: str, text: str) -> list[bytes]:
    found = tokens(LANGUAGES[language], text.encode())
    return [token.text for token in found if token.kind not in ("comment", "newline")]


# -- planted_syntax_errors_dev -------------------------------------------------------------------------------------


def planted(folder: Path, report: Report, budget_s: float) -> None:
    """Solutions of exercises, each with an error of a named kind planted by a model."""
    rows = [row for row in read(folder, "planted_syntax_errors_dev") if row["language"] in LANGUAGES]
    rows = [row for row in rows if not _takes(LANGUAGES[row["language"]], row["broken"])]
    done = attempted(rows, folder, "planted_syntax_errors_dev", budget_s)
    parses, equal, among = [], [], []
    for row, found in zip(rows, done, strict=True):
        right = [_squeezed(text) == _squeezed(row["fixed"]) for text in found.texts]
        parses.append(bool(found.texts) and _takes(LANGUAGES[row["language"]], found.texts[0]))
        equal.append(right[:1] == [True])
        among.append(any(right))
    everywhere = [True] * len(rows)
    report.row("planted errors: the broken text does not parse", f"{len(rows)}")
    report.row("held out", learnt_from(rows))
    report.at_least("first suggestion parses", _percent(parses, everywhere), 97, " %")
    report.at_least("equals the fix, white space aside", _percent(equal, everywhere), 65, " %")
    report.row("equal among the first three", f"{_percent(among, everywhere):.1f} %")
    aside = [bool(one.texts) and _alike(row, one.texts[0]) for row, one in zip(rows, done, strict=True)]
    report.row("equals the fix, comments aside", f"{_percent(aside, everywhere):.1f} %")
    report.row("reported", f"{sum(found.reported for found in done)} of {len(rows)}")
    _print_sure(report, done, equal, everywhere)
    for kind in sorted({(row["language"], row["bug"]) for row in rows}):
        mine = [(row["language"], row["bug"]) == kind for row in rows]
        shown = f"parses {_percent(parses, mine):.0f} %, equal {_percent(equal, mine):.0f} %"
        report.row(f"  {kind[0]}, {kind[1]} (n = {sum(mine)})", shown)
    _print_times(report, done)
    failures = [
        {**_failure(row, found), "parses": ok, "bug": row["bug"]}
        for row, found, ok, right in zip(rows, done, parses, equal, strict=True)
        if not right
    ]
    _write("students-planted", failures)


def _takes(language: Language, text: str) -> bool:
    """Whether the grammar takes a text; Python's own compiler must take it too."""
    tree = parse(language, text.encode(), 1.0)
    if tree is None or tree.has_error:
        return False
    if language.accepts is None:
        return True
    try:
        compile(text, "text", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _alike(row: Row, text: str) -> bool:
    """Whether a text is the fix but for comments: many fixes of this data bring back some that the broken text lost."""
    return _tokens(row["language"], text) == _tokens(row["language"], row["fixed"])


def _squeezed(text: str) -> str:
    return "".join(text.split())


# -- parser_error_fixtures -----------------------------------------------------------------------------------------


@dataclass
class Strain:
    """What one text cost and what went wrong."""

    parse_s: float = 0.0
    repair_s: float = 0.0
    problem_s: float = 0.0
    raised: list[str] = field(default_factory=list)


def fixtures(folder: Path, report: Report, budget_s: float) -> None:
    """Texts from parsers' own tests: nothing may crash, raise or run over its budget."""
    rows = [row for row in read(folder, "parser_error_fixtures") if row["language"] in LANGUAGES]
    strains: list[tuple[Row, Strain]] = []
    crashed: list[Row] = []
    for at in range(0, len(rows), 100):
        batch = rows[at : at + 100]
        found = _strained(batch, budget_s)
        if found is None:  # Something in it kills the process: which one is it?
            for row in batch:
                alone = _strained([row], budget_s)
                if alone is None:
                    crashed.append(row)
                else:
                    strains += zip([row], alone, strict=True)
        else:
            strains += zip(batch, found, strict=True)
    raised = [(row, strain) for row, strain in strains if strain.raised]
    slow = [row for row, strain in strains if strain.parse_s > PARSE_BUDGET_S + SLACK_S]
    report.at_most(f"fixtures (n = {len(rows)}): processes that died or hung", len(crashed), 0)
    report.at_most("fixtures: texts that made anything raise", len(raised), 0)
    report.at_most(f"fixtures: parses over their {PARSE_BUDGET_S * 1e3:.0f} ms", len(slow), 0)
    worst = max(strain.repair_s for _, strain in strains)
    report.at_most("fixtures: slowest search for repairs", worst * 1e3, (budget_s + 0.25) * 1e3, " ms")
    report.row("fixtures: slowest parse", f"{max(s.parse_s for _, s in strains) * 1e3:.1f} ms")
    report.row("fixtures: slowest placing of problems", f"{max(s.problem_s for _, s in strains) * 1e3:.1f} ms")
    bad = [{"id": row["id"], "broken": row["broken"], **asdict(strain)} for row, strain in raised]
    _write("students-fixtures", bad + [{"id": row["id"], "broken": row["broken"], "crashed": True} for row in crashed])


def _strained(rows: list[Row], budget_s: float) -> list[Strain] | None:
    """What each text cost, measured in a process of its own; None when that died or hung."""
    command = [sys.executable, "-m", "bench.students", "--strain", str(budget_s)]
    body = json.dumps(rows).encode()
    try:
        done = subprocess.run(command, input=body, capture_output=True, check=False, timeout=CRASH_TIMEOUT_S, cwd=ROOT)
    except subprocess.TimeoutExpired:
        return None
    return [Strain(**strain) for strain in json.loads(done.stdout)] if done.returncode == 0 else None


def _strain(row: Row, budget_s: float) -> Strain:
    language, text, strain = LANGUAGES[row["language"]], row["broken"].encode("utf-8", "surrogatepass"), Strain()
    try:
        started = time.thread_time()
        tree = parse(language, text, PARSE_BUDGET_S)
        strain.parse_s = time.thread_time() - started
        if tree is not None:
            started = time.thread_time()
            repairs(tree, budget_s=budget_s)
            strain.repair_s = time.thread_time() - started
            started = time.thread_time()
            problems(tree)
            refusal(tree)
            strain.problem_s = time.thread_time() - started
    except Exception:  # noqa: BLE001  (what is counted here)
        strain.raised.append(traceback.format_exc())
    return strain


# -- the report ----------------------------------------------------------------------------------------------------


def _percent(right: Sequence[bool], among: Sequence[bool]) -> float:
    n = sum(among)
    return 100 * sum(a and b for a, b in zip(right, among, strict=True)) / n if n else 0.0


def _print_sure(report: Report, done: Sequence[Attempt], equal: Sequence[bool], among: Sequence[bool]) -> None:
    sure = [found.sure for found in done]
    wrong = [found.sure and not right for found, right in zip(done, equal, strict=True)]
    report.row("sure / sure but not equal", f"{_percent(sure, among):.1f} / {_percent(wrong, among):.1f} %")


def _print_times(report: Report, done: Sequence[Attempt]) -> None:
    if not done:
        return
    ratios = sorted(found.ratio for found in done)
    seconds = sorted(found.seconds for found in done)
    p95 = len(done) * 95 // 100
    shown = f"{seconds[len(done) // 2] * 1e3:.1f} / {seconds[p95] * 1e3:.1f} ms"
    shown += f", {ratios[len(done) // 2]:.1f} / {ratios[p95]:.1f} parses"
    report.row("time of a repair, p50 / p95", shown)


def _failure(row: Row, found: Attempt) -> Row:
    return {
        "id": row["id"],
        "language": row["language"],
        "broken": row["broken"],
        "fixed": row["fixed"],
        "broken_line": next((a for a, b in zip(*_both(row), strict=False) if a != b), ""),
        "fixed_line": next((b for a, b in zip(*_both(row), strict=False) if a != b), ""),
        "titles": found.titles,
        "sure": found.sure,
        "texts": found.texts,
    }


def _both(row: Row) -> tuple[list[str], list[str]]:
    return row["broken"].splitlines(), row["fixed"].splitlines()


def _write(name: str, rows: list[Row]) -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    path = BUILD / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


PARTS = {"c": student_c, "planted": planted, "fixtures": fixtures}


def main(arguments: list[str]) -> int:
    """Exit code 1 when a figure falls short."""
    if arguments[:1] == ["--strain"]:
        rows = json.loads(sys.stdin.buffer.read())
        print(json.dumps([asdict(_strain(row, float(arguments[1]))) for row in rows]))
        return 0
    parser = argparse.ArgumentParser(prog="bench.students", description="Errors that people made.")
    parser.add_argument("--data", type=Path, required=True, help="the folder with the data")
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), default=list(PARTS))
    parser.add_argument("--budget", type=float, default=BUDGET_S, help="seconds of processor time for one repair")
    options = parser.parse_args(arguments)
    report = Report("students")
    report.notes.append(f"failures: {BUILD.relative_to(Path.cwd()) if BUILD.is_relative_to(Path.cwd()) else BUILD}")
    for part in options.only:
        PARTS[part](options.data, report, options.budget)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
