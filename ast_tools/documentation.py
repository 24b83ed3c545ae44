"""Comments that document what follows them: where they stand, and what they say without their marks."""

import inspect
import re

from ast_tools.languages import Language

Span = tuple[int, int]

REACH = 8000
"""Bytes above a definition in which its documentation begins."""
MAX_LINES = 200
_OTHERS = re.compile(rb"[{};,]")
"""Before a definition on its line these belong to something else, which the comment above documents."""


def above(language: Language, text: bytes, start: int) -> Span | None:
    """The documentation comment that ends on the line above the one `start` is on; lines of attributes are skipped."""
    line = text.rfind(b"\n", 0, start) + 1
    if _OTHERS.search(text, line, start):
        return None
    for _ in range(MAX_LINES):
        before = text.rfind(b"\n", 0, max(0, line - 1)) + 1
        if line == 0 or not text[before:line].lstrip().startswith(_marks(language.attribute_marks)):
            break
        line = before
    if line == 0:
        return None
    return _block_above(language, text, line) or _lines_above(language, text, line)


def _marks(marks: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(mark.encode() for mark in marks) or (b"\0",)


def _block_above(language: Language, text: bytes, line: int) -> Span | None:
    if language.block_comment is None:
        return None
    opening, closing = (mark.encode() for mark in language.block_comment)
    floor = max(0, line - REACH)
    end = floor + len(text[floor:line].rstrip())
    if not text.endswith(closing, floor, end) or text.count(b"\n", end, line) > 1:
        return None
    start = _opening(text, floor, end - len(closing), (opening, closing), nested=language.lexis.nested_comments)
    blocks = tuple(mark for mark in language.doc_comments if mark.startswith(language.block_comment[0]))
    return (start, end) if start >= 0 and text.startswith(_marks(blocks), start) else None


def _opening(text: bytes, floor: int, end: int, marks: tuple[bytes, bytes], *, nested: bool) -> int:
    """Where the block comment begins whose closing mark is at `end`; -1 where it does not in reach."""
    depth, at = 1, end
    while depth:
        start = text.rfind(marks[0], floor, at)
        inner = text.rfind(marks[1], floor, at) if nested else -1
        if start < 0:
            return -1
        at = max(start, inner)
        depth += 1 if inner > start else -1
    return at


def _lines_above(language: Language, text: bytes, line: int) -> Span | None:
    block = language.block_comment[0] if language.block_comment is not None else "\0"
    marks = _marks(tuple(mark for mark in language.doc_comments if not mark.startswith(block)))
    first = line
    for _ in range(MAX_LINES):
        before = text.rfind(b"\n", 0, first - 1) + 1 if first else 0
        if first == 0 or not text[before:first].lstrip().startswith(marks):
            break
        first = before
    if first == line:
        return None
    lead = len(text[first:line]) - len(text[first:line].lstrip())
    return first + lead, first + len(text[first:line].rstrip())


def string_text(text: bytes, span: Span) -> str:
    """What a documentation string says, without quotes and indentation."""
    written = text[slice(*span)].decode("utf-8", "replace")
    match = re.fullmatch(r"""[A-Za-z]*("{3}|'{3}|"|')(.*)\1""", written, re.DOTALL)
    return inspect.cleandoc(match.group(2)) if match else written


_LINE_MARK = re.compile(r"^[ \t]*(?:///?|//!|---?|#+!?) ?")
_BLOCK_MARKS = re.compile(r"\A(?:/\*[*!]?|--\[=*\[)|(?:\*/|\]=*\])\Z")


def comment_text(text: bytes, span: Span) -> str:
    """What a documentation comment says, without its marks."""
    written = text[slice(*span)].decode("utf-8", "replace")
    inside = _BLOCK_MARKS.sub("", written)
    mark = re.compile(r"^[ \t]*\* ?") if inside != written else _LINE_MARK
    return "\n".join(mark.sub("", line).rstrip() for line in inside.split("\n")).strip()


DOCUMENT_TEXTS = {"inside": string_text, "before": comment_text}
