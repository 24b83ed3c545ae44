"""What a search finds."""

from dataclasses import dataclass

from ast_tools.repair.brackets import Candidate


@dataclass(frozen=True, slots=True)
class Found:
    """A candidate that the parser takes; `sure`: it may be preferred and applied unasked."""

    candidate: Candidate
    sure: bool
