"""textDocument/hover. Answers from the tree; a draft is made in the background, for the next time."""

import logging

from lsprotocol import types

from engine.errors import EngineError
from engine.types import Lane
from r1_lsp.features.docstring import draft
from r1_lsp.features.errors import Refused
from r1_lsp.features.hover import Drafts, Note, draft_key, named_at
from r1_lsp.features.hover import hover as hover_at
from r1_lsp.session import Session
from r1_lsp.snapshot import Snapshot

_log = logging.getLogger(__name__)


async def hover(session: Session, params: types.HoverParams) -> types.Hover | None:
    """What is missing or wrong in the docstring of the function whose name is hovered; usually nothing."""
    snapshot = session.snapshot(params.text_document.uri)
    if snapshot is None or not session.settings.hover.enabled:
        return None
    snapshot = await session.parsed(snapshot)
    offset, drafts = session.offset(snapshot, params.position), session.slot(Drafts)
    note = hover_at(snapshot, offset, drafts)
    if note is None:
        return None
    if note.wants_draft and session.settings.hover.drafts:
        _draft_later(session, snapshot, offset, drafts)
    return types.Hover(contents=_contents(session, note), range=session.range(snapshot, note.start, note.end))


def _contents(session: Session, note: Note) -> types.MarkupContent:
    if session.client.hover_markdown:
        return types.MarkupContent(kind=types.MarkupKind.Markdown, value=note.markdown)
    return types.MarkupContent(kind=types.MarkupKind.PlainText, value=note.plain)


def _draft_later(session: Session, snapshot: Snapshot, offset: int, drafts: Drafts) -> None:
    function = named_at(snapshot.tree, offset) if snapshot.tree is not None else None
    if function is None:
        return
    key = draft_key(snapshot, function)
    if key not in drafts.under_way:
        drafts.under_way.add(key)
        session.spawn(_draft(session, snapshot, offset, drafts, key), "docstring draft")


async def _draft(session: Session, snapshot: Snapshot, offset: int, drafts: Drafts, key: tuple[str, str]) -> None:
    try:
        done = await draft(snapshot, offset, session.engine, session.settings, lane=Lane.IDLE, heard=lambda doing: None)
        drafts.keep(key, done.text)
    except (Refused, EngineError) as reason:
        _log.info("no docstring draft: %s", type(reason).__name__)
    finally:
        drafts.under_way.discard(key)
