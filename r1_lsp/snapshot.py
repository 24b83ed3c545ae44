"""What a feature may know about one document."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ast_tools import Language, SyntaxTree
    from ast_tools.lines import Lines


MAX_PARSED_BYTES = 4_000_000
"""Larger documents have no tree: a first parse takes about 1 s per 4 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One document at one moment: taken on the loop thread, safe anywhere.

    `path` is None when the document is not a file of this machine. `tree` is None while it is not ready, and for good
    when the language is unknown, the text too large or its parse too slow. `recent_edits` are half-open byte ranges in
    this text, newest first.
    """

    uri: str
    path: str | None
    version: int | None
    language: "Language | None"
    language_id: str
    lines: "Lines"
    tree: "SyntaxTree | None" = None
    recent_edits: tuple[tuple[int, int], ...] = ()

    @property
    def text(self) -> bytes:
        """The whole text as UTF-8; lone surrogates are kept (decode with errors="replace" for a model)."""
        return self.lines.text
