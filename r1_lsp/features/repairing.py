"""What is broken in the open documents and how to repair it: searched elsewhere, remembered for its text."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ast_tools import LANGUAGES, Language
from r1_lsp.features.broken import NOTHING, WHOLE, Broken, broken_in
from r1_lsp.features.search_process import SearchProcess
from r1_lsp.snapshot import MAX_PARSED_BYTES, Snapshot

__all__ = ["NOTHING", "Broken", "Repairs", "in_thread"]

Search = Callable[[str, bytes, int, bytes | None], Awaitable[Broken]]
"""Language, text, the offset near which to look, a sound earlier text -> what is broken (see r1_lsp.features.broken).

Cancelling it ends the search.
"""


async def in_thread(language: str, text: bytes, near: int, sound: bytes | None = None) -> Broken:
    """A search in a thread of this process: where there is no typing to disturb."""
    return await asyncio.to_thread(broken_in, LANGUAGES[language], text, near, sound=sound)


@dataclass(slots=True)
class _Searches:
    """Searches in one text: the one from its start under None, others under the offset they began at."""

    text: bytes
    by_place: dict[int | None, asyncio.Task[Broken]] = field(default_factory=dict)

    def stop(self) -> None:
        """The text is not the document's any more."""
        for search in self.by_place.values():
            search.cancel()


class Repairs:
    """The searches of one session, newest text of each document only. Event-loop thread."""

    def __init__(self, search: Search | None = None) -> None:
        self._process = SearchProcess() if search is None else None
        self._look = search or self._process.search  # type: ignore[union-attr]
        self._known: dict[str, _Searches] = {}
        self._sound: dict[str, bytes] = {}
        """The last text of each document in which nothing was wrong: what is broken is judged against it."""

    async def of(self, snapshot: Snapshot, *, near: int | None = None, wait_s: float | None = None) -> Broken:
        """What is broken in a document; in a text with many errors, repairs of those on the line of `near`.

        Nothing when it is not found within `wait_s` seconds; the search goes on for whoever asks next. A text without a
        tree is searched too: its parse was ended so as not to hold the loop, and the search makes one of its own.
        """
        if snapshot.language is None or len(snapshot.text) > MAX_PARSED_BYTES:
            return NOTHING
        if snapshot.tree is not None and not snapshot.tree.has_error:
            self._sound[snapshot.uri] = snapshot.text
            return NOTHING
        first = await self._search(snapshot, snapshot.language, None, wait_s)
        if near is None or not _is_left_out(first, snapshot, near):
            return first
        line = snapshot.lines.start(snapshot.lines.line_at(near))
        return await self._search(snapshot, snapshot.language, line, wait_s)

    async def whole(self, snapshot: Snapshot, *, wait_s: float | None = None) -> Broken:
        """All sure repairs of a document, to be made together; nothing when they are not found within `wait_s`."""
        if snapshot.language is None or len(snapshot.text) > MAX_PARSED_BYTES:
            return NOTHING
        if snapshot.tree is not None and not snapshot.tree.has_error:
            return NOTHING
        return await self._search(snapshot, snapshot.language, WHOLE, wait_s)

    def document_closed(self, uri: str) -> None:
        """What is opened under its name later is judged by itself."""
        self._sound.pop(uri, None)

    def document_changed(self, uri: str) -> None:
        """Its text is another, or it is closed: ends the searches in it."""
        if (known := self._known.pop(uri, None)) is not None:
            known.stop()

    async def close(self) -> None:
        """The session ends."""
        for uri in tuple(self._known):
            self.document_changed(uri)
        if self._process is not None:
            await self._process.close()

    async def _search(self, snapshot: Snapshot, language: Language, near: int | None, wait_s: float | None) -> Broken:
        known = self._known.get(snapshot.uri)
        if known is None or known.text != snapshot.text:
            self.document_changed(snapshot.uri)
            known = self._known[snapshot.uri] = _Searches(snapshot.text)
        if (search := known.by_place.get(near)) is None:
            sound = self._sound.get(snapshot.uri)
            search = asyncio.ensure_future(self._look(language.name, snapshot.text, near or 0, sound))
            known.by_place[near] = search
        await asyncio.wait({search}, timeout=wait_s)
        if not search.done() or search.cancelled():
            return NOTHING
        broken = search.result()
        if broken.sound:
            self._sound[snapshot.uri] = snapshot.text
        return broken


def _is_left_out(broken: Broken, snapshot: Snapshot, offset: int) -> bool:
    """Whether an offset stands in broken text whose line no repair speaks of: more was broken than was looked at."""
    line = snapshot.lines.line_at(offset)
    start, end = snapshot.lines.start(line), snapshot.lines.end(line)
    mended = any(
        (repair.start <= end and start <= repair.end) or any(start <= edit.start <= end for edit in repair.edits)
        for repair in broken.repairs
    )
    return not mended and any(problem.start <= end and start <= problem.end for problem in broken.problems)
