"""Characters that have no business in text a model wrote: they make a file read differently from what it does."""

import unicodedata

_INVISIBLE = frozenset("\u061c\u180e\u200b\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff")
_SPACE = frozenset("\t\n\r ")


def hostile(text: str, *, known: str = "") -> str | None:
    """Says in words what is wrong with a text, or None.

    Refused are control characters (ANSI escapes), direction marks (Trojan Source), invisible and tag characters;
    not those that `known`, the user's own text in that place, already holds.
    """
    for char in text:
        if char in _SPACE or char in known:
            continue
        if what := _kind(char):
            return f"{what} (U+{ord(char):04X})"
    return None


def _kind(char: str) -> str | None:
    code = ord(char)
    if 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:
        return "a character that reverses the direction of text"
    if char in _INVISIBLE or 0xE0000 <= code <= 0xE007F:
        return "an invisible character"
    if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp"):
        return "a control character"
    return None
