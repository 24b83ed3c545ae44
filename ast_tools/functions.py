"""What a function takes, returns and raises, and where its documentation stands: everything a docstring must name."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import tree_sitter

from ast_tools.documentation import DOCUMENT_TEXTS, above
from ast_tools.grammar import Captures, matches
from ast_tools.languages import Language
from ast_tools.scopes import header_end, path_to
from ast_tools.tree import SyntaxTree, parse

ParamKind = Literal["positional_only", "positional", "rest", "keyword_only", "keyword_rest"]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A parameter. `name` has no stars or dots; a destructured one is named by its pattern. Texts as written.

    `parts` are the properties that a destructured object takes, by their keys; those inside them are left out.
    """

    name: str
    annotation: str | None = None
    default: str | None = None
    kind: ParamKind = "positional"
    optional: bool = False
    parts: tuple["Param", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function with a name. Offsets are bytes; texts are as written in the file.

    `start` is where the definition begins, decorators and `export` included; `header` the range from its keyword or
    name up to the body. `docstring` is the range of the existing documentation, delimiters included, and
    `docstring_text` what it says, without delimiters and indentation.
    New documentation goes to `docstring_insert` (the start of a line, unless `one_line`), every line indented by
    `doc_indent`. `one_line`: the body stands on the header's line (or the definition in the middle of a line) and
    must first get a line of its own. `raises` names exceptions raised in the body itself, each once, re-raises left
    out. A receiver (self, cls, this) is not in `params`. `returned_name` and `returned_type` are the one name every
    `return` gives, and the type all of them show by how they are written (`[]` is a list); None where that is not so.
    """

    name: str
    kind: Literal["function", "method"]
    start: int
    end: int
    header: Span
    body: Span | None
    params: tuple[Param, ...]
    returns: str | None
    returns_value: bool
    returned_name: str | None
    returned_type: str | None
    yields: bool
    raises: tuple[str, ...]
    is_async: bool
    is_method: bool
    container: str | None
    decorators: tuple[str, ...]
    docstring: Span | None
    docstring_text: str | None
    docstring_insert: int
    doc_indent: bytes
    indent: bytes
    body_indent: bytes
    one_line: bool


@dataclass(eq=False)
class _Found:
    """One function while its captures are collected; facts are (capture name, text)."""

    captures: Captures
    owner: Span
    facts: list[tuple[str, str]] = field(default_factory=list)


_FACTS = ("value", "yield", "raise", "raise.type", "async")
_VALUE_KIND = "value."
_DEPTH_LIMIT = 200


def functions(tree: SyntaxTree) -> tuple[Function, ...]:
    """All functions with a name, in the order of the text."""
    return _functions(tree, None)


def function_at(tree: SyntaxTree, offset: int) -> Function | None:
    """The innermost function with a name around an offset (its header, decorators and documentation included)."""
    at = _first_on_line(tree.text, offset)
    path = path_to(tree, at, at)
    for parent, inner in reversed(list(pairwise(path))):
        if parent.type not in tree.language.bodies:
            continue
        # Documentation and decorators stand before their definition.
        node: tree_sitter.Node | None = inner
        while node is not None and (node.is_extra or node.type in tree.language.decorators):
            node = node.next_named_sibling
        span = node.byte_range if node is not None else (at, at)
        found = _innermost(_functions(tree, span), at, span)
        if found is not None:
            # Seen from a statement inside it, a function's facts are those of that statement alone.
            return _innermost(_functions(tree, (found.start, found.end)), at, span)
    return None


def function_on_line(tree: SyntaxTree, offset: int) -> Function | None:
    """The function around an offset; seen from outside any header, the one whose header begins on that line.

    Of several on one line, the first at or behind the offset, else the last before it.
    """
    around = function_at(tree, offset)
    if around is not None and around.header[0] <= offset < around.header[1]:
        return around
    start = tree.text.rfind(b"\n", 0, offset) + 1
    end = tree.text.find(b"\n", offset)
    end = end if end >= 0 else len(tree.text)
    if around is not None and start <= around.header[1] - 1 and _starts(around) <= end:
        return around
    there = [function for function in _functions(tree, (start, end)) if start <= function.header[0] < end]
    if not there:
        return around
    found = next((function for function in there if function.end > offset), there[-1])
    # Seen from one line, a function's facts are those of that line alone.
    whole = _functions(tree, (found.start, found.end))
    return next((function for function in whole if function.header == found.header), None)


def _innermost(found: tuple[Function, ...], at: int, span: Span) -> Function | None:
    around = [function for function in found if span[0] <= function.end and _starts(function) <= at <= function.end]
    return max(around, key=lambda function: (function.start, -function.end), default=None)


def _first_on_line(text: bytes, offset: int) -> int:
    """The offset; in the white space at the start of a line, the first word there; at its end, the last byte."""
    start, end = text.rfind(b"\n", 0, offset) + 1, len(text)
    if text[start:offset].strip():
        return offset - 1 if text[offset : offset + 1] in (b"", b"\r", b"\n") else offset
    while offset < end and text[offset : offset + 1] in (b" ", b"\t"):
        offset += 1
    return offset


def _starts(function: Function) -> int:
    return min(function.start, function.docstring[0]) if function.docstring else function.start


def _functions(tree: SyntaxTree, span: Span | None) -> tuple[Function, ...]:
    found: dict[Span, _Found] = {}
    owners: set[Span] = set()
    facts: list[tuple[int, str, tree_sitter.Node]] = []
    documentation: set[Span] = set()
    containers: dict[Span, str] = {}
    for captures in matches(tree.language.name, "functions", tree.root, span):
        if "function" in captures:
            owner = captures.get("code", captures["function"])[0].byte_range
            owners.add(owner)
            found.setdefault(owner, _Found({}, owner)).captures.update(captures)
        elif "members" in captures:
            for members in captures["members"]:
                containers[members.byte_range] = _text(tree, captures["container"][0])
            continue
        for name, nodes in captures.items():
            if name == "anonymous":
                owners.add(nodes[0].byte_range)
            elif name == "documentation":
                documentation.add(nodes[0].byte_range)
            elif name in _FACTS or name.startswith(_VALUE_KIND):
                facts += [(node.start_byte, name, node) for node in nodes]
    _hand_out(tree, facts, owners, found)
    named = [one for one in found.values() if "name" in one.captures]
    built = [_function(tree, one, documentation, containers) for one in named]
    return tuple(sorted(built, key=lambda function: (function.start, -function.end)))


def _hand_out(
    tree: SyntaxTree, facts: list[tuple[int, str, tree_sitter.Node]], owners: set[Span], found: dict[Span, _Found]
) -> None:
    """Every fact goes to the innermost function around it."""
    stack: list[Span] = []
    waiting = sorted(owners, key=lambda span: (span[0], -span[1]), reverse=True)
    for at, name, node in sorted(facts, key=lambda fact: fact[0]):
        while waiting and waiting[-1][0] <= at:
            stack.append(waiting.pop())
        while stack and stack[-1][1] <= at:
            stack.pop()
        owner = next((span for span in reversed(stack) if span[0] <= at < span[1]), None)
        # An arrow function's own expression begins where nothing else does, and may itself be a function.
        if name == "value" and (node.is_extra or node.type in tree.language.bodies):
            continue
        if owner == node.byte_range and name == "value":
            owner = next((span for span in reversed(stack) if span != owner and span[1] > at), None)
        if owner in found:
            found[owner].facts.append((name, _text(tree, node)))


def _function(tree: SyntaxTree, one: _Found, documentation: set[Span], containers: dict[Span, str]) -> Function:
    captures, text = one.captures, tree.text
    node = captures["function"][0]
    anchor, decorators = _anchor(tree, node)
    start = (
        decorators[0].start_byte if decorators and decorators[0].start_byte < anchor.start_byte else anchor.start_byte
    )
    body = captures["body"][0].byte_range if "body" in captures else None
    container = containers.get(anchor.parent.byte_range) if anchor.parent is not None else None
    if "container.name" in captures:
        container = _text(tree, captures["container.name"][0])
    taken = captures.get("parameters")
    params = _params(tree, taken[0], is_method=container is not None) if taken else ()
    ends = header_end(tree.language, text, captures["body"][0]) if body else node.end_byte
    facts = defaultdict(list)
    for name, value in one.facts:
        facts[name].append(value)
    document = _DOCUMENTS[tree.language.docstring](tree, anchor, start, body, ends, documentation)
    return Function(
        name=_text(tree, captures["name"][0]),
        kind="method" if container is not None else "function",
        start=start,
        end=anchor.end_byte,
        header=(node.start_byte, ends),
        body=body,
        params=params,
        returns=_returns(tree, captures),
        returns_value=bool(facts["value"]),
        returned_name=_returned_name(facts),
        returned_type=_returned_type(facts),
        yields=bool(facts["yield"]),
        raises=tuple(dict.fromkeys(facts["raise"] + facts["raise.type"])),
        is_async=bool(facts["async"]),
        is_method=container is not None,
        container=container,
        decorators=tuple(_text(tree, decorator).removeprefix("@") for decorator in decorators),
        docstring=document.span,
        docstring_text=DOCUMENT_TEXTS[tree.language.docstring](text, document.span) if document.span else None,
        docstring_insert=document.insert,
        doc_indent=document.indent,
        indent=_indent(text, start),
        body_indent=_body_indent(text, start, body),
        one_line=document.one_line,
    )


def _returned_name(facts: Mapping[str, list[str]]) -> str | None:
    names = facts.get(_VALUE_KIND + "name", [])
    return names[0] if len(set(names)) == 1 and len(names) == len(facts.get("value", ())) else None


def _returned_type(facts: Mapping[str, list[str]]) -> str | None:
    kinds = [kind for kind, found in facts.items() if kind.startswith(_VALUE_KIND) and found]
    alike = len(kinds) == 1 and len(facts[kinds[0]]) == len(facts.get("value", ()))
    kind = kinds[0].removeprefix(_VALUE_KIND) if alike else "name"
    return kind if kind not in ("name", "none") else None


def _anchor(tree: SyntaxTree, node: tree_sitter.Node) -> tuple[tree_sitter.Node, list[tree_sitter.Node]]:
    """The whole definition (with `export`, `const`, ...) and its decorators."""
    for _ in range(_DEPTH_LIMIT):
        parent = node.parent
        if parent is None or parent.type in tree.language.bodies or parent.is_error:
            break
        if tree.text[node.end_byte : parent.end_byte].strip(b" \t\r\n;"):
            break
        node = parent
    kinds = tree.language.decorators
    decorators = [child for child in node.named_children if child.type in kinds]
    before = node.prev_named_sibling
    while before is not None and before.type in kinds:
        decorators.insert(0, before)
        before = before.prev_named_sibling
    return node, decorators


def _params(tree: SyntaxTree, node: tree_sitter.Node, *, is_method: bool) -> tuple[Param, ...]:
    if node.type in tree.language.identifiers:
        return (Param(name=_text(tree, node)),)
    params: dict[int, Param] = {}
    after, before = node.end_byte, node.start_byte
    for captures in matches(tree.language.name, "params", node):
        for capture, [found, *_] in captures.items():
            if found.parent != node and (found.parent is None or found.parent.parent != node):
                continue
            if capture == "after.keyword_only":
                after = min(after, found.start_byte)
            elif capture == "before.positional_only":
                before = found.start_byte
            elif capture.startswith("param."):
                one = _param(tree, capture, captures)
                known = params.get(found.start_byte)
                if known is None or known.kind == "positional" or one.default is not None:
                    params[found.start_byte] = one
    ordered = [_placed(at, params[at], before, after) for at in sorted(params)]
    if is_method and ordered and ordered[0].name in tree.language.receivers:
        del ordered[0]
    return tuple(ordered)


def _placed(at: int, param: Param, before: int, after: int) -> Param:
    if param.kind != "positional" or before <= at < after:
        return param
    kind: ParamKind = "keyword_only" if at > after else "positional_only"
    return Param(name=param.name, annotation=param.annotation, default=param.default, kind=kind)


_PARAM_KINDS: dict[str, ParamKind] = {
    "param.positional": "positional",
    "param.rest": "rest",
    "param.keyword": "keyword_only",
    "param.keyword_rest": "keyword_rest",
}


def _param(tree: SyntaxTree, capture: str, captures: Captures) -> Param:
    return Param(
        name=_text(tree, captures["name"][0]),
        annotation=_annotation(tree, captures),
        default=_text(tree, captures["default"][0]) if "default" in captures else None,
        kind=_PARAM_KINDS[capture],
        optional="optional" in captures or "default" in captures,
        parts=_parts(tree, captures["object"][0]) if "object" in captures else (),
    )


def _annotation(tree: SyntaxTree, captures: Captures) -> str | None:
    """A parameter's type; where it stands around the name, the parameter without its name and default."""
    if "annotation.around" not in captures:
        return _type(tree, captures["annotation"][0]) if "annotation" in captures else None
    whole, name = captures["annotation.around"][0], captures["name"][0]
    end = captures["default"][0].start_byte if "default" in captures else whole.end_byte
    before, after = tree.text[whole.start_byte : name.start_byte], tree.text[name.end_byte : end]
    return (before + after).decode("utf-8", "replace").rstrip("= \t\n")


def _returns(tree: SyntaxTree, captures: Captures) -> str | None:
    """The type of what is returned, with the marks that C puts before the function's name."""
    if "returns" not in captures:
        return None
    if "returns.end" not in captures:
        return _type(tree, captures["returns"][0])
    start, end = captures["returns"][0].start_byte, captures["returns.end"][0].start_byte
    return tree.text[start:end].decode("utf-8", "replace").strip()


def _parts(tree: SyntaxTree, pattern: tree_sitter.Node) -> tuple[Param, ...]:
    parts: dict[int, Param] = {}
    for captures in matches(tree.language.name, "parts", pattern):
        part = captures["part"][0]
        if part.parent == pattern:
            parts[part.start_byte] = Param(
                name=_text(tree, captures["name"][0]).strip("\"'"),
                default=_text(tree, captures["default"][0]) if "default" in captures else None,
                optional="default" in captures,
            )
    return tuple(parts[at] for at in sorted(parts))


@dataclass(frozen=True, slots=True)
class _Document:
    """Where documentation is, or would go."""

    span: Span | None
    insert: int
    indent: bytes
    one_line: bool


def _inside(
    tree: SyntaxTree, anchor: tree_sitter.Node, start: int, body: Span | None, ends: int, strings: set[Span]
) -> _Document:
    del anchor
    text, indent = tree.text, _body_indent(tree.text, start, body)
    at = body[0] if body else ends
    span = next((span for span in strings if body and span[0] == body[0]), None)
    if span is None and body:  # comments may stand between the header and the documentation
        span = min((s for s in strings if body[0] <= s[0] < body[1] and not _code(tree, body[0], s[0])), default=None)
    newline = text.find(b"\n", ends, at) if body else -1
    if newline < 0:
        return _Document(span, at, indent, one_line=True)
    return _Document(span, newline + 1, indent, one_line=False)


def _code(tree: SyntaxTree, start: int, end: int) -> bool:
    lines = tree.text[start:end].split(b"\n")
    return any(line.strip() and not line.lstrip().startswith(tree.language.line_comment.encode()) for line in lines)


def _before(
    tree: SyntaxTree, anchor: tree_sitter.Node, start: int, body: Span | None, ends: int, strings: set[Span]
) -> _Document:
    del body, ends, strings
    text, language = tree.text, tree.language
    first = anchor
    while (sibling := first.prev_named_sibling) is not None and sibling.type in language.decorators:
        first = sibling
    comment = first.prev_named_sibling
    span = None
    if comment is not None and comment.type in language.comments and _documents(language, text, comment.start_byte):
        gap = text[comment.end_byte : start]
        span = comment.byte_range if not gap.strip() and gap.count(b"\n") <= 1 else None
        span = above(language, text, start) or span
    line = text.rfind(b"\n", 0, start) + 1
    if text[line:start].strip():
        return _Document(span, start, b"", one_line=True)
    return _Document(span, line, text[line:start], one_line=False)


def _documents(language: Language, text: bytes, start: int) -> bool:
    return text.startswith(tuple(mark.encode() for mark in language.doc_comments), start)


_DOCUMENTS = {"inside": _inside, "before": _before}


def _indent(text: bytes, offset: int) -> bytes:
    line = text.rfind(b"\n", 0, offset) + 1
    lead = text[line:offset]
    return lead[: len(lead) - len(lead.lstrip(b" \t"))]


def _body_indent(text: bytes, start: int, body: Span | None) -> bytes:
    """The indentation of the body's first line; one more level than the header where it has no line of its own."""
    outer = _indent(text, start)
    if body is not None:
        line = text.rfind(b"\n", 0, body[0]) + 1
        if line > start and not text[line : body[0]].strip():
            return text[line : body[0]]
        inner = re.compile(rb"[{:(][ \t\r]*\n([ \t]+)\S").search(text, body[0], body[1])
        if inner and inner.group(1).startswith(outer):
            return inner.group(1)
    return outer + (b"\t" if outer.startswith(b"\t") else b"    ")


def _text(tree: SyntaxTree, node: tree_sitter.Node) -> str:
    return tree.text[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _type(tree: SyntaxTree, node: tree_sitter.Node) -> str:
    """A type as written, without the colon some grammars count to it."""
    return _text(tree, node).lstrip(": \t\n")


def same_except_docstrings(language: Language, before: bytes, after: bytes) -> bool:
    """Whether two texts have the same tree apart from documentation and comments. False when one takes too long."""
    trees = [parse(language, before), parse(language, after)]
    if trees[0] is None or trees[1] is None:
        return False
    one, other = (list(_shape(tree)) for tree in trees if tree is not None)
    return one == other


def _shape(tree: SyntaxTree) -> Iterator[tuple[int, str, bytes]]:
    """Every node that is no comment and no documentation: (depth, type, text of a leaf)."""
    skipped = _documentation(tree)
    cursor, depth = tree.root.walk(), 0
    while True:
        node = cursor.node
        if node is not None and not (node.type in tree.language.comments or node.byte_range in skipped):
            leaf = node.child_count == 0
            yield depth, node.type, tree.text[node.start_byte : node.end_byte] if leaf else b""
            if not leaf and cursor.goto_first_child():
                depth += 1
                continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            depth -= 1


def _documentation(tree: SyntaxTree) -> set[Span]:
    found: Iterable[Captures] = matches(tree.language.name, "functions", tree.root)
    return {node.byte_range for captures in found for node in captures.get("documentation", ())}
