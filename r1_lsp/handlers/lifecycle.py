"""initialize, initialized, shutdown, $/setTrace."""

import asyncio
import importlib
import logging
from collections.abc import Mapping
from typing import Any

from lsprotocol import types

from r1_lsp import __version__, ext
from r1_lsp.session import ClientInfo, Session
from r1_lsp.wire.progress import RefusedByClient

_log = logging.getLogger(__name__)

WARM = (
    "r1_lsp.config",
    "r1_lsp.texts",
    "engine.client",
    "r1_lsp.handlers.inline_completion",
    "r1_lsp.handlers.code_action",
    "r1_lsp.handlers.hover",
    "r1_lsp.handlers.diagnostic",
)
"""Imported in the background once `initialize` is answered, so that no request has to wait for them."""


def initialize(session: Session, _params: Mapping[str, Any]) -> types.InitializeResult:
    """What we can do for this editor."""
    _log.info("editor: %s %s, %s", session.client.name, session.client.version, session.client.encoding)
    return types.InitializeResult(
        capabilities=capabilities(session.client), server_info=types.ServerInfo(name="r1-lsp", version=__version__)
    )


def capabilities(client: ClientInfo) -> types.ServerCapabilities:
    """Completion items only where the editor has no inline completion; the rest follows what it can show."""
    pull = types.DiagnosticOptions(inter_file_dependencies=False, workspace_diagnostics=False)
    return types.ServerCapabilities(
        position_encoding=client.encoding,
        text_document_sync=types.TextDocumentSyncOptions(
            open_close=True, change=types.TextDocumentSyncKind.Incremental, save=types.SaveOptions(include_text=False)
        ),
        inline_completion_provider=types.InlineCompletionOptions() if client.inline_completion else None,
        completion_provider=None if client.inline_completion else types.CompletionOptions(trigger_characters=["."]),
        hover_provider=True,
        code_action_provider=types.CodeActionOptions(
            code_action_kinds=[types.CodeActionKind.QuickFix, types.CodeActionKind.RefactorRewrite, ext.FIX_ALL],
            resolve_provider=client.code_action_resolves_edit,
        ),
        diagnostic_provider=pull if client.pulls_diagnostics else None,
        execute_command_provider=types.ExecuteCommandOptions(commands=ext.COMMANDS),
        workspace=types.WorkspaceOptions(
            workspace_folders=types.WorkspaceFoldersServerCapabilities(supported=True, change_notifications=True)
        ),
    )


async def initialized(session: Session, _params: types.InitializedParams) -> None:
    """Fetches the settings, then starts the engine; what is heavy is imported beside the loop first."""
    await asyncio.to_thread(_import_all, WARM)
    if session.client.registers_configuration:
        session.spawn(_register(session), "register configuration")
    await session.pull_settings()
    _ = session.engine


def shutdown(session: Session, _params: object) -> None:
    """Answered at once; the engine is let go meanwhile."""
    session.begin_close()


def set_trace(_session: Session, _params: object) -> None:
    """Accepted and without effect: our log is on stderr."""


async def _register(session: Session) -> None:
    method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
    options = types.DidChangeConfigurationRegistrationOptions(section=ext.SETTINGS_SECTION)
    registration = types.Registration(id=method, method=method, register_options=options)
    try:
        await session.request(types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams(registrations=[registration]))
    except RefusedByClient:
        _log.info("the editor will not tell when settings change")


def _import_all(modules: tuple[str, ...]) -> None:
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            _log.error("cannot import %s: %s", module, error)
