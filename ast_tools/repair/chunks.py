"""A text in pieces that can be broken one at a time: top-level statements, found by layout because the tree may lie."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from ast_tools.languages import Language
from ast_tools.lexer import PARTNER, Token, tokens


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some lines of a text that form whole top-level statements. Token offsets are those of the whole text."""

    language: Language
    text: bytes
    start: int
    end: int
    tokens: tuple[Token, ...]

    @cached_property
    def significant(self) -> tuple[Token, ...]:
        """The tokens without comments and line ends."""
        return tuple(token for token in self.tokens if token.kind not in ("comment", "newline"))

    @cached_property
    def lines(self) -> tuple[tuple[int, int, Token], ...]:
        """(start of the line, width of its indentation, first token) of every line that begins with a token.

        Where a comment begins all of them, the first token alone; none only where there is no token.
        """
        found = []
        fresh = True
        for token in self.tokens:
            if token.kind == "newline":
                fresh = True
            elif fresh and token.kind != "comment":
                start = self.text.rfind(b"\n", 0, token.start) + 1
                found.append((start, _width(self.text[start : token.start]), token))
                fresh = False
            elif fresh:
                fresh = False
        if not found and self.significant:
            found.append((self.significant[0].start, 0, self.significant[0]))
        return tuple(found)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [start for start, _, _ in self.lines]

    def line_of(self, offset: int) -> int:
        """The index in `lines` of the line an offset is on (or of the last one before it)."""
        return max(0, bisect_right(self._line_starts, offset) - 1)


def _width(lead: bytes) -> int:
    return len(lead.expandtabs(8))


def chunks(language: Language, text: bytes) -> list[Chunk]:
    """The text in top-level pieces, in order. A bracket open over the left margin joins pieces when it is closed."""
    found = tokens(language, text)
    pieces: list[list[Token]] = []
    fresh, decorated = True, False
    for token in found:
        if token.kind == "newline":
            fresh = True
        elif fresh and token.kind != "comment":
            at_margin = token.start == 0 or text[token.start - 1 : token.start] in (b"\n", b"\r")
            if at_margin and not decorated and _begins(language, token):
                pieces.append([])
            if at_margin:
                decorated = token.text.startswith(b"@")
            fresh = False
        if not pieces:
            pieces.append([])
        pieces[-1].append(token)
    starts = [0, *(piece[0].start for piece in pieces[1:]), len(text)]
    whole = [
        Chunk(language, text, starts[number], starts[number + 1], tuple(piece)) for number, piece in enumerate(pieces)
    ]
    return _joined(whole)


def _begins(language: Language, token: Token) -> bool:
    if token.kind in ("close", "op"):
        return False
    return token.text.decode("utf-8", "replace") not in language.continuation_words


def _joined(pieces: list[Chunk]) -> list[Chunk]:
    """Joins pieces from an opener left open to the closer that answers it in a later piece."""
    reach: dict[int, int] = {}
    waiting: list[tuple[int, Token]] = []
    for number, piece in enumerate(pieces):
        stack: list[Token] = []
        for token in piece.significant:
            if token.kind == "open":
                stack.append(token)
            elif token.kind == "close":
                if stack and stack[-1].text == PARTNER[token.text]:
                    stack.pop()
                elif not stack and waiting and waiting[-1][1].text == PARTNER[token.text]:
                    reach[waiting.pop()[0]] = number
        waiting += [(number, token) for token in stack]
    result: list[Chunk] = []
    number = 0
    while number < len(pieces):
        last, probe = number, number
        while probe <= last:
            last = max(last, reach.get(probe, probe))
            probe += 1
        first = pieces[number]
        joined = tuple(token for piece in pieces[number : last + 1] for token in piece.tokens)
        result.append(Chunk(first.language, first.text, first.start, pieces[last].end, joined))
        number = last + 1
    return result
