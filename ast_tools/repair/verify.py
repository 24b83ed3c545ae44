"""What the parser says of a text after edits: each set of edits is asked about once."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from ast_tools.edits import Edit, apply
from ast_tools.tree import SyntaxTree, parse, reparse

PARSE_BUDGET_S = 0.1
"""Least time for one parse, in seconds: a text is not judged by half of it."""


@dataclass(frozen=True)
class Verdict:
    """`clean`: nothing is wrong any more. `tree`: the text after the edits; None where it was not parsed."""

    clean: bool
    tree: SyntaxTree | None = None

    @cached_property
    def errors(self) -> tuple[tuple[int, int], ...]:
        """Where the grammar still sees errors, in the text after the edits."""
        return tuple(node.byte_range for node in self.tree.errors) if self.tree is not None else ()

    @property
    def badness(self) -> tuple[bool, int, bool]:
        """Sorts verdicts, the best first."""
        return self.tree is None, len(self.errors), not self.clean


class Verifier:
    """Judges edits of one broken text. Mutable: remembers what it was asked. `deadline`: in processor time of the
    thread; nothing is parsed after it."""

    def __init__(self, tree: SyntaxTree, deadline: float) -> None:
        self.tree, self.deadline = tree, deadline
        self._known: dict[tuple[Edit, ...], Verdict] = {}

    @property
    def late(self) -> bool:
        """Whether the time is spent."""
        return time.thread_time() > self.deadline

    def after(self, edits: Iterable[Edit]) -> Verdict:
        """The whole text after edits, which may come in any order."""
        key = tuple(sorted(edits, key=lambda edit: (edit.start, edit.end)))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._judged(key)
        return found

    def _judged(self, edits: tuple[Edit, ...]) -> Verdict:
        if any(one.end > other.start for one, other in pairwise(edits)):
            return Verdict(clean=False)
        after = reparse(self.tree, edits, max(PARSE_BUDGET_S, self.deadline - time.thread_time()))
        if after is None or after.root.has_error:
            return Verdict(clean=False, tree=after)
        accepts = self.tree.language.accepts
        return Verdict(clean=accepts is None or accepts(after.text), tree=after)

    def better(self, verdict: Verdict, start: int, end: int) -> bool:
        """Whether less is wrong than before, and nothing in [start, end) of the text after the edits."""
        inside = any(error[0] < end and start < error[1] for error in verdict.errors)
        return verdict.tree is not None and not inside and len(verdict.errors) < self.tree.n_errors


def parses_alone(tree: SyntaxTree, start: int, end: int, edits: Iterable[Edit]) -> bool:
    """Whether a part of the text is clean by itself after edits in it."""
    moved = [Edit(edit.start - start, edit.end - start, edit.new) for edit in edits]
    try:
        text = apply(tree.text[start:end], moved)
    except ValueError:
        return False
    after = parse(tree.language, text, PARSE_BUDGET_S)
    if after is None or after.root.has_error:
        return False
    return tree.language.accepts is None or tree.language.accepts(text)
