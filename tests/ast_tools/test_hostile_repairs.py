"""However a text is made, a search for repairs takes little more time than it was given."""

import time
from functools import cache

import pytest

from ast_tools import LANGUAGES, parse, repairs

BUDGET_S = 0.05
MOST = 10
"""Times the budget: what was begun is ended, such as one parse."""

HOSTILE = {
    "openers": b"(" * 20_000,
    "openers of all kinds": b"([{" * 7_000,
    "closers": b"}" * 20_000,
    "pairs that cross": b"([)]" * 10_000,
    "one opener too much in one long line": b"f(" + b"a, b(c), " * 8_000,
    "one opener too much in many lines": b"f(\n" + b"a,\n" * 20_000,
    "one closer too much": b"a(b);\n" * 20_000 + b")\n",
    "openers on lines of their own": b"a(\n" * 8_000,
    "openers ever deeper": b"".join(b" " * number + b"a(\n" for number in range(600)),
    "openers in long lines": b"".join(b"b" * 2000 + b"({" * 20 + b"\n" for _ in range(300)),
    "braces at the margin": b"{\n" * 20_000,
    "a block that is left open many times": b"if (a) {\n" * 10_000 + b"b;\n",
    "two blocks": b"f() {\n" + b"  g(1);\n" * 10_000 + b"\nh() {\n" + b"  g(1);\n" * 20_000,
    "calls left open": b"print(max(1, 2)\n" * 4_000,
    "strings in strings": b"f'{" * 20_000,
    "strings left open": b'x = "a\n' * 10_000,
    "a string of closers": b'"' + b")" * 30_000 + b"x",
    "a string of blanks": b'"' + b" " * 30_000 + b"x",
    "a long string": b'f("' + b"a + b, c.d(e) " * 20_000,
    "headers": b"if x\n  y\n" * 5_000,
    "headers left open": b"if (\n" * 8_000,
    "headers behind an opener": b"x = (\n" + b"if x\n  y\n" * 5_000,
    "a long word": b"(" + b"ab1" * 20_000,
    "words that may be two": b"f(" + b"".join(b"ab%dcd " % number for number in range(20_000)),
    "blank lines": b"(" + b"\n" * 30_000 + b"x",
    "comments": b"(" + b"# /* a */ // b\n" * 10_000 + b"x",
}  # fmt: skip


@cache
def warm(name: str) -> None:
    """What is read and compiled once is no part of a search."""
    for text in (b"f(1;\n", b"f('a;\n", b"if x\n  g(\n"):
        tree = parse(LANGUAGES[name], text)
        assert tree is not None
        repairs(tree, budget_s=1.0)


@pytest.mark.parametrize("name", ["python", "javascript", "c"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_search_ends_in_time(name: str, kind: str) -> None:
    warm(name)
    tree = parse(LANGUAGES[name], HOSTILE[kind], budget_s=1.0)
    if tree is None:
        pytest.skip("the grammar gave up before us")
    started = time.thread_time()
    repairs(tree, near=len(tree.text) // 2, budget_s=BUDGET_S)
    assert time.thread_time() - started < MOST * BUDGET_S
