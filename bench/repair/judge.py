"""What an arm makes of a case, and whether that is right."""

import ast
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from ast_tools import LANGUAGES, Language, SyntaxTree, apply, parse
from bench.repair.arms import Arm, Suggestion
from bench.repair.cases import BUDGET_S, Case, takes

CHOICES = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an arm did in one case.

    `exact`: the wanted text, white space aside. `right`: that, or its tree (Python: `ast.dump`; else the types of all
    nodes and the texts of all leaves, comments aside). `shape`: the same with the texts of the leaves left out, as a
    printed tree has it. `line`: something is done on the right line. `three`: right among the first three. `seconds`
    of processor time for the first answer, `ratio` to one parse of the broken file; each the shorter of two.
    """

    exact: bool
    right: bool
    shape: bool
    parses: bool
    line: bool
    three: bool
    sure: bool
    seconds: float
    ratio: float
    offered: tuple[dict[str, Any], ...] = ()


def outcome(case: Case, arm: Arm) -> Outcome:
    """Lets the arm repair the case: as many rounds as it has errors, its first suggestion taken each time."""
    language = LANGUAGES[case.language]
    tree, parse_s = _timed_parse(language, case.broken)
    if tree is None:
        return _SILENT
    offered, seconds = _timed_answer(tree, arm)
    text, sure = _followed(case, tree, arm, offered)
    like = likeness(language, text, case.wanted) if offered else _NOTHING
    shown = tuple({**asdict(one), "edits": _shown(one)} for one in offered[:CHOICES])
    return Outcome(
        exact=like.exact,
        right=like.right,
        shape=like.shape,
        parses=like.parses,
        line=like.exact or (bool(offered) and _on_line(case, offered[0])),
        three=like.right or _among(case, tree, arm, offered),
        sure=sure,
        seconds=seconds,
        ratio=seconds / max(parse_s, 1e-6),
        offered=shown,
    )


_SILENT = Outcome(
    exact=False, right=False, shape=False, parses=False, line=False, three=False, sure=False, seconds=0.0, ratio=0.0
)


def _shown(suggestion: Suggestion) -> list[tuple[int, int, str]]:
    return [(edit.start, edit.end, edit.new.decode("utf-8", "replace")) for edit in suggestion.edits[:10]]


def _timed_parse(language: Language, text: bytes) -> tuple[SyntaxTree | None, float]:
    """The tree and the shorter time of two parses."""
    times = []
    for _ in range(2):
        started = time.thread_time()
        tree = parse(language, text, BUDGET_S)
        times.append(time.thread_time() - started)
    return tree, min(times)


def _timed_answer(tree: SyntaxTree, arm: Arm) -> tuple[list[Suggestion], float]:
    """What the arm says, and the shorter time of two answers, as for the parse it is compared with; the arms keep
    nothing of a text."""
    times = []
    for _ in range(2):
        started = time.thread_time()
        offered = arm(tree)
        times.append(time.thread_time() - started)
    return offered, min(times)


def _followed(case: Case, tree: SyntaxTree, arm: Arm, offered: list[Suggestion]) -> tuple[bytes, bool]:
    """The text after the first suggestion of each round, and whether all of them were sure."""
    text, sure = case.broken, bool(offered)
    for _ in range(case.rounds):
        if not offered:
            break
        sure = sure and offered[0].sure
        text = apply(text, offered[0].edits)
        after = parse(tree.language, text, BUDGET_S)
        if after is None:
            break
        offered = arm(after) if case.rounds > 1 else []
    return text, sure


def _among(case: Case, tree: SyntaxTree, arm: Arm, offered: list[Suggestion]) -> bool:
    """Whether somebody who picks the right one of three, round after round, gets there."""
    text, steps = case.broken, {squeezed(step) for step in case.steps}
    for _ in range(case.rounds):
        results = [apply(text, one.edits) for one in offered[:CHOICES]]
        for result in results:
            if likeness(tree.language, result, case.wanted).right:
                return True
        text = next((result for result in results if squeezed(result) in steps), b"")
        after = parse(tree.language, text, BUDGET_S) if text else None
        if after is None:
            return False
        offered = arm(after)
    return False


def squeezed(text: bytes) -> bytes:
    """The text without white space."""
    return b"".join(text.split())


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like a text is to the wanted one: see Outcome."""

    exact: bool
    right: bool
    shape: bool
    parses: bool


_NOTHING = Likeness(exact=False, right=False, shape=False, parses=False)


def likeness(language: Language, text: bytes, wanted: bytes) -> Likeness:
    """Compares two texts; `wanted` parses."""
    if squeezed(text) == squeezed(wanted):
        return Likeness(exact=True, right=True, shape=True, parses=takes(language, text))
    if not takes(language, text):
        return _NOTHING
    print_tree = _PRINTERS.get(language.name, _printed)
    one, other = print_tree(language, text), _wanted_tree(language.name, wanted)
    right = one is not None and one == other
    shape = right
    if not right and print_tree is _printed and one is not None and other is not None:
        shape = [node[:2] for node in one] == [node[:2] for node in other]
    return Likeness(exact=False, right=right, shape=shape, parses=True)


@lru_cache(maxsize=4)
def _wanted_tree(name: str, wanted: bytes) -> Any:
    """The same text is compared with for every arm and every choice."""
    return _PRINTERS.get(name, _printed)(LANGUAGES[name], wanted)


def _dumped(_language: Language, text: bytes) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _printed(language: Language, text: bytes) -> list[tuple[int, str, bytes]] | None:
    """(depth, type, text of a leaf) of all nodes but comments, in the order of the text."""
    tree = parse(language, text, BUDGET_S)
    if tree is None:
        return None
    found: list[tuple[int, str, bytes]] = []
    cursor, depth = tree.root.walk(), 0
    while True:
        node = cursor.node
        skipped = node is None or node.type in tree.language.comments
        if node is not None and not skipped:
            leaf = node.child_count == 0
            found.append((depth, node.type, tree.text[node.start_byte : node.end_byte].strip() if leaf else b""))
        if not skipped and cursor.goto_first_child():
            depth += 1
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return found
            depth -= 1


_PRINTERS: dict[str, Callable[[Language, bytes], Any]] = {"python": _dumped}
"""Languages whose own parser prints a tree; the grammar's is printed for the others."""


def _on_line(case: Case, first: Suggestion) -> bool:
    """Whether the first edit is on the line of a planted error, or next to it where that line is gone."""
    done = {case.broken.count(b"\n", 0, edit.start) for edit in first.edits}
    shift = 0
    for edit in sorted(case.planted, key=lambda edit: edit.start):
        line = case.broken.count(b"\n", 0, edit.start + shift)
        gone = b"\n" in case.clean[edit.start : edit.end]
        if done & ({line - 1, line} if gone else {line}):
            return True
        shift += len(edit.new) - (edit.end - edit.start)
    return False
