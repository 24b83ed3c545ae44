"""textDocument/codeAction. Editors ask at every cursor move: no model, nothing that takes more than milliseconds."""

from collections.abc import Sequence
from typing import Any

from lsprotocol import types

from ast_tools import Edit
from r1_lsp.features.actions import FIX_ALL, Action, Offer, Place, Related, Report, offers, wanted
from r1_lsp.features.repairing import NOTHING, Broken, Repairs
from r1_lsp.session import Session
from r1_lsp.snapshot import Snapshot

_REPAIRS_WAIT_S = 1.0
"""The diagnostics of the same text have usually found the repairs already; else a menu without them comes first."""


async def code_action(session: Session, params: types.CodeActionParams) -> list[types.CodeAction]:
    """What can be done at a range, in the order of the ACTIONS table."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None or not session.client.code_action_literals:
        return []
    snapshot = await session.parsed(snapshot)
    start, end = session.span(snapshot, params.range)
    only = None if params.context.only is None else [str(getattr(kind, "value", kind)) for kind in params.context.only]
    broken = await session.slot(Repairs).of(snapshot, near=start, wait_s=_REPAIRS_WAIT_S)
    place = Place(
        snapshot=snapshot,
        start=start,
        end=end,
        reports=tuple(_report(session, snapshot, found) for found in params.context.diagnostics),
        repairs=broken.repairs,
        whole=await _whole(session, snapshot, broken, only),
        settings=session.settings,
        can_resolve=session.client.code_action_resolves_edit and session.client.code_action_keeps_data,
        edit_command=session.client.edit_command,
    )
    diagnostics = dict(zip(place.reports, params.context.diagnostics, strict=True))
    return [
        _entry(session, snapshot, action, offer, diagnostics.get(offer.report) if offer.report else None)
        for action, offer in offers(place, only)
    ]


async def _whole(session: Session, snapshot: Snapshot, broken: Broken, only: list[str] | None) -> Broken:
    """All sure repairs: where the editor asks for them by name, or has a menu of everything and there are several."""
    several = sum(repair.sure for repair in broken.repairs) > 1
    if not wanted(FIX_ALL, only) or (only is None and not several):
        return NOTHING
    return await session.slot(Repairs).whole(snapshot, wait_s=_REPAIRS_WAIT_S)


def workspace_edit(session: Session, snapshot: Snapshot, edits: Sequence[Edit]) -> types.WorkspaceEdit:
    """The edits as the editor can take them: with the document's version where it says it checks it."""
    changes = [
        types.TextEdit(range=session.range(snapshot, edit.start, edit.end), new_text=_text(edit)) for edit in edits
    ]
    if not session.client.document_changes:
        return types.WorkspaceEdit(changes={snapshot.uri: changes})
    document = types.OptionalVersionedTextDocumentIdentifier(uri=snapshot.uri, version=snapshot.version)
    return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(text_document=document, edits=changes)])


def _text(edit: Edit) -> str:
    return edit.new.decode("utf-8", "surrogatepass")


def _report(session: Session, snapshot: Snapshot, found: types.Diagnostic) -> Report:
    start, end = session.span(snapshot, found.range)
    message = found.message if isinstance(found.message, str) else found.message.value
    return Report(
        start=start,
        end=end,
        message=message,
        code="" if found.code is None else str(found.code),
        source=found.source or "",
        related=tuple(_related(snapshot, told) for told in (found.related_information or ())),
        unnecessary=types.DiagnosticTag.Unnecessary in (found.tags or ()),
    )


def _related(snapshot: Snapshot, told: types.DiagnosticRelatedInformation) -> Related:
    here = told.location.uri == snapshot.uri
    return Related(message=told.message, line=told.location.range.start.line + 1 if here else None)


def _entry(
    session: Session, snapshot: Snapshot, action: Action, offer: Offer, fixes: types.Diagnostic | None
) -> types.CodeAction:
    entry = types.CodeAction(title=offer.title, kind=action.kind, diagnostics=[fixes] if fixes else None)
    if offer.preferred and session.client.code_action_preferred:
        entry.is_preferred = True
    if offer.by_model and session.client.llm_generated_tag:
        entry.tags = [types.CodeActionTag.LlmGenerated]
    if offer.edits is not None:
        entry.edit = workspace_edit(session, snapshot, offer.edits)
    elif offer.command is not None:
        name, arguments = offer.command
        entry.command = types.Command(title=offer.title, command=name, arguments=list(arguments))
    else:
        entry.data = _kept(snapshot, action, offer)
    return entry


def _kept(snapshot: Snapshot, action: Action, offer: Offer) -> dict[str, Any]:
    """What `codeAction/resolve` needs; the editor sends it back untouched."""
    kept: dict[str, Any] = {
        "r1": action.name,
        "uri": snapshot.uri,
        "version": snapshot.version,
        "start": offer.start,
    }
    if offer.choices:
        kept["choices"] = [[[edit.start, edit.end, _text(edit)] for edit in edits] for edits in offer.choices]
    if (report := offer.report) is not None:
        kept["report"] = {
            "start": report.start,
            "end": report.end,
            "message": report.message,
            "code": report.code,
            "source": report.source,
            "unnecessary": report.unnecessary,
            "related": [[told.message, told.line] for told in report.related],
        }
    return kept
