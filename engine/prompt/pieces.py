"""What a rendered prompt is made of: scaffold (control tokens) and content (text that must stay text)."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a prompt.

    `special` pieces are scaffold: tokenised with control tokens recognised. The others are content: tokenised with
    control tokens spelled out as ordinary text. No piece holds the beginning-of-sequence token; the tokeniser adds it
    where the vocabulary says so.
    """

    text: str
    special: bool


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """The same prompt without empty pieces and with neighbouring content joined, so that it is tokenised naturally."""
    out: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if out and not piece.special and not out[-1].special:
            out[-1] = Piece(out[-1].text + piece.text, special=False)
        else:
            out.append(piece)
    return out


def guarded(pieces: Iterable[Piece], markers: Collection[str]) -> list[Piece]:
    """Cuts each content piece inside every marker spelled out in it, so that no tokeniser can recognise one there.

    llama.cpp matches *user-defined* tokens (`<think>` in R1's vocabulary, `<|EOT|>` in DeepSeek-Coder's) even when
    special tokens are off; text that is tokenised in two halves cannot match. `markers` are those strings of the
    loaded vocabulary. The text of the whole stays the same.
    """
    cut = _inside_markers(markers)
    if cut is None:
        return list(pieces)
    out: list[Piece] = []
    for piece in pieces:
        if piece.special:
            out.append(piece)
            continue
        start = 0
        for match in cut.finditer(piece.text):
            middle = match.start() + 1
            out.append(Piece(piece.text[start:middle], special=False))
            start = middle
        out.append(Piece(piece.text[start:], special=False))
    return out


def _inside_markers(markers: Collection[str]) -> re.Pattern[str] | None:
    """Finds where a marker starts, overlapping ones too. A marker of one character cannot be cut and is left alone."""
    cuttable = sorted((m for m in markers if len(m) > 1), key=len, reverse=True)
    if not cuttable:
        return None
    return re.compile("(?=" + "|".join(map(re.escape, cuttable)) + ")")
