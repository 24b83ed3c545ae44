"""Who handles what, and how a server starts. If you look for behaviour, it is in r1_lsp/handlers and r1_lsp/wire."""

import asyncio
import gc
import os
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NoReturn

from lsprotocol import types

from engine.platform import share_lock_briefly
from r1_lsp import __version__
from r1_lsp.session import ClientInfo, EngineFactory, Session
from r1_lsp.wire import lifetime, logs
from r1_lsp.wire.outbox import Outbox
from r1_lsp.wire.pipes import BadAddress, Pipes, accept_tcp, start_threads, take_stdio
from r1_lsp.wire.progress import Peer
from r1_lsp.wire.protocol import Wire
from r1_lsp.wire.rows import Row

_IMPORTED_S = 2.0
"""By then all modules are imported. They stay for good; without `gc.freeze` every full collection looks at all that is
in them, which takes 60 ms.
"""

NO_ITEMS: Mapping[str, Any] = {"isIncomplete": True, "items": []}

HANDLERS: tuple[Row, ...] = (
    Row(method=types.INITIALIZE, handler="lifecycle.initialize", raw=True),
    Row(method=types.INITIALIZED, handler="lifecycle.initialized"),
    Row(method=types.SHUTDOWN, handler="lifecycle.shutdown"),
    Row(method=types.SET_TRACE, handler="lifecycle.set_trace", raw=True),
    Row(method=types.TEXT_DOCUMENT_DID_OPEN, handler="text_sync.did_open", raw=True),
    Row(method=types.TEXT_DOCUMENT_DID_CHANGE, handler="text_sync.did_change", raw=True),
    Row(method=types.TEXT_DOCUMENT_DID_CLOSE, handler="text_sync.did_close", raw=True),
    Row(method=types.TEXT_DOCUMENT_DID_SAVE, handler="text_sync.did_save", raw=True),
    Row(method=types.WORKSPACE_DID_CHANGE_CONFIGURATION, handler="workspace.did_change_configuration", raw=True),
    Row(method=types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, handler="workspace.did_change_workspace_folders"),
    Row(method=types.WINDOW_WORK_DONE_PROGRESS_CANCEL, handler="workspace.progress_cancel"),
    Row(method=types.TEXT_DOCUMENT_INLINE_COMPLETION, handler="inline_completion", empty=()),
    Row(method=types.TEXT_DOCUMENT_COMPLETION, handler="completion", empty=NO_ITEMS),
    Row(method=types.TEXT_DOCUMENT_HOVER, handler="hover"),
    Row(method=types.TEXT_DOCUMENT_CODE_ACTION, handler="code_action", empty=()),
    Row(method=types.CODE_ACTION_RESOLVE, handler="code_action_resolve"),
    Row(method=types.TEXT_DOCUMENT_DIAGNOSTIC, handler="diagnostic", empty={"kind": "full", "items": []}),
    Row(method=types.WORKSPACE_EXECUTE_COMMAND, handler="execute_command"),
)


def create_server(
    engine_factory: EngineFactory | None = None,
    *,
    rows: tuple[Row, ...] = HANDLERS,
    defaults: Mapping[str, Any] = MappingProxyType({}),
    outbox: Outbox | None = None,
) -> Wire:
    """A server that waits for bytes. Without a factory the engine is the host process or what the settings say.

    `defaults` are settings that hold where the editor says nothing. Must be called on a running event loop.
    """

    def make_session(peer: Peer, client: ClientInfo) -> Session:
        session = Session(peer, client, engine_factory, defaults)
        session.on_document_changed.append(_publish_diagnostics)
        session.on_document_saved.append(_check_saved)
        session.on_document_closed.append(_clear_diagnostics)
        return session

    return Wire(rows, make_session, outbox or Outbox(), name="r1-lsp", version=__version__)


def serve(
    tcp: str | None = None, log_level: str = "info", log_file: str | None = None, model: str | None = None
) -> int:
    """Serves one editor on stdio, or on a loopback address, and leaves the process with the protocol's exit code.

    Returns only when it could not start: 2 for an unusable address or log file, after one sentence on stderr.
    """
    try:
        logs.set_up(log_level, log_file)
        pipes = take_stdio() if tcp is None else accept_tcp(tcp)
    except (BadAddress, OSError) as error:
        print(f"r1-lsp serve: {error}", file=sys.stderr)  # noqa: T201
        return 2
    share_lock_briefly()
    asyncio.run(_serve(pipes, {} if model is None else {"model": model}))
    return 1  # not reached: the process has left


async def _serve(pipes: Pipes, defaults: Mapping[str, Any]) -> NoReturn:
    wire = create_server(defaults=defaults)
    loop = asyncio.get_running_loop()

    def on_data(data: bytes) -> None:
        if not data:
            lifetime.leave_soon(wire.exit_code)
        loop.call_soon_threadsafe(wire.receive, data)

    start_threads(pipes, wire.outbox, on_data, lambda: loop.call_soon_threadsafe(wire.end))
    lifetime.on_signals(wire.end)
    watch = loop.create_task(_watch_editor(wire))
    code = await wire.ended
    watch.cancel()
    lifetime.leave_soon(code)
    await _close(wire)
    sys.stderr.flush()
    os._exit(code)  # threads that still run or wait must not hold the process back


async def _watch_editor(wire: Wire) -> None:
    client = await wire.connected
    asyncio.get_running_loop().call_later(_IMPORTED_S, gc.freeze)
    await lifetime.watch_parent(client.process_id, wire.end)


async def _close(wire: Wire) -> None:
    """Lets the engine go and writes the last answers, for a short while."""
    try:
        async with asyncio.timeout(lifetime.GRACE_S):
            await wire.close()
    except TimeoutError:
        pass
    wire.outbox.flush(lifetime.GRACE_S / 2)


async def _publish_diagnostics(session: Session, uri: str) -> None:
    from r1_lsp.handlers.diagnostic import publish

    await publish(session, uri)


async def _check_saved(session: Session, uri: str) -> None:
    from r1_lsp.handlers.diagnostic import saved

    await saved(session, uri)


async def _clear_diagnostics(session: Session, uri: str) -> None:
    from r1_lsp.handlers.diagnostic import closed

    closed(session, uri)
