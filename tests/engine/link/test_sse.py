"""The event parser gives the same events however the bytes are cut."""

import random

import pytest

from engine.errors import EngineUnavailable
from engine.sse import MAX_EVENT_BYTES, SseParser

STREAM = (
    ': a comment\r\n\r\ndata: {"text": "é😀"}\r\n\r\nevent: x\rdata: one\rdata: two\r\r'
    "data:no space\nid: 7\n\nerror: refused\n\ndata: [DONE]\n\ndata: never ended"
).encode()
EVENTS = ['{"text": "é😀"}', "one\ntwo", "no space", "refused", "[DONE]"]


def test_whole() -> None:
    assert SseParser().feed(STREAM) == EVENTS


def test_byte_by_byte() -> None:
    parser = SseParser()
    assert [event for byte in STREAM for event in parser.feed(bytes([byte]))] == EVENTS


@pytest.mark.parametrize("seed", range(200))
def test_cut_anywhere(seed: int) -> None:
    chance, parser = random.Random(seed), SseParser()
    cuts = sorted(chance.choices(range(len(STREAM)), k=chance.randrange(8)))
    parts = [STREAM[a:b] for a, b in zip([0, *cuts], [*cuts, len(STREAM)], strict=True)]
    assert [event for part in parts for event in parser.feed(part)] == EVENTS


def test_bytes_that_are_not_utf8_become_replacement_characters() -> None:
    assert SseParser().feed(b"data: a\xffb\n\n") == ["a\ufffdb"]


def test_a_stream_without_events_is_refused_before_it_fills_the_memory() -> None:
    parser = SseParser()
    for _ in range(MAX_EVENT_BYTES // 2**16):
        assert parser.feed(b"x" * 2**16) == []
    with pytest.raises(EngineUnavailable, match="not a stream of events"):
        parser.feed(b"x")
