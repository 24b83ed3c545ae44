"""Names in a file: definitions, imports, what the surroundings of a place mention, the call around an offset."""

import re
from dataclasses import dataclass

import tree_sitter

from ast_tools.documentation import DOCUMENT_TEXTS, above
from ast_tools.grammar import Captures, matches
from ast_tools.scopes import first_child_from, header_end
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
    captures: Captures,
) -> Definition:
    text = tree.text
    if "body" in captures:
        end = header_end(tree.language, text, captures["body"][0])
    elif "header" in captures:
        end = captures["header"][0].end_byte
    else:
        line_end = text.find(b"\n", node.start_byte, node.end_byte)
        end = node.end_byte if line_end < 0 else line_end
    document = _documentation(tree, node, captures)
    return Definition(
        kind=kind,
        name=_text(tree, captures["name"][0]).removeprefix(":"),
        start=node.start_byte,
        end=node.end_byte,
        signature=(node.start_byte, end),
        docstring=DOCUMENT_TEXTS[tree.language.docstring](text, document) if document else None,
        container=_text(tree, captures["container.name"][0]) if "container.name" in captures else None,
    )


def _documentation(tree: SyntaxTree, node: tree_sitter.Node, captures: Captures) -> tuple[int, int] | None:
    """Where the documentation of a definition stands, read from the text: a file has thousands of them."""
    if tree.language.docstring == "inside":
        body = captures["body"][0] if "body" in captures else None
        first = body.named_child(0) if body is not None and body.named_child_count else None
        string = first.child(0) if first is not None and first.child_count == 1 else None
        return string.byte_range if string is not None and string.type in tree.language.strings else None
    return above(tree.language, tree.text, node.start_byte)


_TYPES = frozenset({"class", "interface", "enum"})
_CONTAINERS = _TYPES | {"namespace"}


def _nested(ordered: list[Definition]) -> tuple[Definition, ...]:
    """Names the container of each; a function directly inside a class is a method."""
    result: list[Definition] = []
    stack: list[Definition] = []
    for one in ordered:
        while stack and stack[-1].end <= one.start:
            stack.pop()
        outer = stack[-1] if stack else None
        inside_class = outer is not None and outer.kind in _CONTAINERS
        kind = "method" if one.kind == "function" and inside_class and outer and outer.kind in _TYPES else one.kind
        placed = Definition(
            kind=kind,
            name=one.name,
            start=one.start,
            end=one.end,
            signature=one.signature,
            docstring=one.docstring,
            container=outer.name if outer else one.container,
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
            elif first_child_from(cursor, start):
                continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return found


def call_at(tree: SyntaxTree, offset: int) -> Call | None:
    """The innermost call whose parentheses are around an offset; an unclosed one must be a call to the grammar."""
    best: tuple[tuple[int, int], Captures] | None = None
    keywords: list[tuple[int, int, str]] = []
    for captures in matches(tree.language.name, "calls", tree.root, (max(0, offset - 1), offset + 1)):
        if "call" in captures:
            start, end = _arguments(captures)
            closed = tree.text[end - 1 : end] in (b")", b"]", b"}")
            inside = start < offset and (offset < end or (not closed and offset <= end))
            if inside and (best is None or start > best[0][0]):
                best = ((start, end), captures)
        elif "argument" in captures:
            keywords.append((*captures["argument"][0].byte_range, _keyword(tree, captures)))
    return _call(tree, best[1], offset, keywords) if best is not None else None


def calls(tree: SyntaxTree, span: tuple[int, int] | None = None) -> tuple[Call, ...]:
    """All calls (those that touch `span`), outer before inner, in the order of the text; `index` is 0 in each."""
    found: dict[tuple[int, int], Call] = {}
    for captures in matches(tree.language.name, "calls", tree.root, span):
        if "call" in captures:
            one = _call(tree, captures, _arguments(captures)[0], [])
            found.setdefault((one.start, one.end), one)
    return tuple(sorted(found.values(), key=lambda call: (call.start, -call.end)))


def _arguments(captures: Captures) -> tuple[int, int]:
    """The range of a call's arguments; some grammars have no node for them."""
    callee, arguments = captures["callee"][0], captures["arguments"][0]
    return max(arguments.start_byte, callee.end_byte), arguments.end_byte


def _keyword(tree: SyntaxTree, captures: Captures) -> str:
    return _text(tree, captures["keyword"][0]).rstrip(":")


def _call(tree: SyntaxTree, captures: Captures, offset: int, keywords: list[tuple[int, int, str]]) -> Call:
    call, span = captures["call"][0], _arguments(captures)
    children = captures["arguments"][0].children
    commas = [c for c in children if c.type == "," and span[0] <= c.start_byte and c.end_byte <= offset]
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


def called(tree: SyntaxTree, call: Call) -> Definition | None:
    """The definition in this text of what is called: of several with its name the one that can be called.

    Where a class is called, what constructs it, if it says so.
    """
    name = re.split(r"\W+", call.name.strip())[-1].lstrip("@")
    known = definitions(tree)
    named = [one for one in known if one.name == name]
    running = [one for one in named if one.kind in ("function", "method", "macro")]
    if running:
        return _nearest(running, call.start)
    classes = {one.name for one in named if one.kind in _CONTAINERS}
    constructors = [one for one in known if one.container in classes and one.name in tree.language.constructors]
    return _nearest(constructors or named, call.start)


def _nearest(found: list[Definition], offset: int) -> Definition | None:
    """Of several definitions the last before the offset, else the first after it."""
    before = [one for one in found if one.start <= offset]
    return before[-1] if before else next(iter(found), None)


def _text(tree: SyntaxTree, node: tree_sitter.Node) -> str:
    return tree.text[node.start_byte : node.end_byte].decode("utf-8", "replace")
