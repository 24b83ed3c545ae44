"""Which of several changes makes the likeliest text, as a model sees it: for where the tree alone is not sure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ast_tools import Edit, apply
from ast_tools.lines import Lines
from engine.types import Engine, GenerateRequest, Lane, TextPrompt
from r1_lsp.features.ask import Heard
from r1_lsp.features.errors import Refused

_MOST_BEFORE = 2000
_MOST_BETWEEN = 4000
_MOST_OF_LINES = 500
"""Bytes: before what is compared, from the first change to the last, and on either side of that."""
_LINES_BEHIND = 2
"""What follows tells as much of a change as the change itself: a bracket too few is seen in the next line."""

Change = tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The same stretch of a text after each of several changes, and what stands before it."""

    before: str
    texts: tuple[str, ...]


def contest(lines: Lines, changes: Sequence[Change]) -> Contest:
    """From the line of the first change to two lines behind the last. Raises Refused when that is too much."""
    edits = [edit for change in changes for edit in change]
    first, last = min(edit.start for edit in edits), max(edit.end for edit in edits)
    if last - first > _MOST_BETWEEN:
        raise Refused("The repairs are too far apart for a model to compare them.")
    start = max(lines.start(lines.line_at(first)), _whole(lines.text, first - _MOST_OF_LINES))
    behind = min(lines.line_at(last) + _LINES_BEHIND, lines.count - 1)
    end = min(lines.end(behind), _whole(lines.text, last + _MOST_OF_LINES))
    texts = (apply(lines.text[start:end], _moved_back(change, start)) for change in changes)
    return Contest(before=_before(lines, start), texts=tuple(text.decode("utf-8", "replace") for text in texts))


async def likeliest(
    engine: Engine, lines: Lines, changes: Sequence[Change], *, session: str, heard: Heard
) -> tuple[int, ...]:
    """The numbers of the changes, likeliest first; of two alike the earlier one. Raises Refused, EngineError.

    Cancelling stops the model.
    """
    compared = contest(lines, changes)
    heard("Waiting for the model")
    await engine.info()
    heard("Comparing")
    scores = await engine.score(
        GenerateRequest(
            prompt=TextPrompt(text=compared.before), choices=compared.texts, lane=Lane.ACTION, session=session
        )
    )
    return tuple(sorted(range(len(changes)), key=lambda number: -scores[number]))


def _before(lines: Lines, start: int) -> str:
    """Whole lines where there are some; of a long line its end."""
    begin = start - _MOST_BEFORE
    if begin > 0:
        next_line = lines.line_at(begin) + 1
        within = next_line < lines.count and lines.start(next_line) < start
        begin = lines.start(next_line) if within else _whole(lines.text, begin)
    return lines.text[max(begin, 0) : start].decode("utf-8", "replace")


def _moved_back(change: Change, start: int) -> list[Edit]:
    return [Edit(edit.start - start, edit.end - start, edit.new) for edit in change]


def _whole(text: bytes, offset: int) -> int:
    """The offset, or the next one that cuts no character."""
    offset = max(offset, 0)
    while offset < len(text) and text[offset] & 0xC0 == 0x80:
        offset += 1
    return offset
