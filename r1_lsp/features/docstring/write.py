"""Phrases -> the edit that puts a docstring into a file, in the file's own manner."""

from ast_tools import Edit, Function, SyntaxTree
from r1_lsp.features.docstring.amend import amended
from r1_lsp.features.docstring.compose import framed, new_lines, tabbed
from r1_lsp.features.docstring.disagree import Differences, differences, disagreements
from r1_lsp.features.docstring.existing import Outline, Written, outline, taken_apart
from r1_lsp.features.docstring.facts import Facts
from r1_lsp.features.docstring.manner import Manner, source
from r1_lsp.features.docstring.slots import Prose
from r1_lsp.features.docstring.styles import FRAMES
from r1_lsp.features.errors import Refused


def shape_of(tree: SyntaxTree, function: Function, how: Manner) -> tuple[Written, Outline] | None:
    """The existing docstring taken apart; None where there is none, or one that cannot be edited line by line."""
    written = taken_apart(source(tree.text, function), how.frame) if function.docstring else None
    return (written, outline(written, how.style)) if written else None


def new_source(facts: Facts, prose: Prose, how: Manner) -> str:
    """A whole new docstring with its delimiters; its first line is not indented."""
    lines = [prose.summary] if how.one_line else new_lines(facts, prose, how.style, how.indent)
    lines = [tabbed(line, how.indent) for line in lines] if not how.frame.above else lines
    return framed(lines, how.frame, how.indent, how.quote, how.eol)


def unwritable(tree: SyntaxTree, function: Function) -> str:
    """Why a function cannot be given a docstring without a change to its other lines, in one sentence; or ""."""
    if function.docstring or not function.one_line or FRAMES[tree.language.name].above:
        return ""
    return f"{function.name} gets no docstring: its body stands on the line of its header."


def edit_for(tree: SyntaxTree, function: Function, facts: Facts, prose: Prose, how: Manner) -> Edit:
    """Inserts a docstring, or amends the one that is there. Raises Refused when there is nothing to do."""
    if function.docstring is None:
        if reason := unwritable(tree, function):
            raise Refused(reason)
        return _insertion(tree.text, function, new_source(facts, prose, how), how)
    found = shape_of(tree, function, how)
    if found is None:
        raise Refused("This docstring is joined from several strings, so it is left alone.")
    written, shape = found
    differs = differences(facts, shape) if not how.one_line else disagreements(facts, shape)
    if not differs:
        raise Refused(f"The docstring of {facts.name} already says everything its signature does.")
    return _replacement(tree.text, function, _amended(written, differs, facts, prose, how))


def _amended(written: Written, differs: Differences, facts: Facts, prose: Prose, how: Manner) -> str:
    return amended(written, differs, facts, prose, how).source(how.eol)


def _replacement(text: bytes, function: Function, new: str) -> Edit:
    """Only the lines between the first and the last that change."""
    assert function.docstring is not None
    start, end = function.docstring
    fresh = new.encode("utf-8")
    old = text[start:end]
    same = _common(old, fresh)
    tail = _common(old[same:][::-1], fresh[same:][::-1])
    return Edit(start + same, end - tail, fresh[same : len(fresh) - tail])


def _common(one: bytes, other: bytes) -> int:
    """How many bytes two texts share at the start, cut at a line end so that no character is split."""
    shared = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return one.rfind(b"\n", 0, shared) + 1


def _insertion(text: bytes, function: Function, new: str, how: Manner) -> Edit:
    """On lines of its own, whatever stands before the place."""
    at = function.docstring_insert
    fresh, indent, eol = new.encode("utf-8"), function.doc_indent, how.eol.encode()
    before = text[max(text.rfind(b"\n", 0, at), text.rfind(b"\r", 0, at)) + 1 : at]
    if before.strip():
        blank = len(text[:at]) - len(text[:at].rstrip(b" \t"))
        after = len(text[at:]) - len(text[at:].lstrip(b" \t"))
        return Edit(at - blank, at + after, eol + indent + fresh + eol + indent)
    if before:
        return Edit(at, at, fresh + eol + before)
    return Edit(at, at, indent + fresh + eol)
