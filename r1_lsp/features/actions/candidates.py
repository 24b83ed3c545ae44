"""Several answers of a model, each tried on a copy of the file; the smallest that stands every check is taken."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from ast_tools import Edit, apply
from r1_lsp.features.actions.answer import code_in
from r1_lsp.features.actions.offer import Task
from r1_lsp.features.actions.region import Region
from r1_lsp.features.actions.splice import edits_for
from r1_lsp.features.ask import Answer, Question, ask
from r1_lsp.features.checkers import Baseline, Subject, complaint
from r1_lsp.features.errors import Refused, Unfit

Edits = tuple[Edit, ...]
Judge = Callable[[Answer], Awaitable[Edits]]
"""Raises Unfit with the reason (a part of a sentence) when an answer is no good."""


async def first_that_stands(task: Task, question: Question, judge: Judge) -> Edits:
    """The model's likeliest answer if it stands, else the smallest of several others. Raises Refused, EngineError."""
    [answer] = await ask(task.engine, question, heard=task.heard)
    stands, reasons = await _judged([answer], judge, task)
    others = task.settings.fix.candidates - 1
    lost_in_thought = bool(answer.thought) and not answer.text.strip()  # more of it would take as long again
    if not stands and others > 0 and not lost_in_thought:
        answers = await ask(task.engine, question, n=others, retry=True, heard=task.heard)
        stands, more = await _judged(answers, judge, task)
        reasons += more
    if not stands:
        raise Refused(f"No change: {reasons[-1]}.")
    return min(stands, key=_size)


async def _judged(answers: list[Answer], judge: Judge, task: Task) -> tuple[list[Edits], list[str]]:
    task.heard("Checking")
    stands: list[Edits] = []
    reasons: list[str] = []
    for answer in answers:
        try:
            stands.append(await judge(answer))
        except Unfit as reason:
            reasons.append(str(reason).rstrip("."))
    return stands, reasons


def _size(edits: Edits) -> int:
    return sum(edit.end - edit.start + len(edit.new) for edit in edits)


async def checked_edits(
    answer: Answer, task: Task, region: Region, before: tuple[Baseline, ...], subject: Subject, *, may_delete: bool
) -> Edits:
    """The edits of one answer, if the file has no new errors with them. Raises Unfit."""
    code = code_in(answer, task.settings.fix.think_tokens)
    edits = edits_for(region, code, may_delete=may_delete)
    changed = replace(subject, text=apply(task.snapshot.text, edits))
    until = _changed_until(edits)
    for checker in before:
        if sentence := await complaint(checker, changed, until):
            raise Unfit(sentence)
    return edits


def _changed_until(edits: Edits) -> int:
    """Where the last edit ends in the new text."""
    shift = sum(len(edit.new) - (edit.end - edit.start) for edit in edits)
    return max(edit.end for edit in edits) + shift
