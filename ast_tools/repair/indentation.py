"""Lines that are indented wrongly: runs of lines moved to where a block is due, or a block that is missing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ast_tools.edits import Edit
from ast_tools.repair.logical_lines import Lines, LogicalLine
from ast_tools.repair.reading import Change, New
from ast_tools.repair.vocabulary import SAME

REACH = 12
"""Lines above a broken one at which a block may have been left too early."""
NEAR = 1
"""Lines between the line that is indented wrongly and the one at which the parser stops, at most."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Lines [first, last) get the white space `lead` where the first of them has its own; `liking`: how likely."""

    first: int
    last: int
    lead: bytes
    liking: float


def indentations(lines: Lines, at: int) -> Iterator[tuple[Change, float]]:
    """Changes of white space for a broken line (its number), each with a score; none where its indentation is right."""
    wrong = _first_wrong(lines, at)
    if wrong is None:
        shifts = _left_too_early(lines, at)
    elif wrong.due:
        shifts = _block_due(lines.lines, wrong)
        yield _empty_block(lines, wrong.number), -4.0
    else:
        shifts = _no_such_level(lines.lines, wrong)
    for shift in shifts:
        change = _shifted(lines, shift)
        if change is not None:
            yield change, shift.liking


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line whose indentation cannot be, the lines that opened the levels around it, and whether a block is due."""

    number: int
    levels: list[LogicalLine]
    due: bool


def _first_wrong(lines: Lines, at: int) -> Wrong | None:
    levels: list[LogicalLine] = []
    opener, due = lines.language.block_opener.encode(), False
    # The parser may stop where the line above ends; if that is a header without its end, the lines below are right.
    word = lines.found[lines.lines[at].first].text.decode("utf-8", "replace")
    last = at if word in lines.language.block_words else at + NEAR
    for number, line in enumerate(lines.lines[: last + 1]):
        found = Wrong(number, levels, due)
        if due and line.width <= levels[-1].width:
            return found if number >= at - NEAR else None
        if due or not levels:
            levels.append(line)
        while len(levels) > 1 and levels[-1].width > line.width:
            levels.pop()
        if levels[-1].width != line.width:
            return found if number >= at - NEAR else None
        due = lines.found[line.last - 1].text == opener
    return None


def _block_due(lines: Sequence[LogicalLine], wrong: Wrong) -> Iterator[Shift]:
    lead = wrong.levels[-1].lead + _unit(lines)
    for last, liking in _runs(lines, wrong.number):
        yield Shift(wrong.number, last, lead, liking)
    # Up to lines that are where the block is due already.
    width = len(lead.expandtabs(8))
    there = next((n for n, line in enumerate(lines[wrong.number :], wrong.number) if line.width >= width), len(lines))
    yield Shift(wrong.number, there, lead, 3.5 if there < len(lines) else 0.0)


def _no_such_level(lines: Sequence[LogicalLine], wrong: Wrong) -> Iterator[Shift]:
    """To the level of the line above, or to another, a near one rather."""
    number, line = wrong.number, lines[wrong.number]
    above = lines[number - 1].lead if number else b""
    targets = [(above, 0.0)]
    targets += [(one.lead, -1.0 - abs(one.width - line.width) / 8) for one in wrong.levels if one.lead != above]
    for lead, liking in targets:
        for last, extent in _runs(lines, number):
            yield Shift(number, last, lead, liking + extent)


def _left_too_early(lines: Lines, at: int) -> Iterator[Shift]:
    """A line that cannot stand in its block, like a lone `else`: it or lines above it belong into a deeper one."""
    if at >= len(lines.lines):
        return
    line, language = lines.lines[at], lines.language
    word = lines.found[line.first].text.decode("utf-8", "replace")
    if word not in language.continuation_words | language.statement_words:
        return
    for first in range(at, max(at - REACH, 0), -1):
        one, above = lines.lines[first], lines.lines[first - 1]
        if one.width < line.width:
            return
        if one.width == line.width and above.width > one.width:
            for lead in {other.lead for other in lines.lines[max(first - REACH, 0) : first] if other.width > one.width}:
                far = abs(len(lead.expandtabs(8)) - above.width) / 8
                for last, extent in _runs(lines.lines, first):
                    if last > at:
                        yield Shift(first, last, lead, extent - 0.2 * (at - first) - far)


def _runs(lines: Sequence[LogicalLine], number: int) -> Iterator[tuple[int, float]]:
    """Ends of runs of lines that may have moved together, likelier ones with more."""
    width = lines[number].width
    end = number + 1
    while end < len(lines) and lines[end].width >= width:
        end += 1
    yield end, 3.0
    same = number + 1
    while same < end and lines[same].width > width:
        same += 1
    if same != end:
        yield same, 0.0
        after = same
        while after < end and after - number < 12:
            after += 1
            yield after, -1.0 - 0.1 * (after - number)
    left = end
    while left < len(lines) and lines[left].width > 0:
        left += 1
    if left != end:
        yield left, 1.0
    yield len(lines), 0.5


def _unit(lines: Sequence[LogicalLine]) -> bytes:
    """One step of indentation as the text has it."""
    steps: Counter[bytes] = Counter()
    for one, other in pairwise(lines):
        if other.lead.startswith(one.lead) and other.width > one.width:
            steps[other.lead[len(one.lead) :]] += 1
    return steps.most_common(1)[0][0] if steps else b"    "


def _shifted(lines: Lines, shift: Shift) -> Change | None:
    """The change that moves a run of lines; lines that are further out than the first keep at least nothing."""
    moved = lines.lines[shift.first : shift.last]
    if not moved or moved[0].lead == shift.lead:
        return None
    text, first = lines.text, lines.found[moved[0].first]
    start = text.rfind(b"\n", 0, first.start) + 1
    end = lines.found[moved[-1].last - 1].end
    old = moved[0].lead
    result = []
    for line in text[start:end].split(b"\n"):
        bare = line.lstrip(b" \t")
        lead = line[: len(line) - len(bare)]
        result.append(line if not bare.strip() else _lead(lead, old, shift.lead) + bare)
    new = b"\n".join(result)
    if new == text[start:end]:
        return None
    deeper = len(shift.lead.expandtabs(8)) > moved[0].width
    name = "indent deeper" if deeper else "indent less"
    return Change(moved[0].first, moved[0].first, (), name, Edit(start, end, new))


def _lead(lead: bytes, old: bytes, new: bytes) -> bytes:
    if lead.startswith(old):
        return new + lead[len(old) :]
    width = len(lead.expandtabs(8)) + len(new.expandtabs(8)) - len(old.expandtabs(8))
    return b" " * max(width, 0)


def _empty_block(lines: Lines, number: int) -> Change:
    """The header before a line gets a block that does nothing."""
    before = lines.lines[number - 1].last
    token = lines.found[before - 1]
    word = lines.language.empty_block.encode()
    return Change(before, before, (New("word", word, SAME),), "insert block", Edit(token.end, token.end, b" " + word))
