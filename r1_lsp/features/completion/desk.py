"""What completion remembers between requests: one desk per editor, event-loop thread only."""

import hashlib
import itertools
import uuid

from r1_lsp.features.completion.cache import Cache
from r1_lsp.features.completion.debounce import Typing
from r1_lsp.features.completion.gather import Frame
from r1_lsp.features.completion.history import History
from r1_lsp.features.completion.outline import Outlines
from r1_lsp.features.completion.stream import Flight
from r1_lsp.features.why import Memory

MOST_FLIGHTS = 4
"""Documents with a generation at work; one more stops the oldest."""


class CompletionDesk:
    """The cache, the generations at work, the frozen part of the last prompt, the user's typing and choices."""

    def __init__(self) -> None:
        self.cache = Cache()
        self.typing = Typing()
        self.history = History()
        self.memory = Memory()
        self._flights: dict[str, Flight] = {}
        self.frame: Frame | None = None
        self.outlines = Outlines()
        self._name = uuid.uuid4().hex[:8]
        self._numbers = itertools.count(1)

    def new_id(self) -> str:
        """A name for a suggestion, unique among all editors."""
        return f"{self._name}-{next(self._numbers)}"

    def host_session(self, uri: str) -> str:
        """What the host knows the typing in a document by: a newer request replaces the older one there."""
        document = hashlib.blake2b(uri.encode("utf-8", "replace"), digest_size=4, usedforsecurity=False)
        return f"typing-{self._name}-{document.hexdigest()}"

    def flight(self, uri: str) -> Flight | None:
        """The newest generation for a document."""
        return self._flights.get(uri)

    def take_off(self, flight: Flight) -> None:
        """Makes this its document's generation at work; the one before is of no use any more."""
        if (before := self._flights.pop(flight.spot.uri, None)) is not None:
            before.stop()
        self._flights = {uri: one for uri, one in self._flights.items() if not one.over}
        while len(self._flights) >= MOST_FLIGHTS:
            self._flights.pop(next(iter(self._flights))).stop()
        self._flights[flight.spot.uri] = flight
