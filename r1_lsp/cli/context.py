"""`r1-lsp context FILE:LINE:COL`: what the model would see there, piece by piece with its token cost."""

import asyncio

from rich.table import Table
from rich.text import Text

import ast_tools
from ast_tools.lines import Lines
from engine.client import create_engine
from engine.errors import EngineError, ModelNotFound
from engine.types import EngineOptions
from r1_lsp.cli.complete import offset_of
from r1_lsp.cli.console import Arguments, Failure, Place, place, print_json, stdout
from r1_lsp.cli.session import language_id
from r1_lsp.cli.source import read_source
from r1_lsp.features.completion import PromptDescription, describe_prompt
from r1_lsp.features.why import SENTENCES
from r1_lsp.settings import CompletionSettings
from r1_lsp.snapshot import Snapshot

PARSE_BUDGET_S = 5.0


def run(argv: list[str]) -> int:
    """Prints the prompt of a completion at a place. Nothing is generated."""
    parser = Arguments("context", "What the model would see at a place, piece by piece with its token cost.")
    parser.add_argument("place", metavar="FILE:LINE:COL")
    parser.add_argument("--model", default="default", help="a catalogue name, an installed model or a .gguf file")
    options = parser.parse_args(argv)
    where = place(options.place, with_column=True)
    described = asyncio.run(_describe(where, options.model))
    if options.json:
        print_json(_as_json(described))
    else:
        _print(described)
    return 0


async def _describe(where: Place, model: str) -> PromptDescription:
    snapshot, offset = _snapshot(where)
    engine = create_engine(EngineOptions(model=model))
    engine.start()
    try:
        return await describe_prompt(snapshot, offset, CompletionSettings(), engine)
    except EngineError as error:
        raise Failure(str(error), code=2 if isinstance(error, ModelNotFound) else 1) from None
    finally:
        await engine.close()


def _snapshot(where: Place) -> tuple[Snapshot, int]:
    text = read_source(where.path)
    language = ast_tools.language_of(None, str(where.path))
    snapshot = Snapshot(
        uri=where.path.absolute().as_uri(),
        path=str(where.path.absolute()),
        version=None,
        language=language,
        language_id=language_id(where.path),
        lines=Lines(text),
        tree=ast_tools.parse(language, text, PARSE_BUDGET_S) if language else None,
    )
    return snapshot, offset_of(text, where)


def _as_json(described: PromptDescription) -> dict[str, object]:
    return {
        "model": described.model.id,
        "layout": described.layout,
        "multiline": described.multiline,
        "silence": str(described.silence) if described.silence else None,
        "tokens": sum(piece.tokens for piece in described.pieces),
        "pieces": [{"kind": piece.kind, "tokens": piece.tokens, "text": piece.text} for piece in described.pieces],
    }


def _print(described: PromptDescription) -> None:
    console = stdout()
    table = Table("piece", "tokens", "text", show_lines=True)
    for piece in described.pieces:
        table.add_row(piece.kind, str(piece.tokens), Text(piece.text))
    console.print(table)
    total = sum(piece.tokens for piece in described.pieces)
    shape = "several lines" if described.multiline else "one line"
    console.print(f"{total} tokens for {described.model.id}; {described.layout}; {shape} wanted", markup=False)
    if described.silence:
        console.print(f"nothing would be suggested while typing: {SENTENCES[described.silence]}", markup=False)
