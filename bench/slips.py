"""Slips of the kinds that people make, planted in clean code: how often repairs undo them.

    python -m bench.slips [--split test] [--languages c java ...] [--cases 150] [--seed 1]

A case is a top-level piece of a file of bench.corpora. Development projects are what the tables of ast_tools.repair
were learnt from: only "test" says anything about other code.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ast_tools import LANGUAGES, Edit, Language, apply, parse, repairs
from ast_tools.lexer import Token, tokens
from ast_tools.repair.chunks import chunks
from ast_tools.repair.pairs import matched
from ast_tools.repair.vocabulary import keywords, whole
from bench.corpora import Split, files
from bench.parallel import spread
from bench.report import Report

BUDGET_S = 0.5
SECOND = 0.08
"""How often there is a second slip."""
STRAYS = (b";", b",", b")", b"}", b".", b":", b"]", b"=", b"`", b"\\")
CONFUSED = {
    b";": b", :", b",": b"; .", b":": b";", b"==": b"=", b"=": b"==", b"(": b"{ [", b")": b"} ]", b"]": b") }",
    b"[": b"( {", b"{": b"( [", b"}": b") ]", b"+": b"%", b"&": b"%", b"&&": b"&", b"<=": b"=<", b">=": b"=>",
    b"!=": b"=!", b"->": b"- >", b".": b",", b"=>": b"->", b"*": b"x", b"/": b"\\",
}  # fmt: skip
"""What is written for what."""


@dataclass(frozen=True, slots=True)
class Code:
    """A text, its tokens and its language."""

    language: Language
    text: bytes
    found: Sequence[Token]


Fits = Callable[[Code, int], bool]
Slip = Callable[[Code, int, random.Random], list[Edit]]


def with_slips(language: Language, text: bytes, rng: random.Random) -> bytes | None:
    """The text with a slip or two; None where none fits."""
    code = Code(language, text, whole(language, tokens(language, text)))
    edits = _planted(code, rng)
    if rng.random() < SECOND:
        edits += _planted(code, rng)
    try:
        return apply(text, edits) if edits else None
    except ValueError:
        return None


def _planted(code: Code, rng: random.Random) -> list[Edit]:
    _, fits, slip = rng.choices(SLIPS, [weight for weight, _, _ in SLIPS])[0]
    chosen = [number for number in range(len(code.found)) if fits(code, number)]
    return slip(code, rng.choice(chosen), rng) if chosen else []


# -- where ---------------------------------------------------------------------------------------------------------


def _text(*marks: bytes) -> Fits:
    return lambda code, number: code.found[number].text in marks


def _kind(*kinds: str) -> Fits:
    return lambda code, number: code.found[number].kind in kinds


def _is_operator(code: Code, number: int) -> bool:
    return code.found[number].kind == "op" and code.found[number].text not in (b";", b",", b":")


def _is_operand(code: Code, number: int) -> bool:
    return code.found[number].kind == "number" or _is_name(code, number)


def _is_name(code: Code, number: int) -> bool:
    token = code.found[number]
    return token.kind == "word" and token.text not in keywords(code.language)


def _is_keyword(code: Code, number: int) -> bool:
    text = code.found[number].text
    return len(text) > 1 and text in keywords(code.language)


def _is_long_operator(code: Code, number: int) -> bool:
    return code.found[number].kind == "op" and len(code.found[number].text) > 1


def _is_quoted(code: Code, number: int) -> bool:
    text = code.found[number].text
    return code.found[number].kind == "string" and text[-1:] in b"\"'" and len(text) > 2 and b"\n" not in text


def _is_pair(code: Code, number: int) -> bool:
    return code.found[number].text == b"(" and any(opener == number for opener, _ in _pairs(code))


def _is_run(code: Code, number: int) -> bool:
    """Whether the last closers of a line begin here, two or more."""
    if code.found[number].kind != "close" or code.found[number].text == b"}":
        return False
    last = _run_end(code, number)
    after = code.found[last + 1].start if last + 1 < len(code.found) else len(code.text)
    return last > number and b"\n" in code.text[code.found[last].end : after]


def _run_end(code: Code, number: int) -> int:
    while number + 1 < len(code.found) and code.found[number + 1].text in (b")", b"]"):
        number += 1
    return number


def _pairs(code: Code) -> list[tuple[int, int]]:
    return matched(code.found, 0, len(code.found))


def _anywhere(code: Code, number: int) -> bool:
    return number + 1 < len(code.found)


# -- what ----------------------------------------------------------------------------------------------------------


def _lose(code: Code, number: int, _: random.Random) -> list[Edit]:
    return [Edit(code.found[number].start, code.found[number].end, b"")]


def _lose_quote(code: Code, number: int, _: random.Random) -> list[Edit]:
    end = code.found[number].end
    return [Edit(end - 1, end, b"")]


def _lose_first_quote(code: Code, number: int, _: random.Random) -> list[Edit]:
    token = code.found[number]
    at = token.start + len(token.text) - len(token.text.lstrip(b"rbfuRBFU"))
    return [Edit(at, at + 1, b"")]


def _lose_run(code: Code, number: int, _: random.Random) -> list[Edit]:
    last = _run_end(code, number)
    return [Edit(code.found[number].start, code.found[last].end, b"")]


def _lose_pair(code: Code, number: int, _: random.Random) -> list[Edit]:
    closer = next(closer for opener, closer in _pairs(code) if opener == number)
    space = b" " if number and code.found[number - 1].kind == "word" else b""
    opener, end = code.found[number], code.found[closer]
    return [Edit(opener.start, opener.end, space), Edit(end.start, end.end, b"")]


def _double(code: Code, number: int, _: random.Random) -> list[Edit]:
    token = code.found[number]
    return [Edit(token.end, token.end, token.text)]


def _stray(code: Code, number: int, rng: random.Random) -> list[Edit]:
    end = code.found[number].end
    return [Edit(end, end, b" " + rng.choice(STRAYS))]


def _stray_quote(code: Code, number: int, rng: random.Random) -> list[Edit]:
    start = code.found[number].start
    return [Edit(start, start, rng.choice([b'"', b'"', b"'"]))]


def _confuse(code: Code, number: int, rng: random.Random) -> list[Edit]:
    token = code.found[number]
    return [Edit(token.start, token.end, rng.choice(CONFUSED[token.text].split()))]


def _misspell(code: Code, number: int, rng: random.Random) -> list[Edit]:
    token = code.found[number]
    text, at = token.text, rng.randrange(len(token.text) - 1)
    ways = (
        text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
        text[:at] + text[at + 1 :],
        text[:at] + text[at : at + 1] * 2 + text[at + 1 :],
        text.capitalize() if text.capitalize() != text else text.lower(),
    )
    return [Edit(token.start, token.end, rng.choice(ways))]


def _tear(code: Code, number: int, _: random.Random) -> list[Edit]:
    start = code.found[number].start
    return [Edit(start + 1, start + 1, b" ")]


def _swap(code: Code, number: int, _: random.Random) -> list[Edit]:
    one, other = code.found[number], code.found[number + 1]
    return [Edit(one.start, other.end, other.text + code.text[one.end : other.start] + one.text)]


SLIPS: tuple[tuple[int, Fits, Slip], ...] = (
    (30, _text(b";"), _lose),
    (6, _text(b","), _lose),
    (8, _text(b":"), _lose),
    (14, _kind("close"), _lose),
    (5, _kind("open"), _lose),
    (4, _is_operator, _lose),
    (3, _is_operand, _lose),
    (4, _is_keyword, _lose),
    (5, _kind("op", "close"), _double),
    (7, _anywhere, _stray),
    (12, _text(*CONFUSED), _confuse),
    (6, _is_keyword, _misspell),
    (2, _is_long_operator, _tear),
    (2, _anywhere, _swap),
    (6, _is_quoted, _lose_quote),
    (2, _is_quoted, _lose_first_quote),
    (3, _is_name, _stray_quote),
    (4, _is_pair, _lose_pair),
    (5, _is_run, _lose_run),
)
"""How often each is planted, where, and what it does; the weights are about those of the errors of students in C."""


# -- a benchmark of them ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Task:
    """So many cases of one language, from one split."""

    language: str
    split: Split
    cases: int
    seed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was offered for one case: whether the first, and one of three, is the clean text, white space aside."""

    offered: bool
    first: bool
    among: bool
    sure: bool
    seconds: float


def excerpt(language: Language, text: bytes, rng: random.Random) -> bytes | None:
    """A top-level piece of a text that the parsers take alone."""
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


def planted(language: Language, texts: Sequence[bytes], cases: int, rng: random.Random) -> list[tuple[bytes, bytes]]:
    """(broken, clean) pieces of some texts."""
    found: list[tuple[bytes, bytes]] = []
    for _ in range(cases * 20):
        if len(found) == cases or not texts:
            break
        clean = excerpt(language, rng.choice(texts), rng)
        broken = with_slips(language, clean, rng) if clean is not None else None
        if clean is not None and broken is not None and broken != clean and not takes(language, broken):
            found.append((broken, clean))
    return found


def outcomes(task: Task) -> list[Outcome]:
    """The cases of a task, repaired; runs in a process of its own."""
    language = LANGUAGES[task.language]
    texts = [file.read() for file in files(task.language, task.split)]
    cases = planted(language, texts, task.cases, random.Random(f"{task.language} {task.split} {task.seed}"))
    return [outcome(language, broken, clean) for broken, clean in cases]


def outcome(language: Language, broken: bytes, clean: bytes) -> Outcome:
    """What is offered for a broken text."""
    tree = parse(language, broken, 1.0)
    started = time.thread_time()
    found = repairs(tree, budget_s=BUDGET_S)[:3] if tree is not None else ()
    seconds = time.thread_time() - started
    right = [b"".join(apply(broken, repair.edits).split()) == b"".join(clean.split()) for repair in found]
    return Outcome(bool(found), right[:1] == [True], any(right), bool(found) and found[0].sure, seconds)


def _row(report: Report, name: str, done: Sequence[Outcome]) -> None:
    shares = {
        "first": [one.first for one in done],
        "among three": [one.among for one in done],
        "sure": [one.sure for one in done],
        "sure but wrong": [one.sure and not one.first for one in done],
    }
    shown = ", ".join(f"{share} {100 * sum(flags) / max(len(flags), 1):.1f} %" for share, flags in shares.items())
    report.row(f"{name} (n = {len(done)})", f"{shown}, p50 {statistics.median([x.seconds for x in done]) * 1e3:.0f} ms")


def main(arguments: list[str]) -> int:
    """Prints a row for each language."""
    parser = argparse.ArgumentParser(prog="bench.slips", description="Slips planted in clean code.")
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--languages", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--cases", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    report = Report("slips")
    report.notes.append(f"seed {options.seed}; right: equal to the clean piece, white space aside")
    tasks = [Task(name, options.split, options.cases, options.seed) for name in options.languages]
    done = dict(spread(outcomes, tasks, "slips"))
    for task in tasks:
        if done[task]:
            _row(report, task.language, done[task])
    _row(report, "all", [one for task in tasks for one in done[task]])
    return report.finish()


NAMES = ("c", "cpp", "go", "java", "javascript", "python", "rust", "typescript")

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
