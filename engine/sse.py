"""Server-sent events, from bytes that may be cut anywhere."""

from engine.errors import EngineUnavailable

MAX_EVENT_BYTES = 16 * 2**20
"""A server that sends more without ending the event is not speaking this protocol."""


class SseParser:
    """Feeds on bytes and returns the data of each finished event. Lines end with \\n, \\r\\n or \\r.

    An event's several `data:` lines are joined by line ends, as the specification says; an `error:` line, which older
    llama.cpp servers send, counts as data. Comments and other fields are skipped. Bytes that are not UTF-8 become
    replacement characters.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._after_cr = False
        self._data: list[str] = []

    def feed(self, piece: bytes) -> list[str]:
        """Raises EngineUnavailable when an event grows beyond MAX_EVENT_BYTES."""
        if self._after_cr and piece:
            piece, self._after_cr = piece.removeprefix(b"\n"), False
        start = max(len(self._rest) - 1, 0)
        self._rest += piece
        if not (self._rest.find(b"\n", start) >= 0 or self._rest.find(b"\r", start) >= 0):
            self._check_size()
            return []
        self._after_cr = self._rest.endswith(b"\r")
        text = bytes(self._rest).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._rest = bytearray(rest)
        events = [event for line in lines if (event := self._line(line)) is not None]
        self._check_size()
        return events

    def _line(self, line: bytes) -> str | None:
        """Takes one line in; returns the event's data when it was the empty line that ends one."""
        if not line:
            data, self._data = self._data, []
            return "\n".join(data) if data else None
        name, _, value = line.partition(b":")
        if name in (b"data", b"error"):
            self._data.append(value.removeprefix(b" ").decode(errors="replace"))
        return None

    def _check_size(self) -> None:
        if len(self._rest) + sum(map(len, self._data)) > MAX_EVENT_BYTES:
            raise EngineUnavailable("the engine's answer is not a stream of events")
