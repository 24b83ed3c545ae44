"""What a model is asked about a file, and what it suggests."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One problem: its bytes in the text, the sentence, and whether only the language's own parser finds it.

    `finding` is where it starts in the file, before anything was repaired.
    """

    finding: int
    start: int
    end: int
    message: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A file by the path it is shown with, its text (UTF-8), and what is wrong in it."""

    path: str
    language: str
    text: bytes
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """The text with the model's changes, the troubles they end, and for the others why there is none."""

    text: bytes
    ended: tuple[Trouble, ...]
    refused: tuple[tuple[Trouble, str], ...]
