"""False alarms of `r1-lsp check`: files that compile must not be flagged, and an error planted in them must be.

The command itself is run, as a user would run it in CI.

    python -m bench.alarms [--split dev] [--languages ...] [--planted N] [--seed N]

The test projects are for judging, the development projects for tuning. What was flagged, and what was planted and not
found, goes to build/bench/alarms.jsonl.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

from rich.markup import escape

from ast_tools import LANGUAGES, Edit, Language, apply, parse
from ast_tools.lexer import Token, tokens
from bench import corpora
from bench.compilable import compilable
from bench.parallel import spread
from bench.repair.cases import brackets, deletion
from bench.report import BUILD, Report

STRICT = ("python", "javascript", "typescript", "java")
STRICT_BOUND, LOOSE_BOUND = 0.2, 1.0
"""Per cent of the files: of STRICT languages, and of the others, whose grammars do not know what macros mean."""
FOUND_BOUNDS = {"bracket": 99.0, "quote": 99.0, "keyword": 99.0, "semicolon": 90.0}
"""How many of the planted errors of each kind must be found, in per cent."""
PLANTED = 100
"""Errors of each kind in each language."""
BATCH = 25
"""Files in one run of the command."""
COMMAND_TIMEOUT_S = 600
TRIES = 20
PARSE_BUDGET_S = 2.0


@dataclass(frozen=True, slots=True)
class Flagged:
    """What `check` says of one file."""

    language: str
    project: str
    path: str
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plant:
    """One planted error and whether `check` finds anything then. `visible`: a parser sees that the text got worse."""

    language: str
    kind: str
    path: str
    line: int
    before: str
    after: str
    visible: bool
    found: bool


# -- files that compile --------------------------------------------------------------------------------------------


def flagged(files: tuple[corpora.File, ...]) -> list[Flagged]:
    """What `check` says of some files."""
    found = checked([file.path for file in files])
    return [Flagged(file.language, file.project, str(file.path), found[file.path]) for file in files]


def checked(paths: Sequence[Path]) -> dict[Path, tuple[str, ...]]:
    """The command's findings in each file, as `line: message`. Raises RuntimeError when it fails."""
    command = [sys.executable, "-I", "-c", _COMMAND, "check", "--json", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=COMMAND_TIMEOUT_S)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"r1-lsp check failed: {done.stderr.decode('utf-8', 'replace')[-500:]}")
    body = json.loads(done.stdout)
    found: dict[Path, tuple[str, ...]] = dict.fromkeys(paths, ())
    for problem in body["problems"]:
        found[Path(problem["path"])] += (f"{problem['line']}: {problem['message']}",)
    for unread in body.get("unread", ()):
        found[Path(unread["path"])] += (f"1: {unread['reason']}",)
    return found


_COMMAND = "import sys; from r1_lsp.cli import main; sys.exit(main())"


# -- planted errors ------------------------------------------------------------------------------------------------


def planted(task: tuple[tuple[corpora.File, ...], str, int]) -> list[Plant]:
    """An error of a kind planted in each file that has a place for it, and what `check` makes of them."""
    files, kind, seed = task
    plants: list[tuple[Plant, Path]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number, file in enumerate(files):
            place = Path(folder, str(number), file.path.name)
            plant = _planted(file, kind, random.Random(f"{seed} {kind} {file.path.name}"), place)
            if plant is not None:
                plants.append((plant, place))
        found = checked([place for _, place in plants]) if plants else {}
        return [replace(plant, found=bool(found[place])) for plant, place in plants]


def _planted(file: corpora.File, kind: str, rng: random.Random, place: Path) -> Plant | None:
    text, language = file.read(), LANGUAGES[file.language]
    edits = (_PLANTS[kind](language, text, rng) for _ in range(TRIES))
    edit = next((edit for edit in edits if edit is None or apply(text, [edit]) != text), None)
    if edit is None:
        return None
    broken = apply(text, [edit])
    place.parent.mkdir()
    place.write_bytes(broken)
    return Plant(
        language=file.language, kind=kind, path=str(file.path), line=text.count(b"\n", 0, edit.start) + 1,
        before=_line(text, edit.start), after=_line(broken, edit.start), visible=_worse(language, text, broken),
        found=False,
    )  # fmt: skip


def _worse(language: Language, text: bytes, broken: bytes) -> bool:
    """Whether the grammar has more errors than before, or the language's own parser refuses the text."""
    if language.accepts is not None:
        return not language.accepts(broken)
    before, after = parse(language, text, PARSE_BUDGET_S), parse(language, broken, PARSE_BUDGET_S)
    return before is not None and after is not None and after.n_errors > before.n_errors


def _line(text: bytes, offset: int) -> str:
    end = text.find(b"\n", offset)
    return (
        text[text.rfind(b"\n", 0, offset) + 1 : len(text) if end < 0 else end].decode("utf-8", "replace").strip()[:160]
    )


def _bracket(language: Language, text: bytes, rng: random.Random) -> Edit | None:
    found = brackets(language.name, text)
    return deletion(text, rng.choice(found)) if found else None


def _semicolon(language: Language, text: bytes, rng: random.Random) -> Edit | None:
    found = tokens(language, text)
    ends = [one for one, after in pairwise(found) if one.text == b";" and after.kind == "newline"]
    return _without(rng, ends)


def _keyword(language: Language, text: bytes, rng: random.Random) -> Edit | None:
    """Two neighbouring letters change places."""
    words = language.statement_words | language.block_words
    found = [one for one in tokens(language, text) if one.kind == "word" and len(one.text) > 3 and one.text.isalpha()]
    found = [one for one in found if one.text.decode() in words and len(set(one.text[1:])) > 1]
    if not found:
        return None
    token = rng.choice(found)
    at = rng.choice([at for at in range(1, len(token.text) - 1) if token.text[at] != token.text[at + 1]])
    word = token.text[:at] + token.text[at + 1 : at + 2] + token.text[at : at + 1] + token.text[at + 2 :]
    return Edit(token.start, token.end, word)


def _quote(language: Language, text: bytes, rng: random.Random) -> Edit | None:
    found = [one for one in tokens(language, text) if re.fullmatch(rb"\"[^\"\r\n]+\"|'[^'\r\n]{2,}'", one.text)]
    if not found:
        return None
    token = rng.choice([one for one in found if one.kind == "string"] or found)
    return Edit(token.end - 1, token.end, b"")


def _without(rng: random.Random, found: list[Token]) -> Edit | None:
    if not found:
        return None
    token = rng.choice(found)
    return Edit(token.start, token.end, b"")


_PLANTS: dict[str, Callable[[Language, bytes, random.Random], Edit | None]] = {
    "bracket": _bracket,
    "semicolon": _semicolon,
    "keyword": _keyword,
    "quote": _quote,
}
KINDS = tuple(_PLANTS)


# -- the report ----------------------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Exit code 1 when a figure falls short."""
    options = _options(arguments)
    report = Report("alarms")
    report.notes.append(f"{options.split} projects; seed {options.seed}")
    groups: dict[float, list[Flagged]] = defaultdict(list)
    rows: list[object] = []
    visible: dict[str, list[bool]] = defaultdict(list)
    for name in options.languages:
        good, how = compilable(name, corpora.released(name, options.split))
        report.notes.append(escape(f"{name}: {len(good)} files that compile ({how})"))
        batches = [tuple(good[at : at + BATCH]) for at in range(0, len(good), BATCH)]
        found = [one for _, part in spread(flagged, batches, f"{name}: files") for one in part]
        found.sort(key=lambda one: one.path)
        wrong = [one for one in found if one.said]
        groups[STRICT_BOUND if name in STRICT else LOOSE_BOUND] += found
        report.row(f"{name}: flagged", f"{len(wrong)} of {len(found)}", value=100 * len(wrong) / max(len(found), 1))
        report.notes += _examples(name, wrong)
        clean = {one.path for one in found if not one.said}
        plants = _plant(report, name, [file for file in good if str(file.path) in clean], options)
        rows += [*wrong, *(plant for plant in plants if plant.visible and not plant.found)]
        for plant in plants:
            if plant.visible:
                visible[plant.kind].append(plant.found)
    for bound, found in groups.items():
        names = sorted({one.language for one in found})
        share = 100 * sum(bool(one.said) for one in found) / max(len(found), 1)
        report.at_most(f"flagged, {', '.join(names)}", share, bound, " %")
    for kind, found_there in visible.items():
        share = 100 * sum(found_there) / len(found_there)
        report.at_least(f"planted {kind} found, all languages", share, FOUND_BOUNDS[kind], " %")
    report.notes += corpora.notes()
    _write(rows)
    return report.finish()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.alarms", description="False alarms of `r1-lsp check`.")
    names = [name for name in corpora.SUFFIXES if name in LANGUAGES]
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--languages", nargs="+", choices=names, default=names)
    parser.add_argument("--planted", type=int, default=PLANTED, help="errors of each kind and language")
    parser.add_argument("--seed", type=int, default=random.randrange(100_000))
    return parser.parse_args(arguments)


def _plant(report: Report, name: str, files: list[corpora.File], options: argparse.Namespace) -> list[Plant]:
    """Plants errors of all kinds in files that were not flagged."""
    rng = random.Random(f"{options.seed} {name}")
    tasks = []
    for kind in KINDS:
        chosen = _some(files, options.planted, rng)
        tasks += [(tuple(chosen[at : at + BATCH]), kind, options.seed) for at in range(0, len(chosen), BATCH)]
    plants = [plant for _, part in spread(planted, tasks, f"{name}: planted") for plant in part]
    for kind in KINDS:
        mine = [plant for plant in plants if plant.kind == kind and plant.visible]
        if mine:
            found = sum(plant.found for plant in mine)
            report.row(f"{name}: planted {kind} found", f"{found} of {len(mine)}", value=100 * found / len(mine))
    return plants


def _some(files: list[corpora.File], wanted: int, rng: random.Random) -> list[corpora.File]:
    return rng.sample(files, min(wanted, len(files)))


def _examples(name: str, wrong: list[Flagged]) -> list[str]:
    """The commonest findings, without what differs from file to file."""
    kinds = Counter(re.sub(r"`[^`]*`|\d+", "...", one.said[0]) for one in wrong)
    lines = []
    for kind, count in kinds.most_common(5):
        one = next(one for one in wrong if re.sub(r"`[^`]*`|\d+", "...", one.said[0]) == kind)
        lines.append(escape(f"  {name}, {count} files: {one.project}, {Path(one.path).name}:{one.said[0]}"))
    return lines


def _write(rows: list[object]) -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "alarms.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")  # type: ignore[call-overload]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
