"""From the key to ghost text with the default model in real files: `python -m bench.typing [places]`.

Places in files of the standard library are chosen once, with a fixed seed, and held: the rest of the line is taken away
and asked for. Cold is the first request in a file just opened, warm the one after one more character was typed there.
"""

import ast
import asyncio
import random
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.editor import STD_LIB, Editor, editor, percentile
from bench.report import Report

PLACES = 50
SEED = 20_250
FILES = (
    "argparse.py", "configparser.py", "csv.py", "difflib.py", "doctest.py", "inspect.py", "ipaddress.py", "mailbox.py",
    "optparse.py", "pdb.py", "plistlib.py", "shutil.py", "statistics.py", "subprocess.py", "tarfile.py", "threading.py",
    "typing.py", "zipfile.py",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file without the rest of one line; `rest` is what stood there."""

    name: str
    text: str
    line: int
    column: int
    rest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came at one place: seconds to the answer, whether anything was shown, whether it began as the file did."""

    took_s: float
    shown: bool
    exact: bool
    reason: str


def main() -> int:
    """Runs the benchmark; the exit code of the report."""
    n_places = int(sys.argv[1]) if len(sys.argv) > 1 else PLACES
    cold, warm = asyncio.run(_measure(places(n_places)))
    report = Report("typing")
    for name, answers in (("cold", cold), ("warm", warm)):
        shown = [answer for answer in answers if answer.shown]
        times = [answer.took_s * 1000 for answer in shown] or [0.0]
        for share in (0.5, 0.95):
            value = percentile(times, share)
            report.row(f"key to ghost text, {name}, p{share * 100:.0f}", f"{value:.0f} ms", value=value)
        for figure, part in (("shown", len(shown)), ("exact", sum(answer.exact for answer in answers))):
            report.row(f"{figure}, {name}", f"{part / len(answers):.0%}", value=part / len(answers))
    reasons = [answer.reason for answer in cold if not answer.shown]
    report.notes.append(f"{n_places} held places, seed {SEED}; with the pause of the server before it asks the model")
    report.notes.append("silent: " + ", ".join(f"{reasons.count(one)} {one}" for one in sorted(set(reasons))))
    return report.finish()


def places(wanted: int) -> list[Place]:
    """The held places: in code, at the border of a word, with at least eight characters of the line left."""
    rng, found = random.Random(SEED), list[Place]()
    while len(found) < wanted:
        name = rng.choice(FILES)
        source = (STD_LIB / name).read_text(encoding="utf-8")
        lines = source.split("\n")
        line = rng.randrange(60, len(lines) - 2)
        if (place := _held(name, lines, line, rng)) is not None and not _in_literal(source, line + 1):
            found.append(place)
    return found


def _held(name: str, lines: list[str], line: int, rng: random.Random) -> Place | None:
    text = lines[line]
    indent = len(text) - len(text.lstrip())
    if not text.isascii() or text.lstrip().startswith(("#", "import ", "from ", "@", '"', "'")):
        return None
    borders = [m.end() for m in re.finditer(r"\W", text) if indent <= m.end() <= len(text) - 8]
    if not borders:
        return None
    column = rng.choice(borders)
    held = [*lines[:line], text[:column], *lines[line + 1 :]]
    return Place(name=name, text="\n".join(held), line=line, column=column, rest=text[column:].strip())


def _in_literal(source: str, line: int) -> bool:
    """Whether a line is inside a string of several lines."""
    return any(
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.lineno <= line <= (node.end_lineno or node.lineno)
        and node.lineno != node.end_lineno
        for node in ast.walk(ast.parse(source))
    )


async def _measure(held: list[Place]) -> tuple[list[Answer], list[Answer]]:
    cold, warm = [], []
    with tempfile.TemporaryDirectory() as folder:
        async with editor({}, Path(folder)) as one:
            one.open("file:///bench/warm_up.py", "import os\nprint(")
            await one.complete(1, 6)
            for number, place in enumerate(held):
                one.close()
                one.open(f"file:///bench/{number}_{place.name}", place.text)
                await asyncio.sleep(1.0)  # the editor has shown the file before the user types
                cold.append(await _asked(one, place, 0))
                letter = place.rest[0]
                one.change(place.line, place.column, place.column, letter)
                warm.append(await _asked(one, place, 1))
    return cold, warm


async def _asked(one: Editor, place: Place, typed: int) -> Answer:
    items, took_s = await one.complete(place.line, place.column + typed)
    text = items[0]["insertText"] if items else ""
    exact = text.partition("\n")[0].strip() == place.rest[typed:].strip()
    return Answer(took_s=took_s, shown=bool(items), exact=exact, reason=(await one.why())["reason"])


if __name__ == "__main__":
    sys.exit(main())
