"""How likely a token is after others: counts from clean code, smoothed after Witten and Bell (1991).

A token is predicted together with how it stands to the one before it (same line, next, deeper, shallower), from the
tokens before it, the bracket it stands in and the token its statement begins with.
"""

import math
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import NamedTuple

from ast_tools.languages import Language
from ast_tools.lexer import PARTNER, Token
from ast_tools.repair.vocabulary import SAME, name_class, spelling, step

STEPS = 4
OTHER = 0
"""The symbol of what was never counted."""
MAX_SYMBOLS = 512
MAX_DEPTH = 32
"""Brackets of other kinds that a closer closes with its own."""
CLASSES = (b"<other>", b"<name>", b"<Name>", b"<NAME>")
"""The first symbols of every table: what stands for tokens that are not counted by themselves."""
_OPENERS = (b"(", b"[", b"{")


class Place(NamedTuple):
    """What is known before a token: the bracket around it, the statement's first symbol, the last three symbols.

    `outer` is the place that the bracket was opened at; `fresh`: the next token begins a statement.
    """

    bracket: int
    first: int
    one: int
    two: int
    three: int
    fresh: bool
    outer: "Place | None"

    def contexts(self) -> tuple[int, int, int, int, int]:
        """Numbers for what stands before, from the least to the most that is looked at."""
        bracket, first, one, two, three, _, _ = self
        inside = bracket << 27 | one << 18
        return (
            one,
            1 << 60 | inside,
            2 << 60 | inside | first,
            3 << 60 | inside | two << 9,
            (4 << 60 | inside | two << 9 | three),
        )


START = Place(bracket=0, first=0, one=0, two=0, three=0, fresh=True, outer=None)


@dataclass(frozen=True, slots=True)
class Followers:
    """What followed each context how often. Flat and sorted, so that reading a stored table costs nothing.

    The followers of context number n are those from `starts[n]` to `starts[n + 1]`.
    """

    contexts: "array[int]"
    starts: "array[int]"
    units: "array[int]"
    numbers: "array[int]"
    sums: "array[int]"

    @classmethod
    def of(cls, seen: Mapping[int, Mapping[int, int]]) -> "Followers":
        """From counts by context and follower."""
        contexts = sorted(seen)
        pairs = [sorted(seen[context].items()) for context in contexts]
        return cls(
            array("Q", contexts),
            array("I", accumulate((len(some) for some in pairs), initial=0)),
            array("H", (unit for some in pairs for unit, _ in some)),
            array("I", (number for some in pairs for _, number in some)),
            array("I", (sum(number for _, number in some) for some in pairs)),
        )

    def occurrences(self) -> "Occurrences":
        """The counts it was made from."""
        bounds = zip(self.contexts, pairwise(self.starts), strict=True)
        return {
            context: dict(zip(self.units[start:end], self.numbers[start:end], strict=True))
            for context, (start, end) in bounds
        }

    def find(self, context: int) -> int:
        """The number of a context; -1 for one that was never seen."""
        at = bisect_left(self.contexts, context)
        return at if at < len(self.contexts) and self.contexts[at] == context else -1

    def after(self, context: int) -> "array[int]":
        """All units that followed a context."""
        at = self.find(context)
        return self.units[self.starts[at] : self.starts[at + 1]] if at >= 0 else array("H")


class _Known(NamedTuple):
    """What was found about a place already."""

    contexts: list[tuple[int, int, int]]
    logs: dict[int, float]


class Counts:
    """How likely tokens are. `symbols`: the words and marks that are counted by themselves, and classes of the rest."""

    def __init__(self, symbols: Sequence[bytes], followers: Followers) -> None:
        self.spellings, self.followers = tuple(symbols), followers
        self.symbols = {text: number for number, text in enumerate(symbols)}
        self._known: dict[tuple[int | bool | Place | None, ...], _Known] = {}
        self._floor = 1.0 / (STEPS * max(len(symbols), 1))

    def symbol(self, token: Token) -> int:
        """The number of a token's symbol; names that are not counted by themselves by their class."""
        text = spelling(token)
        found = self.symbols.get(text)
        if found is None and token.kind == "word":
            found = self.symbols.get(name_class(text))
        return found or OTHER

    def log(self, place: Place, symbol: int, step: int) -> float:
        """The logarithm of the probability of a symbol at a place."""
        known = self._known.get(place[:5])
        if known is None:
            known = self._known[place[:5]] = _Known(self._contexts(place), {})
        unit = symbol * STEPS + step
        log = known.logs.get(unit)
        if log is None:
            log = known.logs[unit] = math.log(self._probability(known.contexts, unit))
        return log

    def _contexts(self, place: Place) -> list[tuple[int, int, int]]:
        """(first follower, last one, their sum) of the contexts of a place that were seen, the shortest first."""
        followers, found = self.followers, []
        for context in place.contexts():
            at = followers.find(context)
            if at >= 0:
                found.append((followers.starts[at], followers.starts[at + 1], followers.sums[at]))
        return found

    def _probability(self, contexts: list[tuple[int, int, int]], unit: int) -> float:
        result, units, numbers = self._floor, self.followers.units, self.followers.numbers
        for start, end, total in contexts:
            at, kinds = bisect_left(units, unit, start, end), end - start
            seen = numbers[at] if at < end and units[at] == unit else 0
            result = (seen + kinds * result) / (total + kinds)
        return result

    def likely(self, place: Place) -> set[int]:
        """The symbols that were seen at places like this one."""
        return {unit // STEPS for context in place.contexts()[1:4] for unit in self.followers.after(context)}

    def follows(self, one: int, other: int) -> bool:
        """Whether one symbol was ever seen right before another."""
        return other in self._pairs(one)

    def _pairs(self, one: int) -> frozenset[int]:
        if one not in self._next:
            self._next[one] = frozenset(unit // STEPS for unit in self.followers.after(one))
        return self._next[one]

    @cached_property
    def _next(self) -> dict[int, frozenset[int]]:
        return {}


def moved(language: Language, place: Place, token: Token, symbol: int, step: int) -> Place:
    """The place after a token."""
    begins = place.fresh or (step != SAME and not place.bracket and not language.needs_semicolons)
    first, before, text = symbol if begins else place.first, (symbol, place.one, place.two), token.text
    if token.kind == "open":
        inner = (place.one * 3 + _OPENERS.index(text)) * 4 + 1
        after = Place(place.bracket, first, *before, fresh=False, outer=place.outer)
        return Place(inner, first, *before, fresh=text == b"{", outer=after)
    if token.kind == "close":
        around = _around(place, _OPENERS.index(PARTNER[text]))
        return Place(around.bracket, around.first, *before, fresh=text == b"}", outer=around.outer)
    bracket, in_parentheses = place.bracket, place.bracket and place.bracket // 4 % 3 == 0
    if text == b";" and in_parentheses:
        # The parts of a loop's header differ.
        bracket += bracket % 4 < 3
    return Place(bracket, first, *before, fresh=text == b";" and not in_parentheses, outer=place.outer)


def _around(place: Place, kind: int) -> Place:
    """Where the innermost bracket of a kind was opened; the same place if none is open."""
    at = place
    for _ in range(MAX_DEPTH):
        if at.outer is None or at.bracket // 4 % 3 == kind:
            break
        at = at.outer
    return at.outer if at.outer is not None else place


Occurrences = dict[int, dict[int, int]]
"""How often each unit (a symbol and how it stands to the token before) followed each context."""


def counted(
    language: Language, texts: Iterable[tuple[list[Token], bytes]], symbols: Sequence[bytes], least: Sequence[int]
) -> Counts:
    """Counts the tokens of clean texts. `least`: how often contexts of each length must occur to be kept."""
    return kept(symbols, occurrences(language, texts, symbols), least)


def occurrences(
    language: Language, texts: Iterable[tuple[list[Token], bytes]], symbols: Sequence[bytes]
) -> Occurrences:
    """What follows what in some texts (their tokens and bytes)."""
    seen: Occurrences = defaultdict(lambda: defaultdict(int))
    counts = Counts(symbols, Followers.of({}))
    for found, text in texts:
        place, before = START, None
        for token in found:
            stepped, symbol = step(text, before, token), counts.symbol(token)
            for context in place.contexts():
                seen[context][symbol * STEPS + stepped] += 1
            place, before = moved(language, place, token, symbol, stepped), token
    return seen


def kept(symbols: Sequence[bytes], seen: Occurrences, least: Sequence[int]) -> Counts:
    """The counts without the contexts that occur too seldom; see `counted`."""
    often = {context: some for context, some in seen.items() if sum(some.values()) >= least[context >> 60]}
    return Counts(symbols, Followers.of(often))
