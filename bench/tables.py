"""Makes the tables of ast_tools.repair: what clean code looks like, and which repairs people make.

    python -m bench.tables --data FOLDER [--only c java ...] [--into FOLDER] [--part tune] [--keep FOLDER]

Reads the development projects of bench.corpora and the development data in FOLDER (see its README); only derived
statistics are kept. The same input gives the same bytes. `--part tune` leaves out every third case of the data, for a
measurement on those: python -m bench.students measures them all.
"""

import argparse
import gzip
import json
import math
import pickle
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ast_tools import LANGUAGES, Edit, Language, apply, parse
from ast_tools.lexer import Token, tokens
from ast_tools.repair import tables
from ast_tools.repair.likelihood import Counts, counted
from ast_tools.repair.ranking import CLASS, Features, features, score
from ast_tools.repair.statement_repairs import ALONE_SCORE, SURE_LEAD, checked_candidates
from ast_tools.repair.tables import Table
from ast_tools.repair.vocabulary import keywords, spelling, whole
from bench.corpora import files
from bench.parallel import spread

INTO = Path(tables.__file__).parent / "data"
MAX_TOKENS = 400_000
"""Of one project: no project outweighs the others."""
LEAST_FILES = 0.004
"""Share of the texts that a word must occur in to be counted by itself."""
MAX_WORDS = 500
LEAST = (1, 2, 4, 4, 8)
"""How often a context must occur to be kept, from the least to the most that is looked at."""
PLANTED = 150
"""Errors planted in clean code, for each language."""
FOLDS = 2
TRUST = 0.88
"""Share of right repairs; people who lost one token often change others at the same time."""
LEAST_SEEN = 6


@dataclass(frozen=True, slots=True)
class Case:
    """A broken text and what it should be."""

    language: str
    broken: bytes
    fixed: bytes


@dataclass(frozen=True, slots=True)
class Task:
    """Cases for one process, with the counts of other texts."""

    cases: tuple[Case, ...]
    stored: bytes


Row = list[tuple[bool, Features]]


# -- clean code ----------------------------------------------------------------------------------------------------


def clean_texts(name: str, data: Path, part: str) -> list[bytes]:
    """Texts of a language: the development projects, and the repaired texts of the data."""
    found, taken = [], Counter[str]()
    for file in files(name, "dev"):
        if taken[file.project] < MAX_TOKENS * 4:
            text = file.read()
            taken[file.project] += len(text)
            found.append(text)
    return found + [case.fixed for case in human_cases(name, data, part)]


def count(language: Language, texts: Sequence[bytes]) -> Counts:
    """The counts of some texts, without what is too rare to say anything."""
    read = [(whole(language, tokens(language, text)), text) for text in texts]
    return counted(language, read, _symbols([found for found, _ in read]), LEAST)


def _symbols(texts: Sequence[Sequence[Token]]) -> list[bytes]:
    """Classes of tokens, and the words and operators that occur in enough texts."""
    occurs: Counter[bytes] = Counter()
    for found in texts:
        occurs.update({spelling(token) for token in found})
    least = max(3, len(texts) * LEAST_FILES)
    common = [text for text, n in sorted(occurs.items(), key=lambda entry: (-entry[1], entry[0])) if n >= least]
    names = [b"<other>", b"<name>", b"<Name>", b"<NAME>"]
    return list(dict.fromkeys([*names, *common]))[:MAX_WORDS]


# -- broken code ---------------------------------------------------------------------------------------------------


def human_cases(name: str, data: Path, part: str) -> list[Case]:
    """Errors of people (and planted by a model) with their repairs, where the parser sees the error."""
    found = []
    for stem in ("student_c_errors_dev", "planted_syntax_errors_dev"):
        for line in gzip.decompress((data / f"{stem}.jsonl.gz").read_bytes()).splitlines():
            row = json.loads(line)
            if row["language"] == name and (part == "all" or not held_out(row["id"])):
                found.append(Case(name, row["broken"].encode(), row["fixed"].encode()))
    return found


def held_out(case: str) -> bool:
    """Every third case, by its name."""
    return sha256(case.encode()).digest()[0] % 3 == 2


def planted_cases(name: str, texts: Sequence[bytes], seed: int) -> list[Case]:
    """Errors of the kinds that people make, planted in clean code."""
    rng, language, found = random.Random(f"{name} {seed}"), LANGUAGES[name], []
    for _ in range(PLANTED * 20):
        if len(found) == PLANTED or not texts:
            break
        text = _excerpt(language, rng.choice(texts), rng)
        broken = _broken(language, text, rng) if text is not None else None
        if text is not None and broken is not None:
            found.append(Case(name, broken, text))
    return found


def _excerpt(language: Language, text: bytes, rng: random.Random) -> bytes | None:
    """A top-level piece of a text that parses alone."""
    from ast_tools.repair.chunks import chunks

    pieces = [piece for piece in chunks(language, text) if 30 <= piece.end - piece.start <= 4_000]
    if not pieces:
        return None
    piece = rng.choice(pieces)
    found = text[piece.start : piece.end]
    return found if takes(language, found) else None


def takes(language: Language, text: bytes) -> bool:
    """Whether the parsers take a text."""
    tree = parse(language, text, 0.5)
    return tree is not None and not tree.has_error and (language.accepts is None or language.accepts(text))


def _broken(language: Language, text: bytes, rng: random.Random) -> bytes | None:
    found = whole(language, tokens(language, text))
    if len(found) < 5:
        return None
    edits = [_slip(language, text, found, rng)]
    if rng.random() < 0.08:
        edits.append(_slip(language, text, found, rng))
    edits = [edit for edit in edits if edit is not None]
    try:
        broken = apply(text, edits)  # type: ignore[arg-type]
    except ValueError:
        return None
    return broken if edits and broken != text and not takes(language, broken) else None


SLIPS = {
    "lose ;": 30, "lose ,": 6, "lose :": 8, "lose closer": 14, "lose opener": 5, "lose operator": 4, "lose operand": 3,
    "lose word": 4, "double": 5, "stray": 7, "confuse": 12, "misspell": 6, "tear": 2, "swap": 2, "lose quote": 6,
    "lose first quote": 2,
}  # fmt: skip
"""Kinds of slips and how often they are planted in 100; after the errors of students in C."""
CONFUSED = {
    b";": b", :", b",": b"; .", b":": b";", b"==": b"=", b"=": b"==", b"(": b"{ [", b")": b"} ]", b"]": b") }",
    b"[": b"( {", b"{": b"( [", b"}": b") ]", b"+": b"%", b"&": b"%", b"&&": b"&", b"<=": b"=<", b">=": b"=>",
    b"!=": b"=!", b"->": b"- >", b".": b",", b"=>": b"->", b"*": b"x", b"/": b"\\",
}  # fmt: skip


def _slip(language: Language, text: bytes, found: Sequence[Token], rng: random.Random) -> Edit | None:
    kind = rng.choices(list(SLIPS), list(SLIPS.values()))[0]
    chosen = [token for token in found if _fits(language, kind, token)]
    if not chosen:
        return None
    token = rng.choice(chosen)
    match kind.split()[0]:
        case "lose":
            if kind == "lose quote":
                return Edit(token.end - 1, token.end, b"")
            if kind == "lose first quote":
                at = token.start + len(token.text) - len(token.text.lstrip(b"rbfuRBFU"))
                return Edit(at, at + 1, b"")
            return Edit(token.start, token.end, b"")
        case "double":
            return Edit(token.end, token.end, token.text)
        case "stray":
            return Edit(
                token.end, token.end, b" " + rng.choice([b";", b",", b")", b"}", b".", b":", b"]", b"=", b"`", b"\\"])
            )
        case "confuse":
            return Edit(token.start, token.end, rng.choice(CONFUSED[token.text].split()))
        case "misspell":
            return Edit(token.start, token.end, _misspelt(token.text, rng))
        case "tear":
            return Edit(token.start + 1, token.start + 1, b" ")
        case _:
            at = found.index(token)
            if at + 1 == len(found):
                return None
            other = found[at + 1]
            return Edit(token.start, other.end, other.text + text[token.end : other.start] + token.text)


def _fits(language: Language, kind: str, token: Token) -> bool:
    match kind:
        case "lose ;" | "lose ," | "lose :":
            return token.text == kind[-1].encode()
        case "lose closer" | "lose opener":
            return token.kind == kind[5:].replace("opener", "open").replace("closer", "close")
        case "lose operator":
            return token.kind == "op" and token.text not in b";,:"
        case "lose operand":
            return token.kind in ("number", "word") and token.text not in keywords(language)
        case "lose word" | "misspell":
            return token.text in keywords(language) and len(token.text) > 1
        case "double":
            return token.kind in ("op", "close")
        case "confuse":
            return token.text in CONFUSED
        case "tear":
            return token.kind == "op" and len(token.text) > 1
        case "lose quote" | "lose first quote":
            return (
                token.kind == "string" and token.text[-1:] in b"\"'" and len(token.text) > 2 and b"\n" not in token.text
            )
        case _:
            return True


def _misspelt(text: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(text) - 1)
    match rng.randrange(4):
        case 0:
            return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            return text[:at] + text[at : at + 1] * 2 + text[at + 1 :]
        case _:
            return text.capitalize() if text.capitalize() != text else text.lower()


# -- weights -------------------------------------------------------------------------------------------------------


def rows(task: Task) -> list[Row]:
    """For each case the repairs that the parser takes: whether it is the right one, and what can be seen of it."""
    table = tables.unpacked(task.stored)
    return [row for case in task.cases if (row := _row(case, table))]


def _row(case: Case, table: Table) -> Row:
    want, found = spelt(case.language, case.fixed), []
    tree = parse(LANGUAGES[case.language], case.broken, 1.0)
    for reading, broken, fix in checked_candidates(tree, table, tries=60, most=25) if tree is not None else ():
        right = spelt(case.language, apply(case.broken, fix.edits)) == want
        found.append((right, features(reading, fix.changes, reading.gain(fix.changes), broken)))
    return found


def spelt(name: str, text: bytes) -> list[bytes]:
    """The tokens of a text, without comments."""
    return [token.text for token in tokens(LANGUAGES[name], text) if token.kind not in ("comment", "newline")]


def learnt(cases: Sequence[Row], epochs: int = 15, rate: float = 0.3, decay: float = 0.1) -> dict[str, float]:
    """Weights that put right repairs first: softmax regression over each case's repairs, by averaged AdaGrad."""
    rng = random.Random(1)
    weights, squares, sums, rounds = (
        dict[str, float](),
        defaultdict[str, float](float),
        defaultdict[str, float](float),
        0,
    )
    order = [row for row in cases if len({right for right, _ in row}) == 2]
    for epoch in range(epochs):
        rng.shuffle(order)
        for row in order:
            for name, slope in _slopes(row, weights).items():
                pulled = slope - decay * weights.get(name, 0.0)
                squares[name] += pulled * pulled
                weights[name] = weights.get(name, 0.0) + rate * pulled / math.sqrt(squares[name] + 1e-6)
        if epoch >= epochs // 2:
            rounds += 1
            for name, weight in weights.items():
                sums[name] += weight
    return {name: total / rounds for name, total in sums.items()}


def trusted(cases: Sequence[Row], weights: dict[str, float]) -> frozenset[str]:
    """Classes of single edits that are right at least as often as TRUST says where they would be marked sure."""
    right: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for row in cases:
        scored = sorted(((score(found, weights), ok, found) for ok, found in row), key=lambda entry: -entry[0])
        alone = len(scored) == 1
        leads = scored[0][0] >= ALONE_SCORE if alone else scored[0][0] - scored[1][0] >= SURE_LEAD
        classes = [name.removeprefix(CLASS) for name, _ in scored[0][2] if name.startswith(CLASS)]
        if leads and len(classes) == 1:
            seen[classes[0]] += 1
            right[classes[0]] += scored[0][1]
    return frozenset(name for name, n in seen.items() if n >= LEAST_SEEN and right[name] + 1 >= TRUST * (n + 2))


def _slopes(row: Row, weights: dict[str, float]) -> dict[str, float]:
    """The gradient of the log-likelihood of the right repairs."""
    scores = [sum(weights.get(name, 0.0) * value for name, value in seen) for _, seen in row]
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    total, rights = sum(powers), sum(power for power, (right, _) in zip(powers, row, strict=True) if right)
    slopes: dict[str, float] = defaultdict(float)
    for power, (right, seen) in zip(powers, row, strict=True):
        pull = (power / rights if right else 0.0) - power / total
        if abs(pull) > 1e-4:
            for name, value in seen:
                slopes[name] += pull * value
    return slopes


# -- all together --------------------------------------------------------------------------------------------------


def made(name: str, data: Path, part: str, more: Sequence[Row], kept: Path | None) -> tuple[Table, list[Row]]:
    """The table of a language and what its weights were learnt from, besides `more`."""
    language, texts = LANGUAGES[name], clean_texts(name, data, part)
    if kept is not None and kept.is_file():
        found: list[Row] = pickle.loads(kept.read_bytes())
    else:
        found = all_rows(name, texts, human_cases(name, data, part))
    if kept is not None:
        kept.write_bytes(pickle.dumps(found))
    weights = learnt([*found, *more])
    return Table(count(language, texts), weights, trusted([*found, *more], weights)), found


def all_rows(name: str, texts: Sequence[bytes], human: Sequence[Case]) -> list[Row]:
    """What weights are learnt from. Repairs are ranked with counts that do not know the texts they are in."""
    language, found = LANGUAGES[name], list[Row]()
    for fold in range(FOLDS):
        mine = [text for text in texts if _fold(text) == fold]
        counts = count(language, [text for text in texts if _fold(text) != fold])
        stored = tables.packed(Table(counts, FIRST), "")
        cases = [case for case in human if _fold(case.fixed) == fold] + planted_cases(name, mine, fold)
        tasks = [Task(tuple(cases[at : at + 20]), stored) for at in range(0, len(cases), 20)]
        parts = dict(spread(rows, tasks, f"{name}, part {fold + 1} of {FOLDS}"))
        found += [row for task in tasks for row in parts[task]]
    return found


FIRST = {"given": 5.0, "around": 5.0, "worst": 2.0, "surprise": 2.0, "n taken": -3.0, "changes 2": -4.0, "delete": -2.0,
         "cut": -4.0, "drop": -6.0}  # fmt: skip
"""Weights to begin with: they only say which repairs are tried first."""


def _fold(text: bytes) -> int:
    return sha256(text).digest()[1] % FOLDS


ALL = ("c", "cpp", "go", "java", "javascript", "python", "rust", "typescript")
MOST = "c"
"""The language with by far most repairs by people: other languages learn from them too, where it comes with them."""
SOURCES = (
    "Statistics derived from the development projects of bench/corpora.toml, from student programs of TRACER "
    "(umairzahmed/tracer, Apache-2.0) and from DebugBench (thunlp/DebugBench, Apache-2.0); made by bench/tables.py."
)


def main(arguments: list[str]) -> int:
    """Writes one file for each language."""
    parser = argparse.ArgumentParser(prog="bench.tables", description="Makes the tables of ast_tools.repair.")
    parser.add_argument("--data", type=Path, required=True, help="the folder with the development data")
    parser.add_argument("--only", nargs="+", choices=ALL, default=ALL)
    parser.add_argument("--into", type=Path, default=INTO)
    parser.add_argument("--keep", type=Path, help="keep what weights are learnt from here, and take it from here")
    parser.add_argument("--part", choices=("all", "tune"), default="all")
    options = parser.parse_args(arguments)
    options.into.mkdir(parents=True, exist_ok=True)
    shared: list[Row] = []
    for name in sorted(options.only, key=lambda name: name != MOST):
        kept = options.keep / f"{name}-{options.part}.pickle" if options.keep else None
        table, found = made(name, options.data, options.part, shared, kept)
        if name == MOST:
            shared = found
        stored = tables.packed(table, SOURCES)
        (options.into / f"{name}.gz").write_bytes(stored)
        print(f"{name}: {len(found)} repairs learnt from, {len(stored):,} bytes", file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
