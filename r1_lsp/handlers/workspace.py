"""workspace/didChangeConfiguration, workspace/didChangeWorkspaceFolders, window/workDoneProgress/cancel."""

from collections.abc import Mapping
from typing import Any

from lsprotocol import types

from r1_lsp import ext
from r1_lsp.session import Session


async def did_change_configuration(session: Session, params: Mapping[str, Any]) -> None:
    """Takes the settings sent along; an editor that sends none is asked for them."""
    sent = params.get("settings")
    section = sent.get(ext.SETTINGS_SECTION) if isinstance(sent, dict) else None
    if isinstance(section, dict):
        session.configure(section)
    else:
        await session.pull_settings()


def did_change_workspace_folders(session: Session, params: types.DidChangeWorkspaceFoldersParams) -> None:
    gone = {folder.uri for folder in params.event.removed}
    session.folders[:] = [uri for uri in session.folders if uri not in gone]
    session.folders += [folder.uri for folder in params.event.added if folder.uri not in session.folders]


def progress_cancel(session: Session, params: types.WorkDoneProgressCancelParams) -> None:
    session.cancel_progress(params.token)
