"""Separates reasoning from the answer while both stream. Reasoning and its tags never reach the text."""

from dataclasses import dataclass, field
from enum import StrEnum

from engine.prompt.chat import THINK_CLOSE, THINK_OPEN

_TAGS = (THINK_OPEN, THINK_CLOSE)
# The shortest cut tags that cannot be the beginning of anything else worth showing ("<th" may be HTML's <thead>).
_CUT_TAGS = ("<thi", "</thi")
_LONGEST_CHAIN = 256


class Start(StrEnum):
    """What is known about the very beginning of the answer."""

    THINKING = "thinking"
    """The prompt ended inside an open block: the answer begins with reasoning."""
    TEXT = "text"
    """The prompt closed the block, or the answer has begun: text, unless a block opens."""
    UNKNOWN = "unknown"
    """Somebody else rendered the prompt (a remote engine). All is held back until a tag decides or the answer ends."""


@dataclass(frozen=True, slots=True)
class Parted:
    """What a fed piece released: reasoning and answer, each possibly empty."""

    thinking: str = ""
    text: str = ""


@dataclass(slots=True)
class ThinkParser:
    """A streaming parser for one answer of a reasoning model.

    Handles a missing open tag (`Start.THINKING`, `Start.UNKNOWN`), tags split over pieces, a block inside a block when
    it opens at the start of a line (a tag named within a sentence is only talk about tags), a stray close tag,
    and an answer cut inside a tag or a block. Line ends between the block and the answer are dropped.
    """

    start: Start = Start.THINKING
    _held: str = field(default="", init=False)
    _depth: int = field(default=0, init=False)
    _undecided: bool = field(default=False, init=False)
    _line_start: bool = field(default=True, init=False)
    _just_closed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._depth = int(self.start is Start.THINKING)
        self._undecided = self.start is Start.UNKNOWN

    @property
    def thinking(self) -> bool:
        """Whether the model is reasoning at this point of the stream."""
        return self._depth > 0

    def feed(self, piece: str) -> Parted:
        """Takes the next piece of the stream and releases what is certain."""
        scanned = max(len(self._held) - len(THINK_CLOSE), 0)
        self._held += piece
        if self._undecided:
            self._decide(scanned)
        return Parted() if self._undecided else self._release()

    def finish(self) -> Parted:
        """Ends the stream. A tag that was cut at the end is dropped, not shown."""
        self._undecided = False
        parted = self._release()
        rest, self._held = self._held, ""
        if any(cut in rest for cut in _CUT_TAGS):
            return parted
        rest = self._passed(rest)
        if self._depth:
            return Parted(parted.thinking + rest, parted.text)
        return Parted(parted.thinking, parted.text + rest)

    def _decide(self, scanned: int) -> None:
        """Settles how the answer began: with an open tag, or (a close tag without one) in the middle of reasoning."""
        if self._held.lstrip().startswith(THINK_OPEN):
            self._held = self._held.lstrip()
            self._undecided = False
        elif THINK_CLOSE in self._held[scanned:]:
            self._depth = 1
            self._undecided = False

    def _release(self) -> Parted:
        """Parts everything held but an end that may be the beginning of a tag."""
        thinking: list[str] = []
        text: list[str] = []
        while found := _first_tag(self._held):
            at, tag = found
            before = self._held[:at]
            if self._depth:
                thinking.append(self._passed(before))
            else:
                text.append(self._passed(before[: len(before) - _possible_tag(before)]))
            self._held = self._held[at + len(tag) :]
            if self._only_talk(tag):
                thinking.append(tag)
            else:
                self._turn(tag)
        end = len(self._held) - _possible_tag(self._held)
        (thinking if self._depth else text).append(self._passed(self._held[:end]))
        self._held = self._held[end:]
        return Parted("".join(thinking), "".join(text))

    def _passed(self, stretch: str) -> str:
        """Notes where in a line the stream stands; drops line ends between a block and the answer."""
        if self._just_closed:
            stretch = stretch.lstrip("\r\n")
            self._just_closed = not stretch
        if stretch:
            _, newline, line = stretch.rpartition("\n")
            self._line_start = not line.strip() and (bool(newline) or self._line_start)
        return stretch

    def _only_talk(self, tag: str) -> bool:
        return tag == THINK_OPEN and self._depth > 0 and not self._line_start

    def _turn(self, tag: str) -> None:
        """Enters or leaves a block at a tag. A close tag without a block is dropped."""
        if tag == THINK_OPEN:
            self._depth += 1
            self._just_closed = False
        else:
            self._depth = max(self._depth - 1, 0)
            self._just_closed = self._depth == 0
        self._line_start = True


def _first_tag(text: str) -> tuple[int, str] | None:
    found = [(at, tag) for tag in _TAGS if (at := text.find(tag)) >= 0]
    return min(found) if found else None


def _possible_tag(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of a tag, or beginnings one after the other.

    The whole chain counts: in `<thi</think>nk>` dropping the tag in the middle would make another one of the ends.
    """
    end = len(text)
    while end > len(text) - _LONGEST_CHAIN:
        at = text.rfind("<", max(end - len(THINK_CLOSE), 0), end)
        if at < 0 or not any(tag.startswith(text[at:end]) for tag in _TAGS):
            break
        end = at
    return len(text) - end
