"""What `check` and `fix` find in one file. Pure but for reading it; runs in a child (r1_lsp.cli.examiners)."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from ast_tools import LANGUAGES, Edit, Fault, Repair, apply, mend
from ast_tools.lines import Lines
from r1_lsp.cli.console import Failure
from r1_lsp.cli.source import Binary, Source, decoded, read

_SHOWN = 160
_RESULT = 40
"""Characters of a line that are shown at most on either side: of what is wrong in it, and of what a repair changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A file to look at. `text` is what standard input said, where there is no file."""

    path: str
    language: str
    named: bool = False
    text: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A span as people count: lines and columns from 1, columns in characters."""

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One edit: what stands at the place becomes `new`."""

    place: Place
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to mend what was found. `line` is the first line it changes, as it would read.

    `edits` are those of the file's UTF-8 text; `changes` the same for people.
    """

    title: str
    reason: str
    changes: tuple[Change, ...]
    line: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem. `excerpt` is the line it is on, or a part of it, and `mark` where in that it is, in characters.

    `start` and `end` are its bytes in the file's UTF-8 text; `refused` as in ast_tools.Fault. `by_model`: a model was
    asked which of the choices is the likeliest, and it stands first.
    """

    start: int
    end: int
    place: Place
    message: str
    excerpt: str
    mark: tuple[int, int]
    choices: tuple[Choice, ...] = ()
    sure: bool = False
    refused: bool = False
    by_model: bool = False

    @property
    def is_open(self) -> bool:
        """Whether there are several choices, and none is sure."""
        return len(self.choices) > 1 and not self.sure


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The answer about one file: `findings` in order, and the edits (of its UTF-8 text) that mend them.

    `unread` is a sentence where there is no answer; `passed_over`: a file of a folder that turned out to be no text.
    `digest` tells later whether the file is still the one that was read.
    """

    path: str
    language: str
    findings: tuple[Finding, ...] = ()
    sure: tuple[Edit, ...] = ()
    guessed: tuple[Edit, ...] = ()
    digest: bytes = b""
    unread: str = ""
    passed_over: bool = False


def digest_of(data: bytes) -> bytes:
    """Names what a file held."""
    return blake2b(data, digest_size=16).digest()


def examine(task: Task) -> Examined:
    """Reads a file, looks for what is wrong, and how to mend it."""
    try:
        source = read(task.path) if task.text is None else decoded(task.text, "standard input")
    except Binary as binary:
        return Examined(
            path=task.path, language=task.language, unread=str(binary) if task.named else "", passed_over=not task.named
        )
    except Failure as failure:
        return Examined(path=task.path, language=task.language, unread=str(failure))
    language = LANGUAGES[task.language]
    mended = mend(language, source.text)
    if mended is None:
        return Examined(path=task.path, language=task.language, unread=f"{task.path} is not parsed in time")
    faults = mended.faults
    if source.undeclared and language.utf8_only:
        faults = (_not_utf8(source), *faults)
    if not faults:
        return Examined(path=task.path, language=task.language)
    lines = Lines(source.text)
    return Examined(
        path=task.path,
        language=task.language,
        findings=tuple(_finding(lines, fault) for fault in faults),
        sure=mended.sure,
        guessed=mended.guessed,
        digest=digest_of(source.data),
    )


def _not_utf8(source: Source) -> Fault:
    """The first byte that is not UTF-8, in the text that was made of the file all the same."""
    at = source.first_not_utf8()
    start = len(source.data[:at].decode(source.coding).encode())
    message = f"The byte 0x{source.data[at]:02x} is not UTF-8, and the file declares no other coding."
    return Fault(start=start, end=start + 2, message=message)


def _finding(lines: Lines, fault: Fault) -> Finding:
    place = _place(lines, fault.start, fault.end)
    line = lines.line(place.line - 1).decode("utf-8", "replace")
    until = place.end_column if place.end_line == place.line else len(line) + 1
    begin = max(place.column - 1 - _SHOWN, 0)
    end = min(max(until - 1, place.column) - begin, 2 * _SHOWN)
    return Finding(
        start=fault.start,
        end=fault.end,
        place=place,
        message=fault.message,
        excerpt=_part(line, begin, begin + 2 * _SHOWN),
        mark=(place.column - 1 - begin + (begin > 0), end + (begin > 0)),
        choices=tuple(_choice(lines, choice) for choice in fault.choices),
        sure=fault.sure,
        refused=fault.refused,
    )


def _choice(lines: Lines, repair: Repair) -> Choice:
    changes = tuple(
        Change(place=_place(lines, edit.start, edit.end), new=edit.new.decode("utf-8", "replace"))
        for edit in repair.edits
    )
    return Choice(
        title=repair.title,
        reason=repair.reason,
        changes=changes,
        line=_result(lines, repair.edits),
        edits=repair.edits,
    )


def _result(lines: Lines, edits: Sequence[Edit]) -> str:
    """The first changed line, without its indentation and around the change."""
    first = min(edits, key=lambda edit: edit.start)
    number = lines.line_at(first.start)
    start, end = lines.start(number), lines.end(lines.line_at(first.end))
    inside = [edit for edit in edits if start <= edit.start and edit.end <= end]
    after = apply(lines.text[start:end], [Edit(edit.start - start, edit.end - start, edit.new) for edit in inside])
    at = len(after[: first.start - start].decode("utf-8", "replace"))
    new = len(first.new.decode("utf-8", "replace"))
    text = after.decode("utf-8", "replace")
    return _part(text, max(at - _RESULT, 0), at + new + _RESULT).strip()


def _part(text: str, begin: int, end: int) -> str:
    return "…" * (begin > 0) + text[begin:end] + "…" * (end < len(text))


def _place(lines: Lines, start: int, end: int) -> Place:
    (line, column), (end_line, end_column) = lines.position(start), lines.position(end)
    return Place(
        line=line + 1,
        column=_characters(lines, line, column) + 1,
        end_line=end_line + 1,
        end_column=_characters(lines, end_line, end_column) + 1,
    )


def _characters(lines: Lines, line: int, column: int) -> int:
    return len(lines.line(line)[:column].decode("utf-8", "replace"))
