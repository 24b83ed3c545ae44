"""Repairs of a whole text: its brackets by what was learnt; what is left of them, strings and headers by pieces."""

from ast_tools.repair.bracket_search import BracketSearch
from ast_tools.repair.chunks import Chunk, chunks
from ast_tools.repair.found import Found
from ast_tools.repair.layout import survey
from ast_tools.repair.lines import colons
from ast_tools.repair.piece_search import PieceSearch
from ast_tools.repair.scan import scan
from ast_tools.repair.verify import Verifier

__all__ = ["Found", "search"]

MAX_CHUNKS = 8
MAX_BYTES = 1_000_000


def search(verifier: Verifier, near: int | None, *, parser: bool = True) -> list[Found]:
    """Verified candidates for everything that is broken, best first for each; what is nearest to `near` first.

    Without `parser` only the brackets are looked at, and nothing is verified.
    """
    tree = verifier.tree
    if not tree.root.has_error and (tree.language.accepts is None or tree.language.accepts(tree.text)):
        return []
    if len(tree.text) > MAX_BYTES:
        return []
    marks = scan(tree.language, tree.text, tree)
    seen = survey(tree.language, tree.text, marks.marks)
    brackets = BracketSearch(verifier, marks.marks, seen, near)
    if not parser:
        return brackets.unverified()
    if not marks.unclosed:
        if (found := _clean(brackets)) is not None:
            return found
        others = BracketSearch(verifier, marks.marks, seen, near, odd=True)
        if others.regions != brackets.regions and (found := _clean(others)) is not None:
            return found
    return _by_pieces(verifier, brackets, chunks(tree.language, tree.text), near) if not verifier.late else []


def _clean(brackets: BracketSearch) -> list[Found] | None:
    """The repairs of brackets with which nothing is wrong any more; None where there are none."""
    found = brackets.run()
    return found if brackets.clean else None


def _by_pieces(verifier: Verifier, brackets: BracketSearch, pieces: list[Chunk], near: int | None) -> list[Found]:
    """Where brackets are not all that is wrong, or a string hides some: piece by piece."""
    if verifier.late:
        return []
    unclosed = [piece for piece in pieces if any(token.kind == "unclosed" for token in piece.tokens)]
    brackets.leave_out([(piece.start, piece.end) for piece in unclosed])
    others = PieceSearch(verifier, pieces)
    broken = others.broken()
    if near is not None:
        broken.sort(key=lambda piece: max(piece.start - near, near - piece.end, 0))
    found: list[Found] = []
    for piece in broken[:MAX_CHUNKS]:
        if verifier.late:
            break
        if not brackets.told(piece.start, piece.end):
            found += _with_headers(verifier, brackets, piece) or others.repaired(piece, alone=len(broken) == 1)
    return found


def _with_headers(verifier: Verifier, brackets: BracketSearch, piece: Chunk) -> list[Found]:
    """The brackets of a piece; if need be with the colons that its headers lack, because neither parses alone."""
    found = brackets.within(piece.start, piece.end, ())
    headers = list(colons(piece)) if not found and brackets.touches(piece.start, piece.end) else []
    if not headers:
        return found
    found = brackets.within(piece.start, piece.end, tuple(header.edit for header in headers))
    return [Found(header, not verifier.late) for header in headers] + found if found else []
