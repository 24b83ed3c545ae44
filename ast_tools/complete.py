"""Makes model text fit the tree: cut, overlap, close, indent, judge."""

from dataclasses import dataclass

from ast_tools.languages import Language
from ast_tools.tree import SyntaxTree

REASONS: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class CutResult:
    """`text` is what to show, `done` says to stop the model, `reason` (a key of REASONS) why it stopped or was rejected."""

    text: str
    done: bool
    reason: str | None


class Cutter:
    """Judges one completion while it streams. Mutable, for one stream, in one thread."""

    def __init__(
        self, tree: SyntaxTree | None, language: Language | None, text: bytes, offset: int, *, multiline: bool
    ) -> None:
        raise NotImplementedError

    def feed(self, piece: str) -> CutResult:
        """Takes the next piece of model text. Cheap; `done` says that more text would be cut off."""
        raise NotImplementedError

    def finish(self) -> CutResult:
        """The text to insert at the offset; empty, with a reason, when it is rejected."""
        raise NotImplementedError
