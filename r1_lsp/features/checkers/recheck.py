"""Asks the checkers again: is what was reported gone, and is nothing new there?"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ast_tools.lines import Lines
from r1_lsp.features.checkers.record import Checker, Finding, Subject

_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A diagnostic as an editor shows it: the bytes [start, end), and what its reporter said."""

    start: int
    end: int
    message: str
    code: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What one checker says of the text before the change, and which of it is the report in question, if any."""

    checker: Checker
    findings: tuple[Finding, ...]
    target: Finding | None = None


async def baseline(checkers: Sequence[Checker], subject: Subject, report: Reported | None) -> tuple[Baseline, ...]:
    """Asks every checker about the text as it is; those that cannot be asked are left out."""
    found: list[Baseline] = []
    for checker in checkers:
        findings = await checker.ask(subject)
        if findings is not None:
            target = _reported(report, checker, findings, Lines(subject.text)) if report else None
            found.append(Baseline(checker=checker, findings=findings, target=target))
    return tuple(found)


async def complaint(before: Baseline, subject: Subject, changed_until: int) -> str | None:
    """What one checker holds against the changed text, in a sentence, or None when it is content.

    `changed_until` is where the change ends in the new text.
    """
    checker, name = before.checker, before.checker.name
    after = await checker.ask(subject)
    if after is None:
        return f"{name} could not be asked about the change"
    if checker.stops_at_first:
        after = _after_change(before, after, changed_until)
    was = Counter(_key(checker, finding) for finding in before.findings)
    now = Counter(_key(checker, finding) for finding in after)
    if before.target is not None and now[_key(checker, before.target)] >= was[_key(checker, before.target)]:
        return f"{name} still reports: {before.target.message}"
    new = [finding for finding in after if now[_key(checker, finding)] > was[_key(checker, finding)]]
    return f"{name} would report something new: {new[0].message}" if new else None


def _after_change(before: Baseline, after: tuple[Finding, ...], changed_until: int) -> tuple[Finding, ...]:
    """The first error of a text that already had one before may have been hidden behind it."""
    if not before.findings:
        return after
    return tuple(finding for finding in after if finding.start <= changed_until)


def _key(checker: Checker, finding: Finding) -> tuple[str, str]:
    """Two findings are the same when they say the same; lines they mention move with an edit."""
    return finding.code, "" if checker.by_code else _NUMBERS.sub("0", finding.message)


def _reported(report: Reported, checker: Checker, findings: Sequence[Finding], lines: Lines) -> Finding | None:
    """The finding an editor's diagnostic stands for: on the same line, with the same code or the same words."""
    if report.source.lower() not in checker.sources:
        return None
    line = lines.line_at(report.start)
    near = [finding for finding in findings if lines.line_at(finding.start) == line]
    for finding in near:
        if finding.message == report.message or (finding.code and _bare(finding.code) == _bare(report.code)):
            return finding
    return None


def _bare(code: str) -> str:
    """tsserver says 2304 where tsc says TS2304."""
    return code.upper().removeprefix("TS") if code.upper().removeprefix("TS").isdigit() else code
