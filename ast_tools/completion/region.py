"""The part of a text that a small change must be judged in: enough to parse alone, small enough for every token.

The surroundings of an offset, with far siblings left out: whole statements above and below, on every level
of nesting. What is left parses as the whole text does, and both sides of a comparison lose the same.
"""

from dataclasses import dataclass

from ast_tools.completion.outline import far_lines
from ast_tools.completion.siblings import far_siblings
from ast_tools.edits import Edit
from ast_tools.languages import Language
from ast_tools.tree import SyntaxTree, parse, reparse

WINDOW = 400
"""Bytes of siblings kept on each side and level; every kilobyte costs about 2 ms of a completion."""
LIMIT = 32_000
"""Bytes; a larger region (one huge statement) is cut by indentation instead."""
REGION_BUDGET_S = 0.03
JUDGE_BUDGET_S = 0.02


@dataclass(frozen=True, eq=False)
class Region:
    """The text before and after the offset, far siblings left out, and the tree of both joined (None: no syntax)."""

    before: bytes
    after: bytes
    tree: SyntaxTree | None

    def with_text(self, new: bytes) -> SyntaxTree | None:
        """The tree with `new` inserted; None without syntax or when the budget is spent."""
        if self.tree is None:
            return None
        at = len(self.before)
        return reparse(self.tree, (Edit(at, at, new),), JUDGE_BUDGET_S)

    def without_after(self, length: int) -> "Region":
        """The region without the first `length` bytes after the offset."""
        at = len(self.before)
        tree = reparse(self.tree, (Edit(at, at + length, b""),), JUDGE_BUDGET_S) if self.tree is not None else None
        return Region(self.before, self.after[length:], tree)


def region(
    tree: SyntaxTree | None, language: Language | None, text: bytes, offset: int, *, in_code: bool = True
) -> Region:
    """The region around an offset. Without a language both sides are near text only and nothing is parsed.

    `in_code`: the offset stands in no string or comment.
    """
    left_out = far_siblings(tree, offset, WINDOW) if tree is not None and tree.text == text else None
    if left_out is None or len(text) - sum(end - start for start, end in left_out) > LIMIT:
        left_out = far_lines(language, text, offset, WINDOW, in_code=in_code)
    before, after = _without(text, left_out, 0, offset), _without(text, left_out, offset, len(text))
    joined = parse(language, before + after, REGION_BUDGET_S) if language is not None else None
    return Region(before, after, joined)


def _without(text: bytes, left_out: list[tuple[int, int]], start: int, end: int) -> bytes:
    pieces = []
    for a, b in sorted(left_out):
        if a >= end or b <= start:
            continue
        pieces.append(text[start : max(start, a)])
        start = b
    return b"".join([*pieces, text[start:end]])
