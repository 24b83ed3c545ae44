"""Repairs by brackets, strings and headers, and repairs by the tokens of a statement: which go first."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ast_tools.edits import Edit, composed, origin
from ast_tools.misuses import misuses
from ast_tools.repair.comments import uncommented
from ast_tools.repair.found import Found
from ast_tools.repair.repair import Repair
from ast_tools.repair.search import search
from ast_tools.repair.statement_repairs import Scored, statement_repairs
from ast_tools.repair.tables import Table
from ast_tools.repair.verify import Verdict, Verifier
from ast_tools.tree import SyntaxTree

LEAST_SHARE = 0.4
"""Of the time that statements get, whatever the search for brackets took."""
SHORT = 1_000
"""Bytes."""
LEAST = 0.0
"""Score of a repair by tokens that is made together with sure ones."""
LIKELY = 2.0
"""Score of a repair by tokens that goes before those of brackets."""
MANY = 4
"""Sure repairs that are made before anything else is looked for."""
MOST = 3
"""Repairs of one line."""


def all_repairs(
    tree: SyntaxTree, near: int | None, budget_s: float, *, parser: bool, learnt: Table | None = None
) -> list[Repair]:
    """Repairs of both kinds, the likelier first, at most MOST that blame one line; see `ast_tools.repair.repairs`.

    `learnt` takes the place of the language's table, to measure on what that was learnt from.
    """
    started = time.thread_time()
    verifier = Verifier(tree, started + budget_s)
    found = [_repair(one) for one in search(verifier, near, parser=parser)]
    if not parser:
        return found
    if not (tree.has_error or _refused(tree)):
        return [*found, *_meant(tree)]
    restored = uncommented(tree, started + budget_s)
    if restored:
        return _few(tree.text, [*restored, *(replace(one, sure=False) for one in found)])
    sure = [one for one in found if one.sure and not _is_quote(tree.text, one)]
    # In a long text statements are only read where brackets do not settle it: that costs more than it brings.
    chosen = sure or (found[:1] if len(tree.text) > SHORT else [])
    done, after = _after(verifier, chosen)
    if after.clean and not any(_is_quote(tree.text, one) for one in found):
        return found
    if len(sure) >= MANY:
        return found
    deadline = max(started + budget_s, time.thread_time() + LEAST_SHARE * budget_s)
    if sure and after.tree is not None:
        more = statement_repairs(after.tree, None, deadline, learnt)
        return _few(tree.text, _besides(verifier, found, sure, done, more))
    ordered = _merged(verifier, found, statement_repairs(tree, near, deadline, learnt), deadline)
    one_error = len({tree.text.count(b"\n", 0, one.start) for one in found}) == 1
    if one_error and time.thread_time() < deadline and not _settles(verifier, ordered[0]):
        ordered = _few(tree.text, [*_with_more(verifier, found[0], deadline, learnt), *ordered])
    # One error, so that all others are other ways to repair the same.
    alone = bool(ordered) and _in_one_line(tree.text, ordered[0]) and _settles(verifier, ordered[0])
    return ordered[:MOST] if alone else ordered


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


def _after(verifier: Verifier, chosen: Sequence[Repair]) -> tuple[tuple[Edit, ...], Verdict]:
    """The edits of some repairs in their order, and the text after them; neither for none, or where they touch."""
    edits = sorted((edit for one in chosen for edit in one.edits), key=lambda edit: (edit.start, edit.end))
    if not edits or any(one.end > other.start for one, other in pairwise(edits)):
        return (), Verdict(clean=False)
    return tuple(edits), verifier.after(edits)


def _settles(verifier: Verifier, one: Repair) -> bool:
    """Whether nothing is broken after a repair."""
    return _after(verifier, [one])[1].clean


def _besides(
    verifier: Verifier, found: Sequence[Repair], sure: Sequence[Repair], done: tuple[Edit, ...], more: Sequence[Scored]
) -> list[Repair]:
    """Repairs of what is left after the sure ones, whose edits are `done`; all together first, if that is all."""
    tree = verifier.tree
    others = [moved for one in more if (moved := _moved_back(tree.text, one.repair, done)) is not None]
    found = [_doubted(tree.text, one, others) for one in found]
    if not more:
        return found
    together = _joined(sure, done, more[0])
    if more[0].score >= LEAST and _settles(verifier, together):
        return [together, *found, *others]
    return [*found, *others]


def _with_more(verifier: Verifier, first: Repair, deadline: float, learnt: Table | None) -> list[Repair]:
    """A repair with what mends all that is left after it; nothing where that is not found."""
    done, after = _after(verifier, [first])
    more = statement_repairs(after.tree, None, deadline, learnt) if after.tree is not None else []
    if not more:
        return []
    together = replace(_joined([first], done, more[0]), joint=True)
    return [together] if more[0].score >= LEAST and _settles(verifier, together) else []


def _joined(firsts: Sequence[Repair], done: tuple[Edit, ...], more: Scored) -> Repair:
    """Some repairs, whose edits are `done`, and one of the text after them."""
    edits = composed(done, more.repair.edits)
    return Repair(
        edits=edits,
        title=f"Repair {len(edits)} places",
        reason=" ".join(dict.fromkeys([*(one.reason for one in firsts), more.repair.reason])),
        start=firsts[0].start,
        end=firsts[0].end,
        sure=False,
    )


def _moved_back(text: bytes, one: Repair, done: tuple[Edit, ...]) -> Repair | None:
    """A repair of the text after some edits as one of the text before; None where it touches them."""
    edits = tuple(Edit(origin(done, edit.start), origin(done, edit.end), edit.new) for edit in one.edits)
    if any(edit.start <= other.end and other.start <= edit.end for edit in edits for other in done):
        return None
    start = min(origin(done, one.start), len(text) - 1)
    return replace(one, edits=edits, start=start, end=max(origin(done, one.end), start + 1))


def _merged(verifier: Verifier, found: Sequence[Repair], by_tokens: Sequence[Scored], deadline: float) -> list[Repair]:
    """A sure repair keeps its place; else tokens go first where much speaks for them, or only they mend all."""
    text = verifier.tree.text
    found = [_doubted(text, one, [other.repair for other in by_tokens]) for one in found]
    sure = {line for one in found if one.sure for line in _lines(text, one)}
    others = [one for one in by_tokens if not sure & _lines(text, one.repair)]
    same = {_does(text, one): one for one in found}  # They say more of brackets.
    repairs = [same.get(_does(text, one.repair), one.repair) for one in others]
    likely = bool(others) and others[0].score >= LIKELY and not _moves_brackets(text, repairs[0])
    in_time = time.thread_time() < deadline
    tokens_first = not sure and bool(others) and (likely or (in_time and _mends_more(verifier, repairs[0], found)))
    return _few(text, [*repairs[:1], *found, *repairs[1:]] if tokens_first else [*found, *repairs])


def _mends_more(verifier: Verifier, one: Repair, found: Sequence[Repair]) -> bool:
    """Whether nothing is broken after a repair of one line, and something is after the first of some others."""
    if not found or not _in_one_line(verifier.tree.text, one):
        return False
    return not _settles(verifier, found[0]) and _settles(verifier, one)


def _doubted(text: bytes, one: Repair, others: Sequence[Repair]) -> Repair:
    """A quote is only sure where the tokens of its line are sure of it too, if they ask for anything."""
    beside = [other for other in others if _lines(text, one) & _lines(text, other)]
    if not one.sure or not beside or not _is_quote(text, one):
        return one
    agreed = any(other.sure and _does(text, other) == _does(text, one) for other in beside)
    return one if agreed else replace(one, sure=False)


def _does(text: bytes, repair: Repair) -> tuple[tuple[int, bytes, bytes], ...]:
    """What a repair does, white space aside: (where, what goes, what comes) of each edit."""
    return tuple(_trimmed(edit.start, text[edit.start : edit.end], edit.new) for edit in _touching_joined(repair.edits))


def _touching_joined(edits: Sequence[Edit]) -> list[Edit]:
    """Edits in their order, those that touch as one."""
    joined: list[Edit] = []
    for edit in edits:
        before = joined.pop() if joined and joined[-1].end == edit.start else Edit(edit.start, edit.start, b"")
        joined.append(Edit(before.start, edit.end, before.new + edit.new))
    return joined


def _trimmed(start: int, old: bytes, new: bytes) -> tuple[int, bytes, bytes]:
    """An edit without what stays the same at its ends."""
    head = _alike(old, new)
    old, new = old[head:], new[head:]
    tail = _alike(old[::-1], new[::-1])
    return start + head, old[: len(old) - tail].strip(), new[: len(new) - tail].strip()


def _alike(one: bytes, other: bytes) -> int:
    """How many bytes are the same at the beginning."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _is_quote(text: bytes, repair: Repair) -> bool:
    """Whether a repair brings or takes quotes."""
    changed = b"".join(text[edit.start : edit.end] + edit.new for edit in repair.edits)
    return any(mark in changed for mark in (b'"', b"'", b"`"))


def _moves_brackets(text: bytes, repair: Repair) -> bool:
    """Whether a repair of several lines brings brackets alone: those are better placed by layout."""
    brought = b"".join(edit.new for edit in repair.edits).split()
    return not _in_one_line(text, repair) and bool(brought) and not b"".join(brought).strip(b"()[]{}")


def _in_one_line(text: bytes, repair: Repair) -> bool:
    return len({text.count(b"\n", 0, edit.start) for edit in repair.edits}) == 1


def _lines(text: bytes, repair: Repair) -> set[int]:
    """The lines that a repair blames or changes."""
    places = [repair.start, *(edit.start for edit in repair.edits)]
    return {text.count(b"\n", 0, place) for place in places}


def _few(text: bytes, repairs: Sequence[Repair]) -> list[Repair]:
    """Each change of the text once, and not too many that blame one line."""
    kept: list[Repair] = []
    seen: set[tuple[tuple[int, bytes, bytes], ...]] = set()
    blamed: Counter[int] = Counter()
    for one in repairs:
        does = _does(text, one)
        line = text.count(b"\n", 0, one.start)
        if does not in seen and blamed[line] < MOST:
            seen.add(does)
            blamed[line] += 1
            kept.append(one)
    return kept


def _repair(found: Found) -> Repair:
    candidate = found.candidate
    return Repair(
        edits=candidate.edits,
        title=candidate.title,
        reason=candidate.reason,
        start=candidate.blames.start,
        end=candidate.blames.end,
        sure=found.sure,
    )
