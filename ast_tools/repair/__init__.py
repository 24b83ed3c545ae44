"""Repairs of broken syntax without a model: candidate edits, checked by the parser, ranked."""

from dataclasses import dataclass

from ast_tools.edits import Edit
from ast_tools.tree import SyntaxTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One way to repair a text. `start`, `end`: what it blames; `sure`: may be preferred and applied unasked."""

    edits: tuple[Edit, ...]
    title: str
    reason: str
    start: int
    end: int
    sure: bool


def repairs(tree: SyntaxTree, *, near: int | None = None, budget_s: float = 0.05) -> tuple[Repair, ...]:
    """Repairs of a text, best first, at most three for one error; empty when it is clean or nothing fits.

    `near`: where the user last typed. At most one is sure.
    """
    raise NotImplementedError
