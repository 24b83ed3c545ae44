"""What syntax costs at a key and over a repository: `python -m bench.syntax`.

Files of 10,000 lines, Python and TypeScript. Costs are ratios to one whole parse of the same file in the same run, in
processor time of the thread, so that other work on the machine counts for little.

So are holds of the loop: all that happens to the tree between two turns of it is one hold, be it an edit, a slice of a
parse while somebody types or when the text rests, or freeing the tree before. The longest on the clock is printed
beside them; it is longer where other processes took their turns meanwhile, which no program can help. A busy host
charges what it takes away to the thread, too: so an edit that held the loop for more than HOLD_S is typed again, twice
at most, and the best of the times counts; what the edit itself costs comes back each time. Collections of garbage do
not, and are printed for themselves.
"""

import gc
import random
import statistics
import sys
import time
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ast_tools import LANGUAGES, Language, TreeSession, parse, problems, tags
from bench import corpora
from bench.editor import percentile
from bench.report import Report

LINES = 10_000
EDITS = 400
HOLD_S = 0.010
AGAIN = 2
HASTE = 0.3
"""How often more is typed before the tree is there."""
SLICE_S = 0.003
"""As the server's session parses."""
LANGUAGE_NAMES = ("python", "typescript")
Kind = Callable[[bytes, random.Random], tuple[int, bytes]]
MARKS = tuple(b'" \' ` """ ( ) [ ] { } < > / \\ # ; : , . = + - * & | ! @ $'.split())
"""Any character that means something; a back-tick or three quotes open a string that swallows the rest of the file."""


@dataclass
class Costs:
    """Ratios to a whole parse; `holds` are seconds of processor time, `on_clock` the same holds as the clock sees them.

    `given_up`: how many texts were left without a tree, except at a template mark, whose tree is made at rest.
    """

    updates: list[float] = field(default_factory=list)
    holds: list[float] = field(default_factory=list)
    on_clock: list[float] = field(default_factory=list)
    given_up: int = 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One turn of the loop."""
        began, clock = time.thread_time(), time.perf_counter()
        yield
        self.holds.append(time.thread_time() - began)
        self.on_clock.append(time.perf_counter() - clock)

    def add(self, other: "Costs", whole_s: float) -> None:
        """Takes in what one edit cost, `whole_s` being a whole parse."""
        self.updates += [update / whole_s for update in other.updates]
        self.holds += other.holds
        self.on_clock += other.on_clock
        self.given_up += other.given_up


class Collections:
    """How long collections of garbage take, while they are watched."""

    def __init__(self) -> None:
        self.longest_s = self._began = 0.0

    def __call__(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        else:
            self.longest_s = max(self.longest_s, time.thread_time() - self._began)


def main() -> int:
    """Runs the benchmark; the exit code of the report."""
    report, rng = Report("syntax"), random.Random(seed := random.randrange(10_000))
    gc.callbacks.append(collections := Collections())
    for name in LANGUAGE_NAMES:
        text, language = big_file(name), LANGUAGES[name]
        gc.freeze()  # As the server does: what was loaded before is not looked at again.
        whole_s = statistics.median(_timed_parse(language, text) for _ in range(9))
        letters = typed(language, text, whole_s, rng, _letter_or_newline)
        anything = typed(language, text, whole_s, rng, _any_mark)
        report.at_most(
            f"{name}: a letter or newline to tree and diagnostics, p95", percentile(letters.updates, 0.95), 0.25
        )
        report.at_most(f"{name}: any character, quotes and back-ticks, p95", percentile(anything.updates, 0.95), 4)
        report.row(f"{name}: any character, worst", f"{max(anything.updates):.3g}", value=max(anything.updates))
        holds = letters.holds + anything.holds
        report.at_most(f"{name}: the loop is held at once, longest", 1000 * max(holds), 1000 * HOLD_S, " ms")
        report.row(f"{name}: the loop is held at once, p99", f"{1000 * percentile(holds, 0.99):.3g} ms")
        report.row(
            f"{name}: the same on the clock, longest", f"{1000 * max(letters.on_clock + anything.on_clock):.3g} ms"
        )
        report.row(f"{name}: left without a tree", f"{letters.given_up + anything.given_up} of {2 * EDITS} texts")
        report.at_least(f"{name}: parse + extract against the bare parse", extraction(name), 0.6)
        report.row(f"{name}: one whole parse", f"{1000 * whole_s:.3g} ms", value=1000 * whole_s)
    report.row("the longest collection of garbage", f"{1000 * collections.longest_s:.3g} ms")
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
    _settle(session, costs)
    for _ in range(EDITS):
        at, new = kind(text, rng)
        hasty = rng.random() < HASTE
        best = _cycle(session, text, at, new, hasty=hasty)
        for _ in range(AGAIN):
            if max(best.holds) > HOLD_S:
                best = min(best, _cycle(session, text, at, new, hasty=hasty), key=lambda one: max(one.holds))
        costs.add(best, whole_s)
    return costs


def _cycle(session: TreeSession, text: bytes, at: int, new: bytes, *, hasty: bool) -> Costs:
    """Something typed and taken back; `updates` in seconds. `hasty`: typed once more before the tree is there."""
    costs, broken = Costs(), text[:at] + new + text[at:]
    there, back = (at, at, new), (at, at + len(new), b"")
    began = time.thread_time()
    _edit(session, costs, there, broken)
    _settle(session, costs)
    if session.tree is not None:
        # What the search process does with a rested text; the loop only reads the tree.
        problems(session.tree)
    costs.updates.append(time.thread_time() - began)
    _rest(session, costs)
    costs.given_up += session.tree is None
    _edit(session, costs, back, text)
    if hasty:
        _slice(session, costs)
        _edit(session, costs, there, broken)
        _slice(session, costs)
        _edit(session, costs, back, text)
    _settle(session, costs)
    _rest(session, costs)
    return costs


def _slice(session: TreeSession, costs: Costs) -> bool:
    """Whether the parse is over after one more slice."""
    with costs.turn():
        return session.advance(SLICE_S) is not None or session.gave_up


def _edit(session: TreeSession, costs: Costs, edit: tuple[int, int, bytes], text: bytes) -> None:
    with costs.turn():
        session.edit(*edit, text)


def _settle(session: TreeSession, costs: Costs) -> None:
    while not _slice(session, costs):
        pass


def _rest(session: TreeSession, costs: Costs) -> None:
    done = False
    while not done:
        with costs.turn():
            done = session.renew(SLICE_S)


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
