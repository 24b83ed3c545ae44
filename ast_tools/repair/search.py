"""Repairs of a whole text: brackets first, region by region, then strings and headers, each checked by the parser."""

import time
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from ast_tools.edits import Edit
from ast_tools.repair.bracket_search import BracketSearch
from ast_tools.repair.chunks import Chunk, chunks
from ast_tools.repair.found import Found
from ast_tools.repair.lines import colons, quotes
from ast_tools.repair.scan import scan
from ast_tools.repair.verify import Verifier, parses_alone
from ast_tools.tree import SyntaxTree

__all__ = ["Found", "search"]

MAX_CHUNKS = 8
MAX_BYTES = 1_000_000
TRIES = 40
MARGIN = 13.0
"""Least lead, in score, of a sure repair of a string or header over the next; chosen on the standard library."""
LEAST_SCORE = 3.0
"""It must be likely by itself too."""


def search(tree: SyntaxTree, near: int | None, budget_s: float, *, parser: bool = True) -> list[Found]:
    """Verified candidates for everything that is broken, best first for each; what is nearest to `near` first.

    Without `parser` only the brackets are looked at, and nothing is verified.
    """
    if not tree.root.has_error and (tree.language.accepts is None or tree.language.accepts(tree.text)):
        return []
    if len(tree.text) > MAX_BYTES:
        return []
    deadline = time.thread_time() + budget_s
    marks = scan(tree.language, tree.text, tree)
    verifier = Verifier(tree, deadline)
    brackets = BracketSearch(verifier, marks.marks, near)
    if not parser:
        return brackets.unverified()
    if not marks.unclosed:
        found = brackets.run()
        if brackets.clean:
            return found
    pieces = chunks(tree.language, tree.text)
    return _by_pieces(verifier, brackets, pieces, near)


def _by_pieces(verifier: Verifier, brackets: BracketSearch, pieces: list[Chunk], near: int | None) -> list[Found]:
    """Where brackets are not all that is wrong, or a string hides some: piece by piece."""
    unclosed = [piece for piece in pieces if any(token.kind == "unclosed" for token in piece.tokens)]
    brackets.leave_out([(piece.start, piece.end) for piece in unclosed])
    spans = [(region.start, region.end) for region in brackets.regions]
    broken = [piece for piece in pieces if piece in unclosed or _overlaps(piece, spans)]
    broken += [piece for piece in _unparsed(verifier, pieces) if piece not in broken]
    if near is not None:
        broken.sort(key=lambda piece: max(piece.start - near, near - piece.end, 0))
    found: list[Found] = []
    for piece in broken[:MAX_CHUNKS]:
        if piece in unclosed or not _overlaps(piece, spans):
            found += _lines(verifier, piece, alone=len(broken) == 1)
        else:
            found += _with_headers(verifier, brackets, piece)
    return found


def _overlaps(piece: Chunk, spans: list[tuple[int, int]]) -> bool:
    return any(start < piece.end and piece.start < end for start, end in spans)


def _with_headers(verifier: Verifier, brackets: BracketSearch, piece: Chunk) -> list[Found]:
    """The brackets of a piece; if need be with the colons that its headers lack, because neither parses alone."""
    found = brackets.within(piece.start, piece.end, ())
    if found:
        return found
    headers = list(colons(piece))
    found = brackets.within(piece.start, piece.end, tuple(header.edit for header in headers)) if headers else []
    return [Found(header, not verifier.late) for header in headers] + found if found else []


def _unparsed(verifier: Verifier, pieces: list[Chunk]) -> Iterator[Chunk]:
    """Pieces in reach of an error that do not parse by themselves.

    One error of the grammar can swallow many statements; when half the time is spent only where errors begin counts.
    """
    tree = verifier.tree
    halfway = (time.thread_time() + verifier.deadline) / 2
    errors = sorted(node.byte_range for node in tree.errors)
    reach = list(accumulate((end for _, end in errors), max))
    for piece in pieces:
        before = bisect_left(errors, (piece.end, 0))
        if before == 0 or max(reach[before - 1], errors[before - 1][0] + 1) <= piece.start:
            continue
        begins = errors[before - 1][0] >= piece.start
        if begins if time.thread_time() > halfway else not parses_alone(tree, piece.start, piece.end, ()):
            yield piece


def _lines(verifier: Verifier, piece: Chunk, *, alone: bool) -> list[Found]:
    """Strings without their ends, else headers without their colons."""
    tree = verifier.tree
    strings = any(token.kind == "unclosed" for token in piece.tokens)
    ordered = sorted(quotes(piece) if strings else colons(piece), key=lambda candidate: -candidate.score)
    together = [candidate for candidate in ordered if candidate.together]
    edits = [candidate.edit for candidate in together]
    if len(together) > 1 and parses_alone(tree, piece.start, piece.end, edits):
        return [Found(candidate, sure=True) for candidate in together]
    verified = [one for one in ordered[:TRIES] if _parses(verifier, piece, one.edit)][:3]
    if not verified:
        return []
    best = verified[0]
    lead = best.score - verified[1].score if len(verified) > 1 else MARGIN
    sure = not verifier.late and lead >= MARGIN and best.score > LEAST_SCORE and not best.doubtful
    if sure and alone:
        sure = verifier.after([best.edit]).clean
    return [Found(candidate, sure and number == 0) for number, candidate in enumerate(verified)]


def _parses(verifier: Verifier, piece: Chunk, edit: Edit) -> bool:
    return not verifier.late and parses_alone(verifier.tree, piece.start, piece.end, [edit])
