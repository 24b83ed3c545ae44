"""What a file imports and defines, as text: read from the tree in slices, and kept while the file changes a little."""

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

import ast_tools
from ast_tools import SyntaxTree
from ast_tools.lexer import tokens, unmatched
from r1_lsp.features.completion.hygiene import readable

SLICE_BYTES = 2_000
"""Read at a time: one to two milliseconds in dense code."""
PAUSE_S = 0.02
"""Between slices of a file whose outline is only renewed: nobody waits for it, but somebody types."""
FRESH_S = 5.0
"""How long an outline serves while its file is edited."""
_FILES = 8
LONGEST_ENTRY = 600
"""Bytes; a longer header is a data structure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An import or a definition: what it names, where it stood when it was read, its text with its indentation.

    `under`: the headers it stands under, outermost first, each with its start; without them a member means nothing.
    """

    kind: Literal["import", "signature"]
    names: frozenset[str]
    start: int
    text: str
    under: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """The entries of one text, in its order."""

    entries: tuple[Entry, ...]


async def read_outline(tree: SyntaxTree, pause_s: float = 0.0) -> Outline:
    """Reads a tree's outline, giving way to other work for `pause_s` seconds after each slice."""
    entries: dict[int, Entry] = {}
    for start in range(0, len(tree.text), SLICE_BYTES):
        for entry in _slice(tree, start, start + SLICE_BYTES):
            entries.setdefault(entry.start, entry)
        await asyncio.sleep(pause_s)
    return Outline(entries=tuple(entries[start] for start in sorted(entries)))


NOTHING = Outline(entries=())


class Outlines:
    """The outlines of the files asked about last. Event-loop thread only."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Outline] = OrderedDict()
        self._read_at: dict[str, float] = {}

    async def of(self, uri: str, tree: SyntaxTree | None) -> Outline:
        """What is known of a file; read now when nothing is."""
        if tree is None:
            return NOTHING
        if uri not in self._kept:
            await self.read(uri, tree)
        return self._kept.get(uri, NOTHING)

    def is_old(self, uri: str) -> bool:
        """Whether it is time to read a file again."""
        return time.monotonic() - self._read_at.get(uri, float("-inf")) > FRESH_S

    async def read(self, uri: str, tree: SyntaxTree) -> None:
        """Reads a file's outline anew."""
        self._read_at[uri] = time.monotonic()
        self._kept[uri] = await read_outline(tree, PAUSE_S if uri in self._kept else 0.0)
        self._kept.move_to_end(uri)
        while len(self._kept) > _FILES:
            self._read_at.pop(self._kept.popitem(last=False)[0], None)


def _slice(tree: SyntaxTree, start: int, end: int) -> list[Entry]:
    found = []
    for span in ast_tools.imports(tree, (start, end)):
        if span[1] - span[0] <= LONGEST_ENTRY:
            found.append(_entry(tree, "import", _names_in(tree.text[span[0] : span[1]]), span))
    for one in ast_tools.definitions_between(tree, start, end):
        if one.kind != "variable" and _is_whole(tree, one.signature):
            under = _headers(tree, one.start)
            if under is not None:
                found.append(_entry(tree, "signature", frozenset((one.name,)), one.signature, under))
    return found


def _is_whole(tree: SyntaxTree, span: tuple[int, int]) -> bool:
    """Whether a header is short enough and closes what it opens, but for its body's brace."""
    text = tree.text[span[0] : span[1]].rstrip()
    if len(text) > LONGEST_ENTRY or text.endswith(b"\\"):
        return False
    found = tokens(tree.language, text.removesuffix(b"{"))
    return not any(unmatched(found)) and all(token.kind != "unclosed" for token in found)


def _headers(tree: SyntaxTree, start: int) -> tuple[tuple[int, str], ...] | None:
    """The headers around a definition, outermost first; None where one cannot be shown."""
    line = tree.text[tree.text.rfind(b"\n", 0, start) + 1 : start]
    if not line[:1].isspace():
        return ()
    scopes = [scope for scope in ast_tools.enclosing(tree, start) if scope.start < start]
    if not all(_is_whole(tree, scope.header) for scope in scopes):
        return None
    return tuple((scope.start, whole_lines(tree.text, scope.header)) for scope in scopes)


def _entry(
    tree: SyntaxTree,
    kind: Literal["import", "signature"],
    names: frozenset[str],
    span: tuple[int, int],
    under: tuple[tuple[int, str], ...] = (),
) -> Entry:
    return Entry(kind=kind, names=names, start=span[0], text=whole_lines(tree.text, span), under=under)


def whole_lines(text: bytes, span: tuple[int, int]) -> str:
    """A range with its indentation, as lines of their own."""
    line_start = text.rfind(b"\n", 0, span[0]) + 1
    lead = text[line_start : span[0]]
    return readable((lead if not lead.strip() else b"") + text[span[0] : span[1]]).rstrip() + "\n"


def _names_in(statement: bytes) -> frozenset[str]:
    return frozenset(statement.decode("utf-8", "replace").replace(",", " ").replace(".", " ").split())
