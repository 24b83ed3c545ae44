"""Repairs of broken syntax that the tree alone can find: they come with their edits, no model is asked."""

from collections.abc import Iterator

from ast_tools import Repair
from r1_lsp.features.actions.offer import QUICK_FIX, Action, Offer, Place, Report

_MOST = 3


def _applies(place: Place) -> Iterator[Offer]:
    found = [repair for repair in place.repairs if _is_here(repair, place)]
    sure = [repair for repair in found if repair.sure]
    for repair in (sure or found)[:_MOST]:
        yield Offer(
            title=repair.title,
            edits=repair.edits,
            report=_report(repair, place),
            start=repair.start,
            preferred=repair.sure,
        )


def _is_here(repair: Repair, place: Place) -> bool:
    """What it blames or changes touches the lines that were asked about, or something reported there."""
    spans = [(repair.start, repair.end), *((edit.start, edit.end) for edit in repair.edits)]
    asked = [(place.start, place.end), *((report.start, report.end) for report in place.reports)]
    line = place.snapshot.lines.line_at
    return any(
        line(start) <= line(until) and line(since) <= line(end) for start, end in spans for since, until in asked
    )


def _report(repair: Repair, place: Place) -> Report | None:
    line = place.snapshot.lines.line_at
    lines = range(line(repair.start), line(repair.end) + 1)
    return next((report for report in place.reports if line(report.start) in lines), None)


REPAIR = Action(name="repair", kind=QUICK_FIX, applies=_applies)
