"""What to leave out of a text by its tree: statements far from an offset, on every level of nesting."""

import tree_sitter

from ast_tools.completion.spot import line_start
from ast_tools.scopes import path_to
from ast_tools.tree import SyntaxTree

HEADER = 12
"""The most children of a body that can belong to its header (Go's `switch x := y.(type) {`)."""
_HEADER_ENDS = frozenset({"{", "(", "[", ":"})


def far_siblings(tree: SyntaxTree, offset: int, window: int) -> list[tuple[int, int]] | None:
    """Ranges to leave out; None where the tree is broken around the offset."""
    left_out: list[tuple[int, int]] = []
    last = _last_above(tree, offset)
    for depth, node in enumerate(path_to(tree, offset, offset)):
        if node.is_error:
            return None
        if _is_long_body(tree, node, depth, window):
            if any(child.is_error for child in _near(node, offset - 1, offset)):
                return None
            left_out += _sides(tree.text, node, offset, last, window)
    if last < offset:
        # The statement above may go on: its headers and its last lines stay.
        for depth, node in enumerate(path_to(tree, last, last + 1)):
            if node.end_byte <= offset and _is_long_body(tree, node, depth, window):
                left_out += _sides(tree.text, node, last, last, window)
    return left_out


def _is_long_body(tree: SyntaxTree, node: tree_sitter.Node, depth: int, window: int) -> bool:
    return (depth == 0 or node.type in tree.language.bodies) and node.end_byte - node.start_byte > 2 * window


def _last_above(tree: SyntaxTree, offset: int) -> int:
    """The last byte of code above the offset's line: a block may go on there, or a statement (`else`)."""
    end = line_start(tree.text, offset)
    comment = tree.language.line_comment.encode()
    while end > 0:
        start = line_start(tree.text, end - 1)
        line = tree.text[start:end].strip()
        if line and not line.startswith(comment):
            return start + len(tree.text[start:end].rstrip()) - 1
        end = start
    return offset


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


def _sides(text: bytes, node: tree_sitter.Node, offset: int, kept_to: int, window: int) -> list[tuple[int, int]]:
    """What to leave out among one node's children: those wholly further than `window` from the offset, before it and
    after it. The one that reaches to `kept_to` stays."""
    if not node.child_count:
        return []
    first, last = node.child(0), node.child(node.child_count - 1)
    kept = _near(node, offset - window, offset + window)
    if first is None or last is None or not kept:
        return []
    found = []
    low = kept[0]
    if low.start_byte < offset - window and low.end_byte <= min(offset - 1, kept_to) and len(kept) > 1:
        low = kept[1]
    header_end = _header_end(node, low.start_byte)
    first_start = header_end if header_end is not None else line_start(text, first.start_byte)
    if first_start < (start := line_start(text, min(low.start_byte, offset))):
        found.append((first_start, start))
    high = kept[-1]
    if high.start_byte > offset + window and high.is_named:
        # A comment may follow on the line on which the statement before it ends.
        start = max(line_start(text, high.start_byte), kept[-2].end_byte if len(kept) > 1 else offset)
        end = last.end_byte if last.is_named else last.start_byte
        found.append((start, max(start, end)))
    return found


def _header_end(node: tree_sitter.Node, before: int) -> int | None:
    """The end of what comes before the statements of a body: its bracket, in some languages also the header."""
    cursor, found = node.walk(), None
    going = cursor.goto_first_child()
    for _ in range(HEADER):
        child = cursor.node
        if not going or child is None or child.start_byte >= before:
            break
        if child.type in _HEADER_ENDS:
            found = child.end_byte
        going = cursor.goto_next_sibling()
    return found
