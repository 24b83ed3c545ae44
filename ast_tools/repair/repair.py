"""What a repair is."""

from dataclasses import dataclass

from ast_tools.edits import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One way to repair a text. `start`, `end`: what it blames; `sure`: may be preferred and applied unasked.

    `title` says what is done ("Insert `)`"), `reason` why, in one sentence; `joint`: it mends other errors, too.
    """

    edits: tuple[Edit, ...]
    title: str
    reason: str
    start: int
    end: int
    sure: bool
    joint: bool = False
