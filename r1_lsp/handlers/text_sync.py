"""textDocument/didOpen, didChange, didClose, didSave. Plain functions: the next message sees their effect."""

from collections.abc import Mapping
from typing import Any

from r1_lsp.session import Session

_OUT_OF_STEP = (
    "The editor sent an edit that cannot be applied for certain; suggestions for that file pause until it is reopened."
)


def did_open(session: Session, params: Mapping[str, Any]) -> None:
    document = session.texts.open(_object(params, "textDocument"))
    if document is not None:
        session.document_changed(document.uri)


def did_change(session: Session, params: Mapping[str, Any]) -> None:
    document = session.texts.change(_object(params, "textDocument"), params.get("contentChanges"))
    if document is None:
        return
    if not document.in_step:
        session.show_message_once("out of step", _OUT_OF_STEP)
    session.document_changed(document.uri)


def did_close(session: Session, params: Mapping[str, Any]) -> None:
    uri = str(_object(params, "textDocument").get("uri"))
    session.texts.close(uri)
    session.document_closed(uri)


def did_save(session: Session, params: Mapping[str, Any]) -> None:
    session.document_saved(str(_object(params, "textDocument").get("uri")))


def _object(params: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = params.get(key)
    return value if isinstance(value, dict) else {}
