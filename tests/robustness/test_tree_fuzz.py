"""Random edits in every language: the incremental tree is the whole parse's, the memory stays flat.

`make fuzz` makes a million edits (R1_FUZZ_SCALE of 20).
"""

import random
import sys
import time
from pathlib import Path

import pytest

from ast_tools import LANGUAGES, Edit, Language, SyntaxTree, TreeSession, apply
from ast_tools.grammar import parser
from tests.ast_tools.samples import SAMPLES
from tests.support.fuzz import seeded, sized

EDITS = (8_000, 1_000_000)
"""In the ordinary suite, and of `make fuzz`."""
CHECK_EVERY = 5
"""Edits between two comparisons with a whole parse: several in a row must not drift either."""
UNINTERRUPTED_S = 2.0
LONGEST = 3_000
"""Bytes; then the sample is taken anew."""
PIECES = (
    *(bytes([mark]) for mark in b"()[]{}<>:;,.=+-*/\\\"'`#@!$&|% \n\t0ax_"),
    b"\r\n", b"\r", b'"""', b"/*", b"*/", b"//", b"${", b"<<EOF\n", b"r#\"", b"end\n", b"if ", b"def ", b"fn ",
    b"return ", b"class A", b"\x00", b"\xed\xa0\x80", b"\xff", "é".encode(), "😀".encode(), b"    ", b"x = 1\n",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_incremental_trees_are_those_of_whole_parses(name: str) -> None:
    language, rng = LANGUAGES[name], seeded(f"trees {name}")
    total, started = sized(*EDITS) // len(SAMPLES), time.perf_counter()
    for done in range(0, total, CHECK_EVERY):
        if done % 500 == 0:
            text = SAMPLES[name]
            session = TreeSession(language, text)
            _settled(session)
        for _ in range(CHECK_EVERY):
            start, end, new = _edit(text, rng)
            text = apply(text, [Edit(start, end, new)])
            session.edit(start, end, new, text)
            _settled(session)
        _compare(session, language, text)
        if len(text) > LONGEST + len(SAMPLES[name]):
            text = SAMPLES[name]
            session.replace(text)
    print(f"{name}: {total} edits, {total / (time.perf_counter() - started):.0f} a second")


def _edit(text: bytes, rng: random.Random) -> tuple[int, int, bytes]:
    start = rng.randrange(len(text) + 1)
    if rng.random() < 0.45:  # deletions keep the text from growing
        return start, min(len(text), start + rng.choice((1, 1, 1, 2, 5, 20))), b""
    if rng.random() < 0.1:
        piece_start = rng.randrange(len(text) + 1)
        return start, start, text[piece_start : piece_start + rng.randrange(40)]
    return start, start, rng.choice(PIECES)


def _settled(session: TreeSession) -> SyntaxTree | None:
    while session.advance(0.05) is None and not session.gave_up:
        pass
    return session.tree


def _compare(session: TreeSession, language: Language, text: bytes) -> None:
    tree = session.tree
    works = parser(language.name, UNINTERRUPTED_S)
    assert works is not None
    try:
        # In one go: where a parse of a broken text is interrupted, the grammar may recover in another way.
        whole = works.parse(text).root_node
    except ValueError:  # some texts run a grammar for longer than anybody waits
        whole = None
    if tree is None or whole is None:
        session.replace(text)
        return
    assert tree.root.end_byte == whole.end_byte, text
    assert tree.has_error == whole.has_error, text
    if whole.has_error:
        assert session.renew(UNINTERRUPTED_S), text
    assert session.tree is not None
    assert str(session.tree.root) == str(whole), text


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the memory from /proc")
def test_edits_leave_no_memory_behind() -> None:
    language, rng, text = LANGUAGES["python"], seeded("memory"), SAMPLES["python"] * 4
    session = TreeSession(language, text)
    sizes = []
    for _ in range(12):
        for _ in range(sized(100, 2_000)):
            start, end, new = _edit(text, rng)
            changed = apply(text, [Edit(start, end, new)])
            session.edit(start, end, new, changed)
            _settled(session)
            session.edit(start, start + len(new), text[start:end], text)
            _settled(session)
        sizes.append(_resident())
    assert sizes[-1] <= sizes[2] * 1.1, sizes


def _resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096
