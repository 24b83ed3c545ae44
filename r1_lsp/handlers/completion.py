"""textDocument/completion, for editors that do not ask for inline completion."""

import re

from lsprotocol import types

from r1_lsp.features.completion import Ask, CompletionDesk, Suggestion, complete
from r1_lsp.handlers.inline_completion import accepted_command, means, waited_s
from r1_lsp.session import Session
from r1_lsp.snapshot import Snapshot

_WORD = re.compile(r"\w*$")
_LAST = "\uffff"  # sorts after every entry of other servers
_LONGEST_LABEL = 60


async def completion(session: Session, params: types.CompletionParams) -> types.CompletionList:
    """One entry at the end of the menu, or none."""
    uri = params.text_document.uri
    if session.client.inline_completion:
        return types.CompletionList(is_incomplete=True, items=[])
    async with session.newest(("completion", uri)):
        items = []
        if (snapshot := session.snapshot(uri)) is not None:
            offset, ask = session.offset(snapshot, params.position), _ask(session, snapshot, params.context)
            outcome = await complete(session.slot(CompletionDesk), snapshot, offset, ask, means(session))
            items = [_item(session, snapshot, offset, one) for one in outcome.suggestions[:1]]
        return types.CompletionList(is_incomplete=True, items=items)


def _ask(session: Session, snapshot: Snapshot, context: types.CompletionContext | None) -> Ask:
    """Many editors say "invoked" of typing too, so it counts only where nothing is suggested for typing."""
    manual = session.settings.completion.mode(snapshot.language_id) == "manual"
    by_hand = context is not None and context.trigger_kind == types.CompletionTriggerKind.Invoked
    return Ask(invoked=manual and by_hand, single=True, waited_s=waited_s(session))


def _item(session: Session, snapshot: Snapshot, offset: int, suggestion: Suggestion) -> types.CompletionItem:
    """Replaces the word before the cursor as well, because editors match an entry against that word."""
    line_start = snapshot.lines.start(snapshot.lines.line_at(offset))
    before = snapshot.text[line_start:offset].decode("utf-8", "replace")
    found = _WORD.search(before)
    word = found.group() if found else ""
    start = suggestion.start - len(word.encode("utf-8", "replace"))
    new = word + suggestion.new
    first_line = new.strip().partition("\n")[0].rstrip()
    label = first_line if len(first_line) <= _LONGEST_LABEL else first_line[: _LONGEST_LABEL - 3] + "..."
    return types.CompletionItem(
        label=label,
        kind=types.CompletionItemKind.Text,
        detail="r1",
        documentation=new if "\n" in new.strip() else None,
        preselect=False,
        sort_text=_LAST,
        filter_text=word or first_line,
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(range=session.range(snapshot, start, suggestion.end), new_text=new),
        command=accepted_command(suggestion.id),
    )
