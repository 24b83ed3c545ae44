"""What the model is asked for a docstring: short phrases on a form, never the docstring itself."""

from dataclasses import replace

from ast_tools import Function
from engine.types import Lane
from r1_lsp.features.ask import Question
from r1_lsp.features.docstring.facts import Facts
from r1_lsp.features.docstring.slots import EXAMPLE, EXAMPLE_FORM, labels
from r1_lsp.snapshot import Snapshot

_MOST_BYTES = 4000
_MOST_THINKING = 256
_SLOT_TOKENS = 32
SUMMARY_BEGINS = "This function"
"""Put in a weak model's mouth, so that it says what the function does; taken out again."""


def question(snapshot: Snapshot, function: Function, facts: Facts, *, think_tokens: int, lane: Lane) -> Question:
    """A form filled in for another function, then this one as it stands (its beginning, when it is long)."""
    assert snapshot.language is not None
    code = _without_docstring(snapshot.text, function)
    if len(code) > _MOST_BYTES:
        code = code[:_MOST_BYTES].rpartition(b"\n")[0] + b"\n..."
    shown = code.decode("utf-8", "replace").strip("\r\n")
    name, wanted = snapshot.language.name, labels(facts)
    text = (
        "Notes on functions: a sentence of summary, then a short phrase for each label. Plain words, no code.\n\n"
        f"```python\n{EXAMPLE}\n```\n{EXAMPLE_FORM}\n\n"
        f"Now the same for this {name} function, with exactly these labels: {', '.join(wanted)}.\n"
        f"```{name}\n{shown}\n```\n"
    )
    return Question(
        text=text,
        answer_tokens=_SLOT_TOKENS * len(wanted),
        think_tokens=min(think_tokens, _MOST_THINKING),
        lane=lane,
        session=f"docstring {snapshot.uri}",
    )


def next_slot(asked: Question, filled_in: list[str], label: str) -> Question:
    """The same question with the form filled in as far as it is; the answer is the rest of one line."""
    opening = "\n".join([*filled_in, f"{label}:" if filled_in else f"{label}: {SUMMARY_BEGINS}"])
    return replace(asked, opening=opening, stop=("\n",), answer_tokens=_SLOT_TOKENS)


def _without_docstring(text: bytes, function: Function) -> bytes:
    if function.docstring is None:
        return text[function.start : function.end]
    start, end = function.docstring
    return text[function.start : max(start, function.start)] + text[max(end, function.start) : function.end]
