"""The only converter between the protocol's positions, ranges and edits and ours (byte offsets).

A position counts utf-8 bytes, utf-16 units or utf-32 code points in its line, as negotiated. A position inside a
character is moved to the character's start; past the end of a line it is the line's end, past the last line the end of
the text.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from lsprotocol import types
from pygls.uris import to_fs_path

if TYPE_CHECKING:
    from ast_tools.lines import Lines

Encoding = Literal["utf-8", "utf-16", "utf-32"]
ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")

_KEEP = "surrogatepass"
_CHUNK = 16 * 1024


def offset_of(lines: "Lines", position: types.Position, encoding: Encoding) -> int:
    """Byte offset of a position."""
    return offset_at(lines, position.line, position.character, encoding)


def offset_at(lines: "Lines", line: int, character: int, encoding: Encoding) -> int:
    """Byte offset of (line, character)."""
    if line >= lines.count:
        return len(lines.text)
    start = lines.start(line)
    room = lines.end(line) - start
    if character <= 0 or room == 0:
        return start
    if encoding == "utf-8":
        return start + _character_start(lines.text, start, min(character, room))
    # A character takes at least one unit and at most four bytes: what lies further right cannot matter.
    reach = _character_start(lines.text, start, min(room, 4 * character))
    return start + _bytes_of(lines.text[start : start + reach], character, encoding)


def position_of(lines: "Lines", offset: int, encoding: Encoding) -> types.Position:
    """Position of a byte offset; inside a line end it is the end of the line."""
    line = lines.line_at(offset)
    start = lines.start(line)
    column = _character_start(lines.text, start, min(offset, lines.end(line)) - start)
    return types.Position(line=line, character=_units_of(lines.text[start : start + column], encoding))


def range_of(lines: "Lines", start: int, end: int, encoding: Encoding) -> types.Range:
    """Range of the bytes start..end."""
    return types.Range(start=position_of(lines, start, encoding), end=position_of(lines, end, encoding))


def span_of(lines: "Lines", range_: types.Range, encoding: Encoding) -> tuple[int, int]:
    """Bytes (start, end) of a range; the two ends of a reversed one change places."""
    start, end = offset_of(lines, range_.start, encoding), offset_of(lines, range_.end, encoding)
    return (start, end) if start <= end else (end, start)


@lru_cache(maxsize=256)
def path_of(uri: str) -> str | None:
    """The file a URI names; None for other schemes (`untitled:`, `git:`): those are never looked up on disk."""
    try:
        path = to_fs_path(uri) if uri.startswith("file:") else None
    except ValueError:
        return None
    return path if path and "\0" not in path else None


def _character_start(text: bytes, start: int, column: int) -> int:
    """`column`, moved left out of the middle of a character."""
    if start + column < len(text):
        while column > 0 and text[start + column] & 0xC0 == 0x80:
            column -= 1
    return column


def _bytes_of(text: bytes, units: int, encoding: Encoding) -> int:
    """How many bytes the first `units` units of a text take."""
    done = 0
    for chunk in _chunks(text):
        n_units = _units_in(chunk, encoding)
        if n_units > units:
            return done + _bytes_within(chunk, units, encoding)
        done, units = done + len(chunk), units - n_units
    return done


def _bytes_within(text: bytes, units: int, encoding: Encoding) -> int:
    if text.isascii():
        return units
    decoded = text.decode("utf-8", _KEEP)
    if encoding == "utf-32":
        return len(decoded[:units].encode("utf-8", _KEEP))
    wide = decoded.encode("utf-16-le", _KEEP)
    cut = 2 * units
    if _is_high(wide, cut - 2) and _is_low(wide, cut):
        cut -= 2
    return len(wide[:cut].decode("utf-16-le", _KEEP).encode("utf-8", _KEEP))


def _units_of(text: bytes, encoding: Encoding) -> int:
    return sum(_units_in(chunk, encoding) for chunk in _chunks(text))


def _units_in(text: bytes, encoding: Encoding) -> int:
    if encoding == "utf-8" or text.isascii():
        return len(text)
    decoded = text.decode("utf-8", _KEEP)
    return len(decoded) if encoding == "utf-32" else len(decoded.encode("utf-16-le", _KEEP)) // 2


def _chunks(text: bytes) -> Iterator[bytes]:
    """A text in pieces, none cut inside a character: in a line of megabytes most are ASCII and need no decoding."""
    start = 0
    while start < len(text):
        end = _character_start(text, 0, min(start + _CHUNK, len(text)))
        yield text[start:end]
        start = end


def _is_high(wide: bytes, at: int) -> bool:
    return 0 <= at < len(wide) and wide[at + 1] & 0xFC == 0xD8


def _is_low(wide: bytes, at: int) -> bool:
    return 0 <= at < len(wide) and wide[at + 1] & 0xFC == 0xDC
