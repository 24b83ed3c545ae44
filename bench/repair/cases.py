"""The cases: clean files of the corpora in which brackets are lost, doubled, changed or cut off.

A case is a function of (split, language, mode, seed, number) alone, so that any process can make it and every arm
sees the same ones. The design is Carbon's for its lexer (toolchain/docs/lex/mismatched_brackets.md), with two errors
at once added.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ast_tools import LANGUAGES, Edit, Language, SyntaxTree, apply, parse
from ast_tools.lexer import PARTNER, Token, tokens, unmatched
from bench.corpora import File

Mode = Literal["delete", "blank", "extra", "swap", "truncate", "two-errors"]
MODES: tuple[Mode, ...] = ("delete", "extra", "swap", "truncate", "two-errors")
OPTIONAL_MODES: tuple[Mode, ...] = ("blank",)

TRIES = 80
CUTS = 12
"""Places tried in one file before another one is drawn."""
BUDGET_S = 2.0

# Brackets in there need not match the rest of the file.
_MACROS = frozenset({"preproc_def", "preproc_function_def", "preproc_include", "preproc_call", "preproc_arg"})
_BRACKETS = frozenset("()[]{}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some numbers of one language, mode and seed, for one process."""

    language: str
    mode: Mode
    seed: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A broken text and what a repair should make of it.

    `planted` are edits of `clean`. `wanted` is the text aimed at: `clean`, or what is left of it with its brackets
    closed. `steps`: texts on the way there, where one repair is not enough; `rounds`: how many are.
    """

    language: str
    mode: Mode
    seed: int
    number: int
    file: File
    clean: bytes
    broken: bytes
    planted: tuple[Edit, ...]
    wanted: bytes
    steps: tuple[bytes, ...] = ()
    rounds: int = 1


def case(pool: Sequence[File], mode: Mode, seed: int, number: int) -> Case | None:
    """The case with this number; None when no file of the pool gives one. Projects are drawn with equal chance."""
    language = pool[0].language
    rng = random.Random(f"{seed} {language} {mode} {number}")
    projects = sorted({file.project for file in pool})
    for _ in range(TRIES):
        project = rng.choice(projects)
        file = rng.choice([file for file in pool if file.project == project])
        clean = file.read()
        found = brackets(language, clean)
        planted = _PLANTS[mode](LANGUAGES[language], clean, found, rng) if found else None
        if planted is None:
            continue
        edits, wanted, steps = planted
        broken = apply(clean, edits)
        if takes(LANGUAGES[language], broken):
            continue
        return Case(
            language=language, mode=mode, seed=seed, number=number, file=file, clean=clean, broken=broken,
            planted=edits, wanted=wanted, steps=steps, rounds=len(steps) + 1,
        )  # fmt: skip
    return None


def takes(language: Language, text: bytes) -> bool:
    """Whether the grammar, and the language's own parser where we have it, find nothing wrong."""
    tree = parse(language, text, BUDGET_S)
    return tree is not None and not tree.has_error and (language.accepts is None or language.accepts(text))


@lru_cache(maxsize=32)
def brackets(name: str, text: bytes) -> tuple[Token, ...]:
    """The brackets that both the scanner and the grammar see, outside macros; none where the scanner's do not match."""
    language = LANGUAGES[name]
    found = tokens(language, text)
    tree = parse(language, text, BUDGET_S)
    if tree is None or any(unmatched(found)):
        return ()
    seen = _leaves(tree)
    return tuple(token for token in found if token.kind in ("open", "close") and token.start in seen)


def _leaves(tree: SyntaxTree) -> set[int]:
    """Where the grammar has a bracket token. With a cursor, because trees can be deep."""
    seen: set[int] = set()
    cursor = tree.root.walk()
    while True:
        node = cursor.node
        if node is not None and node.type in _BRACKETS and node.child_count == 0 and node.end_byte > node.start_byte:
            seen.add(node.start_byte)
        if (node is None or node.type not in _MACROS) and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return seen


Planted = tuple[tuple[Edit, ...], bytes, tuple[bytes, ...]]


def _delete(_language: Language, text: bytes, found: tuple[Token, ...], rng: random.Random) -> Planted:
    return (deletion(text, rng.choice(found)),), text, ()


def deletion(text: bytes, token: Token) -> Edit:
    """The text closes up; a line that would be blank goes too, or its indentation would betray the place."""
    start, end = text.rfind(b"\n", 0, token.start) + 1, text.find(b"\n", token.end)
    if end >= 0 and text[start:end].strip() == token.text:
        return Edit(start, end + 1, b"")
    return Edit(token.start, token.end, b"")


def _blank(_language: Language, text: bytes, found: tuple[Token, ...], rng: random.Random) -> Planted:
    token = rng.choice(found)
    return (Edit(token.start, token.end, b" "),), text, ()


def _extra(language: Language, text: bytes, found: tuple[Token, ...], rng: random.Random) -> Planted | None:
    """Half are closers typed twice, a fifth openers typed twice, the rest closers at the end of a line."""
    chance = rng.random()
    if chance < 0.7:
        kind = "close" if chance < 0.5 else "open"
        token = rng.choice([token for token in found if token.kind == kind])
        return (Edit(token.end, token.end, token.text),), text, ()
    ends = [one for one, after in _neighbours(language, text) if after is None or after.kind == "newline"]
    token = rng.choice(ends) if ends else found[-1]
    return (Edit(token.end, token.end, rng.choice([b")", b"]", b"}"])),), text, ()


def _neighbours(language: Language, text: bytes) -> list[tuple[Token, Token | None]]:
    """Each token of the code with the one after it, comments left out."""
    found = [token for token in tokens(language, text) if token.kind != "comment"]
    pairs = list(zip(found, [*found[1:], None], strict=True))
    return [(one, after) for one, after in pairs if one.kind in ("word", "number", "string", "open", "close", "op")]


def _swap(_language: Language, text: bytes, found: tuple[Token, ...], rng: random.Random) -> Planted:
    token = rng.choice(found)
    others = [mark for mark in (b"([{" if token.kind == "open" else b")]}") if mark != token.text[0]]
    return (Edit(token.start, token.end, bytes([rng.choice(others)])),), text, ()


def _truncate(language: Language, text: bytes, found: tuple[Token, ...], rng: random.Random) -> Planted | None:
    """The file ends behind a token with brackets open, where nothing but their closers is needed."""
    seen = {token.start for token in found}
    depths: list[tuple[Token, bytes]] = []
    stack: list[bytes] = []
    for token, _ in _neighbours(language, text):
        if token.kind == "open":
            stack.append(PARTNER[token.text])
        elif token.kind == "close" and stack:
            stack.pop()
        if stack and (token.start in seen or token.kind not in ("open", "close")):
            depths.append((token, b"".join(reversed(stack))))
    for _ in range(CUTS if depths else 0):
        token, closers = rng.choice(depths)
        head = text[: token.end]
        wanted = head + b"\n" + b"\n".join(closers[at : at + 1] for at in range(len(closers))) + b"\n"
        if takes(language, wanted):
            steps = tuple(head + closers[:at] for at in range(1, len(closers)))
            return (Edit(token.end, len(text), b""),), wanted, steps
    return None


def _two_errors(_language: Language, text: bytes, found: tuple[Token, ...], rng: random.Random) -> Planted | None:
    if len(found) < 2:
        return None
    one, other = (deletion(text, token) for token in rng.sample(found, 2))
    if one.start < other.end and other.start < one.end:
        return None
    return (one, other), text, (apply(text, [one]), apply(text, [other]))


_PLANTS: dict[Mode, Callable[[Language, bytes, tuple[Token, ...], random.Random], Planted | None]] = {
    "delete": _delete,
    "blank": _blank,
    "extra": _extra,
    "swap": _swap,
    "truncate": _truncate,
    "two-errors": _two_errors,
}
