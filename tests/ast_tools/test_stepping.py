"""A parse in steps ends before a recovery that goes astray takes a step of many milliseconds."""

from types import SimpleNamespace

import pytest

from ast_tools import stepping
from ast_tools.stepping import Pace, Stepwise

USUAL = Pace(step_s=25e-6, even=True)
ASTRAY = (0.13, 0.28, 0.44, 0.95, 2.12, 0.63, 0.81, 0.21, 0.65, 0.75, 0.44, 0.36, 14.7, 24.6)
"""Milliseconds of steps with `(` typed before the first method of a class of RxJS, in a file of 10,000 lines."""


class _Scripted:
    """A parser whose steps take what is written down, on a clock of its own."""

    def __init__(self, milliseconds: list[float]) -> None:
        self.left, self.now = milliseconds, 0.0
        self.timeout_micros = 0

    def parse(self, _text: bytes) -> str:
        self.now += self.left.pop(0) / 1000
        if self.left:
            raise ValueError
        return "tree"


def _run(
    monkeypatch: pytest.MonkeyPatch, steps: list[float], pace: Pace | None
) -> tuple[Stepwise, _Scripted, str | None]:
    """The parse, its script and what came of it; `steps` follow a first slice of 3 ms."""
    works = _Scripted([3.0, *steps])
    monkeypatch.setattr(stepping, "parser", lambda _name, _budget_s: works)
    monkeypatch.setattr(stepping, "time", SimpleNamespace(thread_time=lambda: works.now))
    parse = Stepwise("typescript", b"", None, pace)
    result = None
    while works.left and result is None and not parse.slow:
        result = parse.run(works.now + 0.003)
    return parse, works, result  # type: ignore[return-value]


def test_steps_that_become_slow_end_before_the_long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    parse, works, result = _run(monkeypatch, [*[0.03] * 50, *ASTRAY, 0.03], USUAL)
    assert result is None
    assert parse.slow
    assert 14.7 in works.left


def test_one_long_step_is_a_long_string(monkeypatch: pytest.MonkeyPatch) -> None:
    parse, _, result = _run(monkeypatch, [*[0.03] * 50, 20.0, *[0.03] * 50], USUAL)
    assert result == "tree"
    assert not parse.slow


def test_what_is_slow_while_nothing_is_wrong_may_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    clean, _, _ = _run(monkeypatch, [*[0.03] * 500, *[5.0] * 8, *[0.03] * 500], None)
    pace = clean.pace(None)
    assert pace is not None
    assert not pace.even
    _, _, result = _run(monkeypatch, [*[0.03] * 50, *ASTRAY, 0.03], pace)
    assert result == "tree"


def test_a_clean_parse_tells_the_usual_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    clean, _, _ = _run(monkeypatch, [0.03] * 500, None)
    pace = clean.pace(None)
    assert pace is not None
    assert pace.even
    assert pace.step_s == pytest.approx(30e-6, rel=0.05)
    short, _, _ = _run(monkeypatch, [0.5] * 3, None)
    assert short.pace(pace) is pace
