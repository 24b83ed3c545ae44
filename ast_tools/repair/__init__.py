"""Repairs of broken syntax without a model: candidate edits, checked by the parser, ranked."""

from codecs import BOM_UTF8
from dataclasses import replace

from ast_tools.edits import Edit
from ast_tools.languages import Language
from ast_tools.repair.merging import all_repairs
from ast_tools.repair.repair import Repair
from ast_tools.tree import SyntaxTree, parse

__all__ = ["Repair", "repairs", "repairs_in"]


def repairs(
    tree: SyntaxTree, *, near: int | None = None, budget_s: float = 0.05, parser: bool = True
) -> tuple[Repair, ...]:
    """Repairs of a text, best first, at most three for one error; empty when it is clean or nothing fits.

    `near`: where the user last typed; what is broken there comes first. At most one for each error is sure.
    `budget_s` (seconds of this thread's processor time) bounds the search; when it is spent nothing more is sure.
    Without `parser` candidates are ranked by the text alone and not verified: for comparisons, never for people.
    """
    if not tree.text.startswith(BOM_UTF8):
        return tuple(all_repairs(tree, near, budget_s, parser=parser))
    # Only the parser knows what the mark is: to us it would be a part of the first word.
    skipped = len(BOM_UTF8)
    bare = parse(tree.language, tree.text[skipped:], budget_s)
    if bare is None:
        return ()
    near = max(near - skipped, 0) if near is not None else None
    return tuple(_moved(repair, skipped) for repair in all_repairs(bare, near, budget_s, parser=parser))


def _moved(repair: Repair, shift: int) -> Repair:
    edits = tuple(Edit(edit.start + shift, edit.end + shift, edit.new) for edit in repair.edits)
    return replace(repair, edits=edits, start=repair.start + shift, end=repair.end + shift)


def repairs_in(
    language: Language, text: bytes, *, near: int | None = None, budget_s: float = 0.25
) -> tuple[Repair, ...]:
    """The same for a text without a tree, for a thread of its own (trees stay in theirs); empty without one in time."""
    tree = parse(language, text, budget_s)
    return repairs(tree, near=near, budget_s=budget_s) if tree is not None else ()
