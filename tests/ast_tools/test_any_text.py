"""No text, however broken, makes a question fail or hang."""

import os
import random
import time

import pytest

from ast_tools import (
    LANGUAGES,
    Cutter,
    Language,
    call_at,
    definitions,
    enclosing,
    function_at,
    functions,
    imports,
    mentioned,
    parse,
    place,
    problems,
    repairs,
    same_except_docstrings,
    statement_around,
    wants_multiline,
)
from tests.ast_tools.test_tree import PIECES, SNIPPETS

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


def ask_everything(language: Language, text: bytes, offset: int) -> None:
    tree = parse(language, text)
    if tree is not None:
        for question in (problems, definitions, imports, functions):
            question(tree)
        for question in (mentioned, call_at, enclosing, function_at):
            question(tree, offset)
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


@pytest.mark.fuzz
@pytest.mark.parametrize("name", SNIPPETS)
def test_any_text_is_answered(name: str) -> None:
    seed = int(os.environ.get("R1_FUZZ_SEED", random.randrange(10**6)))
    print(f"R1_FUZZ_SEED={seed}")
    rng = random.Random(seed)
    for _ in range(int(60 * float(os.environ.get("R1_FUZZ_SCALE", "1")))):
        text = rng.choice((b"", SNIPPETS[name]))
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
        ("python", b"\n" * 6000),
    ],
)
def test_texts_that_hurt_once(name: str, text: bytes) -> None:
    started = time.perf_counter()
    ask_everything(LANGUAGES[name], text, len(text))
    assert time.perf_counter() - started < 20
