"""The tokens of a piece with what the statistics say about each, and how much likelier edits make it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ast_tools.edits import Edit
from ast_tools.languages import Language
from ast_tools.lexer import Kind, Token, tokens
from ast_tools.repair.likelihood import OTHER, START, Counts, Place, moved
from ast_tools.repair.vocabulary import SAME, keywords, often_lost, operators, step, whole
from ast_tools.spelling import word_like

MAX_NEW = 300
"""Tokens of a new text after which it is only roughly known where they stand."""
CHARACTER = 4
"""Bytes of a character with its quotes, escaped or not."""
FAR = 25
"""Tokens after an edit that are read again, while the edit changes what they stand in; and of a new text that count."""


@dataclass(frozen=True, slots=True)
class New:
    """A token that an edit brings: it has no place in the text yet."""

    kind: Kind
    text: bytes
    step: int

    @property
    def token(self) -> Token:
        """As a token at no place."""
        return Token(self.kind, 0, 0, self.text)


@dataclass(frozen=True, slots=True)
class Change:
    """Tokens [start, end) become `new`. `label` names its class; `edit` is what it does to the text."""

    start: int
    end: int
    new: tuple[New, ...]
    label: str
    edit: Edit


@dataclass(frozen=True, slots=True)
class Gain:
    """How likely (in nats) the tokens are that changes bring and take away; how much likelier those behind them get.

    `worst` is the least likely token there afterwards, `worst_before` the one before.
    """

    given: float
    taken: float
    around: float
    worst: float
    worst_before: float

    @property
    def total(self) -> float:
        """The whole difference."""
        return self.given - self.taken + self.around


class Reading:
    """The tokens of a piece, each with its symbol, how it stands to the one before, and how likely it is there.

    Only those in `window`, [first, `last`), are read; of the others only the names are known.
    """

    def __init__(
        self, language: Language, text: bytes, found: Sequence[Token], counts: Counts, window: tuple[int, int]
    ) -> None:
        self.language, self.text, self.found, self.counts = language, text, found, counts
        self.keywords, self.operators, self.often = keywords(language), operators(language), often_lost(language)
        first, last = max(window[0], 0), min(window[1], len(found))
        self.symbols, self.steps, self.logs = [OTHER] * len(found), [SAME] * len(found), [0.0] * len(found)
        self.places: list[Place] = [START] * (len(found) + 1)
        self.last = last
        before = found[first - 1] if first else None
        for number in range(first, last):
            token = found[number]
            symbol, stepped = counts.symbol(token), step(text, before, token)
            place = self.places[number]
            self.symbols[number], self.steps[number] = symbol, stepped
            self.logs[number] = counts.log(place, symbol, stepped)
            self.places[number + 1] = moved(language, place, token, symbol, stepped)
            before = token

    def gain(self, changes: Sequence[Change]) -> Gain:
        """What changes, in the order of the text, make of it."""
        place, given, taken, around, worst, before = self.places[changes[0].start], 0.0, 0.0, 0.0, 0.0, 0.0
        for number, change in enumerate(changes):
            if change.start >= self.last and number:
                break  # What stands there was not read.
            for at, new in enumerate(change.new[:MAX_NEW]):
                token = new.token
                symbol = self.counts.symbol(token)
                log = self.counts.log(place, symbol, new.step)
                if at < FAR:
                    given, worst = given + log, min(worst, log)
                place = moved(self.language, place, token, symbol, new.step)
            taken += sum(self.logs[change.start : change.end])
            before = min([before, *self.logs[change.start : change.end + 2]])
            following = changes[number + 1].start if number + 1 < len(changes) else None
            gained, place, low = self._reread(place, change, following)
            around, worst = around + gained, min(worst, low)
        return Gain(given, taken, around, worst, before)

    def _reread(self, place: Place, change: Change, until: int | None) -> tuple[float, Place, float]:
        """The tokens after a change, up to the next change or to where all is as it was."""
        total, worst, first = 0.0, 0.0, self._next_step(change)
        end = min(until, self.last) if until is not None else min(change.end + FAR, len(self.found))
        for number in range(change.end, end):
            if number >= change.end + 3 and place == self.places[number]:
                return total, self.places[end], worst
            symbol = self.symbols[number]
            stepped = self.steps[number] if first is None else first
            log = self.counts.log(place, symbol, stepped)
            total += log - self.logs[number]
            if number < change.end + 3:
                worst = min(worst, log)
            place, first = moved(self.language, place, self.found[number], symbol, stepped), None
        return total, place, worst

    def _next_step(self, change: Change) -> int | None:
        """How the token after a deletion stands to the one before it; None: as it did."""
        if change.new or change.end >= len(self.found):
            return None
        return self.steps[change.end] or self.steps[change.start]

    def reread(self, start: int, end: int, new: bytes, label: str) -> Change:
        """Replaces tokens [start, end) by a text, which is read anew."""
        read = whole(self.language, tokens(self.language, new))
        news = [New(token.kind, token.text, SAME if number else self.steps[start]) for number, token in enumerate(read)]
        return Change(start, end, tuple(news), label, Edit(self.found[start].start, self.found[end - 1].end, new))

    @cached_property
    def names(self) -> Counter[bytes]:
        """The names of the text and how often they occur."""
        return Counter(t.text for t in self.found if t.kind == "word" and t.text not in self.keywords)

    @cached_property
    def quotes(self) -> Counter[tuple[bytes, bool]]:
        """How often a kind of quote ends a string: those of one character, escaped or not, and longer ones."""
        strings = (token.text for token in self.found if token.kind == "string")
        return Counter((text[-1:], len(text) <= CHARACTER) for text in strings if len(text) > 2)

    @cached_property
    def _after(self) -> dict[bytes, Counter[bytes]]:
        """For each token the names that stand right behind it."""
        result: dict[bytes, Counter[bytes]] = {}
        for one, other in zip(self.found, self.found[1:], strict=False):
            if other.text in self.names:
                result.setdefault(one.text, Counter())[other.text] += 1
        return result

    def names_after(self, gap: int) -> list[bytes]:
        """Names that stand elsewhere behind the token before a gap, the commonest two."""
        before = self.found[gap - 1].text if gap else b""
        return [name for name, _ in self._after.get(before, Counter()).most_common(2)]

    def around(self, change: Change) -> tuple[str, str]:
        """What the tokens before and behind a change are called; `end` where its line ends."""
        before, after = "start", "end"
        if change.start:
            before = self.label(self.found[change.start - 1].text, self.found[change.start - 1].kind)
        if change.end < len(self.found) and self.steps[change.end] == SAME:
            after = self.label(self.found[change.end].text, self.found[change.end].kind)
        return before, after

    def label(self, text: bytes, kind: Kind) -> str:
        """What a token is called in the names of classes of edits."""
        if kind in ("number", "string", "unclosed"):
            return f"<{kind}>"
        if kind == "word" and text not in self.keywords:
            return "<name>"
        return text.decode("utf-8", "replace")


def kind_of(text: bytes) -> Kind:
    """The kind of the token that a symbol stands for."""
    if text in _KINDS:
        return _KINDS[text]
    if word_like(text[:1]) or text[:1] in b"$@#" or text in (b"<name>", b"<Name>", b"<NAME>", b"<other>"):
        return "number" if text[:1].isdigit() else "word"
    return "string" if text[:1] in b"\"'`" and text else "op"


_KINDS: dict[bytes, Kind] = {
    **dict.fromkeys((b"(", b"[", b"{"), "open"),
    **dict.fromkeys((b")", b"]", b"}"), "close"),
    **dict.fromkeys((b"<string>", b"<char>"), "string"),
    b"<number>": "number",
    b"<unclosed>": "unclosed",
}
