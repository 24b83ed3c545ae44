"""The part of a text that a small change must be judged in: enough to parse alone, small enough for every token.

The surroundings of an offset, with far siblings left out: whole statements above and below, on every level
of nesting. What is left parses as the whole text does, and both sides of a comparison lose the same.
"""

from dataclasses import dataclass

import tree_sitter

from ast_tools.edits import Edit
from ast_tools.languages import Language
from ast_tools.scopes import path_to
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


def region(tree: SyntaxTree | None, language: Language | None, text: bytes, offset: int) -> Region:
    """The region around an offset. Without a language both sides are near text only and nothing is parsed."""
    left_out = _far_siblings(tree, offset) if tree is not None and tree.text == text else None
    if left_out is None or len(text) - sum(end - start for start, end in left_out) > LIMIT:
        left_out = _far_lines(text, offset)
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


def _far_siblings(tree: SyntaxTree, offset: int) -> list[tuple[int, int]] | None:
    """Ranges to leave out; None where the tree is broken around the offset."""
    left_out: list[tuple[int, int]] = []
    for depth, node in enumerate(path_to(tree, offset, offset)):
        if node.is_error:
            return None
        if (depth == 0 or node.type in tree.language.bodies) and node.end_byte - node.start_byte > 2 * WINDOW:
            if any(child.is_error for child in _near(node, offset - 1, offset)):
                return None
            left_out += _sides(tree.text, node, offset)
    return left_out


def _near(node: tree_sitter.Node, start: int, end: int) -> list[tree_sitter.Node]:
    """The children from the one at `start` on to the last that begins at or before `end`, and one more.

    With a cursor: `Node.first_child_for_byte` answers a node that is none behind the end of an error, and crashes.
    """
    found: list[tree_sitter.Node] = []
    cursor = node.walk()
    if cursor.goto_first_child_for_byte(max(node.start_byte, start)) is None:
        return found
    while (child := cursor.node) is not None:
        found.append(child)
        if child.start_byte > end or not cursor.goto_next_sibling():
            break
    return found


def _sides(text: bytes, node: tree_sitter.Node, offset: int) -> list[tuple[int, int]]:
    """What to leave out among one node's children: those wholly further than WINDOW from the offset."""
    if not node.child_count:
        return []
    first, last = node.child(0), node.child(node.child_count - 1)
    kept = _near(node, offset - WINDOW, offset + WINDOW)
    if first is None or last is None or not kept:
        return []
    found = []
    low = kept[0]
    if low.start_byte < offset - WINDOW and low.end_byte < offset and len(kept) > 1:
        low = kept[1]
    first_start = first.start_byte if first.is_named else first.end_byte
    if first_start < (start := _line_start(text, min(low.start_byte, offset))):
        found.append((_line_start(text, first_start) if first.is_named else first_start, start))
    high = kept[-1]
    if high.start_byte > offset + WINDOW and high.is_named and (start := _line_start(text, high.start_byte)) > offset:
        end = last.end_byte if last.is_named else last.start_byte
        found.append((start, max(start, end)))
    return found


def _line_start(text: bytes, offset: int) -> int:
    return text.rfind(b"\n", 0, offset) + 1


def _far_lines(text: bytes, offset: int) -> list[tuple[int, int]]:
    """By indentation alone: from a line at the left margin to a line at the left margin."""
    low = _margin_before(text, offset)
    high = _margin_after(text, offset)
    return [span for span in ((0, low), (high, len(text))) if span[0] < span[1]]


def _margin_before(text: bytes, offset: int) -> int:
    at, best = _line_start(text, offset), 0
    floor = max(0, offset - LIMIT // 4)
    best = _line_start(text, floor) if floor else 0
    while at > floor:
        if _at_margin(text, at):
            best = at
            if at <= offset - WINDOW:
                break
        at = _line_start(text, at - 1)
    return best if floor or best > WINDOW else 0


def _margin_after(text: bytes, offset: int) -> int:
    ceiling = min(len(text), offset + LIMIT // 4)
    at = text.find(b"\n", min(offset + WINDOW, ceiling))
    while 0 <= at < ceiling:
        if _at_margin(text, at + 1):
            return at + 1
        at = text.find(b"\n", at + 1)
    end = text.find(b"\n", ceiling)
    return len(text) if ceiling == len(text) or end < 0 else end + 1


def _at_margin(text: bytes, line_start: int) -> bool:
    return text[line_start : line_start + 1] not in (b"", b" ", b"\t", b"\r", b"\n", b")", b"]", b"}")
