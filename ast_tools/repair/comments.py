"""Code that stands in a comment and is missed around it: `/* for (...) { */ ... }`."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from ast_tools.edits import Edit
from ast_tools.languages import Language
from ast_tools.repair.repair import Repair
from ast_tools.tree import SyntaxTree, reparse

MAX_COMMENTS = 6
"""Comments that the parser is asked about."""
MAX_SEEN, MAX_ERRORS = 100, 20
"""Comments, and errors of the grammar, that are looked at."""
MAX_BYTES = 60_000
"""Of a text; longer ones are not looked at."""
LEAST, MOST = 2, 6_000
"""Bytes of a comment's inside."""
PARSE_S = 0.05
_CODE = re.compile(rb"[;{}=]|\)[ \t]*:|:[ \t]*\n")
_PAIRS = ((b"(", b")"), (b"[", b"]"), (b"{", b"}"))
_LONG_STRINGS = (("'''", "'''"), ('"""', '"""'))


@dataclass(frozen=True, slots=True)
class Comment:
    """Bytes [start, end) of a text, between them the marks that begin and end a comment."""

    start: int
    end: int
    marks: tuple[str, str]

    @property
    def inner(self) -> tuple[int, int]:
        """Where what is between the marks begins and ends."""
        return self.start + len(self.marks[0]), self.end - len(self.marks[1])


def uncommented(tree: SyntaxTree, deadline: float) -> list[Repair]:
    """What becomes of a broken text where the code of one comment is read as code: only what is clean then.

    The comment must hold half of a pair of brackets, or stand beside an error. `deadline` is in seconds of this
    thread's processor time.
    """
    if len(tree.text) > MAX_BYTES:
        return []
    found = []
    for comment in islice(_missed(tree), MAX_COMMENTS):
        if time.thread_time() > deadline:
            break
        start, end = comment.inner
        edits = (Edit(comment.start, start, b""), Edit(end, comment.end, b""))
        after = reparse(tree, edits, PARSE_S)
        if after is not None and not after.has_error and _accepted(after):
            found.append(_repair(tree.text, comment, edits))
    return found


def _accepted(tree: SyntaxTree) -> bool:
    return tree.language.accepts is None or tree.language.accepts(tree.text)


def _missed(tree: SyntaxTree) -> Iterator[Comment]:
    """Comments that hold code whose lack may be what is wrong."""
    coded = list(islice((one for one in _comments(tree.language, tree.text) if _is_code(tree.text, one)), MAX_SEEN))
    errors = _errors(tree) if coded else []
    for comment in coded:
        half = any(tree.text.count(a, *comment.inner) != tree.text.count(b, *comment.inner) for a, b in _PAIRS)
        if half or any(_is_beside(tree.text, comment, error) for error in errors):
            yield comment


def _comments(language: Language, text: bytes) -> Iterator[Comment]:
    """Block comments; in a language without, strings of several lines that stand alone. Strings may hold the marks."""
    block = (language.block_comment,) if language.block_comment is not None else ()
    for marks in block or (_LONG_STRINGS if language.indent_based else ()):
        begin, end = (mark.encode() for mark in marks)
        at = text.find(begin)
        while at >= 0:
            stop = text.find(end, at + len(begin))
            if stop < 0:
                break
            if block or not text[text.rfind(b"\n", 0, at) + 1 : at].strip():
                yield Comment(at, stop + len(end), marks)
            at = text.find(begin, stop + len(end))


def _is_code(text: bytes, comment: Comment) -> bool:
    start, end = comment.inner
    return LEAST < end - start < MOST and _CODE.search(text, start, end) is not None


def _errors(tree: SyntaxTree) -> list[int]:
    """Where errors begin and end, as the grammar and the language's own parser say."""
    found = [offset for error in tree.errors[:MAX_ERRORS] for offset in error.byte_range]
    stopped = tree.language.locate(tree.text) if tree.language.locate is not None else None
    return [*found, *stopped[:2]] if stopped is not None else found


def _is_beside(text: bytes, comment: Comment, error: int) -> bool:
    """Whether an error is on the lines of a comment, or the one before or behind."""
    start = text.rfind(b"\n", 0, max(text.rfind(b"\n", 0, comment.start), 0)) + 1
    end = text.find(b"\n", max(text.find(b"\n", comment.end), 0) + 1)
    return start <= error and (end < 0 or error <= end)


def _repair(text: bytes, comment: Comment, edits: tuple[Edit, Edit]) -> Repair:
    line = text.count(b"\n", 0, comment.start) + 1
    begin, end = comment.marks
    return Repair(
        edits=edits,
        title=f"Delete `{begin}` and `{end}`",
        reason=f"The code behind `{begin}` on line {line} is missing around it.",
        start=comment.start,
        end=comment.inner[0],
        sure=False,
    )
