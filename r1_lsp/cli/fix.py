"""`r1-lsp fix FILE`: repairs as a diff; `--write` applies the sure ones. From the tree alone, without a model."""

from pathlib import Path

import ast_tools
from ast_tools.lines import Lines
from r1_lsp.cli.check import refused
from r1_lsp.cli.console import (
    Arguments,
    Failure,
    diff_of,
    print_diff,
    print_json,
    read_source,
    replace_file,
    stdout,
)

# Each round mends one place; a file with more broken places than this is not a slip.
MAX_ROUNDS = 50
PARSE_BUDGET_S = 5.0
REPAIR_BUDGET_S = 2.0


def run(argv: list[str]) -> int:
    """Exit code 0: nothing left to repair; 1: problems are left (or, without --write, there is something to apply)."""
    parser = Arguments("fix", "Repairs of a broken file, as a diff. Only sure repairs are applied by --write.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--write", action="store_true", help="change the file (atomically)")
    options = parser.parse_args(argv)
    text = read_source(options.file)
    mended, notes = _mend(options.file, text)
    left = _problems(options.file, mended)
    possible = _possible(options.file, mended) if left else []
    if options.write and mended != text:
        replace_file(options.file, mended)
    diff = diff_of(options.file, text, mended)
    if options.json:
        print_json(
            {
                "file": str(options.file),
                "repairs": notes,
                "diff": diff,
                "left": left,
                "possible": possible,
                "written": options.write and mended != text,
            }
        )
    else:
        console = stdout()
        print_diff(console, diff)
        for note in [*notes, *(f"left: {problem}" for problem in left), *(f"possible: {one}" for one in possible)]:
            console.print(note, markup=False)
        if not notes and not left:
            console.print(f"{options.file} has no syntax problems", markup=False)
    return 1 if left or (notes and not options.write) else 0


def _mend(path: Path, text: bytes) -> tuple[bytes, list[str]]:
    """Applies sure repairs until there is none; returns the text and a sentence for each."""
    notes = []
    for _ in range(MAX_ROUNDS):
        tree = _tree(path, text)
        sure = (
            next((repair for repair in ast_tools.repairs(tree, budget_s=REPAIR_BUDGET_S) if repair.sure), None)
            if tree.n_errors
            else None
        )
        if sure is None:
            break
        line = Lines(text).line_at(sure.start) + 1
        text = ast_tools.apply(text, sure.edits)
        notes.append(f"line {line}: {sure.title} ({sure.reason})")
    return text, notes


def _problems(path: Path, text: bytes) -> list[str]:
    lines, tree = Lines(text), _tree(path, text)
    left = ast_tools.problems(tree) or refused(tree)
    return [f"line {lines.line_at(found.start) + 1}: {found.message}" for found in left]


def _possible(path: Path, text: bytes) -> list[str]:
    """Repairs that may be right: shown, never applied. An editor offers the same as quick fixes."""
    lines = Lines(text)
    said = []
    for repair in ast_tools.repairs(_tree(path, text), budget_s=REPAIR_BUDGET_S):
        line, column = lines.position(min(edit.start for edit in repair.edits))
        column = len(lines.line(line)[:column].decode("utf-8", "replace"))
        said.append(f"line {line + 1}, column {column + 1}: {repair.title} ({repair.reason})")
    return said


def _tree(path: Path, text: bytes) -> ast_tools.SyntaxTree:
    language = ast_tools.language_of(None, str(path))
    if language is None:
        raise Failure(f"{path}: no syntax is known for this kind of file", code=2)
    tree = ast_tools.parse(language, text, PARSE_BUDGET_S)
    if tree is None:
        raise Failure(f"{path} was not parsed within {PARSE_BUDGET_S:g} s")
    return tree
