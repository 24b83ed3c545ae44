"""The model's choice among repairs of which none is sure: it says which text is the likeliest, and writes nothing."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ast_tools import Edit, apply
from ast_tools.lines import Lines
from engine.client import create_engine
from engine.errors import ContextOverflow, EngineError
from engine.types import Engine, EngineOptions
from r1_lsp.cli.console import Failure
from r1_lsp.cli.examine import Choice, Examined, Finding, Task
from r1_lsp.cli.examiners import examined
from r1_lsp.features.errors import Refused
from r1_lsp.features.tie_break import likeliest

MOST_PLACES = 20
"""Problems of one file the model is asked about; each takes it a second or several."""

Heard = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """A file that was looked at, and its UTF-8 text."""

    answer: Examined
    text: bytes


def chosen(ballots: Sequence[Ballot], model: str, heard: Heard) -> dict[str, Examined]:
    """The answers by their path, with the model's choice first. Raises Failure when there is no model."""
    ranked = asyncio.run(_asked(ballots, model, heard))
    return {ballot.answer.path: _made(ballot, findings) for ballot, findings in zip(ballots, ranked, strict=True)}


async def _asked(ballots: Sequence[Ballot], model: str, heard: Heard) -> list[tuple[Finding, ...]]:
    engine = create_engine(EngineOptions(model=model))
    unwatch = engine.watch(lambda status: heard(status.detail or str(status.phase)))
    ranked = []
    try:
        await engine.info()
        for ballot in ballots:
            heard(f"asking the model about {ballot.answer.path}")
            ranked.append(await _ranked(engine, ballot))
    except EngineError as error:
        raise Failure(str(error)) from error
    finally:
        unwatch()
        await engine.close()
    return ranked


async def _ranked(engine: Engine, ballot: Ballot) -> tuple[Finding, ...]:
    """The findings with their choices as the model ranks them."""
    lines, findings = Lines(ballot.text), list(ballot.answer.findings)
    asked = [number for number, finding in enumerate(findings) if finding.is_open][:MOST_PLACES]
    for number in asked:
        choices = findings[number].choices
        changes = [choice.edits for choice in choices]
        try:
            order = await likeliest(engine, lines, changes, session="", heard=lambda _: None)
        except (Refused, ContextOverflow):  # too much to compare
            continue
        findings[number] = replace(findings[number], choices=tuple(choices[at] for at in order), by_model=True)
    return tuple(findings)


def _made(ballot: Ballot, ranked: Sequence[Finding]) -> Examined:
    """The answer with each ranking that leaves no more problems than the order the choices were found in.

    A choice is looked for after those before it were made; with another one of those it may not fit.
    """
    answer = ballot.answer
    for number, finding in enumerate(ranked):
        findings = (*answer.findings[:number], finding, *answer.findings[number + 1 :])
        same = _first(finding) == _first(answer.findings[number])
        guessed = answer.guessed if same else _firsts(findings)
        if same or _left(ballot, guessed) <= _left(ballot, answer.guessed):
            answer = replace(answer, findings=findings, guessed=guessed)
    return answer


def _first(finding: Finding) -> tuple[Choice, ...]:
    return finding.choices[:1]


def _firsts(findings: Sequence[Finding]) -> tuple[Edit, ...]:
    return tuple(edit for finding in findings for choice in _first(finding) for edit in choice.edits)


def _left(ballot: Ballot, edits: Sequence[Edit]) -> float:
    """How many problems a text has after edits. Looked at in a child, as every text is."""
    try:
        text = apply(ballot.text, edits)
    except ValueError:  # they overlap
        return float("inf")
    [after] = examined([Task(path=ballot.answer.path, language=ballot.answer.language, text=text)], jobs=1)
    return float("inf") if after.unread else len(after.findings)
