"""Changes a docstring only where it disagrees with the signature; every other line stays as it is."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from r1_lsp.features.docstring.compose import WIDTH, Item, entry_lines, group, items, tabbed
from r1_lsp.features.docstring.disagree import Differences
from r1_lsp.features.docstring.existing import Entry, Outline, Row, Section, Written, bare, indent_of, outline
from r1_lsp.features.docstring.facts import Facts
from r1_lsp.features.docstring.manner import Manner
from r1_lsp.features.docstring.slots import Prose
from r1_lsp.features.docstring.styles import KINDS, Frame, Kind, Style


@dataclass(slots=True, kw_only=True)
class _Amendment:
    """The rows while they change: None is a row taken out, `put` holds new lines by the row they stand before."""

    rows: list[Row | None]
    shape: Outline
    style: Style
    order: tuple[str, ...]
    margin: str
    put: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))


def amended(written: Written, differs: Differences, facts: Facts, prose: Prose, how: Manner) -> Written:
    """Puts in what is missing and takes out what is made up."""
    style, frame = how.style, how.frame
    margin, gutter = _margins(written, frame, how.indent)
    work = _Amendment(
        rows=list(written.rows),
        shape=outline(written, style),
        style=style,
        order=tuple(param.name for param in facts.params),
        margin=margin,
    )
    _take_out(work, differs)
    for kind in KINDS:
        missing = [item for item in items(kind, facts, prose, style) if _lacks(differs, item)]
        if missing:
            _put_in(work, missing)
    merged = _merged(work, gutter)
    if not any(row.text.strip() for row in merged):
        merged = [Row("", prose.summary)]
    return _closed(written, merged, gutter if frame.above else margin, frame)


def _lacks(differs: Differences, item: Item) -> bool:
    return {
        "param": item.name in differs.missing,
        "raises": item.name in differs.raises,
        "returns": differs.returns,
        "yields": differs.yields,
    }[item.kind]


def _margins(written: Written, frame: Frame, indent: str) -> tuple[str, str]:
    """(indentation of the text, gutter of its lines), as the docstring itself has them where it has more than one."""
    later = [row for row in written.rows[1:] if row.text.strip()]
    if frame.above:
        return "", next((row.gutter for row in later if row.gutter.strip()), indent + frame.gutter)
    if written.closing_alone:
        return indent_of(written.closing), ""
    return min((indent_of(row.text) for row in later), key=len, default=indent), ""


def _take_out(work: _Amendment, differs: Differences) -> None:
    """Entries of parameters that are not there; a section that is left empty goes with its heading."""
    gone = {entry for entry in work.shape.of("param") if _made_up(entry, differs)}
    for entry in gone:
        _clear(work.rows, entry.first, entry.last)
    for section in work.shape.sections:
        inside = {entry for entry in work.shape.entries if section.first <= entry.first < section.last}
        if section.kind == "param" and inside and inside <= gone and not differs.missing:
            blank_above = section.first > 1 and not _said(work.rows[section.first - 1])
            _clear(work.rows, section.first - blank_above, section.last)


def _clear(rows: list[Row | None], first: int, last: int) -> None:
    rows[first:last] = [None] * (last - first)


def _said(row: Row | None) -> bool:
    return bool(row and row.text.strip())


def _made_up(entry: Entry, differs: Differences) -> bool:
    return bool(entry.names) and all(bare(name) in differs.unknown for name in entry.names)


def _put_in(work: _Amendment, missing: list[Item]) -> None:
    """Parameters behind the one before them in the signature; other kinds behind their like, or in a new section."""
    kind = missing[0].kind
    present = work.shape.of(kind)
    section = next((section for section in work.shape.sections if section.kind == kind), None)
    if not present and section is None:
        _put_section(work, kind, group(missing, work.style, WIDTH - len(work.margin)))
        return
    for item in missing:
        inset = section.inset if section else work.margin
        work.put[_behind(item, present, work.order, section)] += entry_lines(item, work.style, WIDTH, inset)


def _put_section(work: _Amendment, kind: Kind, lines: list[str]) -> None:
    """In the order of KINDS among the parts that are there, else at the end; sections are set off by an empty line."""
    lines = [work.margin + line if line else "" for line in lines]
    rank = KINDS.index(kind)
    parts: tuple[Section, ...] | tuple[Entry, ...] = work.shape.sections or work.shape.entries
    later = [part.first for part in parts if KINDS.index(part.kind) > rank]
    earlier = [part.last for part in parts if KINDS.index(part.kind) <= rank]
    if later and work.style.heading:
        work.put[min(later)] += [*lines, ""]
    elif later or (earlier and not work.style.heading):
        work.put[min(later) if later else max(earlier)] += lines
    else:
        at = max(earlier) if earlier else len(work.rows)
        apart = [] if work.put[at] and not work.style.heading else [""]
        work.put[at] += [*apart, *lines]


def _behind(item: Item, present: tuple[Entry, ...], order: tuple[str, ...], section: Section | None) -> int:
    if item.kind == "param" and present:
        place = order.index(item.name)
        before, after = set(order[:place]), set(order[place + 1 :])
        behind = [entry.last for entry in present if any(bare(name) in before for name in entry.names)]
        ahead = [entry.first for entry in present if any(bare(name) in after for name in entry.names)]
        return max(behind) if behind else min(ahead, default=present[-1].last)
    if present:
        return present[-1].last
    return section.last if section else 0


def _merged(work: _Amendment, gutter: str) -> list[Row]:
    merged: list[Row] = []
    for number in range(len(work.rows) + 1):
        lines = [tabbed(line, work.margin) for line in work.put.get(number, ())]
        merged += [Row(gutter if line else gutter.rstrip(), line) for line in lines]
        row = work.rows[number] if number < len(work.rows) else None
        if row is not None:
            merged.append(row)
    while len(merged) > 1 and not merged[-1].text.strip():
        merged.pop()
    return merged


def _closed(before: Written, rows: list[Row], margin: str, frame: Frame) -> Written:
    """With its end on a line of its own once it has grown past one line. `margin`: what the lines begin with."""
    grown = len(rows) > 1 and len(before.rows) == 1
    if grown and frame.above and rows[0].text.strip():
        rows = [Row("", ""), Row(margin, rows[0].text.strip()), *rows[1:]]
    if before.closing_alone or len(rows) == 1 or rows[-1] == before.rows[-1]:
        return Written(
            opening=before.opening, rows=tuple(rows), closing=before.closing, closing_alone=before.closing_alone
        )
    rows[-1] = Row(rows[-1].gutter, rows[-1].text.rstrip())
    closing = re.sub(r"\*?[ \t]*$", "", margin) + "*/" if frame.above else margin + before.closing
    return Written(opening=before.opening, rows=tuple(rows), closing=closing, closing_alone=True)
