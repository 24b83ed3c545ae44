"""The ways to repair a text that are compared. All see the same text and no caret."""

from collections.abc import Callable
from dataclasses import dataclass

from ast_tools import Edit, SyntaxTree, repairs
from ast_tools.lexer import PARTNER, Token, tokens

BUDGET_S = 0.5


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What an arm would do, best first in a list of them."""

    edits: tuple[Edit, ...]
    title: str = ""
    sure: bool = False


Arm = Callable[[SyntaxTree], list[Suggestion]]


def ours(tree: SyntaxTree) -> list[Suggestion]:
    """What `ast_tools.repairs` says."""
    return [Suggestion(found.edits, found.title, found.sure) for found in repairs(tree, budget_s=BUDGET_S)]


def text_only(tree: SyntaxTree) -> list[Suggestion]:
    """The same ranking, but nothing is asked of the parser."""
    found = repairs(tree, budget_s=BUDGET_S, parser=False)
    return [Suggestion(one.edits, one.title, one.sure) for one in found]


def recovery(tree: SyntaxTree) -> list[Suggestion]:
    """tree-sitter's own recovery: every bracket it says is missing, where it says so."""
    edits = [
        Edit(node.start_byte, node.start_byte, node.type.encode())
        for node in tree.errors
        if node.is_missing and node.type.encode() in PARTNER
    ]
    return [Suggestion(tuple(edits), "apply MISSING")] if edits else []


def naive(tree: SyntaxTree) -> list[Suggestion]:
    """A stack of brackets: what is open is closed before a closer of another kind and at the end; strays go."""
    edits: list[Edit] = []
    stack: list[Token] = []
    for token in tokens(tree.language, tree.text):
        if token.kind == "open":
            stack.append(token)
        elif token.kind == "close":
            _close(token, stack, edits)
    edits += [Edit(len(tree.text), len(tree.text), PARTNER[token.text]) for token in reversed(stack)]
    return [Suggestion(tuple(edits), "balance")] if edits else []


def _close(token: Token, stack: list[Token], edits: list[Edit]) -> None:
    if not any(PARTNER[opener.text] == token.text for opener in stack):
        edits.append(Edit(token.start, token.end, b""))
        return
    while PARTNER[stack[-1].text] != token.text:
        edits.append(Edit(token.start, token.start, PARTNER[stack.pop().text]))
    stack.pop()


ARMS: dict[str, Arm] = {
    "ours": ours,
    "text only": text_only,
    "tree-sitter": recovery,
    "naive": naive,
}
"""text only: ours without the parser; tree-sitter: its own recovery; naive: a stack of brackets."""
