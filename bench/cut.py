"""What cutting alone is worth: raw model outputs, cut by our rules, against the code people wrote and its tests.

    python -m bench.cut FOLDER        (make bench-cut DATA=FOLDER)

FOLDER holds fim_outputs*.jsonl.gz: lines of id, language, prefix, middle, suffix, test, entry_point and outputs {model:
raw text}. The tests run generated code, locked in by bench.sandbox. Arms: the raw text, its first line, the rule for a
single line, the rule for several lines, and the best of all cuts at line ends, chosen by the tests. `exact` leaves
white space around the text aside, as the published figures do. The rules were tuned on about three quarters of the
problems, chosen by hash; in brackets the tests passed of these and of the others.
"""

import argparse
import functools
import gzip
import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ast_tools import LANGUAGES, Cutter, parse
from bench import sandbox
from bench.report import Report

PIECE = 4
"""Characters fed at once, about a token."""
BEST = "best line cut"
PASS_WANTED = {"Qwen2.5-Coder-1.5B-Instruct": 84.8, "deepseek-coder-1.3b-base": 80.5}
"""Per cent of the tests that the rule for several lines is to pass, by model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One hole and what one model wrote into it, uncut."""

    id: str
    language: str
    prefix: str
    middle: str
    suffix: str
    test: str
    entry_point: str
    model: str
    output: str

    @property
    def tuned_on(self) -> bool:
        """Whether the rules may have been changed because of this case; the holes of one problem stay together."""
        problem = self.id.rpartition("/")[0]
        return hashlib.sha256(problem.encode()).digest()[0] % 4 != 3

    def program(self, text: str) -> str:
        """The whole program with `text` in the hole, and the tests."""
        return f"{self.prefix}{text}{self.suffix}\n{self.test}\ncheck({self.entry_point})\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How one arm did on one case."""

    case: Case
    text: str
    exact: bool
    parses: bool
    passes: bool


def raw(case: Case) -> str:
    """All the model wrote."""
    return case.output


def first_line(case: Case) -> str:
    """What a rule without a parser would keep."""
    head, newline, _ = case.output.partition("\n")
    return head + newline


@dataclass
class Cut:
    """An arm that cuts by our rule, and the seconds of processor time each piece and each end took."""

    multiline: bool
    fed_s: list[float]
    finished_s: list[float]

    def __call__(self, case: Case) -> str:
        prefix, suffix = case.prefix.encode(), case.suffix.encode()
        language, text = LANGUAGES[case.language], prefix + suffix
        cutter = Cutter(parse(language, text), language, text, len(prefix), multiline=self.multiline)
        for at in range(0, len(case.output), PIECE):
            started = time.thread_time()
            result = cutter.feed(case.output[at : at + PIECE])
            self.fed_s.append(time.thread_time() - started)
            if result.done:
                break
        started = time.thread_time()
        text_shown = cutter.finish().text
        self.finished_s.append(time.thread_time() - started)
        return text_shown


def line_cuts(case: Case) -> Iterator[str]:
    """The output cut at each of its line ends, shortest first."""
    at = case.output.find("\n")
    while at >= 0:
        yield case.output[: at + 1]
        at = case.output.find("\n", at + 1)
    yield case.output


@functools.cache
def passes(program: str) -> bool:
    """Whether the tests pass; each program runs once."""
    return sandbox.passes(program)


def accepted(case: Case, text: str) -> bool:
    """Whether the file parses with `text` in the hole."""
    language, whole = LANGUAGES[case.language], (case.prefix + text + case.suffix).encode()
    if language.accepts is not None:
        return language.accepts(whole)
    tree = parse(language, whole)
    return tree is not None and tree.n_errors == 0


def scored(case: Case, text: str) -> Score:
    return Score(
        case=case,
        text=text,
        exact=text.strip() == case.middle.strip(),
        parses=accepted(case, text),
        passes=passes(case.program(text)),
    )


def best_of(case: Case, others: list[Score]) -> Score:
    """The first line cut that passes; the other arms' own line cuts are known already."""
    cuts = list(line_cuts(case))
    known = next((score for score in others if score.passes and score.text in cuts), None)
    return known or next((score for cut in cuts if (score := scored(case, cut)).passes), scored(case, case.output))


def read(folder: Path) -> dict[str, list[Case]]:
    """All cases, by model."""
    found: dict[str, list[Case]] = {}
    for path in sorted(folder.glob("fim_outputs*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            row = json.loads(line)
            for model, output in row.pop("outputs").items():
                found.setdefault(model, []).append(Case(**row, model=model, output=output))
    return found


def percent(values: list[bool]) -> float:
    return 100 * statistics.mean(values) if values else 0.0


def both_parts(scores: list[Score]) -> str:
    """Per cent of the tests passed of what the rules were tuned on / of the others."""
    parts = ([one.passes for one in scores if one.case.tuned_on is part] for part in (True, False))
    return " / ".join(f"{percent(part):.1f}" for part in parts)


def measure(report: Report, model: str, cases: list[Case], arms: dict[str, Callable[[Case], str]]) -> list[Score]:
    """Adds one model's rows; all scores."""
    found = {name: [scored(case, arm(case)) for case in cases] for name, arm in arms.items()}
    by_case = zip(*found.values(), strict=True)
    found[BEST] = [best_of(case, list(others)) for case, others in zip(cases, by_case, strict=True)]
    lengths = {name: statistics.mean(len(score.text) for score in scores) for name, scores in found.items()}
    exact = {name: percent([score.exact for score in scores]) for name, scores in found.items()}
    for name, scores in found.items():
        passed = percent([score.passes for score in scores])
        measured = f"pass {passed:.2f} % ({both_parts(scores)}), exact {exact[name]:.1f} %"
        measured += f", parses {percent([score.parses for score in scores]):.1f} %, {lengths[name]:.0f} chars"
        bound = PASS_WANTED.get(model) if name == "block" else None
        wanted = f"pass >= {bound}" if bound else ""
        report.row(f"{model}: {name}", measured, wanted, ok=None if bound is None else passed >= bound, value=passed)
    report.at_least(f"{model}: exact, single less raw", exact["single"] - exact["raw"], 9, " points")
    report.at_least(f"{model}: characters, raw / single", lengths["raw"] / lengths["single"], 3)
    return [score for scores in found.values() for score in scores]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.cut", description="What cutting alone is worth.")
    parser.add_argument("folder", nargs="?", type=Path, help="holds fim_outputs*.jsonl.gz")
    folder = parser.parse_args(arguments).folder
    if folder is None or not (models := read(folder)):
        print("Name the folder that holds fim_outputs*.jsonl.gz: make bench-cut DATA=FOLDER", file=sys.stderr)
        return 2
    if (refusal := sandbox.refusal()) is not None:
        print(refusal, file=sys.stderr)
        return 2
    report = Report("cut")
    single, block = Cut(False, [], []), Cut(True, [], [])
    for model, cases in models.items():
        measure(report, model, cases, {"raw": raw, "first line": first_line, "single": single, "block": block})
    for name, times in (("feed", single.fed_s + block.fed_s), ("finish", single.finished_s + block.finished_s)):
        times.sort()
        figures = ", ".join(f"{times[int(len(times) * q)] * 1e3:.2f}" for q in (0.5, 0.95, 0.99))
        report.row(f"{name}, processor time p50, p95, p99, maximum", f"{figures}, {times[-1] * 1e3:.1f} ms")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
