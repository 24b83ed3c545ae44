"""textDocument/diagnostic, and publishDiagnostics for editors that do not pull."""

from collections.abc import Sequence

from lsprotocol import types

from r1_lsp.features.checkers import SYNTAX, Finding
from r1_lsp.features.diagnostics import Kept, result_id, saved_findings, syntax_findings
from r1_lsp.features.repairing import NOTHING, Repairs
from r1_lsp.handlers.code_action_resolve import root_of
from r1_lsp.session import Outdated, Session
from r1_lsp.snapshot import Snapshot
from r1_lsp.wire.progress import RefusedByClient


async def diagnostic(
    session: Session, params: types.DocumentDiagnosticParams
) -> types.RelatedFullDocumentDiagnosticReport | types.RelatedUnchangedDocumentDiagnosticReport:
    """The diagnostics of a document, or word that they are those the editor has."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None:
        return types.RelatedFullDocumentDiagnosticReport(items=[])
    snapshot = await session.parsed(snapshot)
    findings = await _findings(session, snapshot)
    name = result_id(findings, snapshot.text)
    if name == params.previous_result_id:
        return types.RelatedUnchangedDocumentDiagnosticReport(result_id=name)
    return types.RelatedFullDocumentDiagnosticReport(items=_diagnostics(session, snapshot, findings), result_id=name)


async def publish(session: Session, uri: str) -> None:
    """Shows a document's diagnostics in an editor that waits to be told. Called when a document has rested."""
    snapshot = session.snapshot(uri)
    if snapshot is None or session.client.pulls_diagnostics:
        return
    snapshot = await session.parsed(snapshot)
    findings = await _findings(session, snapshot)
    session.publish_diagnostics(uri, snapshot.version, _diagnostics(session, snapshot, findings))


async def saved(session: Session, uri: str) -> None:
    """Asks the checkers of the settings about a saved document and shows what they say."""
    snapshot = session.snapshot(uri)
    if snapshot is None:
        return
    try:
        snapshot = await session.parsed(snapshot)
        found = await saved_findings(snapshot, session.settings, root_of(session, snapshot))
        now, kept = session.snapshot(uri), session.slot(Kept)
        if now is None or now.text != snapshot.text:  # a later save may have been answered before this one
            return
        if not found and uri not in kept.said:
            return
        kept.said[uri] = (snapshot.text, found)
        if not session.client.pulls_diagnostics:
            await publish(session, uri)
        elif session.client.diagnostic_refresh:
            await session.request(types.WORKSPACE_DIAGNOSTIC_REFRESH, None)
    except (Outdated, RefusedByClient):
        return


def closed(session: Session, uri: str) -> None:
    """Takes back what was shown of a document that is closed."""
    session.slot(Kept).said.pop(uri, None)
    session.slot(Repairs).document_closed(uri)
    if not session.client.pulls_diagnostics:
        session.publish_diagnostics(uri, None, [])


async def _findings(session: Session, snapshot: Snapshot) -> tuple[Finding, ...]:
    level = session.settings.diagnostics.level
    broken = NOTHING if level == "off" else await session.slot(Repairs).of(snapshot)
    found = syntax_findings(snapshot.text, broken, level)
    return (*found, *session.slot(Kept).of(snapshot))


def _diagnostics(session: Session, snapshot: Snapshot, findings: Sequence[Finding]) -> list[types.Diagnostic]:
    return [
        types.Diagnostic(
            range=session.range(snapshot, found.start, found.end),
            message=found.message,
            severity=types.DiagnosticSeverity.Error if found.source == "r1" else types.DiagnosticSeverity.Warning,
            code=found.code or None,
            source=found.source,
            data={"r1": "repair"} if found.code == SYNTAX else None,
        )
        for found in findings
    ]
