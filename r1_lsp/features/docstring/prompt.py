"""What the model is asked for a docstring: short phrases on a form, never the docstring itself."""

from ast_tools import Function
from engine.types import Lane
from r1_lsp.features.ask import Question
from r1_lsp.features.docstring.facts import Facts
from r1_lsp.features.docstring.slots import form
from r1_lsp.snapshot import Snapshot

_MOST_BYTES = 4000
_MOST_THINKING = 256


def question(snapshot: Snapshot, function: Function, facts: Facts, *, think_tokens: int, lane: Lane) -> Question:
    """The function as it stands (its beginning, when it is long) and the form to fill in."""
    assert snapshot.language is not None
    code = _without_docstring(snapshot.text, function)
    if len(code) > _MOST_BYTES:
        code = code[:_MOST_BYTES].rpartition(b"\n")[0] + b"\n..."
    shown = code.decode("utf-8", "replace").strip("\r\n")
    text = (
        f"Describe this {snapshot.language.name} function.\n\n```{snapshot.language.name}\n{shown}\n```\n\n"
        "Fill in this form. Keep the labels. After each label write one short plain phrase, no code.\n"
        f"{form(facts)}\n"
    )
    slots = 2 + len(facts.params) + len(facts.raises)
    return Question(
        text=text,
        opening="Summary:",
        stop=("```", "\n\n\n"),
        answer_tokens=40 * slots,
        think_tokens=min(think_tokens, _MOST_THINKING),
        lane=lane,
        session=f"docstring {snapshot.uri}",
    )


def _without_docstring(text: bytes, function: Function) -> bytes:
    if function.docstring is None:
        return text[function.start : function.end]
    start, end = function.docstring
    return text[function.start : max(start, function.start)] + text[max(end, function.start) : function.end]
