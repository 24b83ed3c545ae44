"""The mutable state of the server: documents, settings, engine, the editor. Loop thread only.

Handlers get the Session; features get what it hands out: Snapshot, Settings, Engine.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from lsprotocol import types

from r1_lsp import ext, proto
from r1_lsp.snapshot import Snapshot
from r1_lsp.wire.client import ClientInfo
from r1_lsp.wire.interrupt import Interruptible
from r1_lsp.wire.logs import log_bug
from r1_lsp.wire.outcomes import Failed, Outdated, Silent, Stopped, Superseded
from r1_lsp.wire.progress import Peer, Progress, ProgressBars, RefusedByClient

if TYPE_CHECKING:
    from engine.types import Engine, EngineOptions
    from r1_lsp.config import Settings
    from r1_lsp.engine_slot import EngineSlot
    from r1_lsp.texts import Texts

__all__ = ["ClientInfo", "Failed", "Outdated", "Progress", "Session", "Silent", "Stopped", "Superseded"]

_log = logging.getLogger(__name__)

_SETTLE_S = 0.3
"""How long a document must rest before its `on_document_changed` hooks run."""

_PULL_S = 5.0
"""How long an editor may take to tell its settings; the engine waits for them."""

_T = TypeVar("_T")

EngineFactory = Callable[["EngineOptions"], "Engine"]
ChangeHook = Callable[["Session", str], Coroutine[Any, Any, None]]


@runtime_checkable
class Closable(Protocol):
    """State that holds on to something outside, and lets go of it at the end of the session."""

    async def close(self) -> None: ...


@runtime_checkable
class FollowsDocuments(Protocol):
    """State about documents that is worth nothing once they change."""

    def document_changed(self, uri: str) -> None:
        """A document was opened, edited or closed. Called at once; must be quick."""
        ...


class Session:
    """Everything that lives as long as the connection to one editor."""

    def __init__(
        self,
        peer: Peer,
        client: ClientInfo,
        engine_factory: EngineFactory | None = None,
        defaults: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.client = client
        self.on_document_changed: list[ChangeHook] = []
        self.on_document_saved: list[ChangeHook] = []
        self.on_document_closed: list[ChangeHook] = []
        self.folders: list[str] = list(client.folders)
        self._peer = peer
        self._bars = ProgressBars(peer, supported=client.progress)
        self._engine_factory = engine_factory
        self._defaults = defaults
        self._engine: EngineSlot | None = None
        self._settings: Settings | None = None
        self._sent_settings: Mapping[str, Any] = {}
        self._texts: Texts | None = None
        self._newest: dict[object, Interruptible] = {}
        self._settling: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing: asyncio.Task[None] | None = None
        self._shown: set[str] = set()
        self._slots: dict[type, object] = {}
        self._followers: list[FollowsDocuments] = []

    # -- documents ---------------------------------------------------------------------------------------------------

    @property
    def texts(self) -> "Texts":
        """The open documents and their trees."""
        if self._texts is None:
            from r1_lsp.texts import Texts

            self._texts = Texts(self.client.encoding)
        return self._texts

    def snapshot(self, uri: str) -> Snapshot | None:
        """The document now; None when it is not open or out of step with the editor."""
        return self.texts.snapshot(uri)

    async def parsed(self, snapshot: Snapshot) -> Snapshot:
        """The same text with its tree, parsed in slices between other work; the tree may stay None (see Snapshot).

        Raises Outdated when the document changes meanwhile.
        """
        return await self.texts.parsed(snapshot)

    async def tree(self, uri: str) -> Any:
        """The tree of a document's newest text, or None."""
        snapshot = self.snapshot(uri)
        return None if snapshot is None else (await self.parsed(snapshot)).tree

    def document_changed(self, uri: str) -> None:
        """Parses a document that was opened or edited, and runs the hooks once it has rested."""
        for slot in self._followers:
            slot.document_changed(uri)
        if (running := self._settling.pop(uri, None)) is not None:
            running.cancel()
        if self.snapshot(uri) is not None:
            self._settling[uri] = self.spawn(self._settle(uri), f"settle {uri}")

    def document_saved(self, uri: str) -> None:
        """Runs the hooks of a save."""
        for hook in self.on_document_saved:
            self.spawn(hook(self, uri), f"saved {uri}")

    def document_closed(self, uri: str) -> None:
        """Ends what was going on for a document, and runs the hooks of its end."""
        self.document_changed(uri)
        for hook in self.on_document_closed:
            self.spawn(hook(self, uri), f"closed {uri}")

    async def _settle(self, uri: str) -> None:
        try:
            await self.tree(uri)
            await asyncio.sleep(_SETTLE_S)
            await self.texts.renew(uri)
            for hook in self.on_document_changed:
                await hook(self, uri)
        except Outdated:
            _log.debug("a document changed while it was parsed")

    # -- positions ---------------------------------------------------------------------------------------------------

    def offset(self, snapshot: Snapshot, position: types.Position) -> int:
        """Byte offset of a position in the snapshot's text."""
        return proto.offset_of(snapshot.lines, position, self.client.encoding)

    def range(self, snapshot: Snapshot, start: int, end: int) -> types.Range:
        """Range of the bytes start..end."""
        return proto.range_of(snapshot.lines, start, end, self.client.encoding)

    def span(self, snapshot: Snapshot, range_: types.Range) -> tuple[int, int]:
        """Bytes (start, end) of a range."""
        return proto.span_of(snapshot.lines, range_, self.client.encoding)

    # -- settings and engine -----------------------------------------------------------------------------------------

    @property
    def settings(self) -> "Settings":
        """What the user configured, without holes."""
        if self._settings is None:
            self._parse_settings()
        assert self._settings is not None
        return self._settings

    def configure(self, sent: Mapping[str, Any]) -> None:
        """Takes new settings (the `r1` section), laid over `initializationOptions`; restarts the engine if it must."""
        self._sent_settings = sent
        self._parse_settings()
        if self._engine is not None:
            self._engine.use(self.settings.engine)

    def _parse_settings(self) -> None:
        from r1_lsp.config import parse_settings

        wanted = _laid_over(_section(self.client.options), self._sent_settings)
        self._settings, complaints = parse_settings(_laid_over(self._defaults, wanted))
        if "log" in wanted:
            logging.getLogger("r1_lsp").setLevel(self._settings.log.level.upper())
        for complaint in complaints:
            self.show_message_once(f"settings: {complaint}", complaint)

    @property
    def engine(self) -> "Engine":
        """The model side, as the settings want it; made and started on first use."""
        return self.engine_slot.engine

    @property
    def engine_slot(self) -> "EngineSlot":
        """The engine with what belongs to it: restart, status, its progress bar."""
        if self._engine is None:
            from r1_lsp.engine_slot import EngineSlot

            self._engine = EngineSlot(self, self.settings.engine, self._engine_factory)
        return self._engine

    # -- work --------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def newest(self, key: object) -> AsyncIterator[None]:
        """A block of which only the newest with this key goes on: in an older one Superseded is raised."""
        if (older := self._newest.pop(key, None)) is not None:
            older.interrupt()
        async with Interruptible(Superseded()) as block:
            self._newest[key] = block
            try:
                yield
            finally:
                if self._newest.get(key) is block:
                    del self._newest[key]

    def spawn(self, work: Coroutine[Any, Any, _T], name: str) -> "asyncio.Task[_T]":
        """Runs something in the background until it ends or the server does; an error of it is logged."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._spawned_ended)
        return task

    def _spawned_ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log_bug(_log, f"background work {task.get_name().partition(' ')[0]!r}", error)

    def slot(self, kind: Callable[[], _T]) -> _T:
        """A feature's own state: one `kind()` per session, made on first use; closed with it if it can be."""
        assert isinstance(kind, type)
        if kind not in self._slots:
            self._slots[kind] = slot = kind()
            if isinstance(slot, FollowsDocuments):
                self._followers.append(slot)
        return self._slots[kind]  # type: ignore[return-value]

    def begin_close(self) -> None:
        """Ends background work and lets the engine go; returns at once."""
        for task in self._tasks:
            task.cancel()
        held = [slot for slot in (self._engine, *self._slots.values()) if isinstance(slot, Closable)]
        if self._closing is None and held:
            self._closing = asyncio.get_running_loop().create_task(_close_all(held))

    async def close(self) -> None:
        """`begin_close`, and waits until the engine and the other processes are gone."""
        self.begin_close()
        if self._closing is not None:
            await self._closing

    # -- the editor --------------------------------------------------------------------------------------------------

    def notify(self, method: str, params: object, *, key: object = None) -> None:
        """Sends a notification. `key`: a newer one of the same key may replace it while the editor does not read."""
        self._peer.notify(method, params, key=key)

    async def request(self, method: str, params: object) -> Any:
        """Sends a request and waits for the editor's answer. Raises RefusedByClient."""
        return await self._peer.request(method, params)

    def show_message_once(self, kind: str, text: str, *, error: bool = False) -> None:
        """A message the user sees, once per kind and session; in the log too."""
        if kind in self._shown:
            return
        self._shown.add(kind)
        _log.warning("%s", text)
        level = types.MessageType.Error if error else types.MessageType.Warning
        self._peer.notify(types.WINDOW_SHOW_MESSAGE, types.ShowMessageParams(type=level, message=text))

    def progress(
        self,
        title: str,
        *,
        cancellable: bool = False,
        message: str | None = None,
    ) -> AbstractAsyncContextManager[Progress]:
        """A progress bar while the block runs; the user's cancel raises Stopped there."""
        return self._bars.show(title, cancellable=cancellable, message=message)

    def cancel_progress(self, token: str | int) -> None:
        """The user pressed "cancel" on a bar."""
        self._bars.cancel(token)

    async def apply_edit(self, edit: types.WorkspaceEdit, label: str) -> bool:
        """Asks the editor to make an edit; whether it did."""
        if not self.client.apply_edit:
            return False
        params = types.ApplyWorkspaceEditParams(edit=edit, label=label)
        try:
            result = await self._peer.request(types.WORKSPACE_APPLY_EDIT, params)
        except RefusedByClient:
            return False
        return bool(getattr(result, "applied", False))

    def publish_diagnostics(self, uri: str, version: int | None, diagnostics: Sequence[types.Diagnostic]) -> None:
        """Shows these diagnostics of ours, instead of those shown before."""
        params = types.PublishDiagnosticsParams(
            uri=uri, version=version if self.client.diagnostic_versions else None, diagnostics=diagnostics
        )
        self._peer.notify(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, params, key=("diagnostics", uri))

    async def pull_settings(self) -> None:
        """Asks the editor for the `r1` section, where it can be asked."""
        if not self.client.configuration:
            return
        item = types.ConfigurationItem(section=ext.SETTINGS_SECTION)
        try:
            async with asyncio.timeout(_PULL_S):
                [section] = await self._peer.request(
                    types.WORKSPACE_CONFIGURATION, types.ConfigurationParams(items=[item])
                )
        except (RefusedByClient, TimeoutError, TypeError, ValueError):
            _log.warning("the editor did not tell its settings")
            return
        self.configure(section if isinstance(section, Mapping) else {})


async def _close_all(held: Sequence[Closable]) -> None:
    await asyncio.gather(*(one.close() for one in held))


def _section(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Our settings in `initializationOptions`: these themselves, or the one section they hold."""
    inner = options.get(ext.SETTINGS_SECTION)
    return inner if isinstance(inner, Mapping) else options


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` over `below`, object by object; null above counts as not said."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            merged[key] = _laid_over(old, value)
        elif value is not None or key not in merged:
            merged[key] = value
    return merged
