"""Names in a text: where they are declared, where they are known, where they are used."""

from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from ast_tools.grammar import matches
from ast_tools.scopes import path_to
from ast_tools.tree import SyntaxTree

Span = tuple[int, int]

_ORDER = ("call", "type", "member", "name")
"""What a name is used as: of several answers for one place the first counts."""
_ANYWHERE = frozenset(
    {"function", "method", "class", "interface", "enum", "type", "namespace", "macro", "constant", "field", "import"}
)
"""Names that are known before the place where they are declared."""
_NOT_KNOWN = frozenset({"argument", "label", "member", "package"})
"""Names that stand for something outside (an argument's name) or that no expression can use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A name used at [start, end). `kind`: call, type, member (of something) or name."""

    kind: str
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name declared at [start, end), and the range where it is known.

    `kind` is one of variable, parameter, function, method, class, interface, enum, type, namespace, macro, constant,
    field, import, package, label, argument, member.
    """

    kind: str
    name: str
    start: int
    end: int
    known: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """The name under an offset. `declared`: it is declared there, else used; `kind` as of a name or a reference."""

    kind: str
    name: str
    start: int
    end: int
    declared: bool


def names(tree: SyntaxTree, span: Span | None = None) -> tuple[Name, ...]:
    """The names that a text declares (in what touches `span`), in the order of the text."""
    regions: set[Span] = set()
    found: dict[Span, tuple[str, tree_sitter.Node, Span, bool]] = {}
    for captures in matches(tree.language.name, "names", tree.root, span):
        regions.update(node.byte_range for node in captures.get("region", ()))
        outside = captures.get("outside")
        for capture, [node, *_] in captures.items():
            word, _, kind = capture.partition(".")
            if word == "name" and kind:
                around = outside[0].byte_range if outside else node.byte_range
                found.setdefault(node.byte_range, (kind, node, around, bool(outside)))
    ordered = sorted(found.values(), key=lambda one: one[2])
    known = _regions_of([(around, outside) for _, _, around, outside in ordered], regions, tree.root.byte_range)
    declared = [
        Name(kind=kind, name=_text(tree, node), start=node.start_byte, end=node.end_byte, known=region)
        for (kind, node, _, _), region in zip(ordered, known, strict=True)
    ]
    return tuple(sorted(declared, key=lambda name: name.start))


def _regions_of(places: list[tuple[Span, bool]], regions: set[Span], whole: Span) -> Iterator[Span]:
    """The innermost region around each place, in their order; around a definition, not the definition itself."""
    waiting = sorted(regions, key=lambda span: (span[0], -span[1]), reverse=True)
    stack: list[Span] = []
    for place, outside in places:
        while waiting and waiting[-1][0] <= place[0]:
            stack.append(waiting.pop())
        while stack and stack[-1][1] <= place[0]:
            stack.pop()
        yield next((span for span in reversed(stack) if span[1] >= place[1] and not (outside and span == place)), whole)


def names_in_scope(tree: SyntaxTree, offset: int) -> tuple[Name, ...]:
    """The names known at an offset, innermost first and nearest first, each once: what is hidden is left out."""
    near = [name for name in names(tree) if name.known[0] <= offset <= name.known[1] and name.kind not in _NOT_KNOWN]
    near = [name for name in near if name.end < offset or (name.kind in _ANYWHERE and name.start > offset)]
    near.sort(key=lambda name: (-name.known[0], name.known[1], name.start > offset, -name.start))
    first: dict[str, Name] = {}
    for name in near:
        first.setdefault(name.name, name)
    return tuple(first.values())


def references(tree: SyntaxTree, span: Span | None = None) -> tuple[Reference, ...]:
    """The names used (in what touches `span`), in the order of the text; where a name is declared it is not used."""
    declared = _declared(tree, span)
    found: dict[Span, Reference] = {}
    for captures in matches(tree.language.name, "references", tree.root, span):
        for capture, nodes in captures.items():
            word, _, kind = capture.partition(".")
            for node in nodes if word == "reference" else ():
                known = found.get(node.byte_range)
                if node.byte_range in declared or (known and _ORDER.index(known.kind) <= _ORDER.index(kind)):
                    continue
                name = _text(tree, node)
                found[node.byte_range] = Reference(kind=kind, name=name, start=node.start_byte, end=node.end_byte)
    return tuple(sorted(found.values(), key=lambda reference: reference.start))


def _declared(tree: SyntaxTree, span: Span | None) -> set[Span]:
    return {
        node.byte_range
        for captures in matches(tree.language.name, "names", tree.root, span)
        for capture, nodes in captures.items()
        for node in (nodes if capture.startswith("name.") else ())
    }


def symbol_at(tree: SyntaxTree, offset: int) -> Symbol | None:
    """The name an offset stands in or at an end of; None where there is none."""
    node = _identifier(tree, offset, offset + 1) or _identifier(tree, offset - 1, offset)
    if node is None:
        return None
    span = node.byte_range
    for name in names(tree, span):
        if (name.start, name.end) == span:
            return Symbol(kind=name.kind, name=name.name, start=span[0], end=span[1], declared=True)
    for used in references(tree, span):
        if (used.start, used.end) == span:
            return Symbol(kind=used.kind, name=used.name, start=span[0], end=span[1], declared=False)
    return Symbol(kind="name", name=_text(tree, node), start=span[0], end=span[1], declared=False)


def _identifier(tree: SyntaxTree, start: int, end: int) -> tree_sitter.Node | None:
    if start < 0 or end > len(tree.text):
        return None
    path = path_to(tree, start, end)
    return next((node for node in reversed(path[-2:]) if node.type in tree.language.identifiers), None)


def declaration_of(tree: SyntaxTree, offset: int) -> Name | None:
    """Where the name under an offset is declared in this text, as far as names are known by where they stand."""
    symbol = symbol_at(tree, offset)
    if symbol is None:
        return None
    if symbol.declared:
        return next((name for name in names(tree) if name.start == symbol.start), None)
    return next((name for name in names_in_scope(tree, symbol.end) if name.name == symbol.name), None)


def _text(tree: SyntaxTree, node: tree_sitter.Node) -> str:
    return tree.text[node.start_byte : node.end_byte].decode("utf-8", "replace")
