"""What is broken, and whether an edit breaks more."""

import re
from dataclasses import dataclass
from functools import cached_property

import tree_sitter

from ast_tools.edits import Edit
from ast_tools.lexer import PARTNER, Token
from ast_tools.misuses import misuses
from ast_tools.repair.chunks import Chunk, chunks
from ast_tools.tree import PARSE_BUDGET_S, SyntaxTree, parse, reparse

MAX_PROBLEMS = 100
MAX_PIECES = 200
"""Statements in reach of one error that are asked about."""
MAX_PLACED = 200_000
"""Bytes; in a longer text errors stand where the grammar puts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A syntax error as we report it: the bytes [start, end), a sentence and "missing" or "unexpected"."""

    start: int
    end: int
    message: str
    kind: str


def problems(tree: SyntaxTree) -> tuple[Problem, ...]:
    """The grammar's errors, at most MAX_PROBLEMS of them, outermost only, in the order of the text.

    An error that swallows several lines is placed by the language's own parser, statement by statement.
    """
    found: list[Problem] = []
    reached, placed = -1, _Placed(tree)
    for number, node in enumerate(tree.errors):
        if node.is_missing:
            found.append(_missing(tree, node))
        elif node.start_byte >= reached:
            reached = node.end_byte
            wide = tree.text.find(b"\n", node.start_byte, node.end_byte) >= 0
            found += (placed.within(node) or [_innermost(tree, number)]) if wide else [_unexpected(tree, node)]
        if len(found) >= MAX_PROBLEMS:
            break
    if not found and tree.has_error:
        # The grammar counts an error that no node stands for, between two directives on one line for instance.
        end = tree.text.find(b"\n")
        found.append(_unplaced(end if end > 0 else len(tree.text)))
    unique = {problem.start: problem for problem in reversed(found)}
    return tuple(sorted(unique.values(), key=lambda problem: problem.start)[:MAX_PROBLEMS])


def _unplaced(end: int) -> Problem:
    return Problem(start=0, end=end, message="Something in this text does not parse.", kind="unexpected")


def refusal(tree: SyntaxTree) -> Problem | None:
    """Where the language itself refuses a text that the grammar finds clean.

    Its own parser says so, if not for being newer; where we have none, what the grammar takes in spite of the language.
    """
    language = tree.language
    if language.locate is None:
        found = next(iter(misuses(tree)), None)
        return Problem(start=found.start, end=found.end, message=found.message, kind="unexpected") if found else None
    stopped = None if tree.has_error else language.locate(tree.text)
    if stopped is None or stopped[2].startswith(language.newer):
        return None
    return _worded(tree, *stopped)


class _Placed:
    """Where top-level statements are broken: where the language's own parser stops, or a bracket has no other half."""

    def __init__(self, tree: SyntaxTree) -> None:
        self.tree = tree

    @cached_property
    def _pieces(self) -> list[Chunk]:
        tree = self.tree
        return chunks(tree.language, tree.text) if len(tree.text) <= MAX_PLACED else []

    def within(self, node: tree_sitter.Node) -> list[Problem]:
        """One problem for each broken statement in reach of an error; none where nobody can say."""
        reach = [piece for piece in self._pieces if piece.start < node.end_byte and node.start_byte < piece.end]
        asked = self._stop if self.tree.language.locate is not None else _lone_bracket
        return [problem for piece in reach[:MAX_PIECES] if (problem := asked(piece)) is not None]

    def _stop(self, piece: Chunk) -> Problem | None:
        language, text = piece.language, piece.text
        # Its words name lines of the whole text.
        before = len(re.findall(rb"\r\n|\n|\r", text[: piece.start]))
        stopped = language.locate(b"\n" * before + text[piece.start : piece.end]) if language.locate else None
        if stopped is None or stopped[2].startswith(language.out_of_place):
            return None
        if stopped[2].startswith(language.newer):
            alone = parse(language, text[piece.start : piece.end])
            if alone is None or not alone.has_error:
                return None
        shift = piece.start - before
        return _worded(
            self.tree, max(stopped[0] + shift, piece.start), max(stopped[1] + shift, piece.start), stopped[2]
        )


def _lone_bracket(piece: Chunk) -> Problem | None:
    """The first bracket of a statement that does not find its other half, as a reader meets it."""
    stack: list[Token] = []
    for token in piece.significant:
        if token.kind == "open":
            stack.append(token)
        elif token.kind == "close" and (not stack or stack[-1].text != PARTNER[token.text]):
            alone, what = (stack[-1], "is never closed") if stack else (token, "closes nothing")
            break
        elif token.kind == "close":
            stack.pop()
    else:
        if not stack:
            return None
        alone, what = stack[-1], "is never closed"
    return Problem(start=alone.start, end=alone.end, message=f"`{alone.text.decode()}` {what}.", kind="unexpected")


def _worded(tree: SyntaxTree, start: int, end: int, words: str) -> Problem:
    """A problem in our style from a parser's words."""
    if end <= start or start >= len(tree.text.rstrip()):
        start, end = _before_gap(tree.text, start)
    if words in ("invalid syntax", ""):
        line_end = tree.text.find(b"\n", start)
        return _near(tree, start, line_end if line_end >= 0 else len(tree.text))
    words = re.sub(r"'([^' ]+)'", r"`\1`", words)
    message = words[:1].upper() + words[1:] + ("" if words.endswith((".", "?")) else ".")
    return Problem(start=start, end=max(start, end), message=message, kind="unexpected")


def _innermost(tree: SyntaxTree, number: int) -> Problem:
    """The last error inside a wide one: the parser gave up there, and swallowed what stands before."""
    last = outer = tree.errors[number]
    for node in tree.errors[number + 1 :]:
        if node.start_byte >= outer.end_byte:
            break
        last = node
    return _missing(tree, last) if last.is_missing else _unexpected(tree, last)


def _missing(tree: SyntaxTree, node: tree_sitter.Node) -> Problem:
    start, end = _before_gap(tree.text, node.start_byte)
    what = f"`{node.type}`" if not node.is_named else node.type.replace("_", " ")
    return Problem(start=start, end=end, message=f"{what} is missing here.", kind="missing")


def _before_gap(text: bytes, offset: int) -> tuple[int, int]:
    """The last visible byte before an offset: a missing thing is best shown after what is there."""
    end = len(text[:offset].rstrip())
    return (end - 1, end) if end else (0, min(1, len(text)))


def _unexpected(tree: SyntaxTree, node: tree_sitter.Node) -> Problem:
    """Shows the first line of an error only: the node can swallow half a file."""
    text, start = tree.text, node.start_byte
    lead = len(text[start : node.end_byte]) - len(text[start : node.end_byte].lstrip())
    start += lead if lead < node.end_byte - start else 0
    line_end = text.find(b"\n", start, node.end_byte)
    return _near(tree, start, node.end_byte if line_end < 0 else line_end)


def _near(tree: SyntaxTree, start: int, end: int) -> Problem:
    return Problem(start=start, end=max(end, start), message=_near_words(tree.text, start, end), kind="unexpected")


def _near_words(text: bytes, start: int, end: int) -> str:
    shown = text[start : min(end, start + _SHOWN)].decode("utf-8", "replace").strip()
    return f"{_NEAR}`{shown}`."


_NEAR = "Unexpected syntax near "
_SHOWN = 30


def said_of(text: bytes, start: int, end: int, message: str) -> str:
    """A problem's message, with the words of `text` where it was found in another form of the text."""
    return _near_words(text, start, end) if message.startswith(_NEAR) else message


def adds_errors(before: SyntaxTree, after_text: bytes, edit: Edit, budget_s: float = PARSE_BUDGET_S) -> bool | None:
    """Whether `edit` (which leads from `before.text` to `after_text`) brings errors the text did not have.

    Judged by the difference, because a file may be broken elsewhere. None when the budget (seconds) is spent.
    """
    after = reparse(before, (edit,), budget_s)
    if after is None or after.text != after_text:
        return None
    return after.n_errors > before.n_errors
