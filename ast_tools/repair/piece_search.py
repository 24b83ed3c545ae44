"""Repairs of one piece of a text by itself: strings, headers, and brackets by judged priors.

`bracket_search` ranks edits of brackets by what was learnt, and wants a text that is clean afterwards: it is right
more often. This is what is left where that has no answer, because several things are wrong at once, or strings hide
brackets: a piece is repaired as if there was nothing else, so what is broken elsewhere does not matter.
"""

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, islice

from ast_tools.edits import Edit
from ast_tools.lexer import Token, unmatched
from ast_tools.repair.chunks import Chunk
from ast_tools.repair.found import Candidate, Found
from ast_tools.repair.lines import colons, quotes
from ast_tools.repair.piece_brackets import WIDE_MARGIN, Brackets, Habits
from ast_tools.repair.verify import Verifier, parses_alone

LEAST_SCORE = 3.0
"""A sure candidate must be likely by itself, not only likelier than what else was tried."""
TRIES = 40
CHOICES = 3
MOST_TOKENS = 50_000
"""Tokens of the text whose neighbours and words are counted."""


class PieceSearch:
    """The pieces of one text. Mutable: what they have in common is counted once."""

    def __init__(self, verifier: Verifier, pieces: Sequence[Chunk]) -> None:
        self.verifier, self.pieces = verifier, pieces

    @cached_property
    def _tokens(self) -> tuple[Token, ...]:
        return tuple(islice((token for piece in self.pieces for token in piece.significant), MOST_TOKENS))

    @cached_property
    def _habits(self) -> Habits:
        return Habits(self._tokens)

    @cached_property
    def _names(self) -> frozenset[bytes]:
        return frozenset(token.text for token in self._tokens if token.kind == "word")

    def broken(self) -> list[Chunk]:
        """Pieces whose brackets or strings do not close, and those in reach of an error that do not parse alone.

        One error of the grammar can swallow many statements; past half of the time only where errors begin counts.
        """
        deadline = (time.thread_time() + self.verifier.deadline) / 2
        errors = sorted(node.byte_range for node in self.verifier.tree.errors)
        reach, found = list(accumulate((end for _, end in errors), max)), []
        for piece in self.pieces:
            before = bisect_left(errors, (piece.end, 0))
            in_reach = before > 0 and max(reach[before - 1], errors[before - 1][0] + 1) > piece.start
            begins = before > 0 and errors[before - 1][0] >= piece.start
            late = time.thread_time() > deadline
            if unbalanced(piece) or (in_reach and (begins if late else not self._parses(piece))):
                found.append(piece)
        return found

    def repaired(self, piece: Chunk, *, alone: bool) -> list[Found]:
        """The first candidates that let a piece parse. `alone`: nothing else is broken, so the text must parse too."""
        ordered = sorted(self._candidates(piece), key=lambda candidate: -candidate.score)
        together = [candidate for candidate in ordered if candidate.together]
        if len(together) > 1 and self._parses(piece, *(candidate.edit for candidate in together)):
            return [Found(candidate, sure=True) for candidate in together]
        found = self._ranked(piece, ordered, (), alone=alone)
        headers = [] if found or together else list(colons(piece))
        if not headers:
            return found
        # A header lacks its colon besides: neither repair parses without the other.
        found = self._ranked(piece, ordered, tuple(header.edit for header in headers), alone=alone)
        return [Found(header, not self.verifier.late) for header in headers] + found if found else []

    def _candidates(self, piece: Chunk) -> Iterator[Candidate]:
        """What could be done, in no order, as far as the time goes."""
        if any(token.kind == "unclosed" for token in piece.tokens):
            found = quotes(piece, self._names)
        else:
            brackets = Brackets(piece, self._habits)
            found = colons(piece) if brackets.balanced else brackets.candidates(self.verifier.deadline)
        for candidate in found:
            if self.verifier.late:
                return
            yield candidate

    def _ranked(
        self, piece: Chunk, ordered: Sequence[Candidate], besides: tuple[Edit, ...], *, alone: bool
    ) -> list[Found]:
        """The first candidates that parse, with what is done `besides`; the first may be sure."""
        verified: list[Candidate] = []
        texts: set[bytes] = set()
        text = self.verifier.tree.text
        for candidate in ordered[:TRIES]:
            if len(verified) == CHOICES or self.verifier.late:
                break
            edit = candidate.edit
            key = b"".join((text[piece.start : edit.start] + edit.new + text[edit.end : piece.end + 8]).split())
            if key not in texts and self._parses(piece, edit, *besides):
                texts.add(key)
                verified.append(candidate)
        if not verified:
            return []
        sure = _is_sure(verified, ordered) and not self.verifier.late
        if sure and alone:
            sure = self.verifier.after((verified[0].edit, *besides)).clean
        return [Found(candidate, sure and number == 0) for number, candidate in enumerate(verified)]

    def _parses(self, piece: Chunk, *edits: Edit) -> bool:
        return parses_alone(self.verifier.tree, piece.start, piece.end, edits)


def _is_sure(verified: Sequence[Candidate], ordered: Sequence[Candidate]) -> bool:
    best = verified[0]
    lead = best.score - verified[1].score if len(verified) > 1 else WIDE_MARGIN
    # A missing closer that fits in one gap only need not be likely by itself.
    forced = len(verified) == 1 and len(ordered) <= TRIES and best.closes
    return lead >= best.margin and (forced or best.score > LEAST_SCORE) and not best.doubtful


def unbalanced(piece: Chunk) -> bool:
    """Whether brackets or strings of a piece do not close."""
    return any(token.kind == "unclosed" for token in piece.tokens) or any(unmatched(list(piece.significant)))
