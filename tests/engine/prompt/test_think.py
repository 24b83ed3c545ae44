"""Reasoning is parted from the answer whatever way the stream is cut."""

import itertools
import os
import random

import pytest

from engine.prompt.think import Parted, Start, ThinkParser


def parted(text: str, start: Start, cuts: list[int] | None = None) -> Parted:
    parser = ThinkParser(start)
    edges = [0, *(cuts if cuts is not None else range(1, len(text))), len(text)]
    out = [parser.feed(text[a:b]) for a, b in itertools.pairwise(edges)]
    out.append(parser.finish())
    return Parted("".join(p.thinking for p in out), "".join(p.text for p in out))


CASES = [
    ("opened by the prompt", Start.THINKING, "a é😀\n</think>\n\nx = 1\n", "a é😀\n", "x = 1\n"),
    ("opened by the model", Start.TEXT, "<think>\nwhy\n</think>\n\nx", "\nwhy\n", "x"),
    ("no open tag, unknown start", Start.UNKNOWN, "why\n</think>\n\nx", "why\n", "x"),
    ("unknown start, plain answer", Start.UNKNOWN, "x < y\n", "", "x < y\n"),
    ("unknown start, open tag", Start.UNKNOWN, "\n<think>hm</think>x", "hm", "x"),
    ("a block inside a block", Start.THINKING, "a\n<think>\nb</think>\nc\n</think>\nx", "a\n\nb\nc\n", "x"),
    ("a tag that is only talked about", Start.THINKING, "use the <think> tag</think>x", "use the <think> tag", "x"),
    ("a stray close tag", Start.TEXT, "x</think>y", "", "xy"),
    ("a second block", Start.TEXT, "x\n<think>b</think>\ny", "b", "x\ny"),
    ("cut inside the block", Start.THINKING, "never end", "never end", ""),
    ("cut inside the open tag", Start.TEXT, "x <thin", "", "x "),
    ("cut inside the close tag", Start.THINKING, "a</thin", "a", ""),
    ("code that only looks like a tag", Start.TEXT, "a <th", "", "a <th"),
    ("a comparison at the end", Start.TEXT, "a <", "", "a <"),
    ("an empty block", Start.TEXT, "<think>\n\n</think>\n\nx", "\n\n", "x"),
    ("nothing", Start.THINKING, "", "", ""),
]


@pytest.mark.parametrize(("start", "text", "thinking", "answer"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_reasoning_never_reaches_the_text(start: Start, text: str, thinking: str, answer: str) -> None:
    whole = parted(text, start, cuts=[])
    by_character = parted(text, start)
    assert whole == by_character == Parted(thinking, answer)


def test_text_is_released_as_it_comes_once_the_start_is_known() -> None:
    parser = ThinkParser(Start.THINKING)
    assert parser.feed("a").thinking == "a"
    assert parser.thinking
    assert parser.feed("</think>\n\n") == Parted()
    assert parser.feed("x").text == "x"
    assert not parser.thinking


@pytest.mark.fuzz
def test_any_stream_cut_anywhere_gives_the_same_and_no_tag() -> None:
    seed = int(os.environ.get("R1_FUZZ_SEED", random.randrange(2**32)))
    print(f"seed {seed}")
    rng = random.Random(seed)
    parts = ["<think>", "</think>", "<thi", "</", "<", ">", "\n", " ", "é", "😀", "x = 1", "think", "<th>"]
    for _ in range(int(2000 * float(os.environ.get("R1_FUZZ_SCALE", "1")))):
        text = "".join(rng.choice(parts) for _ in range(rng.randrange(12)))
        cuts = sorted(rng.sample(range(len(text) + 1), min(len(text), rng.randrange(6))))
        for start in Start:
            whole = parted(text, start, cuts=[])
            assert parted(text, start, cuts) == parted(text, start) == whole, (text, cuts, start)
            assert "<think>" not in whole.text, (text, start)
            assert "</think>" not in whole.text, (text, start)
