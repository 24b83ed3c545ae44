"""The requests being worked on. Each is answered exactly once, whatever happens to its handler."""

import asyncio
from collections.abc import Callable
from typing import Any

from r1_lsp.wire.messages import REQUEST_CANCELLED, SERVER_CANCELLED, Id

Send = Callable[[dict[str, Any]], None]


class Pending:
    """One request. The first answer counts, later ones are dropped."""

    def __init__(self, id_: Id, method: str, send: Send, forget: Callable[["Pending"], None]) -> None:
        self.id = id_
        self.method = method
        self.task: asyncio.Task[None] | None = None
        self.answered = False
        self._send = send
        self._forget = forget

    def succeed(self, result: Any) -> None:
        """Answers with a result, which must be plain JSON data."""
        self._answer({"result": result})

    def fail(self, code: int, sentence: str) -> None:
        """Answers with an error."""
        self._answer({"error": {"code": code, "message": sentence}})

    def _answer(self, outcome: dict[str, Any]) -> None:
        if not self.answered:
            self._send({"jsonrpc": "2.0", "id": self.id, **outcome})
            self.answered = True
            self._forget(self)


class RequestTable:
    """Open requests by id."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._pending: dict[Id, Pending] = {}

    def open(self, id_: Id, method: str) -> Pending | None:
        """A new request; None when one with this id is still open."""
        if id_ in self._pending:
            return None
        pending = self._pending[id_] = Pending(id_, method, self._send, self._forget)
        return pending

    def cancel(self, id_: Id) -> None:
        """The editor no longer wants an answer: it gets -32800 at once, and the work is stopped."""
        if (pending := self._pending.get(id_)) is not None:
            pending.fail(REQUEST_CANCELLED, "cancelled by the editor")
            _stop(pending)

    def cancel_all(self, *, but: Id | None = None) -> None:
        """Ends all open requests but one, because the server shuts down."""
        for pending in tuple(self._pending.values()):
            if pending.id != but:
                pending.fail(SERVER_CANCELLED, "the server is shutting down")
                _stop(pending)

    def __len__(self) -> int:
        return len(self._pending)

    def _forget(self, pending: Pending) -> None:
        if self._pending.get(pending.id) is pending:
            del self._pending[pending.id]


def _stop(pending: Pending) -> None:
    if pending.task is not None:
        pending.task.cancel()
