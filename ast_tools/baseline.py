"""Which errors of a text are real, judged without an earlier state of it.

A quarter of all clean C files "has errors" for its grammar, because it does not know what macros mean. Such errors are
told from real ones by reading the text plainly (ast_tools.readings), statement by statement. Where no reading explains
them but what stands there is nothing the grammar could know, a second witness must agree (ast_tools.witnesses).
"""

import re
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, islice
from typing import Protocol, TypeVar

from ast_tools.languages import Language
from ast_tools.layout import Layout
from ast_tools.lexer import Token, unmatched
from ast_tools.readings import READINGS, other_languages, readings
from ast_tools.repair.chunks import Chunk, chunks
from ast_tools.slips import corrections
from ast_tools.tree import SyntaxTree, parse
from ast_tools.witnesses import DOUBTS, open_ends

READING_BUDGET_S = 1.0
PIECE_BUDGET_S = 0.05
"""Seconds of processor time for one reading of a text, and of one of its statements."""
MAX_BYTES = 1_000_000
"""A longer text is not looked into: all its errors are believed."""
JUDGE_BUDGET_S = 3.0
"""Seconds of processor time for all readings; what is not read in time is taken for broken as far as it was read."""
MAX_TRIALS = 8
"""Changes that are tried on one statement."""
MAX_ERRORS = 200
"""Errors of one statement that are looked into."""
MAX_EXPLAINED = 50
"""Statements without an error in some reading that are looked into all the same."""


class Placed(Protocol):
    """Anything that is wrong at a byte offset."""

    @property
    def start(self) -> int: ...


Error = TypeVar("Error", bound=Placed)


def believed(tree: SyntaxTree, errors: Sequence[Error], sound: SyntaxTree | None = None) -> tuple[Error, ...]:
    """The errors that no plainer reading of the text explains. Brackets and strings that do not close never are.

    `sound`: an earlier state of the text in which nothing was wrong but what the grammar alone trips over.
    """
    return Verdict(tree, sound).of(errors)


def parse_as_written(language: Language, text: bytes, budget_s: float) -> SyntaxTree | None:
    """The tree of a text in the language that its name says or, where that name is shared, in the one it fits better.

    A header's name says C and may mean C++. None where there is no tree within `budget_s` seconds.
    """
    tree = parse(language, text, budget_s)
    if tree is None or not tree.has_error:
        return tree
    for other in other_languages(language, text):
        read = parse(other, text, budget_s)
        if read is not None and read.n_errors < tree.n_errors:
            tree = read
    return tree


@dataclass(frozen=True, eq=False)
class Verdict:
    """Which places of a text are broken, whatever its macros mean. `sound` as for `believed`."""

    tree: SyntaxTree
    sound: SyntaxTree | None = None

    @cached_property
    def everywhere(self) -> bool:
        """Whether all errors are believed: the text is not looked into."""
        return not self.tree.has_error or self.tree.language.name not in READINGS or len(self.tree.text) > MAX_BYTES

    @cached_property
    def _judged(self) -> "_Judged":
        return _Judged(self.tree, None if self.sound is None else _Judged(self.sound))

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """The bytes [start, end) of what is broken, in order; whole lines. They may overlap."""
        return sorted(self._judged.places())

    @property
    def plain(self) -> SyntaxTree:
        """The reading with the fewest errors, but for one without any: what is broken shows and is mended best there.

        Its text is as long as the tree's, so that offsets and edits mean the same in both.
        """
        return self.tree if self.everywhere else self._judged.plain

    def holds(self, offset: int) -> bool:
        """Whether a repair at an offset is one of what is broken: a bracket may be wrong far from where that shows."""
        return self.everywhere or any(start <= offset < end for start, end in self._mendable)

    @cached_property
    def _mendable(self) -> list[tuple[int, int]]:
        return [*self.places, *((piece.start, piece.end) for piece in self._judged.unclosed)]

    def of(self, errors: Sequence[Error]) -> tuple[Error, ...]:
        """The errors that are believed; for a broken place without one the nearest, for the grammar stumbles later."""
        if self.everywhere or not errors:
            return tuple(errors)
        kept: set[int] = set()
        for start, end in self.places:
            here = [number for number, error in enumerate(errors) if start <= error.start < end]
            kept.update(here or [min(range(len(errors)), key=lambda number: abs(errors[number].start - start))])
        return tuple(errors[number] for number in sorted(kept))


@dataclass(frozen=True, eq=False)
class _Judged:
    """A text in statements, some of them broken in every reading. `before` is an earlier state without an error."""

    tree: SyntaxTree
    before: "_Judged | None" = None
    _trees: list[SyntaxTree] = field(default_factory=list)
    """The readings that were asked so far."""

    @property
    def plain(self) -> SyntaxTree:
        """The reading with the fewest errors among those that have some."""
        return min((tree for tree in self._trees if tree.has_error), key=lambda tree: tree.n_errors, default=self.tree)

    @cached_property
    def pieces(self) -> list[Chunk]:
        """Statements. Where a semicolon or brace ends one, the lines up to there: types have lines of their own."""
        found = chunks(self.tree.language, self.tree.text)
        return list(_joined(found)) if self.tree.language.name in DOUBTS else found

    @cached_property
    def unclosed(self) -> list[Chunk]:
        """The new statements whose brackets or strings do not close."""
        return [piece for piece in self._new if _unclosed(piece)]

    @cached_property
    def _new(self) -> list[Chunk]:
        """The statements that the earlier text did not have."""
        old = {piece.text[piece.start : piece.end] for piece in self.before.pieces} if self.before is not None else ()
        return [piece for piece in self.pieces if piece.text[piece.start : piece.end] not in old]

    def places(self) -> Iterator[tuple[int, int]]:
        """The lines of what is broken in every reading, and of what has a witness beside it."""
        left = {piece: self.broken[piece] for piece in self._new if piece in self.broken}
        worse = self.before is not None and sum(map(_count, left.values())) > self.before.count_without(self)
        for piece in self.unclosed:
            best = left.pop(piece, None)
            yield from self._errors(piece, best) if best is not None else [(piece.start, piece.end)]
        for piece, best in left.items():
            if best is not None:
                yield from self._errors(piece, best) if worse else self._witnessed(piece, best)
        yield from self._explained_away(set(left) | set(self.unclosed))

    def count_without(self, other: "_Judged") -> int:
        """The errors of the statements that another text has no more."""
        kept = {piece.text[piece.start : piece.end] for piece in other.pieces}
        gone = (best for piece, best in self.broken.items() if piece.text[piece.start : piece.end] not in kept)
        return sum(map(_count, gone))

    @cached_property
    def broken(self) -> "dict[Chunk, SyntaxTree | None]":
        """The statements that are broken in every reading, each with the tree that has the fewest errors."""
        deadline = time.thread_time() + JUDGE_BUDGET_S
        left: dict[Chunk, SyntaxTree | None] = dict.fromkeys(self._reached(self.tree))
        for reading in self._read():
            if not left or time.thread_time() > deadline:
                break
            self._trees.append(reading)
            left = self._broken_too(left, reading, deadline)
        return left

    def _read(self) -> Iterator[SyntaxTree]:
        yield self.tree
        for language, text in readings(self.tree.language, self.tree.text):
            reading = parse(language, text, READING_BUDGET_S)
            if reading is not None:
                yield reading

    def _broken_too(
        self, left: dict[Chunk, SyntaxTree | None], reading: SyntaxTree, deadline: float
    ) -> dict[Chunk, SyntaxTree | None]:
        """Of some statements those that are broken in a reading too, each with the tree that has the fewest errors."""
        result: dict[Chunk, SyntaxTree | None] = {}
        for piece in self._reached(reading):
            if piece not in left:
                continue
            if time.thread_time() > deadline:
                return left
            best, alone = left[piece], _alone(piece, reading)
            if alone is None or alone.has_error:
                fewer = alone is not None and (best is None or alone.n_errors < best.n_errors)
                result[piece] = alone if fewer else best
        return result

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

    @cached_property
    def _layout(self) -> Layout:
        return Layout(self.tree.language, self.tree.text)

    @cached_property
    def _open_ends(self) -> list[int]:
        """The bytes behind which a semicolon is missing."""
        return [self._layout.found[number].end for number in open_ends(self._layout)]

    @cached_property
    def _words(self) -> Counter[bytes]:
        return Counter(token.text for token in self._layout.found if token.kind == "word")

    def _errors(self, piece: Chunk, best: SyntaxTree) -> Iterator[tuple[int, int]]:
        """The lines of all errors of a statement."""
        for error in best.errors[:MAX_ERRORS]:
            yield self._lines(piece, piece.start + error.start_byte, piece.start + error.end_byte)

    def _witnessed(self, piece: Chunk, best: SyntaxTree) -> Iterator[tuple[int, int]]:
        """The lines of the errors of a statement that the grammar need not know, or that have a witness."""
        doubts = DOUBTS.get(self.tree.language.name)
        some = best.errors[:MAX_ERRORS]
        found = [(piece.start + error.start_byte, piece.start + error.end_byte) for error in some]
        certain = [place for place in found if doubts is None or not doubts(self._layout, *place)]
        for start, end in certain:
            yield self._lines(piece, start, end)
        for start, end, new in islice(self._trials(piece), 0 if certain else MAX_TRIALS):
            if _is_better(best, start - piece.start, end - piece.start, new):
                yield self._lines(piece, start, end)

    def _explained_away(self, known: set[Chunk]) -> Iterator[tuple[int, int]]:
        """The lines of missing semicolons that some reading takes for the ways of a macro."""
        if self.tree.language.name not in DOUBTS:
            return
        others = (piece for piece in self._reached(self.tree) if piece not in known and self._ends_in(piece))
        for piece in islice(others, MAX_EXPLAINED):
            alone = _alone(piece, self.tree)
            for end in self._ends_in(piece)[:MAX_TRIALS]:
                if alone is not None and _is_better(alone, end - piece.start, end - piece.start, b";"):
                    yield self._lines(piece, end, end)

    def _ends_in(self, piece: Chunk) -> list[int]:
        first, end = (bisect_left(self._open_ends, at) for at in (piece.start, piece.end))
        return self._open_ends[first:end]

    def _lines(self, piece: Chunk, start: int, end: int) -> tuple[int, int]:
        """The lines of [start, end), and those before and behind them, in a statement."""
        text = self.tree.text
        first = text.rfind(b"\n", piece.start, max(text.rfind(b"\n", piece.start, start), piece.start))
        second = text.find(b"\n", max(end - 1, start), piece.end)
        last = text.find(b"\n", second + 1, piece.end) if second >= 0 else -1
        return max(first + 1, piece.start), last + 1 if last >= 0 else piece.end

    def _trials(self, piece: Chunk) -> Iterator[tuple[int, int, bytes]]:
        """Changes that make a statement whole, if what is wrong with it is what they undo: the bytes and what for."""
        for place in self._ends_in(piece):
            yield place, place, b";"
        for token in piece.significant:
            if token.kind == "word" and self._words[token.text] == 1:
                for word in corrections(self.tree.language, token.text)[:2]:
                    yield token.start, token.end, word.encode()


def _joined(pieces: list[Chunk]) -> Iterator[Chunk]:
    """Pieces with those that no semicolon or brace ends joined to the next."""
    waiting: list[Chunk] = []
    for number, piece in enumerate(pieces):
        waiting.append(piece)
        ended = not piece.significant or piece.significant[-1].text in (b";", b"}")
        if ended or number + 1 == len(pieces):
            first = waiting[0]
            found = tuple(token for one in waiting for token in one.tokens)
            yield first if len(waiting) == 1 else Chunk(first.language, first.text, first.start, piece.end, found)
            waiting = []


def _alone(piece: Chunk, reading: SyntaxTree) -> SyntaxTree | None:
    """A statement by itself as it stands in a reading."""
    return parse(reading.language, reading.text[piece.start : piece.end], PIECE_BUDGET_S)


def _count(tree: SyntaxTree | None) -> int:
    return 1 if tree is None else tree.n_errors


def _is_better(tree: SyntaxTree, start: int, end: int, new: bytes) -> bool:
    """Whether a text has fewer errors with `new` in place of the bytes [start, end)."""
    changed = parse(tree.language, tree.text[:start] + new + tree.text[end:], PIECE_BUDGET_S)
    return changed is not None and changed.n_errors < tree.n_errors


def _unclosed(piece: Chunk) -> bool:
    """Whether brackets or strings do not close, but for `extern "C" {`, which is no C."""
    closers, openers = unmatched(list(piece.tokens))
    if len(openers) == 1 and not closers and _EXTERN.search(piece.text, *_reach_back(openers[0])):
        openers = []
    return bool(closers or openers) or any(token.kind == "unclosed" for token in piece.tokens)


def _reach_back(opener: Token) -> tuple[int, int]:
    return max(opener.start - 40, 0), opener.end


_EXTERN = re.compile(rb'extern\s+"C"\s*\{\Z')
