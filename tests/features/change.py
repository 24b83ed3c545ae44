"""How golden cases run an action: from a text and what the model says to the text after it, or to a sentence."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from ast_tools import Edit, apply, language_of, parse
from ast_tools.lines import Lines
from engine.errors import EngineError
from engine.scripted import ScriptedEngine, render
from r1_lsp.features.actions import Report, Task, written
from r1_lsp.features.errors import Refused
from r1_lsp.settings import Settings
from r1_lsp.snapshot import Snapshot
from tests.support.cases import Case

Compute = Callable[[Task], Awaitable[tuple[Edit, ...]]]


def snapshot_of(text: bytes, name: str) -> Snapshot:
    """A document as the features see it, parsed."""
    language = language_of(None, name)
    return Snapshot(
        uri=f"file:///{name}",
        path=f"/{name}",
        version=1,
        language=language,
        language_id=language.name if language else "plaintext",
        lines=Lines(text),
        tree=parse(language, text) if language else None,
    )


def engine_of(case: Case) -> ScriptedEngine:
    """Answers `model` to the first request and `retry` to the others; `thinking` makes it a model that reasons."""
    info = {"reasons": "thinking" in case, "family": "r1-distill-qwen" if "thinking" in case else "smollm2"}
    first = {"match": "", "reply": case["model"].removesuffix("\n"), "thinking": case.get("thinking", ""), "times": 1}
    later = case.get("retry", case["model"]).split("\n-----\n")
    return ScriptedEngine(
        {"info": info, "rules": [first], "default": {"reply": [text.removesuffix("\n") for text in later]}}
    )


def form_engine(case: Case) -> ScriptedEngine:
    """Fills in the form of a docstring from `model`, each label with its line; a model that reasons says it whole."""
    if "thinking" in case:
        return engine_of(case)
    first, *rest = case["model"].rstrip("\n").split("\n")
    said = [("Summary", first), *(tuple(line.split(": ", 1)) for line in rest if ": " in line)]
    rules = [{"match": rf"{re.escape(label)}:( This function)?\Z", "reply": f" {text}\n..."} for label, text in said]
    return ScriptedEngine({"info": {"reasons": False, "family": "smollm2"}, "rules": rules, "default": {"reply": "\n"}})


def run(case: Case, compute: Compute, **task: Any) -> str:
    """Checks the prompt (of a form, the last one).

    Answers the text afterwards, edits marked [so], or the sentence of the refusal.
    """
    engine = form_engine(case) if compute is written else engine_of(case)
    wanted = Task(engine=engine, heard=lambda doing: None, **{"settings": Settings(), **task})

    async def work() -> str:
        try:
            edits = await compute(wanted)
        except (Refused, EngineError) as error:
            return str(error)
        return marked(wanted.snapshot.text, edits)

    said = asyncio.run(work())
    if "prompt" in case or engine.requests:
        case.check("prompt", render(engine.requests[-1].prompt if compute is written else engine.requests[0].prompt))
    return said


def marked(text: bytes, edits: tuple[Edit, ...]) -> str:
    """The text after the edits, each one in [brackets]; line ends other than \\n are shown."""
    shown = tuple(Edit(edit.start, edit.end, b"[" + edit.new + b"]") for edit in edits)
    return apply(text, shown).decode().replace("\r", "<CR>")


def report_of(case: Case, start: int, end: int) -> Report:
    """`source code: message` in the section `report`; a section `unnecessary` stands for that tag."""
    head, _, message = case["report"].strip().partition(": ")
    source, _, code = head.partition(" ")
    return Report(start=start, end=end, message=message, code=code, source=source, unnecessary="unnecessary" in case)
