"""The command r1.writeDocstring: [uri, position]. Writes or completes the docstring of the function there."""

from collections.abc import Sequence
from typing import Any

from r1_lsp.features.actions import written
from r1_lsp.handlers.code_action import workspace_edit
from r1_lsp.handlers.code_action_resolve import Wish, computed
from r1_lsp.handlers.command_arguments import named, position_in
from r1_lsp.session import Failed, Session

_KEYS = ("uri", "position")


async def write_docstring(session: Session, arguments: Sequence[Any]) -> None:
    """Raises Failed with one sentence."""
    given = named(arguments, _KEYS)
    snapshot = session.snapshot(str(given["uri"]))
    position = position_in(given["position"])
    if snapshot is None or position is None:
        raise Failed("r1.writeDocstring wants the URI of an open file and a position.")
    offset = session.offset(snapshot, position)
    wish = Wish(title="Write docstring", compute=written, start=offset, end=offset)
    edits = await computed(session, snapshot, wish)
    if not await session.apply_edit(workspace_edit(session, snapshot, edits), "Write docstring"):
        raise Failed("The editor did not take the change.")
