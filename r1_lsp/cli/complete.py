"""`r1-lsp complete FILE:LINE:COL`: what an editor would show there."""

import asyncio
from pathlib import Path

from ast_tools.lines import Lines
from r1_lsp.cli.console import Arguments, Failure, Place, place, print_json, stdout
from r1_lsp.cli.session import session
from r1_lsp.cli.source import read_source


def run(argv: list[str]) -> int:
    """Prints the suggestions; exit code 1 when there is none, with the reason."""
    parser = Arguments("complete", "What an editor would show at a place: LINE and COL count from 1, COL characters.")
    parser.add_argument("place", metavar="FILE:LINE:COL")
    parser.add_argument("-n", "--candidates", type=int, default=1, help="how many different suggestions (1 to 5)")
    parser.add_argument("--model", help="a catalogue name, an installed model or a .gguf file")
    options = parser.parse_args(argv)
    if not 1 <= options.candidates <= 5:
        raise Failure("--candidates wants a number from 1 to 5", code=2)
    where = place(options.place, with_column=True)
    suggestions, reason = asyncio.run(_ask(where, options.candidates, options.model))
    if options.json:
        print_json({"suggestions": suggestions, "reason": reason})
    elif suggestions:
        for number, suggestion in enumerate(suggestions, 1):
            if len(suggestions) > 1:
                stdout().print(f"--- {number} of {len(suggestions)}", style="dim", markup=False)
            print(suggestion)  # not by rich, which turns tabs into spaces
    else:
        raise Failure(f"no suggestion: {reason}")
    return 0 if suggestions else 1


def offset_of(text: bytes, where: Place) -> int:
    """The byte offset of a place, or a Failure when the file has no such place."""
    lines = Lines(text)
    if where.line > lines.count:
        raise Failure(f"{where.path} has {lines.count} lines, there is no line {where.line}", code=2)
    line = lines.line(where.line - 1).decode("utf-8", "replace")
    if where.column > len(line) + 1:
        raise Failure(f"line {where.line} of {where.path} has {len(line)} characters, no column {where.column}", code=2)
    return lines.start(where.line - 1) + len(line[: max(0, where.column - 1)].encode("utf-8"))


async def _ask(where: Place, candidates: int, model: str | None) -> tuple[list[str], str]:
    text = read_source(where.path)
    offset = offset_of(text, where)
    settings = {"completion": {"candidates": candidates}}
    arguments = ("--model", model) if model else ()
    async with session(Path.cwd(), settings=settings, arguments=arguments) as editor:
        file = editor.open(where.path, text)
        await editor.ready()
        items = await file.complete(offset)
        shown = [item.insert_text if isinstance(item.insert_text, str) else item.insert_text.value for item in items]
        return shown, "" if shown else await editor.last_reason()
