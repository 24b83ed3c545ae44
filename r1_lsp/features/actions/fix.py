"""Fix this error: the model proposes, the parser, the compiler and whoever reported the error decide."""

from collections.abc import Iterator

from ast_tools import Edit, statement_around
from r1_lsp.features.actions.candidates import checked_edits, first_that_stands
from r1_lsp.features.actions.offer import QUICK_FIX, Action, Offer, Place, Report, Task
from r1_lsp.features.actions.prompt import fix_question
from r1_lsp.features.actions.region import Region, region_around
from r1_lsp.features.ask import Answer
from r1_lsp.features.checkers import SOURCE, Subject, baseline, checkers_of
from r1_lsp.features.errors import Refused, Unfit

_MOST_REPORTS = 3
_SHOWN = 60
NOT_RECHECKED = "(not re-checked)"


def _applies(place: Place) -> Iterator[Offer]:
    snapshot = place.snapshot
    if snapshot.tree is None or snapshot.language is None or not place.can_resolve:
        return
    checkers = checkers_of(snapshot.language, place.settings.fix.checkers)
    known = frozenset().union(*(checker.sources for checker in checkers))
    for report in place.reports[:_MOST_REPORTS]:
        if report.message.strip() and not _has_sure_repair(place, report):
            mark = "" if report.source.lower() in known else f" {NOT_RECHECKED}"
            yield Offer(title=f"Fix: {_shown(report)}{mark}", report=report, start=report.start, by_model=True)


def _has_sure_repair(place: Place, report: Report) -> bool:
    """What we report ourselves and surely repair needs no model's opinion beside it."""
    return report.source.lower() == SOURCE and any(
        repair.sure and repair.start <= report.end and report.start <= repair.end for repair in place.repairs
    )


async def _compute(task: Task) -> tuple[Edit, ...]:
    """Raises Refused with one sentence when no answer stands, and EngineError."""
    report, tree, language = task.report, task.snapshot.tree, task.snapshot.language
    if report is None or tree is None or language is None:
        raise Refused("The file could not be parsed, so no fix could be checked.")
    subject = Subject(text=task.snapshot.text, language=language, path=task.snapshot.path, root=task.root)
    checkers = checkers_of(language, task.settings.fix.checkers)
    ours = frozenset().union(*(checker.sources for checker in checkers))
    wanted = [checker for checker in checkers if report.source.lower() in checker.sources or "r1" in checker.sources]
    before = await baseline(wanted, subject, report)
    if report.source.lower() in ours and not any(checker.target for checker in before):
        raise Refused(f"{report.source} could not be asked about this error again, so no fix could be checked.")
    region = region_around(tree, task.snapshot.lines, report.start, report.end)
    session = f"fix {task.snapshot.uri}"
    question = fix_question(tree, report, region, task.settings.fix.think_tokens, session)

    async def judge(answer: Answer) -> tuple[Edit, ...]:
        edits = await checked_edits(answer, task, region, before, subject, may_delete=report.unnecessary)
        _touches(edits, task, report, region)
        return edits

    return await first_that_stands(task, question, judge)


def _touches(edits: tuple[Edit, ...], task: Task, report: Report, region: Region) -> None:
    """A change that leaves the reported statement alone cannot be its fix. Raises Unfit."""
    tree, lines = task.snapshot.tree, task.snapshot.lines
    assert tree is not None
    since, until = statement_around(tree, report.start, report.end)
    first, last = max(lines.line_at(since), region.first), min(lines.line_at(until), region.last)
    if not any(lines.line_at(edit.start) <= last and lines.line_at(edit.end) >= first for edit in edits):
        raise Unfit("the model did not change the statement with the error")


def _shown(report: Report) -> str:
    said = " ".join(report.message.split())
    return said if len(said) <= _SHOWN else said[: _SHOWN - 3].rstrip() + "..."


FIX = Action(name="fix", kind=QUICK_FIX, applies=_applies, compute=_compute)
