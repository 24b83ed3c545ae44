"""Makes the tables of ast_tools.repair: what clean code looks like, and which repairs people make.

    python -m bench.tables --data FOLDER [--only c java ...] [--into FOLDER]

Only derived statistics are kept, and the same input gives the same bytes. What is learnt from what:

- counts of tokens: the development projects of bench.corpora, and the repaired texts of student_c_errors_dev (C) and
  planted_syntax_errors_dev (C++, Java, Python) in FOLDER;
- weights of repairs: the broken and repaired texts of both, and slips that bench.slips plants in the development
  projects. Other languages learn from C's cases too, which are by far the most. While weights are learnt, a case's
  repairs are ranked with counts that do not know its part of the texts.

Beside the shipped tables it writes what bench.held_out needs to measure each part of the data without itself.
"""

import argparse
import gzip
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ast_tools import LANGUAGES, Language, apply, parse
from ast_tools.lexer import tokens
from ast_tools.repair import tables
from ast_tools.repair.likelihood import CLASSES, Counts, Followers, Occurrences, kept, occurrences
from ast_tools.repair.ranking import features
from ast_tools.repair.statement_repairs import checked_candidates
from ast_tools.repair.tables import GENERAL, Table
from ast_tools.repair.vocabulary import spelling
from bench.corpora import files
from bench.held_out import FOLDS, LEAST, STORED, CaseRow, HeldOut, difference, fold_of, held_out, key, read
from bench.learning import Learnt, Row, learnt, weights, without
from bench.parallel import spread
from bench.slips import NAMES, planted

INTO = Path(tables.__file__).parent / "data"
MAX_BYTES = 1_600_000
"""Of one project: no project outweighs the others."""
LEAST_FILES = 0.004
"""Share of the texts that a word must occur in to be counted by itself."""
MAX_WORDS = 500
PLANTED = 100
"""Errors planted in clean code, for each language and part."""
TRIES, CANDIDATES = 60, 25
"""Repairs that are checked, and that are kept, for one case."""
STEMS = ("student_c_errors_dev", "planted_syntax_errors_dev")


@dataclass(frozen=True, slots=True)
class Case:
    """A broken text and what it should be."""

    language: str
    broken: bytes
    fixed: bytes


@dataclass(frozen=True, slots=True)
class Task:
    """Cases for one process, with the table of other texts."""

    cases: tuple[Case, ...]
    stored: bytes


Folds = list[list[Row]]


# -- clean code ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clean:
    """The clean texts of a language in parts, and how often what follows what in each of them."""

    language: Language
    texts: list[list[bytes]]
    symbols: list[bytes]
    seen: list[Occurrences]

    @property
    def every(self) -> Occurrences:
        """All parts together."""
        total: Occurrences = defaultdict(lambda: defaultdict(int))
        for part in self.seen:
            for context, some in part.items():
                for unit, number in some.items():
                    total[context][unit] += number
        return total

    def counts(self, left_out: int | None = None) -> Counts:
        """The counts of all parts, or of all but one."""
        every = self.every
        return kept(self.symbols, every if left_out is None else difference(every, self.seen[left_out]), LEAST)


def clean(name: str, cases: Sequence[CaseRow]) -> Clean:
    """The development projects and the repaired texts of the data."""
    language, texts, taken = LANGUAGES[name], [list[bytes]() for _ in range(FOLDS)], Counter[str]()
    for file in files(name, "dev"):
        if taken[file.project] < MAX_BYTES:
            text = file.read()
            taken[file.project] += len(text)
            texts[sha256(text).digest()[0] % FOLDS].append(text)
    for row in cases:
        texts[fold_of(row)].append(row["fixed"].encode())
    found = [[read(language, text) for text in part] for part in texts]
    symbols = _symbols({spelling(token) for token in one} for part in found for one, _ in part)
    return Clean(language, texts, symbols, [occurrences(language, part, symbols) for part in found])


def _symbols(texts: Iterable[set[bytes]]) -> list[bytes]:
    """Classes of tokens, and the words and operators that occur in enough texts."""
    occurs, number = Counter[bytes](), 0
    for spellings in texts:
        occurs.update(spellings)
        number += 1
    least = max(3, number * LEAST_FILES)
    common = [text for text, n in sorted(occurs.items(), key=lambda entry: (-entry[1], entry[0])) if n >= least]
    return list(dict.fromkeys([*CLASSES, *common]))[:MAX_WORDS]


# -- broken code ---------------------------------------------------------------------------------------------------


def cases_of(data: Path) -> list[CaseRow]:
    """Errors of people (and planted by a model) with their repairs."""
    stored = (gzip.decompress((data / f"{stem}.jsonl.gz").read_bytes()) for stem in STEMS)
    return [json.loads(line) for body in stored for line in body.splitlines()]


def rows(task: Task) -> list[Row]:
    """For each case the repairs that the parser takes: whether it is the right one, and what can be seen of it."""
    table = tables.unpacked(task.stored)
    return [row for case in task.cases if (row := _row(case, table))]


def _row(case: Case, table: Table) -> Row:
    want, found = spelt(case.language, case.fixed), Row()
    tree = parse(LANGUAGES[case.language], case.broken, 1.0)
    tried = checked_candidates(tree, table, tries=TRIES, most=CANDIDATES) if tree is not None else ()
    for reading, broken, fix in tried:
        right = spelt(case.language, apply(case.broken, fix.edits)) == want
        found.append((right, features(reading, fix.changes, reading.gain(fix.changes), broken)))
    return found


def spelt(name: str, text: bytes) -> list[bytes]:
    """The tokens of a text, without comments."""
    return [token.text for token in tokens(LANGUAGES[name], text) if token.kind not in ("comment", "newline")]


# -- all together --------------------------------------------------------------------------------------------------


def all_rows(known: Clean, cases: Sequence[CaseRow]) -> Folds:
    """What weights are learnt from, in parts."""
    name, found = known.language.name, Folds()
    for fold in range(FOLDS):
        stored = tables.packed(Table(known.counts(fold), FIRST), "")
        slips = planted(known.language, known.texts[fold], PLANTED, random.Random(f"{name} {fold}"))
        mine = [Case(name, row["broken"].encode(), row["fixed"].encode()) for row in cases if fold_of(row) == fold]
        mine += [Case(name, broken, fixed) for broken, fixed in slips]
        tasks = [Task(tuple(mine[at : at + 20]), stored) for at in range(0, len(mine), 20)]
        parts = dict(spread(rows, tasks, f"{name}, part {fold + 1} of {FOLDS}"))
        found.append([row for task in tasks for row in parts[task]])
    return found


FIRST = {"given": 5.0, "around": 5.0, "worst": 2.0, "surprise": 2.0, "n taken": -3.0, "changes 2": -4.0, "delete": -2.0,
         "cut": -4.0, "drop": -6.0}  # fmt: skip
"""Weights to begin with: they only say which repairs are tried first."""
MADE = ("c", "cpp", "java", "python")
"""Languages that the data have repairs by people of; others are counted as they are met, with weights of all these."""
MOST = "c"
"""The language with by far most repairs by people: other languages learn from them too, where it comes with them."""
SOURCES = (
    "Statistics derived from the development projects of bench/corpora.toml, from student programs of TRACER "
    "(umairzahmed/tracer, Apache-2.0) and from DebugBench (thunlp/DebugBench, Apache-2.0); made by bench/tables.py."
)


def both(some: Folds, more: Folds) -> Folds:
    """Two sets of cases, part by part."""
    return [one + other for one, other in zip(some, more, strict=True)]


def main(arguments: list[str]) -> int:
    """Writes one file for each language, and what can be measured without a part of the data."""
    parser = argparse.ArgumentParser(prog="bench.tables", description="Makes the tables of ast_tools.repair.")
    parser.add_argument("--data", type=Path, required=True, help="the folder with the development data")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=MADE)
    parser.add_argument("--into", type=Path, default=INTO)
    options = parser.parse_args(arguments)
    options.into.mkdir(parents=True, exist_ok=True)
    every, shared, parts = Folds([] for _ in range(FOLDS)), Folds([] for _ in range(FOLDS)), dict(held_out().learnt)
    cases = cases_of(options.data)
    for name in sorted(options.only, key=lambda name: name != MOST):
        mine = [row for row in cases if row["language"] == name]
        known = clean(name, mine)
        found = all_rows(known, mine)
        every, together = both(every, found), both(found, shared)
        shared = found if name == MOST else shared
        if mine:
            parts[name] = tuple(learnt(without(together, fold)) for fold in range(FOLDS))
        stored = _stored(known.counts(), learnt(together))
        (options.into / f"{name}.gz").write_bytes(stored)
        print(f"{name}: {sum(map(len, found))} cases, {len(stored):,} bytes", file=sys.stderr, flush=True)
    if set(options.only) >= set(MADE):
        general = Learnt(weights(every), frozenset())
        (options.into / f"{GENERAL}.gz").write_bytes(_stored(Counts(CLASSES, Followers.of({})), general))
    STORED.write_bytes(HeldOut(frozenset(map(key, cases)), parts).stored())
    return 0


def _stored(counts: Counts, one: Learnt) -> bytes:
    return tables.packed(Table(counts, one.weights, one.trusted), SOURCES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
