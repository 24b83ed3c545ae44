"""workspace/executeCommand: one row per command; a handler is imported when its command is first used."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from types import MappingProxyType
from typing import Any, cast

from lsprotocol import types

from r1_lsp import ext
from r1_lsp.features.completion import CompletionDesk
from r1_lsp.session import Failed, Session

CommandHandler = Callable[[Session, Sequence[Any]], Awaitable[object]]

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        ext.ACCEPTED: "execute_command.accepted",
        ext.DISMISSED: "execute_command.dismissed",
        ext.WHY: "execute_command.why",
        ext.SHOW_STATUS: "execute_command.status",
        ext.RESTART_ENGINE: "execute_command.restart_engine",
        ext.EDIT_SELECTION: "edit_selection.edit_selection",
        ext.WRITE_DOCSTRING: "write_docstring.write_docstring",
        ext.CONVERT_MODEL: "convert_model.convert_model",
    }
)
"""Command -> file and function under r1_lsp/handlers."""


async def execute_command(session: Session, params: types.ExecuteCommandParams) -> object:
    """Runs one of our commands."""
    name = COMMANDS.get(params.command)
    if name is None:
        raise Failed(f"There is no command {params.command}.")
    module, _, function = name.partition(".")
    handler = cast(CommandHandler, getattr(import_module(f"r1_lsp.handlers.{module}"), function))
    return await handler(session, params.arguments or ())


async def accepted(session: Session, arguments: Sequence[Any]) -> None:
    """[id]: the user took this suggestion."""
    session.slot(CompletionDesk).history.accepted(_text(arguments, "the id of a suggestion"))


async def dismissed(session: Session, arguments: Sequence[Any]) -> None:
    """[id] or [uri, position]: the user sent this suggestion away, or whatever the document was offered last."""
    history = session.slot(CompletionDesk).history
    name = _text(arguments, "the id of a suggestion or a document's URI")
    if session.snapshot(name) is not None:
        history.dismissed_latest(name)
    else:
        history.dismissed(name)


async def why(session: Session, arguments: Sequence[Any]) -> list[dict[str, Any]]:
    """The reasons of the last suggestions, newest first."""
    del arguments
    records = reversed(session.slot(CompletionDesk).memory.records)
    return [{**asdict(record), "sentence": record.sentence} for record in records]


async def status(session: Session, arguments: Sequence[Any]) -> dict[str, Any]:
    """How the engine is doing, and what became of suggestions so far."""
    del arguments
    engine, desk = session.engine_slot.status, session.slot(CompletionDesk)
    return {
        "phase": str(engine.phase),
        "detail": engine.detail,
        "fraction": engine.fraction,
        "model": engine.model.id if engine.model is not None else None,
        "accepted": desk.history.n_accepted,
        "dismissed": desk.history.n_dismissed,
        "firstTextMs": round(desk.typing.answer_s * 1000),
    }


async def restart_engine(session: Session, arguments: Sequence[Any]) -> None:
    """Starts the engine anew, also after it has given up."""
    del arguments
    await session.engine_slot.restart()


def _text(arguments: Sequence[Any], what: str) -> str:
    if not arguments or not isinstance(arguments[0], str):
        raise Failed(f"This command wants {what}.")
    return arguments[0]
