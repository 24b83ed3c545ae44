"""The place of the engine in a session: made from the settings, replaced when they change, shown to the user."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from engine.types import Engine, EngineOptions, EnginePhase, EngineStatus
from r1_lsp import ext

if TYPE_CHECKING:
    from r1_lsp.session import EngineFactory, Session

_log = logging.getLogger(__name__)

_BUSY = (EnginePhase.STARTING, EnginePhase.LOADING, EnginePhase.RESTARTING)


class EngineSlot:
    """Holds the one engine of a session. `engine` makes and starts it on first use."""

    def __init__(self, session: "Session", options: EngineOptions, factory: "EngineFactory | None") -> None:
        self._session = session
        self._options = options
        self._factory = factory
        self._engine: Engine | None = None
        self._unwatch: Callable[[], None] = lambda: None
        self._moved = asyncio.Event()
        self._showing = False

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = self._made()
            self._unwatch = self._engine.watch(self._changed)
            self._engine.start()
            self._changed(self._engine.status)
        return self._engine

    @property
    def status(self) -> EngineStatus:
        """How the engine is doing; OFF before its first use."""
        return EngineStatus(phase=EnginePhase.OFF) if self._engine is None else self._engine.status

    def use(self, options: EngineOptions) -> None:
        """Takes new options; an engine with other ones is replaced at once."""
        if options == self._options:
            return
        self._options = options
        if self._engine is not None:
            self._session.spawn(self._retire(self._engine), "retire engine")
            self._unwatch()
            self._engine = None
            _ = self.engine

    async def restart(self) -> None:
        """Starts the engine anew, forgetting earlier crashes."""
        restart: Callable[[], Awaitable[None]] | None = getattr(self.engine, "restart", None)
        if restart is not None:
            await restart()

    async def close(self) -> None:
        self._unwatch()
        if self._engine is not None:
            await self._engine.close()

    def _made(self) -> Engine:
        if self._factory is not None:
            return self._factory(self._options)
        from engine.client import create_engine

        return create_engine(self._options)

    async def _retire(self, engine: Engine) -> None:
        await engine.close()

    def _changed(self, status: EngineStatus) -> None:
        self._session.notify(ext.STATUS, _as_json(status), key="status")
        self._moved.set()
        if status.phase is EnginePhase.FAILED:
            self._session.show_message_once(f"engine: {status.detail}", f"The model is not available: {status.detail}")
        elif status.phase in _BUSY and not self._showing:
            self._showing = True
            self._session.spawn(self._show_loading(), "show loading")

    async def _show_loading(self) -> None:
        """A progress bar until the engine is ready or has failed."""
        try:
            async with self._session.progress("Loading the model") as bar:
                while self.status.phase in _BUSY:
                    bar.report(self.status.detail or None, self.status.fraction)
                    self._moved.clear()
                    await self._moved.wait()
        finally:
            self._showing = False


def _as_json(status: EngineStatus) -> dict[str, object]:
    return {
        "phase": str(status.phase),
        "detail": status.detail,
        "fraction": status.fraction,
        "model": status.model.id if status.model is not None else None,
    }
