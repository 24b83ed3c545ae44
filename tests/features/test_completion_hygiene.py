"""Whatever a model says, what reaches the file is plain text, however the stream is cut into pieces."""

import random

import pytest

from r1_lsp.features.completion.hygiene import Scrubber, readable

DIRTY = [
    ("plain text\n\tstays", "plain text\n\tstays"),
    ("a\x00b\x07c\x1b[31;1mred\x1b[0m\x1b]0;title\x07d\x9be", "abcreddе".replace("е", "e")),
    ("one\r\ntwo\rthree", "one\ntwo\nthree"),
    ("ad\u200bmin\u202e\u2066\ufeff\U000e0041", "admin"),
    ("<think>why\nnot</think>x = 1", "x = 1"),
    ("x<think>one</think>y<think>two</think>z", "xyz"),
    ("x = <think>never ends", "x = "),
    ("x = 1<|endoftext|>y", "x = 1"),
    ("x = 1<fim_middle>y", "x = 1"),
    ("x = 1<|fim_pad|>y", "x = 1"),
    ("x = 1<\uff5cend\u2581of\u2581sentence\uff5c>y", "x = 1"),
    ("a < b <= c << d <| e </ f", "a < b <= c << d <| e </ f"),
    ("<div className='a'>x</div>", "<div className='a'>x</div>"),
    ("Größe = 'é😀'", "Größe = 'é😀'"),
    ("ends with <", "ends with <"),
    ("ends with \x1b", "ends with "),
]


@pytest.mark.parametrize(("said", "clean"), DIRTY)
def test_clean_in_any_pieces(said: str, clean: str) -> None:
    rng = random.Random(said)
    for trial in range(30):
        scrubber, rest, heard = Scrubber(), said, ""
        while rest:
            size = len(rest) if trial == 0 else rng.randint(1, 4)
            heard += scrubber.feed(rest[:size])
            rest = rest[size:]
        assert heard + scrubber.finish() == clean


def test_what_was_told_is_never_taken_back() -> None:
    scrubber = Scrubber()
    assert scrubber.feed("x = a ") == "x = a "
    assert scrubber.feed("<") == ""
    assert scrubber.feed(" b") == "< b"


def test_a_document_is_readable_whatever_its_bytes() -> None:
    assert readable(b"a\x00b\xff\r\nc\rd\xc3") == "ab\ufffd\nc\nd\ufffd"
