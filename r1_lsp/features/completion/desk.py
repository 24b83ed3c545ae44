"""What completion remembers between requests: one desk per editor, event-loop thread only."""

import itertools
import uuid

from r1_lsp.features.completion.cache import Cache
from r1_lsp.features.completion.debounce import Typing
from r1_lsp.features.completion.gather import Frame
from r1_lsp.features.completion.history import History
from r1_lsp.features.completion.outline import Outlines
from r1_lsp.features.completion.stream import Flight
from r1_lsp.features.why import Memory


class CompletionDesk:
    """The cache, the generation at work, the frozen part of the last prompt, the user's typing and choices."""

    def __init__(self) -> None:
        self.cache = Cache()
        self.typing = Typing()
        self.history = History()
        self.memory = Memory()
        self.flight: Flight | None = None
        self.frame: Frame | None = None
        self.outlines = Outlines()
        self._name = uuid.uuid4().hex[:8]
        self._numbers = itertools.count(1)

    def new_id(self) -> str:
        """A name for a suggestion, unique among all editors."""
        return f"{self._name}-{next(self._numbers)}"

    @property
    def host_session(self) -> str:
        """What the host knows this editor's typing by: a newer request replaces the older one there."""
        return f"typing-{self._name}"

    def take_off(self, flight: Flight) -> None:
        """Makes this the generation at work; the one before is of no use any more."""
        if self.flight is not None:
            self.flight.stop()
        self.flight = flight
