"""What a check has to say."""

from collections.abc import Callable
from dataclasses import dataclass

Tell = Callable[[str, float], None]
"""Is told what is being read, and which part of it is done (0 to 1)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the file that is not as it should be. `check` names the check, `text` is one sentence."""

    check: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that could not be checked and is no fault of the file; one sentence."""

    check: str
    text: str


def silent(what: str, done: float) -> None:
    """A Tell for nobody."""
