"""The pause before the model is asked."""

from r1_lsp.features.completion.debounce import LONGEST_S, SHORTEST_S, USUAL_INTERVAL_S, Typing, delay_s, promise


def pause(typing: Typing, wanted: float = 1.0, **known: object) -> float:
    return delay_s(typing, wanted, **{"invoked": False, "fixed_ms": None, "waited_s": 0.0, **known})  # type: ignore[arg-type]


def typed(*gaps: float) -> Typing:
    typing, now = Typing(), 100.0
    for gap in gaps:
        typing.key(now)
        now += gap
    typing.key(now)
    return typing


def test_an_explicit_request_never_waits() -> None:
    assert pause(Typing(), invoked=True, fixed_ms=500) == 0.0


def test_a_fixed_pause_holds_in_every_editor() -> None:
    assert pause(Typing(), fixed_ms=150, waited_s=0.2) == 0.15
    assert pause(Typing(), fixed_ms=0) == 0.0


def test_without_samples_the_usual_interval_is_assumed() -> None:
    assert Typing().interval_s == USUAL_INTERVAL_S
    assert pause(Typing()) == USUAL_INTERVAL_S / 2


def test_a_fast_typist_waits_less_and_a_slow_one_more() -> None:
    fast, slow = typed(*[0.1] * 8), typed(*[0.35] * 8)
    assert pause(fast) < pause(Typing()) < pause(slow)


def test_a_pause_for_thought_is_not_typing() -> None:
    assert typed(*[0.15] * 8, 60.0, *[0.15] * 8).interval_s < 0.16


def test_where_a_suggestion_is_likely_wanted_the_wait_is_shorter() -> None:
    assert promise("foo(", "") == 1.0
    assert promise("    ", "") == 1.0
    assert promise("foo", "") < promise("foo.", "")
    assert promise("foo", ")") < promise("foo", "")
    assert pause(Typing(), promise("foo(", "")) < pause(Typing(), promise("foo", ")"))


def test_what_the_model_takes_anyway_is_not_waited_for_twice() -> None:
    quick, slow = Typing(), Typing()
    quick.answered(0.03)
    slow.answered(3.0)
    assert pause(quick) < pause(Typing())
    assert pause(slow) == SHORTEST_S


def test_an_editor_that_waits_itself_is_not_made_to_wait_again() -> None:
    assert pause(Typing(), waited_s=0.2) == 0.0
    assert pause(Typing(), 0.0, waited_s=0.01) == USUAL_INTERVAL_S - 0.01


def test_the_pause_is_bounded() -> None:
    for wanted in (0.0, 0.5, 1.0):
        assert SHORTEST_S <= pause(typed(*[0.001] * 30), wanted) <= LONGEST_S
        assert SHORTEST_S <= pause(typed(*[1.4] * 30), wanted) <= LONGEST_S
