"""One region's tokens and, for every gap between them, what is open on its left and what its right side wants.

Stacks of brackets are numbers (each stack and bracket has one for the stack with the bracket on it), so whether an
edit in a gap balances the region is asked in constant time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from ast_tools.languages import Language
from ast_tools.lexer import PARTNER, Token, tokens
from ast_tools.repair.layout import Suspect, line_start
from ast_tools.repair.regions import Region
from ast_tools.repair.scan import width

CONTEXT = 160
"""Bytes behind a region that are read for what follows its last gap."""
EDGE = Token("op", 0, 0, b"")
"""What stands before the first and behind the last token."""

_COMPARISONS = b"< > <= >= == != === !== is in not instanceof".split()
_ARITHMETIC = b"+ - * / % ** // << >> & | ^".split()
_STATEMENTS = b"if for else return lambda".split()
HOLDS: dict[bytes, int] = {
    b";": 1, b":": 2, b"=": 4, **dict.fromkeys(_COMPARISONS, 8), **dict.fromkeys(_ARITHMETIC, 16),
    **dict.fromkeys(_STATEMENTS, 32), b"=>": 64, b"->": 64, b"and": 128, b"&&": 128, b"or": 256, b"||": 256, b"?": 512,
}  # fmt: skip
"""Bits for what brackets may hold besides commas."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An open bracket: the index of its token (-1: outside the region), its opener, and what it holds so far."""

    index: int
    opener: bytes
    commas: int = 0
    holds: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """A gap as one scan sees it: the number of the stack and its innermost two frames, the innermost last."""

    stack: int
    frames: tuple[Frame, ...]


class Site:
    """The tokens of a region, comments and line ends left out. `count` of them are inside; the others only follow."""

    def __init__(self, language: Language, text: bytes, region: Region) -> None:
        self.language, self.text, self.region = language, text, region
        found: list[Token] = []
        at = region.start
        for start, end in (*region.hidden, (region.end, region.end)):
            found += _significant(tokens(language, text, at, start))
            at = end
        self.count = len(found)
        found += _significant(tokens(language, text, region.end, min(len(text), region.end + CONTEXT)))
        self.tokens: Sequence[Token] = found
        self._numbers: dict[tuple[int, bytes], int] = {}
        self._stacks: list[tuple[int, bytes]] = [(0, b"")]
        self._before, self._behind = self._expected()

    def token(self, index: int) -> Token:
        """The token with an index, EDGE where there is none."""
        return self.tokens[index] if 0 <= index < len(self.tokens) else EDGE

    def below(self, stack: int) -> tuple[int, bytes]:
        """What is below the top of a stack, and the top."""
        return self._stacks[stack]

    def _pushed(self, stack: int, opener: bytes) -> int:
        key = (stack, opener)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._stacks)
            self._stacks.append(key)
        return number

    def _expected(self) -> tuple[list[bytes], list[bytes]]:
        """The brackets that are open before and behind the region if its suspects are left out."""
        suspects = {suspect.at for suspect in self.region.suspects}
        before: list[bytes] = []
        behind: list[bytes] = []
        for token in self.tokens[: self.count]:
            if token.start in suspects:
                continue
            if token.kind == "open":
                behind.append(token.text)
            elif token.kind == "close":
                if behind and behind[-1] == PARTNER[token.text]:
                    behind.pop()
                elif not behind:
                    before.append(PARTNER[token.text])
        return before[::-1], behind

    @cached_property
    def left(self) -> list[Gap]:
        """Each gap as the tokens before it leave it, as far as brackets match."""
        stack, frames = self._outside(self._before)
        result = [Gap(stack, tuple(frames[-2:]))]
        for index, token in enumerate(self.tokens[: self.count]):
            if token.kind == "open":
                stack = self._pushed(stack, token.text)
                frames.append(Frame(index, token.text))
            elif token.kind == "close":
                below, top = self._stacks[stack]
                if stack == 0 or top != PARTNER[token.text]:
                    break
                stack = below
                frames.pop()
            elif not _took(frames, token.text):
                result.append(result[-1])
                continue
            result.append(Gap(stack, tuple(frames[-2:])))
        return result

    @cached_property
    def right(self) -> dict[int, Gap]:
        """Each gap as the tokens behind it want it, as far as brackets match."""
        stack, frames = self._outside(self._behind)
        result = {self.count: Gap(stack, tuple(frames[-2:]))}
        for index in range(self.count - 1, -1, -1):
            token = self.tokens[index]
            if token.kind == "close":
                stack = self._pushed(stack, PARTNER[token.text])
                frames.append(Frame(index, PARTNER[token.text]))
            elif token.kind == "open":
                below, top = self._stacks[stack]
                if stack == 0 or top != token.text:
                    break
                stack = below
                frames.pop()
            elif not _took(frames, token.text):
                result[index] = result[index + 1]
                continue
            result[index] = Gap(stack, tuple(frames[-2:]))
        return result

    def _outside(self, openers: Sequence[bytes]) -> tuple[int, list[Frame]]:
        stack = 0
        for opener in openers:
            stack = self._pushed(stack, opener)
        return stack, [Frame(-1, opener) for opener in openers]

    @cached_property
    def openers(self) -> dict[int, int]:
        """For closers the index of the opener that they answer, as the tokens stand."""
        found: dict[int, int] = {}
        stack: list[int] = []
        for index, token in enumerate(self.tokens):
            if token.kind == "open":
                stack.append(index)
            elif token.kind == "close" and stack and self.tokens[stack[-1]].text == PARTNER[token.text]:
                found[index] = stack.pop()
        return found

    @cached_property
    def first_of_line(self) -> list[int]:
        """For each token the index of the first token of its line."""
        result: list[int] = []
        reached = -1
        for index, token in enumerate(self.tokens):
            if index == 0 or self.text.find(b"\n", reached, token.start) >= 0:
                first = index
            reached = token.end
            result.append(first)
        return result

    def line(self, token: Token) -> tuple[bytes, int]:
        """The white space a token's line begins with, and how many columns that is."""
        start = line_start(self.text, token.start)
        found = self._lines.get(start)
        if found is None:
            end = start
            while end < len(self.text) and self.text[end] in b" \t":
                end += 1
            found = self._lines[start] = self.text[start:end], width(self.text[start:end])
        return found

    @cached_property
    def _lines(self) -> dict[int, tuple[bytes, int]]:
        return {}

    def rest_of_line(self, token: Token) -> bytes:
        """What follows a token on its line, white space and a comment at its end left out."""
        end = self.text.find(b"\n", token.end)
        rest = self.text[token.end : end if end >= 0 else len(self.text)].strip()
        return b"" if rest.startswith(self.language.line_comment.encode()) else rest

    def leads(self, token: Token) -> bool:
        """Whether a token is the first of its line."""
        return not self.text[line_start(self.text, token.start) : token.start].strip()

    def suspected(self, token: Token) -> bool:
        """Whether a token is one of the region's suspects."""
        return any(suspect.at == token.start for suspect in self.region.suspects)


def without(region: Region, suspect: Suspect) -> Region:
    """A region in which one of its suspects is not to be answered."""
    return replace(region, suspects=tuple(other for other in region.suspects if other is not suspect))


def _significant(found: Sequence[Token]) -> list[Token]:
    return [token for token in found if token.kind not in ("comment", "newline")]


def _took(frames: list[Frame], word: bytes) -> bool:
    """Notes a word in the innermost bracket; whether that changed anything."""
    if not frames:
        return False
    frame = frames[-1]
    commas, holds = frame.commas + (word == b","), frame.holds | HOLDS.get(word, 0)
    if commas == frame.commas and holds == frame.holds:
        return False
    frames[-1] = Frame(frame.index, frame.opener, commas, holds)
    return True
