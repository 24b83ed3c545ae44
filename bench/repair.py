"""One bracket, quote or colon lost in real files: how often the first repair restores it, and whether "sure" is.

    python -m bench.repair [SEED] [FOLDER ...]

Folders default to this Python's standard library and the modules that npm brings.
"""

import random
import statistics
import sys
import sysconfig
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from ast_tools import Edit, Language, apply, language_of, parse, repairs
from ast_tools.lexer import Token, tokens
from bench.report import Report

CASES = 120
SIZES = range(1_500, 120_000)
DEFAULTS = (sysconfig.get_path("stdlib"), "/usr/lib/node_modules/npm/node_modules", "/usr/share/nodejs")


@dataclass
class Tally:
    exact: list[bool] = field(default_factory=list)
    among: list[bool] = field(default_factory=list)
    sure: list[bool] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def row(self, report: Report, name: str) -> None:
        n = len(self.exact)
        right = 100 * statistics.mean(self.sure) if self.sure else 100.0
        figures = (
            f"first exact {100 * statistics.mean(self.exact):.1f} %, "
            f"among three {100 * statistics.mean(self.among):.1f} %, "
            f"sure {100 * len(self.sure) / n:.1f} % of which right {right:.1f} %, "
            f"p50 {statistics.median(self.seconds) * 1e3:.1f} ms"
        )
        report.row(f"{name} (n = {n})", figures, value=right)


def files(folders: list[str], suffix: str) -> list[Path]:
    found = [path for folder in folders for path in Path(folder).rglob(f"*{suffix}") if path.is_file()]
    return sorted(path for path in found if path.stat().st_size in SIZES and "test" not in str(path.parent))


def planted(mode: str, language: Language, text: bytes, rng: random.Random) -> tuple[Edit, bytes] | None:
    """The edit that breaks a clean text, and the broken text."""
    found = tokens(language, text)
    match mode:
        case "delete":
            choice = _pick(rng, [token for token in found if token.kind in ("open", "close")])
            edit = _deletion(text, choice) if choice else None
        case "extra":
            choice = _pick(rng, [token for token in found if token.kind == "close"])
            edit = Edit(choice.end, choice.end, choice.text) if choice else None
        case "swap":
            choice = _pick(rng, [token for token in found if token.kind == "close"])
            other = rng.choice([mark for mark in (b")", b"]", b"}") if choice is None or mark != choice.text])
            edit = Edit(choice.start, choice.end, other) if choice else None
        case "quote":
            choice = _pick(rng, [t for t in found if t.kind == "string" and t.text[-1:] in b"\"'" and len(t.text) > 2])
            edit = Edit(choice.end - 1, choice.end, b"") if choice and b"\n" not in choice.text else None
        case _:
            ends = [a for a, b in pairwise(found) if a.text == b":" and b.kind == "newline"]
            choice = _pick(rng, ends)
            edit = Edit(choice.start, choice.end, b"") if choice else None
    return (edit, apply(text, [edit])) if edit else None


def _pick(rng: random.Random, choices: list[Token]) -> Token | None:
    return rng.choice(choices) if choices else None


def _deletion(text: bytes, token: Token) -> Edit:
    """A bracket alone on its line takes the line with it."""
    start, end = text.rfind(b"\n", 0, token.start) + 1, text.find(b"\n", token.end)
    if end >= 0 and text[start:end].strip() == token.text:
        return Edit(start, end + 1, b"")
    return Edit(token.start, token.end, b"")


def measure(mode: str, suffix: str, pool: list[Path], rng: random.Random) -> Tally:
    tally = Tally()
    for _ in range(CASES * 4):
        if len(tally.exact) == CASES:
            break
        path = rng.choice(pool)
        text, language = path.read_bytes(), language_of(None, f"x{suffix}")
        clean = parse(language, text) if language else None
        if language is None or clean is None or clean.root.has_error:
            continue
        change = planted(mode, language, text, rng)
        broken = parse(language, change[1], 1.0) if change else None
        if change is None or broken is None or not broken.root.has_error:
            continue
        started = time.thread_time()
        found = repairs(broken, budget_s=0.5)
        tally.seconds.append(time.thread_time() - started)
        right = [b"".join(apply(change[1], repair.edits).split()) == b"".join(text.split()) for repair in found]
        tally.exact.append(bool(right) and right[0])
        tally.among.append(any(right[:3]))
        tally.sure += [ok for ok, repair in zip(right, found, strict=True) if repair.sure]
    return tally


def main(arguments: list[str]) -> int:
    seed = int(arguments[0]) if arguments else random.randrange(10_000)
    folders = arguments[1:] or [folder for folder in DEFAULTS if folder and Path(folder).is_dir()]
    report = Report("repair")
    report.notes.append(f"seed {seed}; {CASES} cases each; exact: equal to the original, white space aside")
    rng = random.Random(seed)
    for suffix, modes in (
        (".py", ("delete", "extra", "swap", "quote", "colon")),
        (".js", ("delete", "extra", "swap", "quote")),
    ):
        pool = files(folders, suffix)
        sure: list[bool] = []
        for mode in modes if pool else ():
            tally = measure(mode, suffix, pool, rng)
            tally.row(report, f"{suffix} {mode}")
            sure += tally.sure
        if sure:
            report.at_least(f"{suffix} sure and right, all kinds", 100 * statistics.mean(sure), 96, " %")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
