"""What is broken in a text and how to repair it. Pure, but slow: never called on the event loop."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ast_tools import (
    Edit,
    Language,
    Problem,
    Repair,
    Verdict,
    mend,
    parse,
    parse_as_written,
    problems,
    repairs,
    said_of,
)

MOST_PLACES = 5
"""Broken places of one text that are looked at; a text with more of them is not one slip away from being right."""
BUDGET_S = 0.25
"""Processor time for one place. A search takes 5 to 115 ms in files of 150 to 500 lines."""
PARSE_BUDGET_S = 2.0
MEND_BUDGET_S = 2.0
"""Processor time for all sure repairs of a text."""
WHOLE = -1
"""Instead of an offset: all sure repairs of the text, found one after the other and made together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The errors of a text that are not only the grammar's, and the repairs of those that were looked at.

    `together` are the edits of all sure repairs, where the WHOLE text was asked about. `sound`: the text was looked at
    and nothing is wrong with it.
    """

    problems: tuple[Problem, ...] = ()
    repairs: tuple[Repair, ...] = ()
    together: tuple[Edit, ...] = ()
    sound: bool = False


NOTHING = Broken()


def broken_in(
    language: Language,
    text: bytes,
    near: int,
    unwanted: Callable[[], bool] = lambda: False,
    sound: bytes | None = None,
) -> Broken:
    """All problems of a text and the repairs of those nearest to an offset, each once.

    `unwanted` is asked between places; once it says yes, what was found so far is returned. `sound` is an earlier text
    of the document, in which nothing was wrong but what the grammar alone trips over: that is not reported here either.
    """
    if near == WHOLE:
        return _whole(language, text)
    tree = parse_as_written(language, text, PARSE_BUDGET_S)
    if tree is None:
        return NOTHING
    verdict = Verdict(tree, parse(tree.language, sound, PARSE_BUDGET_S) if sound is not None else None)
    found = verdict.of(problems(tree))
    if not found:
        return Broken(sound=True)
    if verdict.plain is not tree:
        tree = verdict.plain
        found = tuple(_worded(text, problem) for problem in verdict.of(problems(tree)))
    places = sorted(problem.start for problem in sorted(found, key=lambda p: _distance(p, near))[:MOST_PLACES])
    mended: dict[Repair, None] = {}
    for start in places:
        if unwanted():
            break
        here = repairs(tree, near=start, budget_s=BUDGET_S)
        mended |= dict.fromkeys(repair for repair in here if verdict.holds(repair.start))
    return Broken(problems=found, repairs=tuple(mended))


def _worded(text: bytes, problem: Problem) -> Problem:
    """A problem of a reading of a text in the words of the text."""
    return replace(problem, message=said_of(text, problem.start, problem.end, problem.message))


def _whole(language: Language, text: bytes) -> Broken:
    mended = mend(language, text, guess=False, budget_s=MEND_BUDGET_S, parse_budget_s=PARSE_BUDGET_S)
    if mended is None:
        return NOTHING
    sure = tuple(fault.choices[0] for fault in mended.faults if fault.sure)
    return Broken(repairs=sure, together=mended.sure)


def _distance(problem: Problem, offset: int) -> int:
    return max(problem.start - offset, offset - problem.end, 0)
