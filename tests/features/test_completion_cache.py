"""What was suggested is answered at once while it is typed, and never where the text around has changed."""

from dataclasses import replace

import pytest

from r1_lsp.features.completion.cache import Cache, Entry, Offer
from r1_lsp.features.completion.spot import Spot
from r1_lsp.features.why import Reason
from r1_lsp.settings import CompletionSettings, Settings
from tests.features.desk import snapshot_of
from tests.support.fixture import cursor

SETTINGS = Settings()


def cache_of(marked: str, *offers: Offer, asked: int = 0, reason: Reason = Reason.SHOWN) -> Cache:
    text, offset = cursor(marked)
    cache = Cache()
    spot = Spot.of(snapshot_of(text), offset)
    cache.add(Entry(spot=spot, offers=offers, settings=SETTINGS, asked=asked, reason=reason))
    return cache


def answer(cache: Cache, marked: str, settings: Settings = SETTINGS, asked: int = 0) -> list[tuple[str, int]] | None:
    text, offset = cursor(marked)
    found = cache.look_up(snapshot_of(text), offset, settings, asked=asked)
    return None if found is None else [(left.new.decode(), left.replaced) for left in found.remaining]


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("a = $0\nb = 2", [("foo(x) + 1", 0)]),
        ("a = f$0\nb = 2", [("oo(x) + 1", 0)]),
        ("a = foo(x)$0\nb = 2", [(" + 1", 0)]),
        ("a = foo(x) + 1$0\nb = 2", None),  # nothing is left
        ("a = g$0\nb = 2", None),  # something else was typed
        ("a =$0\nb = 2", None),  # the cursor left the spot
        ("a = foo$0\nb = 3", None),  # the text after changed
        ("A = foo$0\nb = 2", None),  # the text before changed
        ("a = $0foo\nb = 2", None),  # the cursor stands before what was typed
        ("a = foo($0)\nb = 2", [("x) + 1", 1)]),  # the editor closed the bracket by itself
        ("a = foo($0]\nb = 2", None),  # a closer that the suggestion does not bring
    ],
)
def test_typed_through(now: str, left: list[tuple[str, int]] | None) -> None:
    assert answer(cache_of("a = $0\nb = 2", Offer(text=b"foo(x) + 1")), now) == left


def test_backspace_brings_back_what_was_typed_of_it() -> None:
    cache = cache_of("a = $0", Offer(text=b"foo"))
    assert answer(cache, "a = fo$0") == [("o", 0)]
    assert answer(cache, "a = f$0") == [("oo", 0)]
    assert answer(cache, "a = $0") == [("foo", 0)]


@pytest.mark.parametrize(
    ("now", "left"),
    [
        ("print(foo$0)", [(".bar())", 1)]),
        ("print(foo.b$0)", [("ar())", 1)]),
        ("print(foo.bar($0))", [("))", 2)]),  # one more bracket closed by the editor
        ("print(foo.bar()$0)", [(")", 1)]),
        ("print(foo.bar())$0", None),  # typed over to the end
    ],
)
def test_typed_through_where_the_suggestion_takes_the_tails_place(now: str, left: list[tuple[str, int]] | None) -> None:
    assert answer(cache_of("print(foo$0)", Offer(text=b".bar())", covers=True)), now) == left


def test_several_lines_typed_on() -> None:
    cache = cache_of("def f():\n    $0\n", Offer(text="x = 'é😀'\n    return x".encode()))
    assert answer(cache, "def f():\n    x = 'é$0\n") == [("😀'\n    return x", 0)]
    assert answer(cache, "def f():\n    x = 'é😀'\n    $0\n") == [("return x", 0)]


def test_of_several_offers_those_that_still_fit_are_left() -> None:
    cache = cache_of("a = $0", Offer(text=b"foo"), Offer(text=b"far"), Offer(text=b"bar"))
    assert answer(cache, "a = f$0") == [("oo", 0), ("ar", 0)]


def test_the_newest_answer_wins() -> None:
    cache = cache_of("a = $0", Offer(text=b"foo + 1"))
    text, offset = cursor("a = fo$0")
    cache.add(Entry(spot=Spot.of(snapshot_of(text), offset), offers=(Offer(text=b"rd"),), settings=SETTINGS))
    assert answer(cache, "a = fo$0") == [("rd", 0)]
    assert answer(cache, "a = foo$0") == [(" + 1", 0)]


def test_silence_is_remembered_for_the_very_same_question_only() -> None:
    cache = cache_of("a = $0", reason=Reason.EMPTY)
    assert answer(cache, "a = $0") == []
    assert answer(cache, "a = f$0") is None


def test_other_settings_are_another_question() -> None:
    cache = cache_of("a = $0", Offer(text=b"foo"))
    assert answer(cache, "a = $0", replace(SETTINGS, completion=CompletionSettings(max_tokens=5))) is None


def test_an_explicit_request_wants_its_number_of_offers() -> None:
    assert answer(cache_of("a = $0", Offer(text=b"foo")), "a = $0", asked=3) is None
    assert answer(cache_of("a = $0", Offer(text=b"foo"), asked=3), "a = $0", asked=3) == [("foo", 0)]


def test_another_document_with_the_same_text_is_another_question() -> None:
    cache = cache_of("a = $0", Offer(text=b"foo"))
    assert cache.look_up(snapshot_of("a = ", "other.py"), 4, SETTINGS) is None


def test_the_least_recently_used_goes_first() -> None:
    cache = Cache(capacity=2)
    for name in ("a = ", "bb = ", "ccc = "):
        spot = Spot.of(snapshot_of(name), len(name))
        cache.add(Entry(spot=spot, offers=(Offer(text=b"1"),), settings=SETTINGS))
        cache.look_up(snapshot_of("a = "), 4, SETTINGS)
    assert len(cache) == 2
    assert cache.look_up(snapshot_of("a = "), 4, SETTINGS) is not None
    assert cache.look_up(snapshot_of("bb = "), 5, SETTINGS) is None
