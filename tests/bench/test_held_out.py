"""Tables without a part of the data know nothing of it, and learning puts right repairs first."""

from ast_tools import LANGUAGES
from ast_tools.repair.likelihood import counted
from ast_tools.repair.ranking import CLASS, Features
from bench.held_out import FOLDS, LEAST, HeldOut, counts_without, fold_of, held_out, key, read
from bench.learning import LEAST_SEEN, Row, learnt, trusted, weights

C = LANGUAGES["c"]
SYMBOLS = [b"<other>", b"<name>", b"<Name>", b"<NAME>", b"int", b"return", b";", b"(", b")", b"{", b"}", b"="]
ONE = [b"int f() { return a; }\n" * 20, b"int g() { return f(a); }\n" * 20]
OTHER = [b"int h() { int b = a; return b; }\n" * 20]


def test_counts_without_a_text_are_those_that_never_saw_it() -> None:
    every = counted(C, [read(C, text) for text in ONE + OTHER], SYMBOLS, LEAST)
    without = counts_without(C, every, OTHER)
    assert without.followers == counted(C, [read(C, text) for text in ONE], SYMBOLS, LEAST).followers
    assert without.followers != every.followers


def test_cases_of_one_exercise_are_in_one_part() -> None:
    rows = [{"slug": "two-sum", "broken": str(n), "fixed": f"{n} mended"} for n in range(20)]
    assert len({fold_of(row) for row in rows}) == 1
    assert {fold_of({"fixed": str(n)}) for n in range(100)} == set(range(FOLDS))
    assert len({key(row) for row in rows}) == len(rows)


def test_what_is_stored_has_weights_for_every_part() -> None:
    stored = held_out()
    assert stored.cases
    assert all(len(folds) == FOLDS and all(one.weights for one in folds) for folds in stored.learnt.values())
    assert HeldOut(stored.cases, stored.learnt).stored() == stored.stored()


def seen(name: str, value: float = 1.0) -> Features:
    return [(f"{CLASS}{name}", 1.0), ("given", value)]


def test_weights_put_right_repairs_first() -> None:
    rows: list[Row] = [[(True, seen("insert ;", -0.5)), (False, seen("delete x"))] for _ in range(30)]
    found = weights([rows])
    assert found[f"{CLASS}insert ;"] > found[f"{CLASS}delete x"]
    assert weights([rows]) == found
    assert weights([[[(False, seen("insert ;"))]]]) == {}


def test_a_class_is_trusted_where_it_is_right_in_cases_it_was_not_learnt_from() -> None:
    right: list[Row] = [[(True, seen("insert ;")), (False, seen("delete x"))] for _ in range(3 * LEAST_SEEN)]
    wrong: list[Row] = [[(False, seen("insert ;")), (True, seen("delete x"))] for _ in range(3 * LEAST_SEEN)]
    known = {f"{CLASS}insert ;": 5.0}
    assert trusted([(right, known)]) == {"insert ;"}
    assert trusted([(right + wrong, known)]) == set()
    assert trusted([(right[:2], known)]) == set()
    found = learnt([right, right])
    assert found.weights == weights([right, right])
    assert found.trusted <= {"insert ;"}
