"""What a grammar takes and its language does not: found by queries, and in C by what a file declares."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import tree_sitter

from ast_tools.edits import Edit
from ast_tools.grammar import captured
from ast_tools.names import Name, Reference, names, references
from ast_tools.slips import corrections
from ast_tools.spelling import distance, near
from ast_tools.tree import SyntaxTree

MAX_BYTES = 200_000
"""Longer texts are not looked at: names are compared with names."""
MAX_UNDECLARED = 20
MAX_SAME = 500
"""Declarations of one name that are told apart; of a name with more nothing is said."""
BEFORE = 200
"""Bytes in which a string stands beside a name."""
MOST = 3
"""Ways to repair one misuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misuse:
    """The bytes [start, end) that the language does not allow there, why, and what may be meant: (title, edit)."""

    start: int
    end: int
    message: str
    meant: tuple[tuple[str, Edit], ...] = ()


def misuses(tree: SyntaxTree) -> tuple[Misuse, ...]:
    """Everything of the kind in a text that the grammar finds clean, in its order; empty for any other text."""
    if tree.has_error or len(tree.text) > MAX_BYTES:
        return ()
    nodes = captured(tree.language.name, "misuses", tree.root)
    found = [_assigned(node) for node in nodes.get("assigned", ())]
    found += [_separated(node) for node in nodes.get("separated", ())]
    if "adjacent" in nodes or "reserved" in nodes or "plain" in nodes:
        declared = _Declared(tree)
        found += [misuse for node in nodes.get("adjacent", ()) if (misuse := _adjacent(tree, node, declared))]
        found += [_reserved(tree, node) for node in nodes.get("reserved", ())]
        found += _called(tree, {node.byte_range for node in nodes.get("plain", ())}, declared)
    found += _misspelt(tree, nodes.get("typed", []))
    found += _unknown(tree, nodes.get("declared", []))
    return tuple(sorted(found, key=lambda misuse: misuse.start))


def _assigned(node: tree_sitter.Node) -> Misuse:
    start, end = node.byte_range
    meant = (("Replace `=` by `==`", Edit(start, end, b"==")),)
    return Misuse(start=start, end=end, message="`=` has nothing to assign to here.", meant=meant)


def _separated(node: tree_sitter.Node) -> Misuse:
    start, end = node.byte_range
    meant = (("Insert `,`", Edit(start, start, b", ")),)
    return Misuse(start=start, end=end, message="`,` is missing here.", meant=meant)


class _Declared:
    """The names of a text by their spelling."""

    def __init__(self, tree: SyntaxTree) -> None:
        self.by_name: dict[str, list[Name]] = {}
        for name in names(tree):
            self.by_name.setdefault(name.name, []).append(name)

    def at(self, word: str, offset: int) -> Name | None:
        """What a word stands for at an offset: the innermost of those known there."""
        some = self.by_name.get(word, ())[:MAX_SAME]
        known = [one for one in some if one.known[0] <= offset <= one.known[1]]
        if not known and len(some) == MAX_SAME:
            return some[0]
        return max(known, key=lambda one: one.known[0], default=None)

    def known_at(self, offset: int) -> list[str]:
        """All words that stand for something at an offset."""
        spans = ((word, one.known) for word, some in self.by_name.items() for one in some)
        return list(dict.fromkeys(word for word, (start, end) in spans if start <= offset <= end))


_LIMITS = re.compile(r"[A-Z]+_(?:MAX|MIN|DIG)")


def _adjacent(tree: SyntaxTree, node: tree_sitter.Node, declared: _Declared) -> Misuse | None:
    """A name beside a string: a macro may be a string too, a variable or a limit is none."""
    word = tree.text[slice(*node.byte_range)].decode("utf-8", "replace")
    known = declared.at(word, node.start_byte)
    if known is None and not _LIMITS.fullmatch(word):
        return None
    if known is not None and known.kind not in ("variable", "parameter", "function", "constant"):
        return None
    start = max(node.start_byte - BEFORE, 0)
    before = tree.text[start : node.start_byte].rstrip()
    after_string = before.endswith(b'"')
    at = start + len(before) if after_string else node.end_byte
    meant = (("Insert `,`", Edit(at, at, b",")),)
    side = "before" if after_string else "after"
    return Misuse(start=node.start_byte, end=node.end_byte, message=f"`,` is missing {side} `{word}`.", meant=meant)


def _reserved(tree: SyntaxTree, node: tree_sitter.Node) -> Misuse:
    start, end = node.byte_range
    word = tree.text[start:end].decode("utf-8", "replace")
    called = node.parent is not None and node.parent.type == "call_expression"
    cast = ((f"Write `({word})`", Edit(start, end, f"({word})".encode())),) if called and word not in _NO_TYPES else ()
    return Misuse(start=start, end=end, message=f"`{word}` is a keyword and no value.", meant=cast)


_NO_TYPES = frozenset({"if", "return", "union", "break", "continue"})


def _called(tree: SyntaxTree, plain: set[tuple[int, int]], declared: _Declared) -> Iterator[Misuse]:
    """Calls of variables that hold numbers: an operator is missing."""
    for use in references(tree) if plain else ():
        name = declared.at(use.name, use.start) if use.kind == "call" else None
        member = tree.text[max(use.start - 2, 0) : use.start].endswith((b".", b"->"))
        if name is None or member or (name.start, name.end) not in plain:
            continue
        meant = (("Insert `*`", Edit(use.end, use.end, b" * ")),)
        message = f"`{use.name}` is a variable and cannot be called."
        yield Misuse(start=use.start, end=use.end, message=message, meant=meant)


# -- keywords that are misspelt ---------------------------------------------------------------------------------------


_BEFORE_OPERANDS = frozenset({"return", "throw", "delete"})
"""Keywords of statements that look like declarations where they are misspelt: `retrun x;`."""
_CAPITALS = re.compile(r"[A-Z][A-Z0-9_]+")


def _misspelt(tree: SyntaxTree, types: list[tree_sitter.Node]) -> Iterator[Misuse]:
    """Types that are named once, one slip away from a keyword, before a name that is declared already."""
    likely = [(node, words) for node in types if (words := _keywords_of(tree, node))]
    declared = _Declared(tree) if likely else None
    for node, words in likely:
        start, end = node.byte_range
        name = re.match(rb"\s+(\w+)\s*;", tree.text[end:])
        shown = name[1].decode("utf-8", "replace") if name is not None else ""
        some = declared.by_name.get(shown, ())[:MAX_SAME] if declared is not None else ()
        known = any(one.start < start and one.known[0] <= start <= one.known[1] for one in some)
        if known or _CAPITALS.fullmatch(shown):
            written = tree.text[start:end].decode("utf-8", "replace")
            meant = tuple((f"Replace `{written}` by `{word}`", Edit(start, end, word.encode())) for word in words)
            yield Misuse(start=start, end=end, message=f"`{written}` looks like `{words[0]}` misspelt.", meant=meant)


def _keywords_of(tree: SyntaxTree, node: tree_sitter.Node) -> list[str]:
    """The keywords before operands that a slip makes of a word which the text has only once."""
    word = tree.text[slice(*node.byte_range)]
    if tree.text.count(word) > 1:
        return []
    return [one for one in corrections(tree.language, word) if one in _BEFORE_OPERANDS]


# -- names that nothing declares ------------------------------------------------------------------------------------


_INCLUDED = re.compile(rb"(?m)^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"\n]*)[>\"]")
_CONDITION = re.compile(rb"(?m)^[ \t]*#[ \t]*if")


def _unknown(tree: SyntaxTree, declarators: list[tree_sitter.Node]) -> list[Misuse]:
    """Names that neither the file nor the headers it includes declare.

    Nothing where a header is not known to us, where there is none (another file may include this one), or where the
    platform decides what is read.
    """
    headers = _headers(tree.language.name)
    included = [one.decode("utf-8", "replace") for one in _INCLUDED.findall(tree.text)] if headers else []
    if not included or not headers.keys() >= set(included) or _CONDITION.search(tree.text):
        return []
    outside = frozenset(word for one in included for word in headers[one]) | headers[""]
    outside |= {tree.text[slice(*node.byte_range)].decode("utf-8", "replace") for node in declarators}
    declared, found = _Declared(tree), list[Misuse]()
    for use in references(tree):
        if use.kind == "name" and use.name not in outside and declared.at(use.name, use.start) is None:
            found.append(_undeclared(use, declared.known_at(use.start)))
        if len(found) == MAX_UNDECLARED:
            break
    return found


def _undeclared(use: Reference, known: list[str]) -> Misuse:
    word = use.name.encode()
    close = sorted({(distance(word, other.encode()), other) for other in known if near(word, other.encode())})
    meant = tuple(
        (f"Replace `{use.name}` by `{one}`", Edit(use.start, use.end, one.encode())) for _, one in close[:MOST]
    )
    return Misuse(start=use.start, end=use.end, message=f"`{use.name}` is not declared.", meant=meant)


@cache
def _headers(language: str) -> dict[str, frozenset[str]]:
    """The names that known headers declare, under "" those that need none; made by `bench.headers`."""
    path = files("ast_tools") / "data" / f"{language}_headers.json.gz"
    if not path.is_file():
        return {}
    stored = json.loads(gzip.decompress(path.read_bytes()))
    return {header: frozenset(words) for header, words in stored["headers"].items()}
