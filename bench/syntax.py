"""What syntax costs at a key and over a repository: `python -m bench.syntax`.

Files of 10,000 lines, Python and TypeScript. Every figure is a ratio to one whole parse of the same file in the same
run, in processor time of the thread, so that other work on the machine counts for little.
"""

import random
import statistics
import sys
import time
from codecs import BOM_UTF8
from collections.abc import Callable
from dataclasses import dataclass, field

from ast_tools import LANGUAGES, Language, TreeSession, parse, problems, tags
from bench import corpora
from bench.editor import percentile
from bench.report import Report

LINES = 10_000
EDITS = 400
SLICE_S = 0.003
"""As the server's session parses."""
LANGUAGE_NAMES = ("python", "typescript")
Kind = Callable[[bytes, random.Random], tuple[int, bytes]]
MARKS = tuple(b'" \' ` """ ( ) [ ] { } < > / \\ # ; : , . = + - * & | ! @ $'.split())
"""Any character that means something; a back-tick or three quotes open a string that swallows the rest of the file."""


@dataclass
class Costs:
    """Ratios to a whole parse; `holds` are seconds."""

    updates: list[float] = field(default_factory=list)
    holds: list[float] = field(default_factory=list)


def main() -> int:
    """Runs the benchmark; the exit code of the report."""
    report, rng = Report("syntax"), random.Random(seed := random.randrange(10_000))
    for name in LANGUAGE_NAMES:
        text, language = big_file(name), LANGUAGES[name]
        whole_s = statistics.median(_timed_parse(language, text) for _ in range(9))
        letters = typed(language, text, whole_s, rng, _letter_or_newline)
        anything = typed(language, text, whole_s, rng, _any_mark)
        report.at_most(
            f"{name}: a letter or newline to tree and diagnostics, p95", percentile(letters.updates, 0.95), 0.25
        )
        report.at_most(f"{name}: any character, quotes and back-ticks, p95", percentile(anything.updates, 0.95), 4)
        report.row(f"{name}: any character, worst", f"{max(anything.updates):.3g}", value=max(anything.updates))
        hold_ms = 1000 * percentile(letters.holds + anything.holds, 0.999)
        report.at_most(f"{name}: the loop is held at once, p99.9", hold_ms, 10, " ms")
        report.at_least(f"{name}: parse + extract against the bare parse", extraction(name), 0.6)
        report.row(f"{name}: one whole parse", f"{1000 * whole_s:.3g} ms", value=1000 * whole_s)
    report.notes.append(f"seed {seed}; {LINES:,} lines, {EDITS} edits of each kind; processor time")
    return report.finish()


def big_file(name: str) -> bytes:
    """The development projects' files one after another, whole and clean together, until there are LINES lines."""
    text = b""
    for file in corpora.files(name, "dev"):
        longer = text + file.read().removeprefix(BOM_UTF8) + b"\n"
        tree = parse(LANGUAGES[name], longer, 5.0)
        if tree is not None and not tree.has_error:
            text = longer
        if text.count(b"\n") >= LINES:
            break
    return text


def typed(language: Language, text: bytes, whole_s: float, rng: random.Random, kind: Kind) -> Costs:
    """EDITS times: one thing typed somewhere, then taken back."""
    costs, session = Costs(), TreeSession(language, text)
    _settle(session, Costs())
    for _ in range(EDITS):
        at, new = kind(text, rng)
        began = time.thread_time()
        session.edit(at, at, new, text[:at] + new + text[at:])
        _settle(session, costs)
        if session.tree is not None:
            # What the search process does with a rested text; the loop only reads the tree.
            problems(session.tree)
        costs.updates.append((time.thread_time() - began) / whole_s)
        session.edit(at, at + len(new), b"", text)
        _settle(session, Costs())
        while not session.renew(SLICE_S):  # as when the text rests
            pass
    return costs


def _settle(session: TreeSession, costs: Costs) -> None:
    while True:
        began = time.thread_time()
        done = session.advance(SLICE_S) is not None or session.gave_up
        costs.holds.append(time.thread_time() - began)
        if done:
            return


def _letter_or_newline(text: bytes, rng: random.Random) -> tuple[int, bytes]:
    """A letter inside a word, or what the return key gives at the end of a line: a line end and the indentation."""
    at = rng.randrange(len(text) - 1)
    if rng.random() < 0.5:
        while not text[at : at + 1].isalpha():
            at = rng.randrange(len(text) - 1)
        return at, b"x"
    line = text.rfind(b"\n", 0, at) + 1
    end = text.find(b"\n", at)
    indent = text[line : len(text[:end]) - len(text[line:end].lstrip())]
    return end, b"\n" + indent


def _any_mark(text: bytes, rng: random.Random) -> tuple[int, bytes]:
    return rng.randrange(len(text)), rng.choice(MARKS)


def extraction(name: str) -> float:
    """Seconds of the bare parse to those of parse and extraction, over the development projects' files."""
    bare_s = both_s = 0.0
    for file in corpora.files(name, "dev"):
        text = file.read()
        began = time.thread_time()
        tree = parse(LANGUAGES[name], text, 5.0)
        parsed = time.thread_time()
        if tree is not None:
            tags(tree)
            both_s += time.thread_time() - began
            bare_s += parsed - began
    return bare_s / both_s


def _timed_parse(language: Language, text: bytes) -> float:
    began = time.thread_time()
    parse(language, text, 5.0)
    return time.thread_time() - began


if __name__ == "__main__":
    sys.exit(main())
