"""Positions and byte offsets, also where a line is longer than what is decoded at once."""

from typing import get_args

import pytest
from lsprotocol import types

from ast_tools.lines import Lines
from r1_lsp.proto import ENCODINGS, Encoding, offset_at, path_of, position_of, span_of
from tests.support.plain_document import units

LONG = "é😀a中" * 5_000 + "x" * 40_000 + "𝒳é"


def test_encodings_are_those_of_the_type() -> None:
    assert get_args(Encoding) == ENCODINGS


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_long_line(encoding: Encoding) -> None:
    lines = Lines(f"first\n{LONG}\r\nlast".encode())
    for index in [*range(0, 20_000, 997), *range(16_380, 16_390), len(LONG) - 2, len(LONG) - 1, len(LONG)]:
        offset = len(f"first\n{LONG[:index]}".encode())
        character = len(units(LONG[:index], encoding))
        assert position_of(lines, offset, encoding) == types.Position(line=1, character=character)
        assert offset_at(lines, 1, character, encoding) == offset
    end = len(f"first\n{LONG}".encode())
    assert offset_at(lines, 1, 10**9, encoding) == end
    assert position_of(lines, end + 1, encoding) == position_of(lines, end, encoding), "inside the line end"
    assert offset_at(lines, 99, 0, encoding) == len(lines.text)


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 3), ("utf-16", 2)])
def test_inside_a_character_is_its_start(encoding: Encoding, character: int) -> None:
    assert offset_at(Lines("a😀b".encode()), 0, character, encoding) == 1


def test_a_reversed_range_is_turned_round() -> None:
    lines = Lines(b"ab\ncd")
    reversed_ = types.Range(start=types.Position(line=1, character=1), end=types.Position(line=0, character=1))
    assert span_of(lines, reversed_, "utf-8") == (1, 4)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a%20b/c.py", "/a b/c.py"),
        ("untitled:Untitled-1", None),
        ("git:/etc/hostname", None),
        ("file:///a%00b", None),
        ("file://[", None),
        ("", None),
    ],
)
def test_only_files_have_a_path(uri: str, path: str | None) -> None:
    assert path_of(uri) == path
