"""Comments and strings of a text, as its tree has them."""

from functools import cache

from ast_tools.grammar import captures
from ast_tools.tree import SyntaxTree

Span = tuple[int, int]


def comments(tree: SyntaxTree, span: Span | None = None) -> tuple[Span, ...]:
    """The ranges of the comments (those that touch `span`), in the order of the text."""
    return _of_types(tree, tree.language.comments, span)


def strings(tree: SyntaxTree, span: Span | None = None) -> tuple[Span, ...]:
    """The ranges of strings and characters, outermost only, with their quotes and holes, in the order of the text."""
    found: list[Span] = []
    for one in _of_types(tree, tree.language.strings, span):
        # SQL's grammar calls numbers literals, too.
        if (not found or one[1] > found[-1][1]) and not tree.text[one[0] : one[0] + 1].isdigit():
            found.append(one)
    return tuple(found)


def _of_types(tree: SyntaxTree, types: frozenset[str], span: Span | None) -> tuple[Span, ...]:
    found = captures(tree.language.name, _source(types), tree.root, span).get("it", [])
    return tuple(sorted({node.byte_range for node in found if node.start_byte < node.end_byte}))


@cache
def _source(types: frozenset[str]) -> str:
    return f"[{' '.join(f'({name})' for name in sorted(types))}] @it" if types else ""
