"""Bytes from the editor -> message bodies. Never fails, never waits for what will not come.

A frame is a block of header lines, an empty line and as many bytes as `Content-Length` says. Header names are
case-insensitive, the last valid length counts, a bare line feed ends a line too. When the frames are wrong (a wrong
length, garbage between them, a length nobody could mean) the reader goes on at the next `Content-Length:`. That text
followed by a raw line end cannot stand inside a JSON body, so it proves a lost frame even before the body is complete.
"""

import re
from dataclasses import dataclass

MAX_BODY = 64 * 1024 * 1024
_MAX_HEADER = 16 * 1024

_BLANK = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"(?im)content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$")
_NEW_FRAME = re.compile(rb"(?i)content-length[ \t]*:[ \t]*\d{1,18}[ \t]*\r?\n")
_NAME = b"content-length"
_LONGEST = 64
"""More bytes than `Content-Length: N` takes: how far a search must look back over a border of two reads."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A message that could not be read; `reason` is one sentence."""

    reason: str


class Framer:
    """Feed it what was read, then take messages until there are none."""

    def __init__(self, max_body: int = MAX_BODY) -> None:
        self._buffer = bytearray()
        self._max_body = max_body
        self._length: int | None = None  # of the body that comes next
        self._searched = 0  # how much of an incomplete body or header was looked at

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def take(self) -> bytes | Broken | None:
        """The next body, or why there is none, or None when more bytes are needed."""
        while self._length is None:
            found = self._header()
            if found is None or isinstance(found, Broken):
                return found
        if len(self._buffer) >= self._length:
            return self._body(self._length)
        if self._lost():
            return Broken("a message ended before its Content-Length")
        return None

    def reject(self, body: bytes) -> None:
        """Says that a body was no JSON: reading goes on at a frame that begins inside it or in its last bytes."""
        inner = _NEW_FRAME.search(body) if _NAME in body.lower() else None
        self._buffer[:0] = body[-_LONGEST:] if inner is None else body[inner.start() :]
        self._length, self._searched = None, 0

    def _header(self) -> Broken | bool | None:
        """Reads one block of headers; True: look again."""
        blank = _BLANK.search(self._buffer, max(self._searched - 4, 0))
        if blank is None:
            self._searched = len(self._buffer)
            if len(self._buffer) > _MAX_HEADER:
                self._drop(len(self._buffer) - _LONGEST)
            return None
        block = bytes(self._buffer[: blank.start()])
        self._drop(blank.end())
        length = _content_length(block)
        if length is None:
            return True
        if length > self._max_body:
            return Broken(f"a message of {length} bytes is refused; at most {self._max_body} are read")
        self._length = length
        return True

    def _body(self, length: int) -> bytes:
        body = bytes(self._buffer[:length])
        self._drop(length)
        self._length = None
        return body

    def _lost(self) -> bool:
        """Whether another frame begins inside the incomplete body; then reading goes on there."""
        start = max(self._searched - _LONGEST, 0)
        self._searched = len(self._buffer)
        if _NAME not in self._buffer[start:].lower():
            return False
        inner = _NEW_FRAME.search(self._buffer, start)
        if inner is None:
            return False
        self._drop(inner.start())
        self._length = None
        return True

    def _drop(self, n_bytes: int) -> None:
        del self._buffer[:n_bytes]
        self._searched = 0


def _content_length(block: bytes) -> int | None:
    """The last valid length of a block of headers; failing that, one that stands anywhere in it (after garbage)."""
    found = None
    for line in block.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() == _NAME and re.fullmatch(rb"\d{1,18}", value.strip()):
            found = int(value)
    if found is None and (inner := _LENGTH.findall(block)):
        found = int(inner[-1])
    return found
