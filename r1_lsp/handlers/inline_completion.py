"""textDocument/inlineCompletion."""

from collections.abc import Mapping
from types import MappingProxyType

from lsprotocol import types

from r1_lsp import ext
from r1_lsp.features.completion import Ask, CompletionDesk, Means, Selected, Suggestion, complete
from r1_lsp.session import Session
from r1_lsp.snapshot import Snapshot

EDITOR_WAITS_S: Mapping[str, float] = MappingProxyType({"neovim": 0.2, "coc.nvim": 0.01, "emacs": 0.5})
"""How long editors pause by themselves after a key before they ask, by the name they announce. Others: not at all."""


async def inline_completion(session: Session, params: types.InlineCompletionParams) -> list[types.InlineCompletionItem]:
    """Ghost text for the cursor; an empty list where there is none."""
    uri = params.text_document.uri
    async with session.newest(("completion", uri)):
        if (snapshot := session.snapshot(uri)) is None:
            return []
        offset, ask = session.offset(snapshot, params.position), _ask(session, snapshot, params.context)
        outcome = await complete(session.slot(CompletionDesk), snapshot, offset, ask, means(session))
        return [_item(session, snapshot, one) for one in outcome.suggestions]


def means(session: Session) -> Means:
    """What a completion works with, from the session."""
    return Means(settings=session.settings, engine=lambda: session.engine, parsed=session.parsed, spawn=session.spawn)


def accepted_command(suggestion_id: str) -> types.Command:
    """What the editor runs when the suggestion is taken."""
    return types.Command(title="Accepted", command=ext.ACCEPTED, arguments=[suggestion_id])


def waited_s(session: Session) -> float:
    """How long this editor has paused before it asked."""
    return EDITOR_WAITS_S.get(session.client.name.lower(), 0.0)


def _ask(session: Session, snapshot: Snapshot, context: types.InlineCompletionContext) -> Ask:
    selected = None
    if (info := context.selected_completion_info) is not None:
        start, end = session.span(snapshot, info.range)
        selected = Selected(start=start, end=end, text=info.text)
    invoked = context.trigger_kind == types.InlineCompletionTriggerKind.Invoked
    return Ask(invoked=invoked, selected=selected, waited_s=waited_s(session))


def _item(session: Session, snapshot: Snapshot, suggestion: Suggestion) -> types.InlineCompletionItem:
    return types.InlineCompletionItem(
        insert_text=suggestion.new,
        range=session.range(snapshot, suggestion.start, suggestion.end),
        command=accepted_command(suggestion.id),
    )
