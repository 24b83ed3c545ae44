"""How the engine is doing, and who wants to know: one value, its listeners, and waiting for an end of starting up."""

import asyncio
import logging
from collections.abc import Callable

from engine.errors import EngineError, EngineUnavailable
from engine.types import EnginePhase, EngineStatus, ModelInfo

logger = logging.getLogger(__name__)

Listener = Callable[[EngineStatus], None]


class StatusBoard:
    """Holds the status; event-loop thread only. `error` is what `info` raises while the phase is FAILED or OFF."""

    def __init__(self) -> None:
        self.status = EngineStatus(phase=EnginePhase.OFF)
        self.error: EngineError | None = None
        self._listeners: list[Listener] = []
        self._changed: asyncio.Event | None = None

    def watch(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)

        def unwatch() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unwatch

    def put(self, status: EngineStatus, error: EngineError | None = None) -> None:
        """Publishes a status; equal ones are not repeated."""
        self.error = error
        if status == self.status:
            return
        self.status = status
        logger.debug("engine %s: %s", status.phase, status.detail)
        if self._changed is not None:
            self._changed.set()
            self._changed = None
        for listener in tuple(self._listeners):
            listener(status)

    def fail(self, error: EngineError) -> None:
        """Publishes FAILED with the error's sentence, and what `ready` raises from now on."""
        self.put(EngineStatus(phase=EnginePhase.FAILED, detail=str(error)), error)

    async def ready(self) -> ModelInfo:
        """Waits for READY. Raises the recorded error, or EngineUnavailable, when the engine has failed or is closed."""
        while True:
            if self.status.model is not None and self.status.phase is EnginePhase.READY:
                return self.status.model
            if self.status.phase in (EnginePhase.FAILED, EnginePhase.OFF):
                raise self.error or EngineUnavailable(self.status.detail or "the engine is not running")
            if self._changed is None:
                self._changed = asyncio.Event()
            await self._changed.wait()
