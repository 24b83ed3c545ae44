"""Which parts of a broken text are looked at: all of a short one, else the top-level nodes around each error."""

from bisect import bisect_left, bisect_right

import tree_sitter

from ast_tools.tree import SyntaxTree

WHOLE = 24_000
"""Bytes; a text of so many is read whole."""
LIMIT = 60_000
"""Bytes of one part; in longer ones nothing is tried."""
BESIDE = 2
"""Top-level nodes before and behind an error that belong to its part."""
MAX_SPANS = 4


def spans(tree: SyntaxTree, near: int | None) -> list[tuple[int, int]]:
    """Parts of a text that hold its errors, the one nearest to `near` first; they do not overlap."""
    if len(tree.text) <= WHOLE:
        return [(0, len(tree.text))]
    starts = _starts(tree.root)
    found: list[tuple[int, int]] = []
    for error in tree.errors:
        if found and error.start_byte < found[-1][1]:
            continue
        low = max(bisect_right(starts, error.start_byte) - 1, 0)
        start = starts[low - BESIDE] if low > BESIDE else 0
        behind = max(bisect_left(starts, error.end_byte), low + 1) + BESIDE
        end = starts[behind] if behind < len(starts) else len(tree.text)
        start = max(start, found[-1][1]) if found else start
        if end - start <= LIMIT:
            found.append((start, end))
        if len(found) == MAX_SPANS:
            break
    if near is not None:
        found.sort(key=lambda span: max(span[0] - near, near - span[1], 0))
    return found


def _starts(root: tree_sitter.Node) -> list[int]:
    """Where top-level nodes begin, each at the start of its line."""
    found: list[int] = []
    cursor = root.walk()
    if not cursor.goto_first_child():
        return [0]
    while True:
        node = cursor.node
        if node is not None and node.start_point.column == 0:
            found.append(node.start_byte)
        if not cursor.goto_next_sibling():
            return found or [0]
