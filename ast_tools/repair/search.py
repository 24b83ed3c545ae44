"""Candidates in the order of their scores, each checked by the parser; the margin to the next says how sure we are."""

import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from ast_tools.edits import Edit, apply
from ast_tools.repair.brackets import WIDE_MARGIN, Brackets, Candidate, Habits
from ast_tools.repair.chunks import Chunk, chunks
from ast_tools.repair.lines import colons, quotes
from ast_tools.tree import SyntaxTree, parse, reparse

LEAST_SCORE = 3.0
"""A sure candidate must be likely by itself, not only likelier than what else was tried."""
TRIES = 40
MAX_CHUNKS = 8
MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate that the parser takes."""

    candidate: Candidate
    sure: bool


def search(tree: SyntaxTree, near: int | None, budget_s: float, *, parser: bool = True) -> list[Found]:
    """Verified candidates for every broken piece, best first within a piece; the piece nearest to `near` first.

    Without `parser` only the text is looked at: nothing is verified.
    """
    if not tree.root.has_error and (tree.language.accepts is None or tree.language.accepts(tree.text)):
        return []
    if len(tree.text) > MAX_BYTES:
        return []
    deadline = time.thread_time() + budget_s
    pieces = chunks(tree.language, tree.text)
    broken = (
        _broken(tree, pieces, time.thread_time() + budget_s / 2)
        if parser
        else [piece for piece in pieces if _unbalanced(piece)]
    )
    habits = Habits(tuple(token for piece in pieces for token in piece.significant)) if broken else Habits(())
    if near is not None:
        broken.sort(key=lambda piece: max(piece.start - near, near - piece.end, 0))
    found: list[Found] = []
    for piece in broken[:MAX_CHUNKS]:
        if parser:
            found += _repaired(tree, piece, habits, deadline, alone=len(broken) == 1)
        else:
            found += _unverified(tree, piece, habits)
    return found


def _unverified(tree: SyntaxTree, piece: Chunk, habits: Habits) -> list[Found]:
    """The first three candidates by their scores alone."""
    ordered = sorted(_candidates(piece, habits), key=lambda candidate: -candidate.score)
    distinct = {b"".join(apply(tree.text, [one.edit]).split()): one for one in reversed(ordered[:TRIES])}
    best = sorted(distinct.values(), key=lambda candidate: -candidate.score)[:3]
    lead = best[0].score - best[1].score if len(best) > 1 else WIDE_MARGIN
    sure = bool(best) and lead >= best[0].margin and best[0].score > LEAST_SCORE and not best[0].doubtful
    return [Found(candidate, sure and number == 0) for number, candidate in enumerate(best)]


def _broken(tree: SyntaxTree, pieces: list[Chunk], deadline: float) -> list[Chunk]:
    """Pieces whose brackets or strings do not close, and those in reach of an error that do not parse by themselves.

    One error of the grammar can swallow many statements; past `deadline` only where errors begin counts.
    """
    errors = sorted((error.start_byte, error.end_byte) for error in tree.errors)
    reach, broken = list(accumulate((end for _, end in errors), max)), []
    for piece in pieces:
        before = bisect_left(errors, (piece.end, 0))
        in_reach = before > 0 and max(reach[before - 1], errors[before - 1][0] + 1) > piece.start
        begins = before > 0 and errors[before - 1][0] >= piece.start
        late = time.thread_time() > deadline
        if _unbalanced(piece) or (in_reach and (begins if late else not _parses(piece))):
            broken.append(piece)
    return broken


def _unbalanced(piece: Chunk) -> bool:
    return any(token.kind == "unclosed" for token in piece.tokens) or not Brackets(piece, Habits(())).balanced


def _candidates(piece: Chunk, habits: Habits) -> Iterator[Candidate]:
    if any(token.kind == "unclosed" for token in piece.tokens):
        yield from quotes(piece)
        return
    brackets = Brackets(piece, habits)
    if not brackets.balanced:
        yield from brackets.candidates()
        yield from _dangling(piece)
    else:
        yield from colons(piece)


def _dangling(piece: Chunk) -> Iterator[Candidate]:
    """Deleting an operator and a bracket that end a line: `a + b * (`."""
    found = piece.significant
    for number, token in enumerate(found[1:], 1):
        before = found[number - 1]
        after = found[number + 1] if number + 1 < len(found) else None
        ends = after is None or piece.text.find(b"\n", token.end, after.start) >= 0
        if token.kind != "open" or before.kind != "op" or not ends or number < 2:
            continue
        start = found[number - 2].end
        line = piece.text.count(b"\n", 0, token.start) + 1
        shown = piece.text[start : token.end].decode("utf-8", "replace").strip()
        yield Candidate(
            edit=Edit(start, token.end, b""),
            score=-40.0,
            title=f"Delete `{shown}`",
            blames=token,
            reason=f"`{token.text.decode()}` opened on line {line} is never closed.",
            doubtful=True,
        )


def _repaired(tree: SyntaxTree, piece: Chunk, habits: Habits, deadline: float, *, alone: bool) -> list[Found]:
    ordered = sorted(_candidates(piece, habits), key=lambda candidate: -candidate.score)
    together = [candidate for candidate in ordered if candidate.together]
    if len(together) > 1 and _parses(piece, *(candidate.edit for candidate in together)):
        return [Found(candidate, sure=True) for candidate in together]
    found = _ranked(tree, piece, ordered, (), deadline, alone=alone)
    headers = [] if found or together else list(colons(piece))
    if not headers:
        return found
    # A header lacks its colon besides: neither repair parses without the other.
    found = _ranked(tree, piece, ordered, tuple(header.edit for header in headers), deadline, alone=alone)
    in_time = time.thread_time() <= deadline
    return [Found(header, in_time) for header in headers] + found if found else []


def _ranked(
    tree: SyntaxTree,
    piece: Chunk,
    ordered: list[Candidate],
    besides: tuple[Edit, ...],
    deadline: float,
    *,
    alone: bool,
) -> list[Found]:
    """The first three candidates that parse, with what is done `besides`; the first may be sure."""
    verified: list[Candidate] = []
    texts: set[bytes] = set()
    complete = True
    for tried, candidate in enumerate(ordered):
        if len(verified) == 3 or tried >= TRIES:
            break
        if time.thread_time() > deadline:
            complete = False
            break
        key = b"".join(apply(tree.text, [candidate.edit])[piece.start : piece.end + 8].split())
        if key not in texts and _parses(piece, candidate.edit, *besides):
            texts.add(key)
            verified.append(candidate)
    if not verified:
        return []
    best = verified[0]
    lead = best.score - verified[1].score if len(verified) > 1 else WIDE_MARGIN
    # A missing closer that fits in one gap only need not be likely by itself.
    forced = len(verified) == 1 and len(ordered) <= TRIES and best.closes
    likely = lead >= best.margin and (forced or best.score > LEAST_SCORE)
    sure = complete and likely and not best.doubtful
    if sure and alone:
        sure = _whole_file_agrees(tree, (best.edit, *besides))
    return [Found(candidate, sure and number == 0) for number, candidate in enumerate(verified)]


def _parses(piece: Chunk, *edits: Edit) -> bool:
    start, end = piece.start, piece.end
    if any(one.start < other.start < one.end for one in edits for other in edits):
        return False
    moved = [Edit(edit.start - start, edit.end - start, edit.new) for edit in edits]
    text = apply(piece.text[start:end], moved)
    tree = parse(piece.language, text, 0.02)
    if tree is None or tree.root.has_error:
        return False
    return piece.language.accepts is None or piece.language.accepts(text)


def _whole_file_agrees(tree: SyntaxTree, edits: tuple[Edit, ...]) -> bool:
    after = reparse(tree, edits, 0.05)
    return after is not None and not after.root.has_error
