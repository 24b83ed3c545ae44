"""What is broken in a text and how to repair it. Pure, but slow: never called on the event loop."""

from collections.abc import Callable
from dataclasses import dataclass

from ast_tools import Edit, Language, Problem, Repair, mend, parse, problems, repairs

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
    """The grammar's errors in a text, and the repairs of those that were looked at.

    `together` are the edits of all sure repairs, where the WHOLE text was asked about.
    """

    problems: tuple[Problem, ...] = ()
    repairs: tuple[Repair, ...] = ()
    together: tuple[Edit, ...] = ()


NOTHING = Broken()


def broken_in(language: Language, text: bytes, near: int, unwanted: Callable[[], bool] = lambda: False) -> Broken:
    """All problems of a text and the repairs of those nearest to an offset, each once.

    `unwanted` is asked between places; once it says yes, what was found so far is returned.
    """
    if near == WHOLE:
        return _whole(language, text)
    tree = parse(language, text, PARSE_BUDGET_S)
    if tree is None:
        return NOTHING
    found = problems(tree)
    places = sorted(problem.start for problem in sorted(found, key=lambda p: _distance(p, near))[:MOST_PLACES])
    mended: dict[Repair, None] = {}
    for start in places:
        if unwanted():
            break
        mended |= dict.fromkeys(repairs(tree, near=start, budget_s=BUDGET_S))
    return Broken(problems=found, repairs=tuple(mended))


def _whole(language: Language, text: bytes) -> Broken:
    mended = mend(language, text, guess=False, budget_s=MEND_BUDGET_S, parse_budget_s=PARSE_BUDGET_S)
    if mended is None:
        return NOTHING
    sure = tuple(fault.choices[0] for fault in mended.faults if fault.sure)
    return Broken(repairs=sure, together=mended.sure)


def _distance(problem: Problem, offset: int) -> int:
    return max(problem.start - offset, offset - problem.end, 0)
