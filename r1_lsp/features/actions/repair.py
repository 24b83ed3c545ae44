"""Repairs of broken syntax that the tree alone can find: they come with their edits, no model is asked."""

from collections.abc import Iterator

from ast_tools import Edit, Repair, apply
from r1_lsp.features.actions.offer import QUICK_FIX, Action, Offer, Place, Report

_MOST = 3
_LONGEST = 60


def _applies(place: Place) -> Iterator[Offer]:
    shown = shown_repairs(place)
    titles = [repair.title for repair in shown]
    for repair in shown:
        alike = titles.count(repair.title) > 1
        yield Offer(
            title=f"{repair.title}: {_result(repair, place)}" if alike else f"{repair.title} ({_reason(repair)})",
            edits=repair.edits,
            report=report_of(repair, place),
            start=repair.start,
            preferred=repair.sure,
        )


def shown_repairs(place: Place) -> list[Repair]:
    """The repairs that are offered at a place: the sure ones, or a few of the others."""
    found = [repair for repair in place.repairs if _is_here(repair, place)]
    sure = [repair for repair in found if repair.sure]
    return (sure or found)[:_MOST]


def report_of(repair: Repair, place: Place) -> Report | None:
    """What is reported on the lines that a repair blames."""
    line = place.snapshot.lines.line_at
    lines = range(line(repair.start), line(repair.end) + 1)
    return next((report for report in place.reports if line(report.start) in lines), None)


def _reason(repair: Repair) -> str:
    return repair.reason.rstrip(".")


def _result(repair: Repair, place: Place) -> str:
    """The first changed line as it would read, to tell repairs with one title apart."""
    lines = place.snapshot.lines
    line = lines.line_at(repair.edits[0].start)
    start, end = lines.start(line), lines.end(line)
    inside = [edit for edit in repair.edits if start <= edit.start and edit.end <= end]
    after = apply(lines.line(line), [Edit(edit.start - start, edit.end - start, edit.new) for edit in inside])
    text = after.decode("utf-8", "replace").strip()
    return f"`{text}`" if len(text) <= _LONGEST else f"`...{text[-_LONGEST:]}`"


def _is_here(repair: Repair, place: Place) -> bool:
    """What it blames or changes touches the lines that were asked about, or something reported there."""
    spans = [(repair.start, repair.end), *((edit.start, edit.end) for edit in repair.edits)]
    asked = [(place.start, place.end), *((report.start, report.end) for report in place.reports)]
    line = place.snapshot.lines.line_at
    return any(
        line(start) <= line(until) and line(since) <= line(end) for start, end in spans for since, until in asked
    )


REPAIR = Action(name="repair", kind=QUICK_FIX, applies=_applies)
