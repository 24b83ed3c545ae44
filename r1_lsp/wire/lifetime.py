"""When the server ends: by itself, with the editor, or because it was told to; and that it then does end."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

WATCH_S = 2.0
GRACE_S = 1.0
"""How long the engine and the last answers may take once the end has come."""


async def watch_parent(process_id: int | None, gone: Callable[[], None], every_s: float = WATCH_S) -> None:
    """Calls `gone` when the process that started us no longer lives.

    A process that cannot be seen from the start (the editor runs in another container) is not watched.
    """
    from engine.platform import is_alive

    if process_id is None or not is_alive(process_id):
        return
    while is_alive(process_id):  # noqa: ASYNC110 -- there is no event for another process's end
        await asyncio.sleep(every_s)
    _log.warning("the editor's process is gone")
    gone()


def on_signals(end: Callable[[], None]) -> None:
    """SIGTERM, SIGINT and SIGHUP end the server as a lost connection does."""
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            loop.add_signal_handler(getattr(signal, name), end)


def leave_soon(code: int) -> None:
    """Makes sure that the process is gone shortly, even when the loop is stuck."""
    timer = threading.Timer(2 * GRACE_S, os._exit, args=(code,))
    timer.daemon = True
    timer.start()
