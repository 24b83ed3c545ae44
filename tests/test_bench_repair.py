"""The benchmark of repairs judges rightly: what it plants, what counts as right, and why something was not."""

import random
from pathlib import Path

import pytest

from ast_tools import LANGUAGES, Edit, SyntaxTree, apply, parse
from bench.corpora import File
from bench.repair.arms import Arm, Suggestion, naive, recovery
from bench.repair.cases import MODES, Case, Mode, case, takes
from bench.repair.classes import failure
from bench.repair.judge import likeness, outcome

PYTHON = LANGUAGES["python"]
TEXT = b"""
def total(items, start):
    found = start
    for item in items:
        found = found + max(item.value(), len(items[0]))
    return {"found": found}
"""


@pytest.fixture
def pool(tmp_path: Path) -> tuple[File, ...]:
    path = tmp_path / "total.py"
    path.write_bytes(TEXT * 20)
    return (File("python", "one", path),)


@pytest.mark.parametrize("mode", [*MODES, "blank"])
def test_a_case_is_broken_can_be_made_again_and_leads_back(pool: tuple[File, ...], mode: Mode) -> None:
    for number in range(20):
        made = case(pool, mode, 5, number)
        assert made is not None
        assert not takes(PYTHON, made.broken)
        assert takes(PYTHON, made.wanted)
        assert apply(made.clean, made.planted) == made.broken
        assert case(pool, mode, 5, number) == made
    assert case(pool, mode, 6, 0) != case(pool, mode, 5, 0)


def test_a_lone_bracket_takes_its_line_with_it(tmp_path: Path) -> None:
    path = tmp_path / "one.js"
    path.write_bytes(b"function one() {\n  return 1;\n}\n")
    made = [case((File("javascript", "one", path),), "delete", 1, number) for number in range(30)]
    broken = {one.broken for one in made if one is not None}
    assert b"function one() {\n  return 1;\n" in broken
    assert b"function one {\n" not in b"".join(broken)


def _case(clean: bytes, planted: Edit) -> Case:
    return Case(
        language="python", mode="delete", seed=0, number=0, file=File("python", "one", Path("one.py")), clean=clean,
        broken=apply(clean, [planted]), planted=(planted,), wanted=clean,
    )  # fmt: skip


def _arm(*offered: Suggestion) -> Arm:
    return lambda _tree: list(offered)


CLEAN = b"x = f(a, g(b))\ny = 1\n"
LOST = _case(CLEAN, Edit(13, 14, b""))
RIGHT, EARLY = Suggestion((Edit(13, 13, b")"),), sure=True), Suggestion((Edit(7, 7, b")"),), sure=True)


def test_right_exact_and_among_the_first_three() -> None:
    first = outcome(LOST, _arm(RIGHT, EARLY))
    assert (first.exact, first.right, first.three, first.line, first.sure) == (True, True, True, True, True)
    second = outcome(LOST, _arm(EARLY, RIGHT))
    assert (second.exact, second.right, second.three, second.line, second.sure) == (False, False, True, True, True)
    fourth = outcome(LOST, _arm(EARLY, EARLY, EARLY, RIGHT))
    assert not fourth.three
    silent = outcome(LOST, _arm())
    assert not any((silent.exact, silent.right, silent.shape, silent.parses, silent.line, silent.three, silent.sure))


def test_two_errors_need_two_rounds() -> None:
    one, other = Edit(5, 6, b""), Edit(13, 14, b"")
    made = Case(
        language="python", mode="two-errors", seed=0, number=0, file=LOST.file, clean=CLEAN,
        broken=apply(CLEAN, [one, other]), planted=(one, other), wanted=CLEAN,
        steps=(apply(CLEAN, [one]), apply(CLEAN, [other])), rounds=2,
    )  # fmt: skip

    def by_turns(tree: SyntaxTree) -> list[Suggestion]:
        closed = tree.text.count(b")") == 2
        return [Suggestion((Edit(5, 5, b"("),))] if closed else [Suggestion((Edit(12, 12, b")"),))]

    assert outcome(made, by_turns).exact
    assert outcome(made, by_turns).three
    assert not outcome(made, _arm(Suggestion((Edit(5, 5, b"("),)))).exact


def test_the_same_tree_is_right_but_other_names_are_not() -> None:
    assert likeness(PYTHON, b"x = (1)\n", b"x = 1\n").right
    script = LANGUAGES["javascript"]
    comment = likeness(script, b"f(a /* b */);\n", b"f(a) /* b */;\n")
    assert (comment.exact, comment.right) == (False, True)
    parted = likeness(script, b"pr(intx);\n", b"print(x);\n")
    assert (parted.right, parted.shape, parted.parses) == (False, True, True)
    assert not likeness(script, b"f(;\n", b"f();\n").parses


def test_the_naive_stack_and_the_grammars_own_recovery() -> None:
    tree = parse(LANGUAGES["javascript"], b"f(a[1);\n")
    assert tree is not None
    assert apply(tree.text, naive(tree)[0].edits) == b"f(a[1]);\n"
    short = parse(LANGUAGES["javascript"], b"if (a) { b();\n")
    assert short is not None
    assert [edit.new for edit in recovery(short)[0].edits] == [b"}"]


def test_a_failure_names_its_class_and_shows_the_line() -> None:
    found = failure(LOST, outcome(LOST, _arm(EARLY, RIGHT)))
    assert found.why == "lost `)`: among the first three, too early, an argument or element further"
    assert (found.line, found.wanted, found.got) == (1, "x = f(a, g(b))", "x = f(a), g(b)")
    assert failure(LOST, outcome(LOST, _arm())).why == "lost `)`: nothing offered"


def test_what_is_drawn_depends_on_nothing_but_the_numbers(pool: tuple[File, ...]) -> None:
    random.seed(1)
    one = case(pool, "extra", 3, 3)
    random.seed(2)
    assert case(pool, "extra", 3, 3) == one
