"""A docstring from the facts of the tree and the phrases of a model, checked before anyone sees it.

What looks at a whole file (its manner, and whether the edit leaves the rest alone) takes tenths of a second in one of
10,000 lines. It is done in a thread, which parses for itself: trees stay in the thread that made them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ast_tools import (
    Edit,
    Function,
    Language,
    SyntaxTree,
    apply,
    function_at,
    function_on_line,
    parse,
    same_except_docstrings,
)
from engine.types import Engine, Lane
from r1_lsp.features.ask import Heard, Question, ask
from r1_lsp.features.docstring.disagree import Differences, differences, disagreements
from r1_lsp.features.docstring.existing import Outline, outline, taken_apart
from r1_lsp.features.docstring.facts import Facts, facts_of
from r1_lsp.features.docstring.manner import Manner, manner, source
from r1_lsp.features.docstring.prompt import next_slot, question
from r1_lsp.features.docstring.slots import filled, labels, phrase_of, plain
from r1_lsp.features.docstring.styles import FRAMES, style_for, style_of
from r1_lsp.features.docstring.write import edit_for, shape_of
from r1_lsp.features.errors import Refused, Unfit
from r1_lsp.settings import Settings
from r1_lsp.snapshot import Snapshot

_PARSE_BUDGET_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A checked docstring: the edit that puts it in, and its text as it will stand."""

    edit: Edit
    text: str


def documentable(tree: SyntaxTree, offset: int) -> Function | None:
    """The function around an offset or on its line, where its language has docstrings of ours. Cheap.

    Functions elsewhere are not read.
    """
    return function_on_line(tree, offset) if tree.language.name in FRAMES else None


def lacking(tree: SyntaxTree, function: Function) -> Differences:
    """What an existing docstring does not say. Cheap: the style is read from the docstring itself."""
    return _compared(tree, function, differences)


def wrong(tree: SyntaxTree, function: Function) -> Differences:
    """Where an existing docstring disagrees with the signature. Cheap."""
    return _compared(tree, function, disagreements)


def _compared(tree: SyntaxTree, function: Function, compare: Callable[[Facts, Outline], Differences]) -> Differences:
    written = taken_apart(source(tree.text, function), FRAMES[tree.language.name])
    style = style_of(tree.language.name, source(tree.text, function)) or style_for(tree.language.name, (), "auto")
    return compare(facts_of(function, style), outline(written, style)) if written and style else Differences()


async def draft(
    snapshot: Snapshot, offset: int, engine: Engine, settings: Settings, *, lane: Lane, heard: Heard
) -> Draft:
    """The docstring of the function around an offset. Raises Refused with one sentence, and EngineError."""
    tree = snapshot.tree
    function = documentable(tree, offset) if tree is not None else None
    if tree is None or function is None:
        raise Refused("There is no function here to describe.")
    how = await asyncio.to_thread(_manner, tree.language, tree.text, function, settings.docstring.style)
    if how is None:
        raise Refused("There is no function here to describe.")
    facts = facts_of(function, how.style)
    edit_for(tree, function, facts, filled("", facts), how)  # refuses before the model is asked
    asked = question(snapshot, function, facts, think_tokens=settings.fix.think_tokens, lane=lane)
    answer = await _form(engine, asked, facts, heard)
    heard("Checking")
    edit = edit_for(tree, function, facts, filled(answer, facts), how)
    return await asyncio.to_thread(_checked, tree.language, tree.text, function, edit, how)


def _manner(language: Language, text: bytes, function: Function, wanted: str) -> Manner | None:
    tree = parse(language, text, _PARSE_BUDGET_S)
    return manner(tree, function, wanted) if tree is not None else None


async def _form(engine: Engine, asked: Question, facts: Facts, heard: Heard) -> str:
    """The form as the model fills it in: at one go by a model that reasons or is far away, else line by line.

    Line by line even a weak model keeps to the labels, and nonsense in one line does not spread to the next. What it
    has read stays in its cache, so the lines cost little more than the whole.
    """
    model = await engine.info()
    if model.reasons or model.remote:
        [answer] = await ask(engine, asked, heard=heard)
        return answer.text
    lines: list[str] = []
    for label in labels(facts):
        slot = next_slot(asked, lines, label)
        [answer] = await ask(engine, slot, heard=heard)
        said = phrase_of(answer.text.rpartition(f"{label}:")[2], lines, whole=not answer.cut)
        lines.append(f"{label}: {said or plain(label, facts)}")
    return "\n".join(lines)


def _checked(language: Language, before: bytes, function: Function, edit: Edit, how: Manner) -> Draft:
    """The tree has changed in nothing but this docstring, and the docstring now says what the signature does."""
    text = apply(before, (edit,))
    if not same_except_docstrings(language, before, text):
        raise Unfit("The docstring would have changed the code, so it was not written.")
    tree = parse(language, text, _PARSE_BUDGET_S)
    inside = function.header[0] + (len(edit.new) - (edit.end - edit.start) if edit.start <= function.start else 0)
    again = function_at(tree, inside) if tree is not None else None
    shape = shape_of(tree, again, how) if tree is not None and again is not None else None
    if tree is None or again is None or shape is None or again.name != function.name:
        raise Unfit("The docstring would not have stood where it belongs, so it was not written.")
    compare = disagreements if how.one_line else differences
    if compare(facts_of(again, how.style), shape[1]):
        raise Unfit("The docstring did not agree with the signature, so it was not written.")
    assert again.docstring is not None
    return Draft(edit=edit, text=text[slice(*again.docstring)].decode("utf-8", "replace"))
