"""Lines of a text: byte offset <-> (line, byte column), cheap under edits.

Line ends are exactly `\\n`, `\\r\\n` and `\\r`, as the Language Server Protocol says; `bytes.splitlines` splits at
these and no others (unlike `str.splitlines`).
"""

from array import array
from bisect import bisect_right
from itertools import accumulate


class Lines:
    """A text and where its lines start. Immutable: an edit makes a new one.

    The starts are a gap buffer: those up to the last edit count from the beginning of the text, those after it from
    the end. An edit at the same place therefore changes none of the numbers it does not touch.
    """

    __slots__ = ("_head", "_tail", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self._head = array("q", _starts(text, 0, last=True))
        self._tail = array("q")

    @property
    def count(self) -> int:
        """Number of lines, at least 1; a text that ends with a line end has an empty last line."""
        return len(self._head) + len(self._tail)

    def start(self, line: int) -> int:
        """Byte offset of a line's first byte."""
        n_head = len(self._head)
        return self._head[line] if line < n_head else len(self.text) - self._tail[line - n_head]

    def end(self, line: int) -> int:
        """Byte offset after a line's last byte, before its line end."""
        if line + 1 >= self.count:
            return len(self.text)
        start, end = self.start(line), self.start(line + 1)
        if self.text[end - 1] == 0x0A and end - 2 >= start and self.text[end - 2] == 0x0D:
            return end - 2
        return end - 1

    def line_at(self, offset: int) -> int:
        """Line that holds a byte offset; a line end belongs to the line before it."""
        if self._tail and offset >= len(self.text) - self._tail[0]:
            n = len(self.text)
            return len(self._head) + bisect_right(self._tail, offset, key=lambda distance: n - distance) - 1
        return bisect_right(self._head, offset) - 1

    def position(self, offset: int) -> tuple[int, int]:
        """(line, byte column) of a byte offset."""
        line = self.line_at(offset)
        return line, offset - self.start(line)

    def offset(self, line: int, column: int) -> int:
        """Byte offset of (line, byte column); past a line's end is that end, past the last line the text's end."""
        if line >= self.count:
            return len(self.text)
        return min(self.start(line) + column, self.end(line))

    def line(self, line: int) -> bytes:
        """A line without its line end."""
        return self.text[self.start(line) : self.end(line)]

    def replaced(self, start: int, end: int, new: bytes) -> "Lines":
        """This text with the bytes start..end replaced; costs a copy of the text and a rescan of the lines touched."""
        old = self.text
        text = b"".join((memoryview(old)[:start], new, memoryview(old)[end:]))
        # One byte back: an inserted \n joins a \r that ends the line before.
        first, last = self.line_at(max(start - 1, 0)), self.line_at(end)
        is_last = last + 1 >= self.count
        window_start = self.start(first)
        window_end = len(text) if is_last else self.start(last + 1) + len(text) - len(old)
        lines = Lines.__new__(Lines)
        lines.text = text
        lines._head = self._starts_before(first)
        lines._head.extend(_starts(text[window_start:window_end], window_start, last=is_last))
        lines._tail = self._distances_after(last)
        return lines

    def _starts_before(self, line: int) -> "array[int]":
        """Starts of the lines before `line`, from the beginning."""
        n_head, n = len(self._head), len(self.text)
        starts = self._head[:line]
        if line > n_head:
            starts.extend([n - distance for distance in self._tail[: line - n_head]])
        return starts

    def _distances_after(self, line: int) -> "array[int]":
        """Starts of the lines after `line`, as distances from the end."""
        n_head, n = len(self._head), len(self.text)
        if line + 1 >= n_head:
            return self._tail[line + 1 - n_head :]
        distances = array("q", [n - start for start in self._head[line + 1 :]])
        distances.extend(self._tail)
        return distances


def _starts(text: bytes, base: int, *, last: bool) -> list[int]:
    """Starts of the lines of a piece of text that begins at `base`; `last`: the piece reaches the end of the text."""
    starts = list(accumulate(map(len, text.splitlines(keepends=True)), initial=base))
    if not last or (len(starts) > 1 and text[-1:] not in (b"\n", b"\r")):
        starts.pop()  # where the next piece starts, or the end of a text without a final line end
    return starts
