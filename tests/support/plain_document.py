"""The simplest possible text document of the protocol: a list of units. The oracle for ours."""

from collections.abc import Sequence


class PlainDocument:
    """A text as utf-8 bytes, utf-16 units or utf-32 code points, edited by rescanning it each time."""

    def __init__(self, text: str, encoding: str) -> None:
        self.encoding = encoding
        self.units = units(text, encoding)

    def line_starts(self) -> list[int]:
        starts, at = [0], 0
        while at < len(self.units):
            if self.units[at] == 13 and self.units[at + 1 : at + 2] == [10]:
                at += 2
            elif self.units[at] in (10, 13):
                at += 1
            else:
                at += 1
                continue
            starts.append(at)
        return starts

    def index(self, line: int, character: int) -> int:
        """Index of a position: clamped to its line, and in utf-8 to the start of its character."""
        starts = self.line_starts()
        if line >= len(starts):
            return len(self.units)
        start = at = starts[line]
        while at < len(self.units) and self.units[at] not in (10, 13) and at - start < character:
            at += 1
        while self.encoding == "utf-8" and at > start and at < len(self.units) and self.units[at] & 0xC0 == 0x80:
            at -= 1
        return at

    def replace(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        self.units[self.index(*start) : self.index(*end)] = units(text, self.encoding)


def units(text: str | bytes, encoding: str) -> list[int]:
    """A text (or the UTF-8 bytes of one) in units of an encoding."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogatepass")
    if encoding == "utf-8":
        return list(text.encode("utf-8", "surrogatepass"))
    if encoding == "utf-32":
        return [ord(character) for character in text]
    wide: Sequence[int] = text.encode("utf-16-le", "surrogatepass")
    return [low | high << 8 for low, high in zip(wide[::2], wide[1::2], strict=True)]
