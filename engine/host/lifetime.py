"""How long a host lives: while somebody holds a lease, and while its socket and lock are still its own.

A lease is an open `GET /lease`: a stream of JSON lines, one a second and one at each change of state, each like the
answer of `/health`. Closing the connection, or dying, gives the lease back; nothing has to be said.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

Health = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds. The host must be gone 5 s after its last lease: 4.5 of waiting, the rest for ending in good order."""

    after_last_s: float = 4.5
    for_first_s: float = 5.0
    check_s: float = 1.0
    keep: bool = False
    """Serve on without any lease."""


class Lifetime:
    """Counts leases and tells when the host should end. Event-loop thread only. `asked` names the model for humans."""

    def __init__(self, health: Health, *, still_ours: Callable[[], bool], patience: Patience, asked: str) -> None:
        self._health, self._still_ours, self._patience = health, still_ours, patience
        self._leases = 0
        self._asked = asked
        self._moved = asyncio.Event()
        self._stopping = asyncio.Event()
        self._deadline = asyncio.get_running_loop().time() + patience.for_first_s

    @property
    def leases(self) -> int:
        return self._leases

    async def lease(self, request: web.Request) -> web.StreamResponse:
        """The route `GET /lease`."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
        await response.prepare(request)
        self._leases += 1
        self._moved.set()
        try:
            # The client has gone: its lease ends here, and there is nobody to tell.
            with contextlib.suppress(ConnectionError):
                await self._stream(response)
        finally:
            self._leases -= 1
            if self._leases == 0:
                self._deadline = asyncio.get_running_loop().time() + self._patience.after_last_s
            self._moved.set()
        return response

    async def _stream(self, response: web.StreamResponse) -> None:
        loop = asyncio.get_running_loop()
        shown, due = None, 0.0
        while not self._stopping.is_set():
            line = dict(self._health())
            state = {key: line.get(key) for key in ("status", "detail", "fraction")}
            if state != shown or loop.time() >= due:
                shown, due = state, loop.time() + 1.0
                await response.write(
                    json.dumps({**line, "leases": self._leases, "asked": self._asked}).encode() + b"\n"
                )
            # A loading model is looked at often, for its progress bar; a running one wakes nobody up needlessly.
            pause = 1.0 if line.get("status") == "ok" else 0.05
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
        await response.write(json.dumps({"status": "stopping"}).encode() + b"\n")

    async def over(self) -> str:
        """Waits until the host should end; returns the reason, for its log."""
        loop = asyncio.get_running_loop()
        while True:
            if not self._still_ours():
                return "its socket or lock was removed or replaced"
            left = self._deadline - loop.time()
            needed = self._leases > 0 or self._patience.keep
            if not needed and left <= 0:
                return "nobody holds a lease"
            pause = self._patience.check_s if needed else min(left, self._patience.check_s)
            self._moved.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), pause)

    def stop(self) -> None:
        """Tells those who hold a lease that the host ends on purpose, so that they do not start another."""
        self._stopping.set()
