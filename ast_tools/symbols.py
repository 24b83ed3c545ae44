"""Names in a file: definitions, imports, what the surroundings of a place mention, the call around an offset."""

from dataclasses import dataclass

import tree_sitter

from ast_tools.functions import DOCUMENT_TEXTS
from ast_tools.grammar import matches
from ast_tools.scopes import header_end
from ast_tools.tree import SyntaxTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A function, class, method, variable, ... that the file defines.

    `signature` is the range of its header, without the body (for a variable: its first line). `docstring` is
    what its documentation says.
    """

    kind: str
    name: str
    start: int
    end: int
    signature: tuple[int, int]
    docstring: str | None
    container: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The call an offset stands in: callee as written, index of the argument, its name if it is given by name."""

    name: str
    start: int
    end: int
    arguments: tuple[int, int]
    index: int
    keyword: str | None


def definitions(tree: SyntaxTree) -> tuple[Definition, ...]:
    """What the file defines, in the order of the text; of the local names inside functions only functions, classes."""
    found: dict[tuple[int, int, str], Definition] = {}
    for captures in matches(tree.language.name, "definitions", tree.root):
        for capture, [node, *_] in captures.items():
            word, _, kind = capture.partition(".")
            if word == "definition":
                one = _definition(tree, kind, node, captures)
                # A constant that holds a function matches as a variable too.
                known = found.get((one.start, one.end, one.name))
                if known is None or known.kind == "variable":
                    found[one.start, one.end, one.name] = one
    return _nested(sorted(found.values(), key=lambda one: (one.start, -one.end)))


def definitions_between(tree: SyntaxTree, start: int, end: int) -> tuple[Definition, ...]:
    """What the file defines with a name in [start, end), bare: without documentation and container.

    Costs in proportion to the range, so that a large file can be read in slices.
    """
    found: dict[tuple[int, int], Definition] = {}
    for captures in matches(tree.language.name, "definitions", tree.root, (start, end)):
        if not start <= captures["name"][0].start_byte < end:
            continue
        for capture, [node, *_] in captures.items():
            word, _, kind = capture.partition(".")
            if word == "definition":
                found.setdefault(node.byte_range, _definition(tree, kind, node, captures))
    return tuple(sorted(found.values(), key=lambda one: one.start))


def _definition(
    tree: SyntaxTree,
    kind: str,
    node: tree_sitter.Node,
    captures: dict[str, list[tree_sitter.Node]],
) -> Definition:
    text = tree.text
    if "body" in captures:
        end = header_end(tree.language, text, captures["body"][0])
    else:
        line_end = text.find(b"\n", node.start_byte, node.end_byte)
        end = node.end_byte if line_end < 0 else line_end
    document = _documentation(tree, node, captures)
    return Definition(
        kind=kind,
        name=_text(tree, captures["name"][0]),
        start=node.start_byte,
        end=node.end_byte,
        signature=(node.start_byte, end),
        docstring=DOCUMENT_TEXTS[tree.language.docstring](text, document) if document else None,
        container=None,
    )


def _documentation(
    tree: SyntaxTree, node: tree_sitter.Node, captures: dict[str, list[tree_sitter.Node]]
) -> tuple[int, int] | None:
    """Where the documentation of a definition stands, read from the text: a file has thousands of them."""
    if tree.language.docstring == "inside":
        body = captures["body"][0] if "body" in captures else None
        first = body.named_child(0) if body is not None and body.named_child_count else None
        string = first.child(0) if first is not None and first.child_count == 1 else None
        return string.byte_range if string is not None and string.type in tree.language.strings else None
    if tree.language.block_comment is None:
        return None
    opening, closing = (mark.encode() for mark in tree.language.block_comment)
    line = tree.text.rfind(b"\n", 0, node.start_byte) + 1
    above = tree.text[max(0, line - 4000) : line]
    end = len(above.rstrip())
    if not above[:end].endswith(closing) or above[end:].count(b"\n") > 1:
        return None
    start = above.rfind(opening, 0, end)
    shift = line - len(above)
    return (shift + start, shift + end) if above.startswith(opening + b"*", start) and start >= 0 else None


_CONTAINERS = frozenset({"class", "interface", "namespace", "enum"})


def _nested(ordered: list[Definition]) -> tuple[Definition, ...]:
    """Names the container of each; a function directly inside a class is a method."""
    result: list[Definition] = []
    stack: list[Definition] = []
    for one in ordered:
        while stack and stack[-1].end <= one.start:
            stack.pop()
        outer = stack[-1] if stack else None
        inside_class = outer is not None and outer.kind in _CONTAINERS
        kind = "method" if one.kind == "function" and inside_class and outer and outer.kind == "class" else one.kind
        placed = Definition(
            kind=kind,
            name=one.name,
            start=one.start,
            end=one.end,
            signature=one.signature,
            docstring=one.docstring,
            container=outer.name if outer else None,
        )
        result.append(placed)
        if one.kind in ("function", "method") or one.kind in _CONTAINERS:
            stack.append(one)
    return tuple(result)


def imports(tree: SyntaxTree, span: tuple[int, int] | None = None) -> tuple[tuple[int, int], ...]:
    """The ranges of the import statements (those that touch `span`), in the order of the text."""
    found = matches(tree.language.name, "imports", tree.root, span)
    return tuple(sorted({captures["import"][0].byte_range for captures in found}))


def mentioned(tree: SyntaxTree, offset: int, lines_before: int = 5, lines_after: int = 3) -> tuple[str, ...]:
    """Identifiers on the lines around an offset, nearest first, each once. Keywords, comments, strings left out."""
    text = tree.text
    start, end = offset, offset
    for _ in range(lines_before + 1):
        start = max(0, text.rfind(b"\n", 0, start))
    for _ in range(lines_after + 1):
        newline = text.find(b"\n", end)
        end = len(text) if newline < 0 else newline + 1
    near: dict[str, int] = {}
    for node in _leaves(tree.root, start, end):
        if node.type not in tree.language.identifiers or node.end_byte <= start or node.start_byte >= end:
            continue
        name = _text(tree, node)
        distance = min(abs(offset - node.end_byte), abs(node.start_byte - offset))
        near[name] = min(distance, near.get(name, distance))
    return tuple(sorted(near, key=lambda name: (near[name], name)))


def _leaves(root: tree_sitter.Node, start: int, end: int) -> list[tree_sitter.Node]:
    """The leaves that overlap [start, end)."""
    found: list[tree_sitter.Node] = []
    cursor = root.walk()
    while True:
        node = cursor.node
        if node is None or node.start_byte >= end:
            return found
        if node.end_byte > start or node is root:
            if node.child_count == 0:
                found.append(node)
            elif cursor.goto_first_child_for_byte(start) is not None:
                continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return found


def call_at(tree: SyntaxTree, offset: int) -> Call | None:
    """The innermost call whose parentheses are around an offset; an unclosed one must be a call to the grammar."""
    best: tuple[tuple[int, int], dict[str, list[tree_sitter.Node]]] | None = None
    keywords: list[tuple[int, int, str]] = []
    for captures in matches(tree.language.name, "calls", tree.root, (max(0, offset - 1), offset + 1)):
        if "call" in captures:
            start, end = captures["arguments"][0].byte_range
            closed = tree.text[end - 1 : end] == b")"
            inside = start < offset and (offset < end or (not closed and offset <= end))
            if inside and (best is None or start > best[0][0]):
                best = ((start, end), captures)
        elif "argument" in captures:
            keywords.append((*captures["argument"][0].byte_range, _text(tree, captures["keyword"][0])))
    if best is None:
        return None
    span, captures = best
    call = captures["call"][0]
    commas = [c for c in captures["arguments"][0].children if c.type == "," and c.end_byte <= offset]
    since = commas[-1].end_byte if commas else span[0]
    keyword = next((name for start, end, name in keywords if since <= start <= offset <= end), None)
    return Call(
        name=_text(tree, captures["callee"][0]),
        start=call.start_byte,
        end=call.end_byte,
        arguments=span,
        index=len(commas),
        keyword=keyword,
    )


def _text(tree: SyntaxTree, node: tree_sitter.Node) -> str:
    return tree.text[node.start_byte : node.end_byte].decode("utf-8", "replace")
