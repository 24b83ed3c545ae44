"""What is broken in the open documents and how to repair it: searched in a thread, remembered for the text it is about.

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
"""Processor time for one place, taken from typing. A search takes 5 to 115 ms in files of 150 to 500 lines."""
PARSE_BUDGET_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The grammar's errors in a text, and the repairs of those that were looked at."""

    problems: tuple[Problem, ...] = ()
    repairs: tuple[Repair, ...] = ()


NOTHING = Broken()


@dataclass(slots=True)
class _Searches:
    """Searches in one text: the one from its start under None, others under the offset they began at."""

    text: bytes
    by_place: dict[int | None, asyncio.Task[Broken]] = field(default_factory=dict)


@dataclass(slots=True)
class Repairs:
    """The searches of one session, newest text of each document only. Event-loop thread."""

    _known: dict[str, _Searches] = field(default_factory=dict)

    async def of(self, snapshot: Snapshot, *, near: int | None = None, wait_s: float | None = None) -> Broken:
        """What is broken in a document; in a text with many errors, repairs of those on the line of `near`.

        Nothing when it is not found within `wait_s` seconds; the search goes on for whoever asks next.
        """
        if snapshot.language is None or snapshot.tree is None or not snapshot.tree.has_error:
            return NOTHING
        first = await self._search(snapshot, snapshot.language, None, wait_s)
        if near is None or not _is_left_out(first, snapshot, near):
            return first
        line = snapshot.lines.start(snapshot.lines.line_at(near))
        return await self._search(snapshot, snapshot.language, line, wait_s)

    def forget(self, uri: str) -> None:
        """A document is closed."""
        self._known.pop(uri, None)

    async def _search(self, snapshot: Snapshot, language: Language, near: int | None, wait_s: float | None) -> Broken:
        known = self._known.get(snapshot.uri)
        if known is None or known.text != snapshot.text:
            known = self._known[snapshot.uri] = _Searches(snapshot.text)
        if (search := known.by_place.get(near)) is None:
            search = asyncio.create_task(asyncio.to_thread(broken_in, language, snapshot.text, near or 0))
            known.by_place[near] = search
        await asyncio.wait({search}, timeout=wait_s)
        return search.result() if search.done() else NOTHING


def broken_in(language: Language, text: bytes, near: int) -> Broken:
    """All problems of a text and the repairs of those nearest to an offset, each once. Pure, but slow: for a thread."""
    tree = parse(language, text, PARSE_BUDGET_S)
    if tree is None:
        return NOTHING
    found = problems(tree)
    places = sorted(problem.start for problem in sorted(found, key=lambda p: _distance(p, near))[:MOST_PLACES])
    mended = (repair for start in places for repair in repairs(tree, near=start, budget_s=BUDGET_S))
    return Broken(problems=found, repairs=tuple(dict.fromkeys(mended)))


def _is_left_out(broken: Broken, snapshot: Snapshot, offset: int) -> bool:
    """Whether an offset stands in broken text whose line no repair speaks of: more was broken than was looked at."""
    line = snapshot.lines.line_at(offset)
    start, end = snapshot.lines.start(line), snapshot.lines.end(line)
    mended = any(
        (repair.start <= end and start <= repair.end) or any(start <= edit.start <= end for edit in repair.edits)
        for repair in broken.repairs
    )
    return not mended and any(problem.start <= end and start <= problem.end for problem in broken.problems)


def _distance(problem: Problem, offset: int) -> int:
    return max(problem.start - offset, offset - problem.end, 0)
