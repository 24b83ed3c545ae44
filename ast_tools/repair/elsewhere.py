"""How a text writes such things elsewhere: how often, and calls of a name with how many arguments."""

import re
from collections.abc import Iterator

from ast_tools.lexer import PARTNER

WINDOW = 16_000
"""Bytes on each side of a region that are looked at: what is further away says less, and longer texts take longer."""
MOST_CALLS = 12
"""Calls of one name whose arguments are counted."""
LONGEST_CALL = 400
_CALL_PARTS = re.compile(rb"[()\[\]{},;]|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")


class Elsewhere:
    """Looks around a region of a text. Mutable: what was asked is kept."""

    def __init__(self, text: bytes, start: int, end: int) -> None:
        self.start = max(0, start - WINDOW)
        self.text = text[self.start : end + WINDOW]
        self._counts: dict[bytes, int] = {}
        self._calls: dict[bytes, frozenset[int]] = {}

    def often(self, literal: bytes, but: int = 0) -> str:
        """How often the text holds something, `but` times left out, in steps."""
        found = self._counts.get(literal)
        if found is None:
            found = self._counts[literal] = self.text.count(literal)
        return steps(found - but)

    def fits(self, name: bytes, opener: bytes, but: int, arguments: int) -> str:
        """Whether a name is called with so many arguments, other than at the offset `but`; `?` if it is not called."""
        literal = name + opener
        seen = self._calls.get(literal)
        if seen is None:
            seen = self._calls[literal] = frozenset(self._called_with(literal, but - self.start))
        return "?" if not seen else "+" if arguments in seen else "-"

    def _called_with(self, literal: bytes, but: int) -> Iterator[int]:
        at, text = 0, self.text
        for _ in range(MOST_CALLS):
            at = text.find(literal, at)
            if at < 0:
                return
            whole = at == 0 or not (text[at - 1 : at].isalnum() or text[at - 1] == ord("_"))
            if whole and at != but:
                count = _arguments(text, at + len(literal))
                if count is not None:
                    yield count
            at += len(literal)


def steps(count: int) -> str:
    """A count in five steps."""
    return "0" if count <= 0 else "1" if count == 1 else "2" if count < 4 else "3" if count < 10 else "4"


def _arguments(text: bytes, start: int) -> int | None:
    """How many arguments stand in the brackets that open before `start`; None where they do not end nearby."""
    depth = commas = 0
    for match in _CALL_PARTS.finditer(text, start, start + LONGEST_CALL):
        mark = match.group()
        if mark in (b"(", b"[", b"{"):
            depth += 1
        elif mark in (b")", b"]", b"}"):
            if depth == 0:
                inside = text[start : match.start()].strip()
                same = PARTNER[mark] == text[start - 1 : start]
                return commas + (bool(inside) and not inside.endswith(b",")) if same else None
            depth -= 1
        elif mark == b";":
            return None
        elif mark == b"," and depth == 0:
            commas += 1
    return None
