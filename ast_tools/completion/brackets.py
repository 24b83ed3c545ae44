"""Brackets around a caret, and in what a model says at it. Each text is read once."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ast_tools.languages import Language
from ast_tools.lexer import PARTNER, Kind, Token, tokens
from ast_tools.wordpairs import unmatched_words

ASIDE = frozenset({"comment", "newline"})
_PLAIN = re.compile(rb"(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<newline>\n)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brackets:
    """What is not paired in a text: `lone` closers and `open` openers, in its order. `inside`: it ends in a string."""

    lone: tuple[Token, ...] = ()
    open: tuple[Token, ...] = ()
    inside: bool = False

    def then(self, found: Iterable[Token], end: int) -> "Brackets":
        """The same with more text, whose tokens these are and which ends at `end`."""
        lone, stack, inside = list(self.lone), list(self.open), False
        for token in found:
            if token.kind == "open":
                stack.append(token)
            elif token.kind == "close" and stack and stack[-1].text == PARTNER[token.text]:
                stack.pop()
            elif token.kind == "close":
                lone.append(token)
            inside = token.kind == "unclosed" and token.end == end
        return Brackets(lone=tuple(lone), open=tuple(stack), inside=inside)


def brackets(language: Language | None, text: str) -> Brackets:
    """What is not paired in a whole text."""
    data = text.encode("utf-8", "replace")
    return Brackets().then(read(language, data), len(data))


def read(language: Language | None, data: bytes, start: int = 0) -> list[Token]:
    """The tokens from `start` on, where code stands; without a language brackets and line ends only."""
    if language is not None:
        return tokens(language, data, start)
    return [_plain(match) for match in _PLAIN.finditer(data, start)]


def _plain(match: re.Match[bytes]) -> Token:
    kind: Kind = "open" if match["open"] else "close" if match["close"] else "newline"
    return Token(kind, match.start(), match.end(), match.group())


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """The brackets around a caret, by their openers.

    `open` before it, outermost first, the last `own` of them on its line; `closed` after it, though not opened there,
    in the order of the text; `dedents`: the first of these begins a line left of the caret's. `hidden`: a string
    without an end before the caret hides what is open. `words` and `closed_words` are the same of words that enclose
    statements, by the word that closes them (`end`). `statements`: where the lines of code above the caret's begin
    (bytes), those left out that go on with a bracket or a string; `code_end`: where the last of them ends.
    """

    open: tuple[bytes, ...] = ()
    own: int = 0
    closed: tuple[bytes, ...] = ()
    dedents: bool = False
    hidden: bool = True
    words: tuple[bytes, ...] = ()
    closed_words: tuple[bytes, ...] = ()
    statements: tuple[int, ...] = ()
    code_end: int = 0

    @property
    def closable(self) -> tuple[bytes, ...]:
        """What stands open at the caret and nothing after it closes, innermost first."""
        # Too few are closed, and what closes the first stands under another line: those of this line are not closed.
        own = self.own if self.dedents and len(self.closed) < len(self.open) else 0
        kept = len(self.open) - own
        return (*self.open[kept:][::-1], *_unclosed(self.open[:kept], self.closed))

    @property
    def closable_words(self) -> tuple[bytes, ...]:
        """The same of words."""
        return _unclosed(self.words, self.closed_words)

    @property
    def free(self) -> Counter[bytes]:
        """How many brackets of each kind (and words, by what closes them) are closed after the caret only."""
        free = Counter((*self.closed, *self.closed_words))
        free.subtract((*self.open, *self.words))
        return free


def _unclosed(opened: tuple[bytes, ...], closed: tuple[bytes, ...]) -> tuple[bytes, ...]:
    left, unclosed = list(opened), list[bytes]()
    for mark in closed:
        if mark in left:
            while (innermost := left.pop()) != mark:
                unclosed.append(innermost)
    return (*unclosed, *reversed(left))


def around(language: Language, before: bytes, after: bytes) -> Around:
    """The brackets on both sides of a caret."""
    found, coming = tokens(language, before), tokens(language, after)
    left, right = Brackets().then(found, len(before)), Brackets().then(coming, len(after))
    words = unmatched_words(language, found)[1] if language.pairs else []
    closed_words = unmatched_words(language, coming)[0] if language.pairs else []
    line_start = before.rfind(b"\n") + 1
    return Around(
        open=tuple(token.text for token in left.open),
        own=sum(token.start >= line_start for token in left.open),
        closed=tuple(PARTNER[token.text] for token in right.lone),
        dedents=bool(right.lone) and _dedents(before[line_start:], after, right.lone[0].start),
        hidden=any(token.kind == "unclosed" for token in found),
        statements=tuple(_statements(found, line_start)),
        words=tuple(closer_of(language, word) for word in words),
        closed_words=tuple(word.text for word in closed_words),
        code_end=next((t.end for t in reversed(found) if t.end <= line_start and t.kind not in ASIDE), 0),
    )


def _dedents(line: bytes, after: bytes, closer: int) -> bool:
    """Whether a closer begins a line that is indented less than `line`."""
    start = after.rfind(b"\n", 0, closer) + 1
    blank = start > 0 and not after[start:closer].strip()
    return blank and closer - start < len(line) - len(line.lstrip())


def closer_of(language: Language, opener: Token) -> bytes:
    """The word that closes what a word opened."""
    word = opener.text.decode("utf-8", "replace")
    return next((pair.closer.encode() for pair in language.pairs if word in pair.openers), b"")


def _statements(found: list[Token], end: int) -> Iterator[int]:
    depth, fresh = 0, True
    for token in found:
        if token.start >= end:
            break
        if fresh and depth == 0 and token.kind not in ASIDE:
            yield token.start
        if token.kind != "comment":
            fresh = token.kind == "newline"
        depth = max(0, depth + (token.kind == "open") - (token.kind == "close"))
