"""A command the user has configured (ruff, tsc, eslint, mypy, ...) as a checker.

Its arguments may hold `{file}`, the path of the file, or `{temp}`, the path of a copy of the text for programs that
do not read stdin. Its output may be JSON of any of the usual shapes or lines like `file:line:column: message`.
"""

import asyncio
import contextlib
import json
import re
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

from ast_tools.lines import Lines
from r1_lsp.features.checkers.child import run
from r1_lsp.features.checkers.places import offset_of_characters
from r1_lsp.features.checkers.record import Checker, Finding, Findings, Subject

_TIMEOUT_S = 20.0
_MOST_FINDINGS = 1000
_TEMP = "{temp}"

_ALIASES = {
    "tsc": frozenset({"ts", "typescript", "tsc", "tsserver"}),
    "pyright": frozenset({"pyright", "basedpyright", "pylance"}),
    "basedpyright": frozenset({"pyright", "basedpyright"}),
    "npx": frozenset({"ts", "typescript", "eslint"}),
}
"""Programs whose diagnostics reach editors under other names."""

_LINES = (
    re.compile(r"^(?P<file>(?:[A-Za-z]:)?[^:\n]*):(?P<line>\d+):(?:(?P<column>\d+):)? *(?P<message>.+)$", re.MULTILINE),
    re.compile(r"^(?P<file>[^\n(]+)\((?P<line>\d+),(?P<column>\d+)\): *(?P<message>.+)$", re.MULTILINE),
)
_CODE = re.compile(r"^(?:(?:error|warning|note)[: ]+)?\[?(?P<first>[A-Z]+\d+)\]?[: ]+|\[(?P<last>[\w./@-]+)\]$")


def command_checker(argv: Sequence[str], timeout_s: float = _TIMEOUT_S) -> Checker:
    """The record of one configured command. Diagnostics count as its own when they bear the program's name."""
    name = PurePath(argv[0]).stem.lower()

    async def ask(subject: Subject) -> Findings:
        return await _ask(tuple(argv), name, subject, timeout_s)

    return Checker(name=name, sources=_ALIASES.get(name, frozenset({name})), ask=ask)


async def _ask(argv: tuple[str, ...], name: str, subject: Subject, timeout_s: float) -> Findings:
    file = subject.path or f"untitled{next(iter(sorted(subject.language.extensions)), '')}"
    if not any(_TEMP in part for part in argv):
        return await _run(argv, name, file, subject, timeout_s)
    async with _copied(subject.text, PurePath(file).name) as copy:
        filled = tuple(part.replace(_TEMP, str(copy)) for part in argv)
        return await _run(filled, name, file, subject, timeout_s)


@contextlib.asynccontextmanager
async def _copied(text: bytes, name: str) -> AsyncIterator[Path]:
    """A file of that name which holds the text, in a folder of its own; the disk is waited for in threads."""
    folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="r1-check-")
    try:
        copy = Path(folder.name, name)
        await asyncio.to_thread(copy.write_bytes, text)
        yield copy
    finally:
        await asyncio.shield(asyncio.to_thread(folder.cleanup))


async def _run(argv: tuple[str, ...], name: str, file: str, subject: Subject, timeout_s: float) -> Findings:
    """A program that ends with an error code and reports nothing we can read has failed, not approved.

    Its output is read in a thread: it may be megabytes.
    """
    filled = tuple(part.replace("{file}", file) for part in argv)
    output = await run(filled, subject.text, cwd=subject.root, timeout_s=timeout_s)
    if output is None:
        return None
    findings = await asyncio.to_thread(_read, output.stdout, PurePath(file).name, subject.text, name)
    return findings if findings or output.code == 0 else None


def _read(output: bytes, file_name: str, text: bytes, source: str) -> tuple[Finding, ...]:
    return read_output(output.decode("utf-8", "replace"), file_name, Lines(text), source)


def read_output(output: str, file_name: str, lines: Lines, source: str) -> tuple[Finding, ...]:
    """What a checker printed about one file; what it says of other files is left out."""
    try:
        rows = list(_rows_of(json.loads(output), file_name))
    except ValueError:
        rows = list(_rows_in(output, file_name))
    except RecursionError:
        rows = []
    return tuple(_finding(row, lines, source) for row in rows[:_MOST_FINDINGS])


def _rows_of(node: Any, file_name: str) -> Iterator[dict[str, Any]]:
    """Every object with a message and a place, however deep: ruff, eslint, pyright and others differ in the rest."""
    if isinstance(node, list):
        for part in node:
            yield from _rows_of(part, file_name)
    elif isinstance(node, dict):
        named = next(
            (node[key] for key in ("filename", "filePath", "file", "path") if isinstance(node.get(key), str)), ""
        )
        if named and not _is_ours(named, file_name):
            return
        row = _row(node)
        if row is not None:
            yield row
        else:
            for part in node.values():
                yield from _rows_of(part, file_name)


def _row(node: dict[str, Any]) -> dict[str, Any] | None:
    message, place = node.get("message"), _place(node)
    if not isinstance(message, str) or place is None:
        return None
    code = next((node[key] for key in ("code", "ruleId", "rule", "symbol") if isinstance(node.get(key), str)), "")
    return {"message": message, "code": code, **place}


def _place(node: dict[str, Any]) -> dict[str, int] | None:
    start = node.get("location") or node.get("range", {}).get("start") or node
    end = node.get("end_location") or node.get("range", {}).get("end") or node
    if not isinstance(start, dict) or not isinstance(end, dict):
        return None
    zero = 1 if isinstance(node.get("range"), dict) else 0  # ranges are the protocol's, counted from 0
    line, column = _number(start, "row", "line"), _number(start, "column", "character")
    if line is None:
        return None
    last, until = _number(end, "row", "endLine", "line"), _number(end, "endColumn", "column", "character")
    column = 1 - zero if column is None else column
    return {
        "line": line + zero,
        "column": column + zero,
        "end_line": (line if last is None else last) + zero,
        "end_column": (column if until is None else until) + zero,
    }


def _number(node: dict[str, Any], *keys: str) -> int | None:
    return next((node[key] for key in keys if isinstance(node.get(key), int)), None)


def _rows_in(output: str, file_name: str) -> Iterator[dict[str, Any]]:
    for pattern in _LINES:
        for match in pattern.finditer(output):
            if _is_ours(match["file"].strip(), file_name):
                line, column = int(match["line"]), int(match["column"] or 1)
                message, code = _split_code(match["message"].strip())
                yield {"message": message, "code": code, "line": line, "column": column, "end_line": line,
                       "end_column": column}  # fmt: skip


def _split_code(message: str) -> tuple[str, str]:
    found = _CODE.search(message)
    return (message, found["first"] or found["last"]) if found else (message, "")


def _is_ours(named: str, file_name: str) -> bool:
    return named in ("-", "<stdin>", "stdin", "<text>") or PurePath(named.replace("\\", "/")).name == file_name


def _finding(row: dict[str, Any], lines: Lines, source: str) -> Finding:
    start = offset_of_characters(lines, row["line"], row["column"])
    end = offset_of_characters(lines, row["end_line"], row["end_column"])
    return Finding(start=start, end=max(start, end), message=row["message"], code=row["code"], source=source)
