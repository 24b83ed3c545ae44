"""A progress bar in the editor, for as long as a block runs."""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from lsprotocol import types

from r1_lsp.wire.interrupt import Interruptible
from r1_lsp.wire.outcomes import Stopped

_log = logging.getLogger(__name__)

_CREATE_S = 2.0
"""How long to wait for the editor to agree to a progress bar; without an answer the work goes on without one."""


class Peer(Protocol):
    """The editor, as far as messages to it go."""

    def notify(self, method: str, params: object, *, key: object = None) -> None:
        """`key`: a newer notification of the same key may replace this one while the editor does not read."""
        ...

    def request(self, method: str, params: object) -> Awaitable[Any]: ...


class Progress:
    """One bar. `report` may be called often."""

    def __init__(self, send: Callable[[Any], None] | None) -> None:
        self._send = send

    def report(self, message: str | None = None, fraction: float | None = None) -> None:
        """Shows a message and how far the work is (0 to 1)."""
        if self._send is not None:
            percent = None if fraction is None else round(100 * min(max(fraction, 0.0), 1.0))
            self._send(types.WorkDoneProgressReport(message=message, percentage=percent))


class ProgressBars:
    """All bars that are open, so that the user's "cancel" finds its work."""

    def __init__(self, peer: Peer, *, supported: bool) -> None:
        self._peer = peer
        self._supported = supported
        self._open: dict[str | int, Interruptible] = {}

    def cancel(self, token: str | int) -> None:
        """The user pressed "cancel"."""
        if (block := self._open.get(token)) is not None:
            block.interrupt()

    @asynccontextmanager
    async def show(self, title: str, *, cancellable: bool, message: str | None) -> AsyncIterator[Progress]:
        """A bar while the block runs; the user's cancel raises Stopped out of the block."""
        token = await self._create()
        if token is None:
            yield Progress(None)
            return
        try:
            async with Interruptible(Stopped()) as block:
                self._open[token] = block
                self._send(
                    token, types.WorkDoneProgressBegin(title=title, cancellable=cancellable, message=message), None
                )
                yield Progress(lambda value: self._send(token, value, ("progress", token)))
        finally:
            del self._open[token]
            self._send(token, types.WorkDoneProgressEnd(), None)

    async def _create(self) -> str | None:
        if not self._supported:
            return None
        token = str(uuid.uuid4())
        try:
            async with asyncio.timeout(_CREATE_S):
                await self._peer.request(
                    types.WINDOW_WORK_DONE_PROGRESS_CREATE, types.WorkDoneProgressCreateParams(token=token)
                )
        except (TimeoutError, RefusedByClient):
            _log.info("the editor gave no progress bar")
            return None
        return token

    def _send(self, token: str | int, value: object, key: object) -> None:
        self._peer.notify(types.PROGRESS, types.ProgressParams(token=token, value=value), key=key)


class RefusedByClient(Exception):
    """The editor answered a request of ours with an error."""
