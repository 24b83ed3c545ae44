"""No text, however broken, makes a question fail or hang."""

import os
import random
import time
from collections.abc import Callable

import pytest

from ast_tools import (
    LANGUAGES,
    Cutter,
    Language,
    block_at,
    blocks,
    call_at,
    called,
    calls,
    comments,
    declaration_of,
    definitions,
    enclosing,
    function_at,
    function_on_line,
    functions,
    imports,
    leaves,
    mentioned,
    names,
    names_in_scope,
    parse,
    place,
    problems,
    references,
    refusal,
    repairs,
    same_except_docstrings,
    scopes,
    statement_around,
    strings,
    symbol_at,
    tags,
    wants_multiline,
)
from tests.ast_tools.samples import SAMPLES
from tests.ast_tools.test_tree import PIECES

MORE = [
    b" = ",
    b"\t",
    b"if ",
    b"x.",
    b",",
    b"]",
    b"[",
    b"=>",
    b"/*",
    b"#",
    b"//",
    b"\r\n",
    b"@",
    b"class A",
    b"<a>",
    b'"""',
]
MODEL = ("foo(", "a, [", "1]\n", "  x) {\n", "}\n", "return \ud800\x00")
OF_A_TREE = (
    problems, definitions, imports, functions, scopes, blocks, names, references, comments, strings, leaves, tags,
)  # fmt: skip
OF_A_PLACE = (
    mentioned, call_at, enclosing, function_at, function_on_line, block_at, names_in_scope, symbol_at, declaration_of,
)  # fmt: skip


def ask_everything(language: Language, text: bytes, offset: int) -> None:
    tree = parse(language, text)
    if tree is not None:
        for question in OF_A_TREE:
            question(tree)
        for question in OF_A_PLACE:
            question(tree, offset)
        for call in calls(tree)[:3]:
            called(tree, call)
        statement_around(tree, offset, min(len(text), offset + 3))
        repairs(tree, near=offset)
    place(tree, text, offset)
    wants_multiline(tree, text, offset, language)
    same_except_docstrings(language, text, text)
    for multiline in (False, True):
        cutter = Cutter(tree, language, text, offset, multiline=multiline)
        for piece in MODEL:
            if cutter.feed(piece).done:
                break
        cutter.finish()


GROWING: dict[str, Callable[[int], bytes]] = {
    "statements": lambda n: b"int f() {\n" + b"  a = b c d\n" * n + b"}\n",
    "functions": lambda n: b"int f() { a b c }\n" * n,
    "one statement": lambda n: b"int f() { return a " + b"+ b c " * n + b"; }",
    "openers": lambda n: b"int f() { g(" + b"([" * n + b" x y ; }",
    "wrong closers": lambda n: b"x = " + b"(" * n + b"]" * n + b"\n",
    "braces": lambda n: b"{" * n + b" x y " + b"}" * n + b"\n",
    "quotes": lambda n: b'puts("a" b "c" d "e);\n' + b"'x\n\"y\n" * n,
    "a comment": lambda n: b"int f() { /* " + b"a; b c; (\n" * n,
    "slashes": lambda n: b"f(" + b" / /" * n + b"\n",
    "a word": lambda n: b"int f() { " + b"word" * n + b" y z; }",
    "declarations": lambda n: b"#include <stdio.h>\nint f() {\n" + b"int a;\nb(a, q);\n" * n + b"}\n",
    "strings": lambda n: b"int f() { int a; puts(" + b'"x" a ' * n + b"); }\n",
    "blocks": lambda n: b"".join(b"if a:\n" + b"  " * (at % 9) + b"x\n" for at in range(n)) + b"else else:\n",
}
"""Broken texts of any length."""


@pytest.mark.parametrize("name", ["c", "python"])
@pytest.mark.parametrize("made", GROWING.values(), ids=GROWING)
def test_a_longer_text_costs_no_more_than_its_length(name: str, made: Callable[[int], bytes]) -> None:
    costs = [_cost(LANGUAGES[name], made(n)) for n in (30, 300)]
    # Ten times as long: ten times as much, and three times that for what the machine does besides.
    assert costs[1] <= 30 * max(costs[0], 0.02)


def _cost(language: Language, text: bytes) -> float:
    """Seconds to repair a text and to say what is wrong, with a budget that is never spent."""
    tree = parse(language, text, 5.0)
    if tree is None:
        return 0.0
    started = time.thread_time()
    repairs(tree, budget_s=30.0)
    problems(tree)
    refusal(tree)
    return time.thread_time() - started


@pytest.mark.fuzz
@pytest.mark.parametrize("name", SAMPLES)
def test_any_text_is_answered(name: str) -> None:
    seed = int(os.environ.get("R1_FUZZ_SEED", random.randrange(10**6)))
    print(f"R1_FUZZ_SEED={seed}")
    rng = random.Random(seed)
    for _ in range(int(12 * float(os.environ.get("R1_FUZZ_SCALE", "1")))):
        text = rng.choice((b"", SAMPLES[name]))
        for _ in range(rng.randrange(1, 12)):
            start = rng.randrange(len(text) + 1)
            text = text[:start] + rng.choice(PIECES + MORE) + text[start + rng.choice((0, 0, 0, 1, 4)) :]
        ask_everything(LANGUAGES[name], text, rng.choice((len(text), rng.randrange(len(text) + 1))))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("javascript", b"xxx = "),  # a node behind the end of an error is none, and asking it crashed
        ("typescript", b'"{\x00("*[};-1-f x'),
        ("python", b"x = \xff\xfe\x00("),
        ("python", b"(" * 3000),
        ("javascript", b"x" * 100_000 + b" = "),
        ("python", b""),
        ("python", b"x = 1\r)\n"),  # a lone carriage return ends a line, too
        ("python", b"\r@\r) \nx"),
        ("javascript", b"/* a */ f(x, y\n/* b */ z\n"),  # a comment begins each line
        ("python", b"\n" * 6000),
        ("go", b"type \xff struct {}\nconst (\n\xe4 = 1\n)\n"),  # a predicate of a query wants UTF-8
        ("go", b"type (\xff struct {})\ntype \xff struct {}\n" * 20),
    ],
)
def test_texts_that_hurt_once(name: str, text: bytes) -> None:
    started = time.perf_counter()
    ask_everything(LANGUAGES[name], text, len(text))
    assert time.perf_counter() - started < 20
