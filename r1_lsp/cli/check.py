"""`r1-lsp check PATH...`: syntax problems of files and folders, without a model."""

import os
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text

import ast_tools
from ast_tools.lines import Lines
from r1_lsp.cli.console import MAX_FILE_BYTES, Arguments, Failure, print_json, read_source, stdout

# Folders nobody means when checking their own code.
SKIPPED_FOLDERS = {
    ".git",
    ".hg",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    "build",
    "dist",
    ".tox",
    ".mypy_cache",
}
# Each round mends one place, as in `fix`.
MAX_ROUNDS = 50
PARSE_BUDGET_S = 5.0
REPAIR_BUDGET_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem, placed as people count: line and column from 1, columns in characters."""

    path: str
    line: int
    column: int
    message: str
    repair: str | None = None


def run(argv: list[str]) -> int:
    """Prints `path:line:column: message`; exit code 1 when there is anything to print."""
    parser = Arguments("check", "Syntax problems of files and folders, without a model; exit code 1 if any.")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    options = parser.parse_args(argv)
    findings: list[Finding] = []
    n_files = 0
    for path in _files(options.paths):
        n_files += 1
        findings += _check(path)
    if options.json:
        fields = ("path", "line", "column", "message", "repair")
        print_json({"files": n_files, "problems": [{f: getattr(item, f) for f in fields} for item in findings]})
    else:
        _print(findings, n_files)
    return 1 if findings else 0


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from _walk(path)
        elif not path.exists():
            raise Failure(f"there is no {path}", code=2)
        elif ast_tools.language_of(None, str(path)) is None:
            raise Failure(f"{path}: no syntax is known for this kind of file", code=2)
        else:
            yield path


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        for name in sorted(names):
            if ast_tools.language_of(None, name) is not None:
                yield Path(root) / name


def _check(path: Path) -> list[Finding]:
    language = ast_tools.language_of(None, str(path))
    assert language is not None
    try:
        text = read_source(path)
    except Failure as failure:
        recoded = _recoded(path) if language.name == "python" else None
        if recoded is None:
            return [Finding(path=str(path), line=1, column=1, message=str(failure))]
        text = recoded
    tree = ast_tools.parse(language, text, PARSE_BUDGET_S)
    if tree is None:
        return [Finding(path=str(path), line=1, column=1, message=f"not parsed within {PARSE_BUDGET_S:g} s")]
    return sorted(dict.fromkeys(_findings(path, tree)), key=lambda item: (item.line, item.column))


def _recoded(path: Path) -> bytes | None:
    """A Python file that says it is not UTF-8, as UTF-8; None where it is not what it says."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None
        with tokenize.open(path) as file:
            text = file.read().encode()
            return text if file.encoding not in ("utf-8", "utf-8-sig") and b"\0" not in text else None
    except (OSError, SyntaxError, ValueError, LookupError):
        return None


def _findings(path: Path, tree: ast_tools.SyntaxTree) -> Iterator[Finding]:
    """What `fix` says of the file: each sure repair, then what the parser says once those are made."""
    lines = Lines(tree.text)
    edits: list[ast_tools.Edit] = []
    for _ in range(MAX_ROUNDS):
        found = ast_tools.repairs(tree, budget_s=REPAIR_BUDGET_S) if tree.n_errors else ()
        sure = next((repair for repair in found if repair.sure), None)
        if sure is None:
            break
        mended = ast_tools.parse(tree.language, ast_tools.apply(tree.text, sure.edits), PARSE_BUDGET_S)
        if mended is None:
            break
        yield _finding(path, lines, _before(edits, sure.start), sure.reason, sure.title)
        tree = mended
        edits += sorted(sure.edits, key=lambda edit: edit.start, reverse=True)
    for problem in ast_tools.problems(tree) or refused(tree):
        yield _finding(path, lines, _before(edits, problem.start), problem.message)


def refused(tree: ast_tools.SyntaxTree) -> tuple[ast_tools.Problem, ...]:
    """What the language's own parser says of a text that the grammar finds clean."""
    found = ast_tools.refusal(tree)
    return (found,) if found is not None else ()


def _before(edits: list[ast_tools.Edit], offset: int) -> int:
    """Where an offset was before some edits, which were made one after the other."""
    for edit in reversed(edits):
        grown = len(edit.new) - (edit.end - edit.start)
        offset = offset - grown if offset >= edit.end + grown else min(offset, edit.start)
    return offset


def _finding(path: Path, lines: Lines, start: int, message: str, repair: str | None = None) -> Finding:
    line, column = lines.position(start)
    return Finding(
        path=str(path),
        line=line + 1,
        column=len(lines.line(line)[:column].decode("utf-8", "replace")) + 1,
        message=message,
        repair=repair,
    )


def _print(findings: list[Finding], n_files: int) -> None:
    console = stdout()
    for item in findings:
        line = Text.assemble((item.path, "bold"), f":{item.line}:{item.column}: {item.message}")
        if item.repair:
            line.append(f"  (sure repair: {item.repair})", "green")
        console.print(line)
    if n_files == 0:
        console.print("no file of a known language")
    elif not findings:
        console.print(f"no syntax problems in {n_files} file{'s' if n_files > 1 else ''}")
