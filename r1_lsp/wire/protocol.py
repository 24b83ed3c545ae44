"""JSON-RPC with one editor: every request answered once, every notification in its order.

pygls 2.1.1 (pinned) gives the message types, the converter and requests of our own to the editor. Replaced here is what
it does wrong, measured: requests with invalid params, parse errors, batches and requests after shutdown were never
answered; nested data that looks like a message was taken for one; message bodies went into the log; a late answer to a
request we had given up ended the reader. tests/lsp/test_pygls_names.py holds the names we rely on.
"""

import asyncio
import contextlib
import inspect
import logging
from collections.abc import Callable, Mapping
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter

from r1_lsp.session import Session
from r1_lsp.wire import messages
from r1_lsp.wire.client import ClientInfo, read_client
from r1_lsp.wire.framing import Broken, Framer
from r1_lsp.wire.logs import log_bug
from r1_lsp.wire.messages import Malformed, Message, Notification, Request, Response
from r1_lsp.wire.outbox import Outbox
from r1_lsp.wire.outcomes import Failed, Silent
from r1_lsp.wire.progress import Peer, RefusedByClient
from r1_lsp.wire.requests import Pending, RequestTable
from r1_lsp.wire.rows import Handler, Row

if TYPE_CHECKING:
    import cattrs

_log = logging.getLogger(__name__)

MakeSession = Callable[[Peer, ClientInfo], Session]

_ANY_BUG = (Exception, KeyboardInterrupt, SystemExit)
"""What a handler may raise without ending the server."""


@cache
def _converter() -> "cattrs.Converter":
    """Stateless and slow to build: one for all connections of the process."""
    converter: cattrs.Converter = default_converter()  # type: ignore[no-untyped-call]
    return converter


def is_request(method: str) -> bool:
    """Whether a method of the protocol is a request, which has an answer, and not a notification."""
    return types.METHOD_TO_TYPES[method][1] is not None


class State(Enum):
    """Where the connection is in its life."""

    NEW = auto()
    RUNNING = auto()
    SHUT_DOWN = auto()


class Protocol(LanguageServerProtocol):
    """What we keep of pygls's protocol class, with its own handlers, logging and waiting answers put right."""

    outbox: Outbox

    def _register_builtin_features(self) -> None:
        """None: the HANDLERS table owns every method."""

    def _send_data(self, data: Any) -> None:
        self.outbox.post(messages.encode(self._converter.unstructure(data)))

    def plain(self, value: object) -> Any:
        """Protocol types as plain JSON data."""
        return self._converter.unstructure(value)

    def params_of(self, method: str, message: Mapping[str, Any]) -> Any:
        """The params of a message in the protocol's type. Raises whatever the converter does not like."""
        kind = self.get_message_type(method)
        return message["params"] if kind is None else self._converter.structure(dict(message), kind).params

    def answered(self, response: Response) -> None:
        """The editor answered a request of ours."""
        future = self._request_futures.pop(response.id, None)
        kind = self._result_types.pop(response.id, None)
        if future is None or not future.set_running_or_notify_cancel():
            _log.debug("an answer came to a request nobody waits for")
            return
        if response.error is not None:
            future.set_exception(RefusedByClient("the editor answered with an error"))
            return
        try:
            body = {"jsonrpc": "2.0", "id": response.id, "result": response.result}
            future.set_result(response.result if kind is None else self._converter.structure(body, kind).result)
        except Exception as error:  # noqa: BLE001 -- the converter raises anything on foreign data
            _log.debug("an unreadable answer", exc_info=error)
            future.set_exception(RefusedByClient("the editor's answer could not be read"))


class Wire:
    """The server's end of the connection: takes bytes, runs handlers, posts frames. Loop thread only."""

    def __init__(
        self, rows: tuple[Row, ...], make_session: MakeSession, outbox: Outbox, *, name: str, version: str
    ) -> None:
        self.outbox = outbox
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.connected: asyncio.Future[ClientInfo] = asyncio.get_running_loop().create_future()
        self.session: Session | None = None
        self.state = State.NEW
        self._rows = {row.method: row for row in rows if is_request(row.method)}
        self._listeners = {row.method: row for row in rows if not is_request(row.method)}
        self._make_session = make_session
        self._framer = Framer()
        self._requests = RequestTable(self._send)
        self._draining = False
        self._eof = False
        self._protocol: Protocol = LanguageServer(
            name, version, protocol_cls=Protocol, converter_factory=_converter
        ).protocol  # type: ignore[assignment]
        self._protocol.outbox = self.outbox

    # -- in ----------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Takes what was read; b"" is the end of the stream. Messages are handled in their order, soon."""
        self._eof = self._eof or not data
        self._framer.feed(data)
        if not self._draining:
            self._drain()

    def _drain(self) -> None:
        """Handles messages up to and including the next request, whose task begins before the message after it.

        So a handler, until its first `await`, sees the documents as they were when its request was sent.
        """
        self._draining = False
        while (taken := self._framer.take()) is not None:
            if self._handle(taken):
                self._draining = True
                asyncio.get_running_loop().call_soon(self._drain)
                return
        if self._eof:
            self.end()

    def _handle(self, taken: bytes | Broken) -> bool:
        """Handles one body; whether it was a request."""
        if isinstance(taken, Broken):
            self._refuse(Malformed(None, messages.PARSE_ERROR, taken.reason))
            return False
        message: Message = messages.decode(taken)
        match message:
            case Request():
                self._on_request(message)
            case Notification():
                self._on_notification(message)
            case Response():
                self._protocol.answered(message)
            case Malformed():
                if message.code == messages.PARSE_ERROR:
                    self._framer.reject(taken)
                self._refuse(message)
        return isinstance(message, Request)

    @property
    def exit_code(self) -> int:
        """What the process would leave with now: 0 after `shutdown`, 1 otherwise."""
        return 0 if self.state is State.SHUT_DOWN else 1

    def end(self) -> None:
        """The connection is over."""
        if not self.ended.done():
            self.ended.set_result(self.exit_code)

    # -- requests ----------------------------------------------------------------------------------------------------

    def _on_request(self, request: Request) -> None:
        if (refusal := self._refusal(request)) is not None:
            self._refuse(refusal)
            return
        if request.method == types.INITIALIZE:
            client = read_client(request.params)
            self.session = self._make_session(self, client)
            self.connected.set_result(client)
            self.state = State.RUNNING
        pending = self._requests.open(request.id, request.method)
        if pending is None:
            self._refuse(Malformed(request.id, messages.INVALID_REQUEST, "a request with this id is still open"))
            return
        if request.method == types.SHUTDOWN:
            self.state = State.SHUT_DOWN
            self._requests.cancel_all(but=request.id)
        row = self._rows[request.method]
        pending.task = asyncio.get_running_loop().create_task(self._run(row, pending, request.params))

    def _refusal(self, request: Request) -> Malformed | None:
        """Why a request is answered with an error at once."""
        if self.state is State.SHUT_DOWN:
            return Malformed(request.id, messages.INVALID_REQUEST, "the server was shut down")
        is_initialize = request.method == types.INITIALIZE
        if self.state is State.NEW and not is_initialize:
            return Malformed(request.id, messages.NOT_INITIALIZED, "the first request must be initialize")
        if self.state is State.RUNNING and is_initialize:
            return Malformed(request.id, messages.INVALID_REQUEST, "the server is initialized already")
        if is_initialize and not isinstance(request.params, dict):
            return Malformed(request.id, messages.INVALID_PARAMS, "initialize wants an object as params")
        if request.method not in self._rows:
            return Malformed(request.id, messages.METHOD_NOT_FOUND, f"there is no method {request.method[:100]!r}")
        return None

    async def _run(self, row: Row, pending: Pending, params: object) -> None:
        """A request from its params to its answer; the only place that catches whatever a request's handler raises."""
        try:
            typed = self._typed(row, params, pending.id)
            result = row.load()(self.session, typed)
            if inspect.isawaitable(result):
                result = await result
            pending.succeed(self._protocol.plain(result))
        except asyncio.CancelledError:
            pending.fail(messages.SERVER_CANCELLED, "the server gave the request up")
        except Silent:
            pending.succeed(row.empty)
        except Failed as failure:
            pending.fail(failure.code, str(failure))
        except _BadParams as error:
            pending.fail(messages.INVALID_PARAMS, str(error))
        except JsonRpcException as error:
            pending.fail(error.code or messages.INTERNAL_ERROR, error.message or "the request failed")
        except _ANY_BUG as error:
            log_bug(_log, row.method, error)
            pending.fail(messages.INTERNAL_ERROR, f"{row.method} failed inside the server; its log says where")

    def _typed(self, row: Row, params: object, id_: object = None) -> Any:
        if row.raw:
            return params if isinstance(params, dict) else {}
        message = {"jsonrpc": "2.0", "method": row.method, "id": id_, "params": params}
        try:
            return self._protocol.params_of(row.method, message)
        except Exception as error:  # noqa: BLE001 -- as above
            _log.debug("unreadable params of %s", row.method, exc_info=error)
            raise _BadParams(f"the params of {row.method} are not as the protocol says") from None

    def _refuse(self, refusal: Malformed) -> None:
        _log.info("refused a message: %s", refusal.reason if refusal.code != messages.METHOD_NOT_FOUND else "no method")
        error = {"code": refusal.code, "message": refusal.reason}
        self._send({"jsonrpc": "2.0", "id": refusal.id, "error": error})

    # -- notifications -----------------------------------------------------------------------------------------------

    def _on_notification(self, message: Notification) -> None:
        if message.method == types.EXIT:
            self.end()
        elif self.state is not State.RUNNING or self.session is None:
            _log.info("dropped a notification outside of initialize and shutdown")
        elif message.method == types.CANCEL_REQUEST:
            id_ = message.params.get("id") if isinstance(message.params, dict) else None
            if isinstance(id_, int | str) and not isinstance(id_, bool):
                self._requests.cancel(id_)
        elif (row := self._listeners.get(message.method)) is not None:
            self._notified(self.session, row, message.params)

    def _notified(self, session: Session, row: Row, params: object) -> None:
        """Runs a notification's handler; the only place that catches whatever it raises."""
        try:
            handler, typed = row.load(), self._typed(row, params)
            if inspect.iscoroutinefunction(handler):
                session.spawn(self._guarded(row.method, handler, session, typed), row.method)
            else:
                handler(session, typed)
        except _BadParams as error:
            _log.warning("%s", error)
        except _ANY_BUG as error:
            log_bug(_log, row.method, error)

    async def _guarded(self, method: str, handler: Handler, session: Session, params: object) -> None:
        try:
            await handler(session, params)
        except _ANY_BUG as error:
            log_bug(_log, method, error)

    # -- out ---------------------------------------------------------------------------------------------------------

    def _send(self, message: dict[str, Any]) -> None:
        self.outbox.post(messages.encode(message))

    def notify(self, method: str, params: object, *, key: object = None) -> None:
        """Sends a notification."""
        message = {"jsonrpc": "2.0", "method": method, "params": self._protocol.plain(params)}
        self.outbox.post(messages.encode(message), key)

    async def request(self, method: str, params: object) -> Any:
        """Sends a request and waits for the answer. Raises RefusedByClient."""
        return await self._protocol.send_request_async(method, params)

    async def close(self) -> None:
        """Ends what still runs; afterwards nothing is answered any more."""
        self._requests.cancel_all()
        if self.session is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self.session.close()


class _BadParams(Exception):
    """str(error) is the sentence to answer."""
