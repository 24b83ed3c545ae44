"""Where a text is broken if neither braces nor indentation close its language's blocks: the line of the first error."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from ast_tools.lexer import Token
from ast_tools.repair.reading import Change
from ast_tools.repair.statements import PARSE_S, Broken
from ast_tools.tree import SyntaxTree, parse, reparse


class ErrorLines:
    """Asks the grammar about the whole text: a repair must leave fewer errors, and the first of them further down."""

    def __init__(self, tree: SyntaxTree, span: tuple[int, int], text: bytes, found: Sequence[Token]) -> None:
        self.language, self.text, self.found = tree.language, text, found
        self.start, self.end = span
        self._tree = tree if tree.text == text else parse(tree.language, text, PARSE_S)

    @property
    def short(self) -> bool:
        """Always: only the whole text is ever asked about."""
        return True

    @property
    def balances(self) -> bool:
        """Not always: some languages close blocks with words, or parentheses that nothing opened."""
        return False

    def located(self, hint: int) -> Broken | None:
        """The line on which the first error behind `hint` begins; None where there is none in the piece."""
        errors = self._tree.errors if self._tree is not None else ()
        starts = [error.start_byte for error in errors if self.start <= error.start_byte <= self.end]
        at = next((start for start in starts if start >= hint), starts[0] if starts else None)
        if at is None or not self.found:
            return None
        offsets = [token.start for token in self.found]
        mark = min(max(0, bisect_right(offsets, at) - 1), len(self.found) - 1)
        line_start = self.text.rfind(b"\n", 0, self.found[mark].start) + 1
        line_end = self.text.find(b"\n", self.found[mark].end)
        line_end = line_end if line_end >= 0 else len(self.text)
        return Broken(bisect_left(offsets, line_start), bisect_left(offsets, line_end), mark)

    def mends(self, changes: Sequence[Change], broken: Broken, *, ahead: bool = True) -> bool:
        """Whether fewer errors are left after some changes, and none on the broken line."""
        after = self._after(changes)
        if after is None or self._tree is None:
            return False
        if not after.has_error:
            return True
        if not after.errors:  # tree-sitter may say that a tree has errors and show none
            return False
        end = self.found[broken.end - 1].end
        grown = sum(len(change.edit.new) - (change.edit.end - change.edit.start) for change in changes)
        return after.n_errors < self._tree.n_errors and after.errors[0].start_byte > end + grown

    def mends_all(self, changes: Sequence[Change]) -> bool:
        """Whether the whole text is clean after some changes."""
        after = self._after(changes)
        return after is not None and not after.has_error

    def _after(self, changes: Sequence[Change]) -> SyntaxTree | None:
        edits = tuple(change.edit for change in changes)
        return reparse(self._tree, edits, PARSE_S) if self._tree is not None else None
