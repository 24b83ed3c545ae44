from pathlib import Path

import pytest

from engine.backends import calibrate
from engine.backends.calibrate import Measured, cached, keep, measure, raised
from engine.prompt.pieces import Piece
from engine.types import GenerateRequest, InfillPrompt, TextPrompt, Usage
from tests.engine.host.desk import RecordingBackend

SPEEDS = Measured(threads=2, prefill_tps=100.0, decode_tps=20.0, chars_per_token=3.0, infills=False)


class Tunable(RecordingBackend):
    """The scripted backend with threads to set; it tokenises a hole as a prompt the script knows."""

    def __init__(self, *fillings: str) -> None:
        rules = [{"match": f"hole {number}", "reply": text} for number, text in enumerate(fillings)]
        super().__init__({"rules": rules, "default": {"reply": ""}})
        self.threads: list[int] = []
        self.holes = 0

    def set_threads(self, threads: int) -> None:
        self.threads.append(threads)

    def tokenise(self, pieces: list[Piece]) -> list[int]:
        self.holes += 1
        assert pieces
        return self.encode(GenerateRequest(prompt=TextPrompt(text=f"hole {self.holes - 1}"))).tokens


def render(hole: InfillPrompt) -> list[Piece]:
    return [Piece(hole.prefix + hole.suffix, special=False)]


def test_speeds_are_measured_and_the_memory_is_left_empty() -> None:
    backend = Tunable()
    told: list[str] = []
    found = measure(backend, lambda what, _fraction: told.append(what), threads=None, probe_infill=None)
    assert found.prefill_tps > 0
    assert found.decode_tps > 0
    assert found.threads == backend.threads[-1]
    assert found.threads <= max(calibrate.available_cores() - 1, 1)
    assert told
    assert not any(memory.tokens for memory in backend._slots)


def test_given_threads_are_not_questioned() -> None:
    backend = Tunable()
    assert measure(backend, lambda _w, _f: None, threads=5, probe_infill=None).threads == 5
    assert set(backend.threads) == {5}


@pytest.mark.parametrize(
    ("fillings", "infills"),
    [
        (("width * height", "path", "0"), True),
        (("width * height", "path", "1"), True),
        (("width * height", "path, 'r') as file:", "1"), False),
        (("width * height\n\n\nprint(area(2, 3))\n", "path)", "0"), False),
        (("", "", ""), False),
    ],
)
def test_a_model_infills_if_it_fills_holes_exactly(fillings: tuple[str, ...], infills: bool) -> None:
    found = measure(Tunable(*fillings), lambda _w, _f: None, threads=1, probe_infill=render)
    assert found.infills is infills


def test_what_was_measured_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "speed.json"
    assert cached(path, "this machine", lambda: SPEEDS) == SPEEDS
    assert cached(path, "this machine", lambda: pytest.fail("measured again")) == SPEEDS
    other = cached(path, "another", lambda: raised(SPEEDS, Usage()))
    assert other == SPEEDS
    assert cached(path, "this machine", lambda: pytest.fail("measured again")) == SPEEDS


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"k": 1}', '{"k": {"threads": 1}}'])
def test_a_broken_cache_is_made_anew(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "speed.json"
    path.write_text(broken)
    assert cached(path, "k", lambda: SPEEDS) == SPEEDS
    assert cached(path, "k", lambda: pytest.fail("measured again")) == SPEEDS


def test_a_cache_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    keep(tmp_path / "file" / "speed.json", "k", SPEEDS)
    assert cached(tmp_path / "file" / "speed.json", "k", lambda: SPEEDS) == SPEEDS


def test_real_requests_raise_the_speeds_and_never_lower_them() -> None:
    fast = Usage(prompt_tokens=600, cached_tokens=100, completion_tokens=31, prefill_s=1.0, decode_s=0.5)
    slow = Usage(prompt_tokens=600, cached_tokens=100, completion_tokens=31, prefill_s=100.0, decode_s=50.0)
    short = Usage(prompt_tokens=20, completion_tokens=3, prefill_s=0.0001, decode_s=0.0001)
    better = raised(SPEEDS, fast)
    assert (better.prefill_tps, better.decode_tps) == (500.0, 60.0)
    assert raised(better, slow) == raised(better, short) == better
