"""The tree of a text that is not in the editor, parsed in slices so that the event loop goes on."""

import asyncio
import time

from ast_tools import Language, SyntaxTree, TreeSession

_MOST_S = 2.0


async def parsed(language: Language, text: bytes) -> SyntaxTree | None:
    """None when the text is too slow to parse."""
    session = TreeSession(language, text)
    until = time.monotonic() + _MOST_S
    while (tree := session.advance()) is None:
        if session.gave_up or time.monotonic() > until:
            return None
        await asyncio.sleep(0)
    return tree
