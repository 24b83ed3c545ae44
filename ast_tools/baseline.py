"""Which errors of a text are real, judged without an earlier state of it.

A quarter of all clean C files "has errors" for its grammar, because it does not know what macros mean. Such errors are
told from real ones by reading the text plainly (ast_tools.readings), statement by statement.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Protocol, TypeVar

from ast_tools.lexer import unmatched
from ast_tools.readings import READINGS, readings
from ast_tools.repair.chunks import Chunk, chunks
from ast_tools.tree import SyntaxTree, parse

READING_BUDGET_S = 1.0
PIECE_BUDGET_S = 0.05
"""Seconds of processor time for one reading of a text, and of one of its statements."""
MAX_BYTES = 1_000_000
"""A longer text is not looked into: all its errors are believed."""


class Placed(Protocol):
    """Anything that is wrong at a byte offset."""

    @property
    def start(self) -> int: ...


Error = TypeVar("Error", bound=Placed)


def believed(tree: SyntaxTree, errors: Sequence[Error]) -> tuple[Error, ...]:
    """The errors that no plainer reading of the text explains. Brackets and strings that do not close never are.

    Where a statement is broken but none of the errors stands in it (the grammar stumbles later), all are believed.
    """
    if not errors or not tree.has_error or tree.language.name not in READINGS or len(tree.text) > MAX_BYTES:
        return tuple(errors)
    judged = _Judged(tree)
    broken = judged.broken
    if not broken:
        return ()
    kept = tuple(error for error in errors if any(piece.start <= error.start < piece.end for piece in broken))
    return kept or tuple(errors)


@dataclass(frozen=True, eq=False)
class _Judged:
    """A text in statements, some of them broken in every reading."""

    tree: SyntaxTree

    @cached_property
    def pieces(self) -> list[Chunk]:
        return chunks(self.tree.language, self.tree.text)

    @cached_property
    def broken(self) -> list[Chunk]:
        """The statements that are broken in every reading, and those whose brackets or strings do not close."""
        unclosed = [piece for piece in self.pieces if _unclosed(piece)]
        left = [piece for piece in self._reached(self.tree) if piece not in unclosed and not _alone(piece, self.tree)]
        for reading in self._read() if left else ():
            reached = self._reached(reading)
            left = [piece for piece in left if piece in reached and not _alone(piece, reading)]
            if not left:
                break
        return [*unclosed, *left]

    def _read(self) -> Iterator[SyntaxTree]:
        for language, text in readings(self.tree.language, self.tree.text):
            reading = parse(language, text, READING_BUDGET_S)
            if reading is not None:
                yield reading

    def _reached(self, tree: SyntaxTree) -> list[Chunk]:
        """The statements that an error touches: one error can swallow many."""
        errors = sorted((error.start_byte, error.end_byte) for error in tree.errors)
        reach = list(accumulate((end for _, end in errors), max))
        found = []
        for piece in self.pieces:
            before = bisect_left(errors, (piece.end, 0))
            if before > 0 and max(reach[before - 1], errors[before - 1][0] + 1) > piece.start:
                found.append(piece)
        return found


def _alone(piece: Chunk, reading: SyntaxTree) -> bool:
    """Whether a statement parses by itself as it stands in a reading."""
    found = parse(reading.language, reading.text[piece.start : piece.end], PIECE_BUDGET_S)
    return found is not None and not found.has_error


def _unclosed(piece: Chunk) -> bool:
    return any(token.kind == "unclosed" for token in piece.tokens) or any(unmatched(list(piece.tokens)))
