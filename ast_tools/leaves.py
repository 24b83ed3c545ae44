"""The tokens of a text as its tree has them: exact where a scanner cannot be, as far as the tree is."""

from collections.abc import Iterator

import tree_sitter

from ast_tools.languages import Language
from ast_tools.lexer import Kind, Token, tokens
from ast_tools.tree import SyntaxTree


def read(language: Language, text: bytes, tree: SyntaxTree | None) -> list[Token]:
    """The tokens of a text, from whoever knows better: the scanner, or the text's tree where the scanner guesses."""
    known = tree is not None and tree.text == text and not language.lexis.exact
    return leaves(tree) if tree is not None and known else tokens(language, text)


def leaves(tree: SyntaxTree) -> list[Token]:
    """The tokens of a tree. What the grammar could not read is scanned."""
    found: list[Token] = []
    end = 0
    for node, kind in _read(tree):
        found += _newlines(tree.text, end, node.start_byte)
        if node.is_error:
            found += tokens(tree.language, tree.text, node.start_byte, node.end_byte)
        elif kind is not None:
            found.append(Token(kind, node.start_byte, node.end_byte, tree.text[node.start_byte : node.end_byte]))
        else:
            found += _leaf(tree, node)
        end = max(end, node.end_byte)
    return found + _newlines(tree.text, end, len(tree.text))


def _read(tree: SyntaxTree) -> Iterator[tuple[tree_sitter.Node, Kind | None]]:
    """Leaves, and whole comments and strings, in the order of the text; what need not match counts as comment."""
    whole: dict[str, Kind] = dict.fromkeys(tree.language.strings, "string")
    whole |= dict.fromkeys(tree.language.comments | tree.language.unread, "comment")
    cursor = tree.root.walk()
    while True:
        node = cursor.node
        if node is None:
            return
        outer = node.parent if any("." in name for name in tree.language.unread) else None
        names = [node.type, *(f"{outer.type}.{part}" for part in (cursor.field_name, node.type) if outer is not None)]
        kind = next((whole[name] for name in names if name in whole), None)
        if kind is not None or node.child_count == 0:
            yield node, kind
        elif cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _leaf(tree: SyntaxTree, node: tree_sitter.Node) -> list[Token]:
    start, end = node.byte_range
    text = tree.text[start:end]
    if node.is_missing or not text.strip():
        return []
    if node.is_named:
        return [Token("number" if text[:1].isdigit() else "word", start, end, text)]
    openers = len(text) - len(text.rstrip(b"([{"))
    if openers or not text.strip(b")]}"):
        lead = end - (openers or len(text))
        head = [Token("op", start, lead, text[: lead - start])] if lead > start else []
        kind: Kind = "open" if openers else "close"
        return [*head, *(Token(kind, at, at + 1, tree.text[at : at + 1]) for at in range(lead, end))]
    return [Token("word" if text[:1].isalpha() else "op", start, end, text)]


def _newlines(text: bytes, start: int, end: int) -> list[Token]:
    found = []
    while (at := text.find(b"\n", start, end)) >= 0:
        start = at - 1 if text[at - 1 : at] == b"\r" and at > start else at
        found.append(Token("newline", start, at + 1, text[start : at + 1]))
        start = at + 1
    return found
