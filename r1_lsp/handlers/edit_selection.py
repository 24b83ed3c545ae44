"""The command r1.editSelection: [uri, range, sentence]. Changes the selection as the sentence says."""

from collections.abc import Sequence
from typing import Any

from r1_lsp.features.actions import edited
from r1_lsp.handlers.code_action import workspace_edit
from r1_lsp.handlers.code_action_resolve import Wish, computed
from r1_lsp.handlers.command_arguments import named, range_in
from r1_lsp.session import Failed, Session

_KEYS = ("uri", "range", "sentence")


async def edit_selection(session: Session, arguments: Sequence[Any]) -> None:
    """Raises Failed with one sentence."""
    given = named(arguments, _KEYS)
    sentence = given["sentence"]
    snapshot = session.snapshot(str(given["uri"]))
    place = range_in(given["range"])
    if snapshot is None or place is None or not isinstance(sentence, str):
        raise Failed("r1.editSelection wants the URI of an open file, a range and a sentence.")
    start, end = session.span(snapshot, place)
    wish = Wish(title="Edit selection", compute=edited, start=start, end=end, sentence=sentence)
    edits = await computed(session, snapshot, wish)
    if not await session.apply_edit(workspace_edit(session, snapshot, edits), "Edit selection"):
        raise Failed("The editor did not take the change.")
