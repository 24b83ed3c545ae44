"""What is found: candidates, and those of them that the parser takes."""

from dataclasses import dataclass

from ast_tools.edits import Edit
from ast_tools.lexer import Token

SURE_MARGIN = 13.0
"""Least lead of a sure candidate over the next, in score; chosen on the standard library and npm's own modules.

Scores of strings, headers and the brackets of one piece are judged; those of learnt candidates are logarithms of
probabilities and have a bound of their own (see `weights`).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One repair: `edit`, and what belongs to it `besides`. `doubtful`: never sure, whatever its score.

    `margin` is how far a judged score must lead the next to be sure. `together`: one of several repairs that are all
    wanted. `closes`: it inserts the closer of an opener.
    """

    edit: Edit
    score: float
    title: str
    blames: Token
    reason: str
    doubtful: bool = False
    margin: float = SURE_MARGIN
    together: bool = False
    closes: bool = False
    besides: tuple[Edit, ...] = ()

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All its edits, in the order of the text."""
        return tuple(sorted((self.edit, *self.besides), key=lambda edit: (edit.start, edit.end)))


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate that the parser takes; `sure`: it may be preferred and applied unasked."""

    candidate: Candidate
    sure: bool
