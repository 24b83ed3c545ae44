"""From the bytes of tokens to text that may be shown: whole characters, reasoning apart, nothing of a stop string."""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

from engine.prompt.think import Parted, Start, ThinkParser


@dataclass(frozen=True, slots=True)
class Said:
    """What a token released. `stopped`: a stop string is complete; `text` ends before it."""

    text: str = ""
    thinking: str = ""
    stopped: bool = False


class Stops:
    """Finds stop strings across pieces. An end of the text that may become one is held back."""

    def __init__(self, stops: Iterable[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._beginnings = frozenset(stop[:n] for stop in self._stops for n in range(1, len(stop)))
        self._longest = max(map(len, self._stops), default=1)
        self._held = ""

    def feed(self, text: str) -> tuple[str, bool]:
        """Returns what is certainly before any stop string, and whether one has been found."""
        if not self._stops:
            return text, False
        text = self._held + text
        found = [at for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self._held = ""
            return text[: min(found)], True
        keep = next((n for n in range(min(self._longest - 1, len(text)), 0, -1) if text[-n:] in self._beginnings), 0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep], False

    def finish(self) -> str:
        rest, self._held = self._held, ""
        return rest


class AnswerText:
    """The text of one candidate while it grows; each token costs what its own bytes cost."""

    def __init__(self, stops: Iterable[str], start: Start | None = None) -> None:
        self._characters = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._stops = Stops(stops)
        self._parser = None if start is None else ThinkParser(start)

    @property
    def thinking(self) -> bool:
        """Whether the model is inside its reasoning block."""
        return self._parser is not None and self._parser.thinking

    def feed(self, piece: bytes) -> Said:
        text = self._characters.decode(piece)
        parted = Parted(text=text) if self._parser is None else self._parser.feed(text)
        text, stopped = self._stops.feed(parted.text)
        return Said(text, parted.thinking, stopped)

    def finish(self) -> Said:
        """Releases what was held back. A character that was cut at the end is dropped, not shown as a replacement."""
        parted = Parted() if self._parser is None else self._parser.finish()
        text, stopped = self._stops.feed(parted.text)
        return Said(text if stopped else text + self._stops.finish(), parted.thinking, stopped)
