"""`r1-lsp doc FILE:LINE`: a docstring for the function there, as a diff; `--write` inserts it."""

import asyncio
from pathlib import Path

import ast_tools
from ast_tools.lines import Lines
from r1_lsp.cli.console import Arguments, Failure, Place, place, print_json, stdout
from r1_lsp.cli.diff import diff_of, print_diff
from r1_lsp.cli.session import session
from r1_lsp.cli.source import read_source, replace_file
from r1_lsp.features.docstring import documentable, unwritable

PARSE_BUDGET_S = 5.0


def run(argv: list[str]) -> int:
    """Exit code 0 when a docstring was written or drafted, 1 when none could be, 2 for a wrong place."""
    parser = Arguments("doc", "A docstring for the function on a line, as a diff. Nothing else in the file changes.")
    parser.add_argument("place", metavar="FILE:LINE")
    parser.add_argument("--write", action="store_true", help="insert it into the file")
    parser.add_argument("--model", help="a catalogue name, an installed model or a .gguf file")
    options = parser.parse_args(argv)
    where = place(options.place, with_column=False)
    before = read_source(where.path)
    after = asyncio.run(_draft(where, before, options.model))
    if options.write and after != before:
        replace_file(where.path, before, after)
    diff = diff_of(where.path, before, after)
    if options.json:
        print_json({"file": str(where.path), "diff": diff, "written": options.write})
    else:
        print_diff(stdout(), diff)
    return 0


def _refusal(where: Place, text: bytes, offset: int) -> str:
    language = ast_tools.language_of(None, str(where.path))
    tree = ast_tools.parse(language, text, PARSE_BUDGET_S) if language else None
    function = documentable(tree, offset) if tree else None
    if tree and function and (reason := unwritable(tree, function)):
        return reason
    broken = tree is not None and tree.n_errors > 0
    hint = f"; the file has syntax errors, which `r1-lsp check {where.path}` lists" if broken else ""
    return f"there is no function that wants a docstring on line {where.line} of {where.path}{hint}"


async def _draft(where: Place, text: bytes, model: str | None) -> bytes:
    lines = Lines(text)
    if where.line > lines.count:
        raise Failure(f"{where.path} has {lines.count} lines, there is no line {where.line}", code=2)
    line = lines.line(where.line - 1)
    offset = lines.start(where.line - 1) + len(line) - len(line.lstrip())
    arguments = ("--model", model) if model else ()
    async with session(Path.cwd(), arguments=arguments) as editor:
        file = editor.open(where.path, text)
        actions = await file.actions(offset, offset, [])
        wanted = [action for action in actions if "docstring" in action.title.lower()]
        if not wanted:
            raise Failure(_refusal(where, text, offset))
        await editor.ready()
        await file.apply(wanted[0])
        return file.text
