"""What the model should see: the text around the cursor, and above it the file's imports, signatures and headers.

The parts stand in the order of the file, so that together they read like the file with its bodies left out. What is
chosen stays as it is while the user types (a `Frame`): a changed word high up in the prompt would cost reading all of
it again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import ast_tools
from ast_tools import Scope, SyntaxTree
from ast_tools.lines import Lines
from engine.prompt.budget import prompt_tokens
from engine.types import ModelInfo
from r1_lsp.features.completion.hygiene import readable
from r1_lsp.features.completion.outline import Entry, Outline, whole_lines
from r1_lsp.snapshot import Snapshot

FIRST_TEXT_S = 0.8
"""Cold first text is to come within a second; this much of it is for reading the prompt."""
MOST_TOKENS = 3072
REMOTE_TOKENS = 2048
"""Whose speed is not known: a server elsewhere."""

Kind = Literal["scope", "import", "signature", "edit", "before", "line", "after"]

_CONTEXT_SHARE = 0.3
_SUFFIX_SHARE = 0.15
_FRESH_WINDOW = 0.6  # a new window begins this far back, so that it can grow before it has to move
_SHORTEST_WINDOW = 0.25
_RECENT_EDITS = 3
_ANCHOR = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many bytes of the file the prompt may hold in all, and how many of them stand after the cursor."""

    total: int
    suffix: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the prompt: what it is and its text as the model reads it."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stays the same from key to key: the context above the window, and where the window begins.

    `anchor`: the bytes just before the window, which tell whether the text above was changed. `unseen`: names that the
    file defines and whose signature the prompt does not hold, though it could.
    """

    uri: str
    room: Room
    context: tuple[Piece, ...]
    start: int
    longest: int
    anchor: bytes
    scopes: tuple[str, ...]
    unseen: frozenset[str]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The prompt's parts: context (frozen order), the lines before the cursor's, its line so far, what follows."""

    frame: Frame
    before: str
    line: str
    after: str

    @property
    def context(self) -> str:
        return "".join(piece.text for piece in self.frame.context)

    def pieces(self) -> tuple[Piece, ...]:
        """All parts in the order of the file."""
        here = (("before", self.before), ("line", self.line), ("after", self.after))
        return (*self.frame.context, *(Piece(kind=kind, text=text) for kind, text in here if text))  # type: ignore[arg-type]


def room_for(info: ModelInfo, max_tokens: int) -> Room:
    """The room for a prompt, from how fast the model reads on this machine. Tokens are taken at their usual length."""
    if info.remote:
        tokens = min(REMOTE_TOKENS, max(info.n_ctx - max_tokens, 0))
    else:
        tokens = prompt_tokens(
            info.prefill_tps,
            within_s=FIRST_TEXT_S,
            n_ctx=info.n_ctx,
            max_tokens=max_tokens,
            decode_tps=info.decode_tps,
        )
    # Rounded, because a re-measured speed must not move the window.
    total = int(min(tokens, MOST_TOKENS) // 32 * 32 * max(info.chars_per_token, 1.0))
    return Room(total=total, suffix=int(total * _SUFFIX_SHARE) if info.can_infill else 0)


def gather(snapshot: Snapshot, offset: int, room: Room, outline: Outline, previous: Frame | None = None) -> Gathered:
    """The parts of the prompt for a cursor. `previous`, the frame of the last request, is kept as long as it fits."""
    frame = previous if previous is not None and _still_fits(previous, snapshot, offset, room) else None
    if frame is None:
        frame = _new_frame(snapshot, offset, room, outline)
    text = snapshot.text
    line_start = max(snapshot.lines.start(snapshot.lines.line_at(offset)), frame.start)
    return Gathered(
        frame=frame,
        before=readable(text[frame.start : line_start]),
        line=readable(text[line_start:offset]),
        after=readable(_suffix(snapshot.lines, offset, room.suffix)),
    )


def _still_fits(frame: Frame, snapshot: Snapshot, offset: int, room: Room) -> bool:
    window = offset - frame.start
    if frame.uri != snapshot.uri or frame.room != room or not 0 <= window <= frame.longest:
        return False
    if frame.start and window < frame.longest * _SHORTEST_WINDOW:
        return False
    if snapshot.text[max(0, frame.start - _ANCHOR) : frame.start] != frame.anchor:
        return False
    tree = snapshot.tree
    if tree is None:
        return True
    if _scope_names(tree, snapshot.lines, offset, frame.start) != frame.scopes:
        return False
    # At most once a line, and only for a name that the file defines out of sight, is it worth reading all again.
    on_other_line = snapshot.lines.line_at(offset) != frame.line
    return not on_other_line or frame.unseen.isdisjoint(ast_tools.mentioned(tree, offset, 0, 0))


def _new_frame(snapshot: Snapshot, offset: int, room: Room, outline: Outline) -> Frame:
    tree, before_room = snapshot.tree, room.total - room.suffix
    start = _window_start(snapshot.lines, offset, int(before_room * (1 - _CONTEXT_SHARE) * _FRESH_WINDOW))
    window = readable(snapshot.text[start:offset])
    chosen = _chosen(_wanted(snapshot, offset, start, outline), window, int(before_room * _CONTEXT_SHARE))
    context = tuple(Piece(kind=part.kind, text=part.text) for part in sorted(chosen, key=lambda part: part.start))
    shown = "".join(piece.text for piece in context) + window
    unseen = (e.names for e in outline.entries if e.kind == "signature" and e.text.strip() not in shown)
    return Frame(
        uri=snapshot.uri,
        room=room,
        context=context,
        start=start,
        longest=max(before_room - sum(_size(piece.text) for piece in context), 1),
        anchor=snapshot.text[max(0, start - _ANCHOR) : start],
        scopes=_scope_names(tree, snapshot.lines, offset, start) if tree is not None else (),
        unseen=frozenset().union(*unseen),
        line=snapshot.lines.line_at(offset),
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """Something worth showing above the window, where it stands in the file, and the headers it belongs under."""

    start: int
    kind: Kind
    text: str
    under: tuple["_Part", ...] = ()


def _chosen(wanted: Iterator[_Part], window: str, room: int) -> list[_Part]:
    """What fits into `room` bytes, first come first served; each text once, and nothing that the window shows."""
    found: list[_Part] = []
    for part in wanted:
        if part.text.strip() in window or part in found:
            continue
        if not part.under and any(part.text in other.text for other in found):
            continue
        group = [*(header for header in part.under if header not in found), part]
        if (size := sum(_size(one.text) for one in group)) <= room:
            found += group
            room -= size
    return found


def _wanted(snapshot: Snapshot, offset: int, start: int, outline: Outline) -> Iterator[_Part]:
    """The parts, most useful first. What stands below the cursor goes to the very top, as if it were imported."""
    tree, lines = snapshot.tree, snapshot.lines
    if tree is None or start == 0:
        return
    for scope in _scopes(tree, lines, offset):
        if scope.start < start:
            yield _Part(scope.start, "scope", whole_lines(snapshot.text, scope.header))
    names = {name: rank for rank, name in enumerate(ast_tools.mentioned(tree, offset, 20, 0))}
    near = [entry for entry in outline.entries if not entry.names.isdisjoint(names)]
    near.sort(key=lambda entry: min(names.get(name, len(names)) for name in entry.names))
    for kind in ("import", "signature"):
        for entry in near:
            if entry.kind == kind:
                yield _part(entry, 0 if entry.start < start else -len(snapshot.text) - 1)
    yield from (_Part(entry.start, "import", entry.text) for entry in outline.entries if entry.kind == "import")
    for begin, _ in snapshot.recent_edits[:_RECENT_EDITS]:
        if begin < start:
            line = lines.line_at(begin)
            yield _Part(begin, "edit", whole_lines(lines.text, (lines.start(line), lines.end(line))))


def _part(entry: Entry, moved: int) -> _Part:
    """A signature or import with its headers, `moved` together in the order of the prompt."""
    under = tuple(_Part(start + moved, "scope", text) for start, text in entry.under)
    return _Part(entry.start + moved, entry.kind, entry.text, under)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _window_start(lines: Lines, offset: int, size: int) -> int:
    """The start of a line about `size` bytes before the offset; the cursor's own line when that is longer."""
    if offset <= size:
        return 0
    line = lines.line_at(offset - size)
    start = lines.start(min(line + 1, lines.line_at(offset)))
    # A line without end (minified code) is cut somewhere; every byte offset is a fair place.
    return start if offset - start <= 2 * size else offset - size


def _suffix(lines: Lines, offset: int, size: int) -> bytes:
    """The text after the cursor: whole lines within `size` bytes, at least the rest of the cursor's line."""
    if size <= 0:
        return b""
    text = lines.text
    if len(text) - offset <= size:
        return text[offset:]
    end = lines.start(lines.line_at(offset + size))
    return text[offset : end if end > offset else offset + size]


def _scope_names(tree: SyntaxTree, lines: Lines, offset: int, start: int) -> tuple[str, ...]:
    """The scopes around the cursor whose headers are above the window."""
    return tuple(f"{scope.kind} {scope.name}" for scope in _scopes(tree, lines, offset) if scope.start < start)


def _scopes(tree: SyntaxTree, lines: Lines, offset: int) -> tuple[Scope, ...]:
    """The scopes around the cursor, outermost first.

    An unfinished statement, which is what a cursor mostly stands in, can end its scope for the parser. So the line
    above is asked too: what encloses it and is less indented than the cursor's line encloses the cursor.
    """
    here = ast_tools.enclosing(tree, offset)
    line = lines.line_at(offset)
    above = next((n for n in range(line - 1, max(line - 20, -1), -1) if lines.line(n).strip()), None)
    if above is None:
        return here
    end = lines.start(above) + len(lines.line(above).rstrip())
    width = _indent(lines.text[lines.start(line) : offset])
    around = tuple(
        scope for scope in ast_tools.enclosing(tree, end) if _indent(lines.line(lines.line_at(scope.start))) < width
    )
    return max(here, around, key=len)


def _indent(line: bytes) -> int:
    line = line.expandtabs(8)
    return len(line) - len(line.lstrip(b" "))
