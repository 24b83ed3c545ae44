"""The pieces of a text in which brackets are to be repaired: small, because trusted blocks are left out."""

import re
from bisect import bisect_left
from dataclasses import dataclass

from ast_tools.languages import Language
from ast_tools.repair.layout import (
    BRACE,
    LOOK_BACK,
    MAX_SUSPECTS,
    OPENERS,
    PARTNERS,
    Survey,
    Suspect,
    begins,
    code_of_line,
    line_start,
)
from ast_tools.repair.scan import Mark

LOOK_FAR_BACK = 20_000
"""Marks that are looked back at for where a statement begins."""
MAX_BYTES, MAX_MARKS = 100_000, 6000
"""Bytes and marks of one region that are looked at, what is hidden left out."""
_WORD = re.compile(rb"\w+")


@dataclass(frozen=True, slots=True)
class Region:
    """Bytes [start, end) that hold suspects. `hidden`: the insides of trusted blocks, in order."""

    start: int
    end: int
    suspects: tuple[Suspect, ...]
    hidden: tuple[tuple[int, int], ...]


def regions(language: Language, text: bytes, marks: list[Mark], found: Survey, *, odd: bool = False) -> list[Region]:
    """What is to be repaired, in the order of the text; regions do not overlap.

    Suspects that answer each other are a pair whose layout is `odd`, and left alone while there are others unless
    asked for. Regions with more than a person would read are left out.
    """
    suspects = found.suspects if odd else _alone(text, found.suspects) or found.suspects
    spans: list[tuple[int, int, tuple[Suspect, ...]]] = []
    for suspect in suspects[:MAX_SUSPECTS]:
        start, end = _reach(language, text, marks, suspect)
        together: tuple[Suspect, ...] = (suspect,)
        while spans and spans[-1][1] > start:
            before = spans.pop()
            start, end, together = min(start, before[0]), max(end, before[1]), (*before[2], *together)
        spans.append((start, end, together))
    blocks = sorted(found.blocks)
    made = (Region(start, end, mine, _hidden(text, blocks, (start, end), mine)) for start, end, mine in spans)
    return [region for region in made if _is_small(marks, region)]


def _is_small(marks: list[Mark], region: Region) -> bool:
    """Whether a region holds no more than can be looked at."""
    spans = ((region.start, region.end), *region.hidden)
    n_bytes, *hidden_bytes = (end - start for start, end in spans)
    n_marks, *hidden_marks = (
        bisect_left(marks, (end, -1 << 62)) - bisect_left(marks, (start, -1 << 62)) for start, end in spans
    )
    return n_bytes - sum(hidden_bytes) <= MAX_BYTES and n_marks - sum(hidden_marks) <= MAX_MARKS


def _alone(text: bytes, suspects: list[Suspect]) -> list[Suspect]:
    """Suspects without those that answer each other over several lines: the layout is odd, nothing else."""
    stack: list[Suspect] = []
    left: list[Suspect] = []
    for suspect in suspects:
        if suspect.opens:
            stack.append(suspect)
            continue
        depth = _answered(stack, suspect)
        if depth < 0 or text.find(b"\n", stack[depth].at, suspect.at) < 0:
            left.append(suspect)
        else:
            left += stack[depth + 1 :]
            del stack[depth:]
    return sorted([*left, *stack], key=lambda suspect: suspect.at)


def _answered(stack: list[Suspect], closer: Suspect) -> int:
    """How deep the opener is that a closer answers, one as deep as itself if there is one; -1 if none does."""
    want = PARTNERS[closer.byte]
    for depth in range(len(stack) - 1, max(len(stack) - LOOK_BACK, 0) - 1, -1):
        if stack[depth].byte == want and stack[depth].indent == closer.indent:
            return depth
    return len(stack) - 1 if stack and stack[-1].byte == want else -1


def _reach(language: Language, text: bytes, marks: list[Mark], suspect: Suspect) -> tuple[int, int]:
    """The bytes within which the other half of a suspect may stand: whole lines."""
    if suspect.opens:
        return _owner_start(language, text, marks, suspect), max(suspect.limit, suspect.at + 1)
    return _statement_start(language, text, marks, suspect), suspect.at + 1


def _owner_start(language: Language, text: bytes, marks: list[Mark], suspect: Suspect) -> int:
    """Where the statement of an opener begins, if its line goes on with one (`else {`); else where the line does."""
    start = line_start(text, suspect.at)
    index = bisect_left(marks, (start, -1 << 62))
    first = marks[index][0] if index < len(marks) else suspect.at
    word = _WORD.match(text, first)
    if word is None or word.group().decode("latin-1") not in language.continuation_words:
        return start
    for before in range(index - 1, max(index - LOOK_FAR_BACK, 0) - 1, -1):
        at, code = marks[before]
        if code <= 0 and -code <= suspect.indent and begins(language, text, marks, before, block=True):
            return line_start(text, at)
    return start


def _statement_start(language: Language, text: bytes, marks: list[Mark], suspect: Suspect) -> int:
    """Where the statement begins that an orphan ends."""
    depth, last = 0, bisect_left(marks, (suspect.at, -1 << 62)) - 1
    block = suspect.byte == ord("}")
    flat = block and _is_flat(marks, last, suspect)
    for index in range(last, max(last - LOOK_FAR_BACK, 0) - 1, -1):
        at, code = marks[index]
        if code <= 0:
            outside = depth <= 0 and -code <= suspect.indent and at != suspect.at
            far = flat and not _lacks_block(language, text, marks, index)
            if outside and not far and begins(language, text, marks, index, block=block):
                return line_start(text, at)
        elif code in OPENERS:
            depth -= 1
            if at <= suspect.limit and depth < 0:
                return line_start(text, at)
        else:
            depth += 1
    return line_start(text, marks[max(last - LOOK_FAR_BACK, 0)][0]) if marks else 0


def _is_flat(marks: list[Mark], last: int, suspect: Suspect) -> bool:
    """Whether a closer begins a line, and the line before is no deeper: what it closes may begin far above."""
    leads = last + 1 < len(marks) and marks[last + 1][0] == suspect.at and marks[last + 1][1] <= 0
    before = next((-code for _, code in reversed(marks[max(last - LOOK_BACK, 0) : last + 1]) if code <= 0), 0)
    return leads and before <= suspect.indent


def _lacks_block(language: Language, text: bytes, marks: list[Mark], index: int) -> bool:
    """Whether a line neither ends anything nor goes on: `namespace a` without its brace."""
    line = code_of_line(language, text, marks[index][0])
    following = next((at for at, code in marks[index + 1 : index + LOOK_BACK] if code <= 0), None)
    goes_on = following is not None and text[following] in b"{:"
    return bool(line) and line[-1] not in b"{};(,=" and not goes_on


def _hidden(
    text: bytes, blocks: list[tuple[int, int]], span: tuple[int, int], suspects: tuple[Suspect, ...]
) -> tuple[tuple[int, int], ...]:
    """The insides of the trusted blocks in a region that cannot hold the error."""
    found, (reached, end) = [], span
    places = [suspect.at for suspect in suspects]
    only_braces = any(text[at] not in b"{}" for at in places)
    for opener, closer in blocks[bisect_left(blocks, (reached, 0)) :]:
        if opener >= end:
            break
        if opener < reached or closer >= end or any(opener < at < closer for at in places):
            continue
        # Where a parenthesis is lost, others in its statement may have been paired wrongly.
        if text[opener] == BRACE or not only_braces:
            found.append((opener + 1, closer))
            reached = closer
    return tuple(found)
