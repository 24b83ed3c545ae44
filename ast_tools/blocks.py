"""Blocks of a text: what statements, members or values are enclosed in."""

from dataclasses import dataclass

from ast_tools.grammar import matches
from ast_tools.tree import SyntaxTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block, its bytes [start, end), with its delimiters where it has any.

    `kind` is one of class, namespace, function, branch, switch, loop, try, other; list, object, text, element, rule,
    statement, query in languages of data. `owner` is where the statement or definition begins that it belongs to.
    """

    kind: str
    start: int
    end: int
    owner: int


def blocks(tree: SyntaxTree, span: tuple[int, int] | None = None) -> tuple[Block, ...]:
    """The blocks (those that touch `span`), outer before inner, in the order of the text."""
    found: dict[tuple[int, int], Block] = {}
    for captures in matches(tree.language.name, "blocks", tree.root, span):
        for capture, [node, *_] in captures.items():
            word, _, kind = capture.partition(".")
            if word != "block":
                continue
            body = captures["body"][0]
            known = found.get(body.byte_range)
            if known is None or known.kind == "other":
                one = Block(kind=kind, start=body.start_byte, end=body.end_byte, owner=node.start_byte)
                found[body.byte_range] = one
    return tuple(sorted(found.values(), key=lambda block: (block.start, -block.end)))


def block_at(tree: SyntaxTree, offset: int) -> Block | None:
    """The innermost block around an offset."""
    near = blocks(tree, (max(0, offset - 1), offset + 1))
    around = [block for block in near if block.start < offset < block.end]
    return max(around, key=lambda block: (block.start, -block.end), default=None)
