"""Findings for a reader: the place, the sentence, the line with a mark under what is wrong, and what can be done.

And for a program: the shape of `--json`, which docs/check-and-fix.md documents.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from r1_lsp.cli.console import PIPE_WIDTH, visible
from r1_lsp.cli.examination import Examination
from r1_lsp.cli.examine import Change, Choice, Finding, Place

_TAB = "    "
_CUT = "…"
_BY_MODEL = "(the model's choice)"


def print_finding(console: Console, path: str, finding: Finding) -> None:
    """One problem with its line and its repairs."""
    place = finding.place
    head = Text.assemble((visible(path), "bold"), f":{place.line}:{place.column}: {visible(finding.message)}")
    _print(console, head)
    number = f"{place.line:>5}"
    room = (console.width if console.is_terminal else PIPE_WIDTH) - len(number) - 4
    line, begin, width = _marked(finding.excerpt, finding.mark, room)
    _print(console, Text.assemble((f"{number} | ", "blue"), line.rstrip()))
    _print(console, Text.assemble((f"{'':>5} | ", "blue"), " " * begin, ("^" * width, "bold red")))
    for said, style in _choices(finding):
        _print(console, Text.assemble((f"{'':>5} | ", "blue"), (said, style)))


def print_done(console: Console, path: str, finding: Finding, *, written: bool) -> None:
    """One line about a problem that is repaired, or would be."""
    place, verb = finding.place, "repaired" if finding.sure else "guessed"
    what = verb if written else f"would be {verb}"
    how = f"{finding.choices[0].title} ({finding.choices[0].reason})" if finding.choices else "as the model says"
    how += f" {_BY_MODEL}" if finding.by_model else ""
    said = f"{visible(path)}:{place.line}:{place.column}: {what}: {visible(how)}"
    _print(console, Text(said, "green" if finding.sure else "yellow"))


def counted(number: int, what: str) -> str:
    """`1 file`, `1,000 files`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def files_told(found: Examination) -> str:
    """How the summary begins."""
    more = f" ({counted(found.passed_over, 'binary file')} passed over)" if found.passed_over else ""
    return counted(found.n_files, "file") + more


def finding_json(path: str, finding: Finding) -> dict[str, Any]:
    """One problem as `--json` has it."""
    return {
        "path": visible(path),
        **_place_json(finding.place),
        "message": finding.message,
        "sure": finding.sure,
        "repair": finding.choices[0].title if finding.sure else None,
        "choices": [_choice_json(choice) for choice in finding.choices],
    }


def unread_json(unread: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """The files without an answer as `--json` has them."""
    return [{"path": visible(path), "reason": visible(reason)} for path, reason in unread]


def print_unread(command: str, unread: Iterable[tuple[str, str]]) -> None:
    """One sentence for each file without an answer, on stderr."""
    for _, reason in unread:
        print(f"r1-lsp {command}: {visible(reason)}", file=sys.stderr)


def _choice_json(choice: Choice) -> dict[str, Any]:
    return {
        "title": choice.title,
        "reason": choice.reason,
        "result": choice.line,
        "changes": [_change_json(change) for change in choice.changes],
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {**_place_json(change.place), "new": change.new}


def _place_json(place: Place) -> dict[str, int]:
    return {"line": place.line, "column": place.column, "end_line": place.end_line, "end_column": place.end_column}


def _choices(finding: Finding) -> Iterator[tuple[str, str]]:
    for number, choice in enumerate(finding.choices):
        label = "sure repair" if finding.sure else "or" if number else "perhaps"
        result = f" -> {visible(choice.line).expandtabs(1)}" if choice.line else ""
        chosen = f" {_BY_MODEL}" if finding.by_model and not number else ""
        yield f"{label}: {visible(choice.title)}{result}{chosen}", "green" if finding.sure else "yellow"


def _marked(excerpt: str, mark: tuple[int, int], room: int) -> tuple[str, int, int]:
    """A line as it is shown in so many columns, and where in that its mark begins and how wide it is."""
    shown = [_TAB if character == "\t" else visible(character) for character in excerpt]
    widths = [cell_len(piece) for piece in shown]
    begin, end = mark
    first, last = _window(widths, begin, room) if sum(widths) > room else (0, len(shown))
    lead = _CUT * (first > 0)
    line = lead + "".join(shown[first:last]) + _CUT * (last < len(shown))
    return line, len(lead) + sum(widths[first:begin]), max(sum(widths[begin : min(end, last)]), 1)


def _window(widths: list[int], begin: int, room: int) -> tuple[int, int]:
    """Which characters fit into the room, with signs for what is cut; what leads to the mark gets half of it."""
    room -= 2 * len(_CUT)
    first, left = begin, room // 2
    while first > 0 and left >= widths[first - 1]:
        first -= 1
        left -= widths[first]
    last, left = first, room
    while last < len(widths) and left >= widths[last]:
        left -= widths[last]
        last += 1
    return first, last


def _print(console: Console, line: Text) -> None:
    console.print(line, soft_wrap=True)
