"""Undo, dismissal and acceptance are noticed, and a backspace is not taken for an undo."""

from r1_lsp.features.completion.ask import Suggestion
from r1_lsp.features.completion.history import History
from r1_lsp.snapshot import Snapshot
from tests.features.desk import snapshot_of


def states(*texts: str) -> list[Snapshot]:
    return [snapshot_of(text, version=number) for number, text in enumerate(texts, 1)]


def undone(*texts: str) -> bool:
    history = History()
    return [history.undone(state, len(state.text)) for state in states(*texts)][-1]


def test_going_back_by_more_than_a_key_is_an_undo() -> None:
    assert undone("x = ", "x = foo(bar)", "x = ")


def test_redo_too() -> None:
    assert undone("x = ", "x = foo(bar)", "x = ", "x = foo(bar)")


def test_typing_and_backspace_are_not() -> None:
    assert not undone("x", "x ", "x =", "x = ", "x =", "x ", "x")
    assert not undone("x = é", "x = é😀", "x = é")


def test_asking_again_is_not() -> None:
    history = History()
    [state] = states("x = ")
    assert [history.undone(state, 4) for _ in range(3)] == [False, False, False]


def test_undo_of_an_accepted_suggestion_even_when_nothing_was_asked_in_between() -> None:
    history = History()
    before, after = snapshot_of("x = ", version=1), snapshot_of("x = ", version=3)
    assert not history.undone(before, 4)
    history.shown(before, 4, (Suggestion(id="1", start=4, end=4, new="foo", text="foo"),))
    history.accepted("1")
    assert history.undone(after, 4)
    assert history.n_accepted == 1


def test_a_dismissed_suggestion_is_known_however_much_of_it_is_typed() -> None:
    history, here = History(), snapshot_of("x = ")
    history.shown(here, 4, (Suggestion(id="1", start=4, end=4, new="foo", text="foo"),))
    history.dismissed("1")
    assert history.was_dismissed(here, 4, "foo")
    assert history.was_dismissed(snapshot_of("x = f"), 5, "oo")
    assert not history.was_dismissed(here, 4, "bar")
    assert not history.was_dismissed(snapshot_of("y = "), 4, "foo")


def test_dismissed_by_document() -> None:
    history, here = History(), snapshot_of("x = ")
    history.shown(here, 4, (Suggestion(id="1", start=4, end=4, new="foo", text="foo"),))
    history.dismissed_latest("file:///elsewhere.py")
    assert not history.was_dismissed(here, 4, "foo")
    history.dismissed_latest(here.uri)
    assert history.was_dismissed(here, 4, "foo")


def test_unknown_names_are_nothing() -> None:
    history = History()
    history.accepted("nobody")
    history.dismissed("nobody")
    assert (history.n_accepted, history.n_dismissed) == (0, 0)
