"""What is broken, and whether an edit breaks more."""

from dataclasses import dataclass

import tree_sitter

from ast_tools.edits import Edit
from ast_tools.tree import PARSE_BUDGET_S, SyntaxTree, reparse

MAX_PROBLEMS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A syntax error as we report it: the bytes [start, end), a sentence and "missing" or "unexpected"."""

    start: int
    end: int
    message: str
    kind: str


def problems(tree: SyntaxTree) -> tuple[Problem, ...]:
    """The grammar's errors, at most MAX_PROBLEMS of them, outermost only, in the order of the text."""
    found: list[Problem] = []
    reached = -1
    for node in tree.errors:
        if node.is_missing:
            start, end = _before_gap(tree.text, node.start_byte)
            what = f"`{node.type}`" if not node.is_named else node.type.replace("_", " ")
            found.append(Problem(start=start, end=end, message=f"{what} is missing here.", kind="missing"))
        elif node.start_byte >= reached:
            reached = node.end_byte
            found.append(_unexpected(tree, node))
        if len(found) == MAX_PROBLEMS:
            break
    return tuple(found)


def _before_gap(text: bytes, offset: int) -> tuple[int, int]:
    """The last visible byte before an offset: a missing thing is best shown after what is there."""
    end = len(text[:offset].rstrip())
    return (end - 1, end) if end else (0, min(1, len(text)))


def _unexpected(tree: SyntaxTree, node: tree_sitter.Node) -> Problem:
    """Shows the first line of an error only: the node can swallow half a file."""
    text, start = tree.text, node.start_byte
    lead = len(text[start : node.end_byte]) - len(text[start : node.end_byte].lstrip())
    start += lead if lead < node.end_byte - start else 0
    line_end = text.find(b"\n", start, node.end_byte)
    end = node.end_byte if line_end < 0 else line_end
    shown = text[start : min(end, start + 30)].decode("utf-8", "replace").strip()
    return Problem(start=start, end=max(end, start), message=f"Unexpected syntax near `{shown}`.", kind="unexpected")


def adds_errors(before: SyntaxTree, after_text: bytes, edit: Edit, budget_s: float = PARSE_BUDGET_S) -> bool | None:
    """Whether `edit` (which leads from `before.text` to `after_text`) brings errors the text did not have.

    Judged by the difference, because a file may be broken elsewhere. None when the budget (seconds) is spent.
    """
    after = reparse(before, (edit,), budget_s)
    if after is None or after.text != after_text:
        return None
    return after.n_errors > before.n_errors
