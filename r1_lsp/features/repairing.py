"""Repairs of the open documents: searched in a thread, and remembered for the text they are about.

A search takes up to some tenths of a second of processor time, so it is never done on the event loop; trees stay in the
thread that made them, so the thread parses for itself.
"""

import asyncio
from dataclasses import dataclass, field

from ast_tools import Language, Problem, Repair, parse, problems, repairs
from r1_lsp.snapshot import Snapshot

MOST_PLACES = 5
"""Broken places of one text that are looked at; a text with more of them is not one slip away from being right."""
BUDGET_S = 0.25
"""Processor time for one place. A search takes 8 to 115 ms in files of 150 to 500 lines."""
PARSE_BUDGET_S = 2.0


@dataclass(slots=True)
class Repairs:
    """The searches of one session, newest text of each document only. Event-loop thread."""

    _searches: dict[str, tuple[bytes, tuple[int, ...], asyncio.Task[tuple[Repair, ...]]]] = field(default_factory=dict)

    async def of(self, snapshot: Snapshot, *, near: int = 0, wait_s: float | None = None) -> tuple[Repair, ...]:
        """Repairs of a document's text, those of the problems nearest to `near`; empty when there are none.

        Empty too when they are not found within `wait_s` seconds; the search goes on for whoever asks next.
        """
        starts = _places(snapshot, near)
        if not starts or snapshot.language is None:
            return ()
        text, asked, search = self._searches.get(snapshot.uri, (b"", (), None))
        if search is None or asked != starts or text != snapshot.text:
            search = asyncio.create_task(asyncio.to_thread(repairs_at, snapshot.language, snapshot.text, starts))
            self._searches[snapshot.uri] = (snapshot.text, starts, search)
        await asyncio.wait({search}, timeout=wait_s)
        return search.result() if search.done() else ()

    def forget(self, uri: str) -> None:
        """A document is closed."""
        self._searches.pop(uri, None)


def repairs_at(language: Language, text: bytes, starts: tuple[int, ...]) -> tuple[Repair, ...]:
    """Repairs near each of some places, each repair once. Pure, but slow: for a thread."""
    tree = parse(language, text, PARSE_BUDGET_S)
    if tree is None:
        return ()
    found = (repair for start in starts for repair in repairs(tree, near=start, budget_s=BUDGET_S))
    return tuple(dict.fromkeys(found))


def _places(snapshot: Snapshot, near: int) -> tuple[int, ...]:
    """Where the problems nearest to an offset start, in the order of the text."""
    if snapshot.tree is None or snapshot.tree.n_errors == 0:
        return ()
    found = problems(snapshot.tree)
    return tuple(sorted(problem.start for problem in sorted(found, key=lambda p: _distance(p, near))[:MOST_PLACES]))


def _distance(problem: Problem, offset: int) -> int:
    return max(problem.start - offset, offset - problem.end, 0)
