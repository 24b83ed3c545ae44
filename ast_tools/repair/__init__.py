"""Repairs of broken syntax without a model: candidate edits, checked by the parser, ranked."""

from codecs import BOM_UTF8
from dataclasses import dataclass

from ast_tools.edits import Edit
from ast_tools.languages import Language
from ast_tools.repair.search import Found, search
from ast_tools.tree import SyntaxTree, parse

__all__ = ["Repair", "repairs", "repairs_in"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One way to repair a text. `start`, `end`: what it blames; `sure`: may be preferred and applied unasked.

    `title` says what is done ("Insert `)`"), `reason` why, in one sentence.
    """

    edits: tuple[Edit, ...]
    title: str
    reason: str
    start: int
    end: int
    sure: bool


def repairs(
    tree: SyntaxTree, *, near: int | None = None, budget_s: float = 0.05, parser: bool = True
) -> tuple[Repair, ...]:
    """Repairs of a text, best first, at most three for one error; empty when it is clean or nothing fits.

    `near`: where the user last typed; what is broken there comes first. At most one for each error is sure.
    `budget_s` (seconds of this thread's processor time) bounds the search; when it is spent nothing more is sure.
    Without `parser` candidates are ranked by the text alone and not verified: for comparisons, never for people.
    """
    if not tree.text.startswith(BOM_UTF8):
        return tuple(_repair(found, 0) for found in search(tree, near, budget_s, parser=parser))
    # Only the parser knows what the mark is: to us it would be a part of the first word.
    skipped = len(BOM_UTF8)
    bare = parse(tree.language, tree.text[skipped:], budget_s)
    if bare is None:
        return ()
    near = max(near - skipped, 0) if near is not None else None
    return tuple(_repair(found, skipped) for found in search(bare, near, budget_s, parser=parser))


def _repair(found: Found, shift: int) -> Repair:
    candidate = found.candidate
    return Repair(
        edits=tuple(Edit(edit.start + shift, edit.end + shift, edit.new) for edit in candidate.edits),
        title=candidate.title,
        reason=candidate.reason,
        start=candidate.blames.start + shift,
        end=candidate.blames.end + shift,
        sure=found.sure,
    )


def repairs_in(
    language: Language, text: bytes, *, near: int | None = None, budget_s: float = 0.25
) -> tuple[Repair, ...]:
    """The same for a text without a tree, for a thread of its own (trees stay in theirs); empty without one in time."""
    tree = parse(language, text, budget_s)
    return repairs(tree, near=near, budget_s=budget_s) if tree is not None else ()
