"""Repairs by brackets, strings and headers, and repairs by the tokens of a statement: which go first."""

import time
from collections import Counter
from collections.abc import Sequence

from ast_tools.misuses import misuses
from ast_tools.repair.repair import Repair
from ast_tools.repair.search import Found, search
from ast_tools.repair.statement_repairs import statement_repairs
from ast_tools.tree import SyntaxTree

LEAST_SHARE = 0.4
"""Of the time that statements get, whatever the search for brackets took."""
MOST = 3
"""Repairs of one line."""


def all_repairs(tree: SyntaxTree, near: int | None, budget_s: float, *, parser: bool) -> list[Repair]:
    """Repairs of both kinds, the likelier first, at most MOST that blame one line; see `ast_tools.repair.repairs`."""
    started = time.thread_time()
    found = [_repair(one) for one in search(tree, near, budget_s, parser=parser)]
    if not parser:
        return found
    if not (tree.has_error or _refused(tree)):
        return [*found, *_meant(tree)]
    deadline = max(started + budget_s, time.thread_time() + LEAST_SHARE * budget_s)
    return _merged(tree.text, found, statement_repairs(tree, near, deadline))


def _meant(tree: SyntaxTree) -> list[Repair]:
    """What may be meant where the grammar takes what its language does not; never sure: the parser cannot tell."""
    return [
        Repair(edits=(edit,), title=title, reason=misuse.message, start=misuse.start, end=misuse.end, sure=False)
        for misuse in misuses(tree)
        for title, edit in misuse.meant[:MOST]
    ]


def _refused(tree: SyntaxTree) -> bool:
    """Whether the language's own parser refuses a text that the grammar takes, and not for being newer than itself."""
    stopped = tree.language.locate(tree.text) if tree.language.locate is not None else None
    return stopped is not None and not stopped[2].startswith(tree.language.newer)


def _merged(text: bytes, found: Sequence[Repair], by_tokens: Sequence[Repair]) -> list[Repair]:
    """A sure repair keeps its place; braces are better placed by layout; else tokens go first."""
    sure = {line for one in found if one.sure for line in _lines(text, one)}
    others = [one for one in by_tokens if not sure & _lines(text, one)]
    braces_first = bool(found) and bool(others) and _only_braces(others[0])
    ordered = [*found, *others] if sure or braces_first else [*others, *found]
    return _few(text, ordered)


def _only_braces(repair: Repair) -> bool:
    return all(edit.new.strip() in (b"{", b"}", b"") for edit in repair.edits) and any(
        edit.new.strip() for edit in repair.edits
    )


def _lines(text: bytes, repair: Repair) -> set[int]:
    """The lines that a repair blames or changes."""
    places = [repair.start, *(edit.start for edit in repair.edits)]
    return {text.count(b"\n", 0, place) for place in places}


def _few(text: bytes, repairs: Sequence[Repair]) -> list[Repair]:
    """Each change of the text once, and not too many that blame one line."""
    kept: list[Repair] = []
    seen: set[tuple[tuple[int, bytes], ...]] = set()
    blamed: Counter[int] = Counter()
    for one in repairs:
        does = tuple((edit.start, edit.new.strip()) for edit in one.edits)
        line = text.count(b"\n", 0, one.start)
        if does not in seen and blamed[line] < MOST:
            seen.add(does)
            blamed[line] += 1
            kept.append(one)
    return kept


def _repair(found: Found) -> Repair:
    candidate = found.candidate
    return Repair(
        edits=(candidate.edit,),
        title=candidate.title,
        reason=candidate.reason,
        start=candidate.blames.start,
        end=candidate.blames.end,
        sure=found.sure,
    )
