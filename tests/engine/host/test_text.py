import codecs
import itertools

from hypothesis import given
from hypothesis import strategies as st

from engine.host.text import AnswerText, Stops
from engine.prompt.think import Start


def cut(raw: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(at, len(raw)) for at in cuts} | {0, len(raw)})
    return [raw[one:other] for one, other in itertools.pairwise(places)]


def streamed(pieces: list[bytes], *, stops: tuple[str, ...] = (), start: Start | None = None) -> str:
    answer = AnswerText(stops, start)
    said = []
    for piece in pieces:
        part = answer.feed(piece)
        said.append(part.text)
        if part.stopped:
            return "".join(said)
    return "".join([*said, answer.finish().text])


@given(st.text(), st.lists(st.integers(0, 200)))
def test_characters_are_never_cut(text: str, cuts: list[int]) -> None:
    assert streamed(cut(text.encode(), cuts)) == text


@given(st.binary(), st.lists(st.integers(0, 200)))
def test_bytes_that_are_no_text_read_as_python_reads_them(raw: bytes, cuts: list[int]) -> None:
    whole = codecs.getincrementaldecoder("utf-8")(errors="replace").decode(raw)
    assert streamed(cut(raw, cuts)) == whole


@given(st.text(min_size=1), st.integers(1, 3))
def test_a_character_cut_at_the_end_is_dropped(text: str, missing: int) -> None:
    raw = text.encode()
    said = streamed([raw[:-missing]])
    assert text.startswith(said)
    assert "\ufffd" not in said or "\ufffd" in text


few = st.text(alphabet="ab\n", max_size=30)


@given(few, st.lists(st.text(alphabet="ab\n", min_size=1, max_size=4), max_size=3), st.lists(st.integers(0, 30)))
def test_stops_cut_before_the_first_that_is_complete(text: str, stops: list[str], cuts: list[int]) -> None:
    said = streamed(cut(text.encode(), cuts), stops=tuple(stops))
    found = [at for stop in stops if (at := text.find(stop)) >= 0]
    if not found:
        assert said == text
        return
    # With one stop inside another, the one that is complete first ends the answer.
    assert text.startswith(said)
    assert not any(stop in said for stop in stops)
    assert len(said) >= min(found)


def test_what_cannot_become_a_stop_is_not_held_back() -> None:
    stops = Stops(("\n\n", "END"))
    assert stops.feed("abc") == ("abc", False)
    assert stops.feed("\n") == ("", False)
    assert stops.feed("E") == ("\n", False)
    assert stops.feed("N") == ("", False)
    assert stops.feed("x") == ("ENx", False)
    assert stops.feed("EN") == ("", False)
    assert stops.finish() == "EN"


def test_stop_strings_do_not_end_the_reasoning() -> None:
    said = streamed([b"stop", b"</think>", b"\n\nanswer stop", b" more"], stops=("stop",), start=Start.THINKING)
    assert said == "answer "
