"""Trees in step with a text: sliced, incremental, budgeted."""

import random
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ast_tools import LANGUAGES, Edit, TreeSession, apply, inverted, parse, problems, refusal, reparse
from ast_tools.tree import SESSION_BUDGET_S

SNIPPETS = {
    "python": b"def f(x):\n    return [x, 'a']\n\n\nclass A:\n    def g(self): return {1: (2,)}\n",
    "javascript": b"function f(x) {\n  return [x, `a${x}`];\n}\n\nclass A { g() { return {a: /x/}; } }\n",
    "typescript": b"function f(x: number): string {\n  return `${x}`;\n}\ninterface I { a: string }\n",
    "tsx": b"const A = (p: P) => <div a={p.x}>b</div>;\nenum E { A }\n",
}
PIECES = [
    b"(",
    b")",
    b"\n",
    b"x",
    b" = 1",
    b"{",
    b"}",
    b'"',
    b"`",
    b":",
    b"def ",
    b"\x00",
    b"\xed\xa0\x80",
    "é😀".encode(),
]


def test_a_fifteen_byte_text_that_runs_the_grammar_for_twenty_seconds_is_stopped() -> None:
    text = b'"{\x00("*[};-1-f x'
    started = time.perf_counter()
    tree = parse(LANGUAGES["typescript"], text, 0.05)
    assert tree is None or tree.root.end_byte == len(text)
    assert time.perf_counter() - started < 2


def test_a_session_gives_up_and_recovers_with_the_next_text() -> None:
    session = TreeSession(LANGUAGES["typescript"], b'"{\x00("*[};-1-f x')
    # One uninterrupted slice longer than the total budget, so that the text cannot be finished by luck.
    session.advance(SESSION_BUDGET_S / 100)
    session.replace(b"let x = 1;\n")
    tree = session.advance()
    assert tree is not None
    assert tree.text == b"let x = 1;\n"
    assert tree.root.end_byte == len(tree.text)


def test_slices_end_in_the_tree_of_one_long_parse() -> None:
    text = SNIPPETS["python"] * 3000
    session = TreeSession(LANGUAGES["python"], text)
    slices = 1
    while session.advance(0.001) is None:
        slices += 1
        assert not session.gave_up
    whole = parse(LANGUAGES["python"], text, 5.0)
    assert slices > 1
    assert session.tree is not None
    assert whole is not None
    assert str(session.tree.root) == str(whole.root)


def test_an_edit_in_the_middle_of_a_slice_does_not_resume_the_old_text() -> None:
    text = SNIPPETS["python"] * 3000
    session = TreeSession(LANGUAGES["python"], text)
    assert session.advance(0.0005) is None
    session.edit(0, len(text), b"x=1\n", b"x=1\n")
    tree = session.advance()
    assert tree is not None
    assert tree.root.end_byte == 4


@pytest.mark.parametrize("name", SNIPPETS)
def test_incremental_trees_equal_full_ones(name: str) -> None:
    language, rng = LANGUAGES[name], random.Random(3)
    text = SNIPPETS[name]
    session = TreeSession(language, text)
    assert session.advance(1.0) is not None
    for _ in range(120):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice((0, 0, 0, 1, 3)))
        new = rng.choice(PIECES) if rng.random() < 0.6 else b""
        text = apply(text, [Edit(start, end, new)])
        session.edit(start, end, new, text)
        tree, full = session.advance(1.0), parse(language, text, 1.0)
        if tree is None or full is None:
            session.replace(text)
            continue
        assert tree.root.has_error == full.root.has_error, text
        if not full.root.has_error:
            assert str(tree.root) == str(full.root), text
        if len(text) > 400:
            text = SNIPPETS[name]
            session.replace(text)
            session.advance(1.0)


def test_a_broken_tree_made_by_edits_is_renewed_in_slices_when_the_text_rests() -> None:
    language, clean = LANGUAGES["python"], SNIPPETS["python"] * 2000
    session = TreeSession(language, clean)
    while session.advance(1.0) is None:
        pass
    assert session.whole
    text = clean[:30] + b"(" + clean[30:]
    session.edit(30, 30, b"(", text)
    while session.advance(1.0) is None:
        pass
    incremental = session.tree
    assert not session.whole
    slices = 0
    while not session.renew(0.001):
        slices += 1
        assert (session.tree is incremental) is not session.whole
    whole = parse(language, text, 5.0)
    assert slices > 1
    assert session.whole
    assert session.tree is not None
    assert whole is not None
    assert str(session.tree.root) == str(whole.root)
    # The next edit goes on from the new tree.
    session.edit(30, 31, b"", clean)
    while session.advance(1.0) is None:
        pass
    assert session.tree is not None
    assert not session.tree.has_error


def test_a_template_left_open_in_a_long_text_is_not_parsed_at_each_key_but_when_the_text_rests() -> None:
    language, clean = LANGUAGES["typescript"], SNIPPETS["typescript"] * 2000
    session = TreeSession(language, clean)
    while session.advance(1.0) is None:
        pass
    text = clean[:30] + b"`" + clean[30:]
    session.edit(30, 30, b"`", text)
    assert session.advance() is None
    assert session.gave_up
    # One mark more in a comment opens nothing; nobody knows before it is parsed.
    remark = b"// a ` mark\n" + clean
    session.replace(clean)
    while session.advance(1.0) is None:
        pass
    session.edit(0, 0, b"// a ` mark\n", remark)
    assert session.advance() is None
    while not session.renew(1.0):
        pass
    assert session.tree is not None
    assert not session.tree.has_error
    session.edit(0, 0, b"x;\n", b"x;\n" + remark)
    while session.advance(1.0) is None:
        assert not session.gave_up


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=8), st.lists(st.binary(max_size=5), max_size=4))
@settings(max_examples=100, deadline=None)
def test_edits_apply_and_invert(text: bytes, places: list[int], news: list[bytes]) -> None:
    ordered = sorted(min(place, len(text)) for place in places)
    spans = list(pairwise(ordered))[::2]
    edits = [Edit(start, end, new) for (start, end), new in zip(spans, news, strict=False)]
    after = apply(text, edits)
    assert apply(after, inverted(text, edits)) == text


def test_overlapping_edits_are_refused() -> None:
    with pytest.raises(ValueError, match="overlaps"):
        apply(b"abcdef", [Edit(0, 3, b""), Edit(2, 4, b"")])


def test_reparse_equals_parse() -> None:
    before = parse(LANGUAGES["python"], SNIPPETS["python"])
    assert before is not None
    after = reparse(before, (Edit(0, 3, b"async def"), Edit(len(before.text), len(before.text), b"y = (\n")))
    assert after is not None
    full = parse(LANGUAGES["python"], after.text)
    assert full is not None
    assert after.root.has_error
    assert full.root.has_error
    assert before.n_errors == 0, "the tree before stays as it was"


@pytest.mark.parametrize(
    ("name", "text", "kinds"),
    [
        ("python", b"x = 1\n", []),
        ("python", b"def f(:\n    pass\n", ["missing"]),
        ("javascript", b"let a = @@@;\n", ["unexpected"]),
        ("python", b"", []),
    ],
)
def test_problems(name: str, text: bytes, kinds: list[str]) -> None:
    tree = parse(LANGUAGES[name], text)
    assert tree is not None
    found = problems(tree)
    assert [problem.kind for problem in found] == kinds
    assert all(0 <= problem.start <= problem.end <= len(text) for problem in found)


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("python", "def a(x)\n    return 1\n\n\ndef b(x)\n    return 2\n", [1, 5]),
        ("python", 'name = "é😀"\r\ndef hi(n):\r\n\treturn n\r\n\r\ndef broken(n)\r\n\treturn (n\r\n', [5]),
        (
            "python",
            "import os\n\ndef f(x):\n    if x = 3:\n        return 1\n    elseif x:\n        return 2\n",
            [4, 6],
        ),
        ("python", "\ufeffimport os\n\ndef f(x)\n    return 1\n", [3]),
        ("javascript", "class A {\n  f() {}\n  g( {\n    return 2\n  }}}\n", [3]),
        ("javascript", "f();\nfunction g() {\n  let x = = 3;\n}\n", [3]),
        ("python", "import os\ntype X = int\ndef f(x)\n    return 1\n", [3]),
    ],
)
def test_a_problem_is_on_the_line_that_is_wrong(name: str, text: str, lines: list[int]) -> None:
    tree = parse(LANGUAGES[name], text.encode())
    assert tree is not None
    assert [text.encode().count(b"\n", 0, problem.start) + 1 for problem in problems(tree)] == lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"def f(x):\nreturn x\n", "Expected an indented block after function definition on line 1."),
        (b"x = 1\nprint x\n", "Missing parentheses in call to `print`. Did you mean print(...)?"),
        (b"type X = int\n", None),
        (b"def f[T](x: T) -> T:\n    return x\n", None),
        (b"x = f'{y['a']}'\n", None),
        (b"# coding: latin-1\n\xe9t\xe9 = 1\n", None),
        ("# coding: latin-1\né = 1\n".encode(), None),
        (b"# coding: no-such-coding\n\xe9 = 1\nprint x\n", None),
        (b"\xef\xbb\xbfx = 1\n", None),
        (b"x = (1\n", None),
    ],
)
def test_what_only_the_languages_own_parser_refuses(text: bytes, message: str | None) -> None:
    tree = parse(LANGUAGES["python"], text)
    assert tree is not None
    found = refusal(tree)
    assert (found.message if found else None) == message


def test_deep_nesting_is_no_recursion() -> None:
    for name, text in (("python", b"(" * 20_000), ("javascript", b"[" * 5_000 + b"]" * 5_000)):
        tree = parse(LANGUAGES[name], text, 2.0)
        assert tree is not None
        assert len(problems(tree)) <= 100
