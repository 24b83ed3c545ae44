"""The model of one host process: loads it, runs it on one thread of its own, and carries answers to the event loop."""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

from engine.backends.backend import Backend, LoadProgress
from engine.errors import EngineError, EngineUnavailable
from engine.host.scheduler import Event, Scheduler
from engine.host.sequence import Job
from engine.place import package_version
from engine.types import Chunk, EngineOptions, GenerateRequest, ModelInfo

logger = logging.getLogger(__name__)

OpenBackend = Callable[[EngineOptions, LoadProgress], Backend]


class Loading(EngineError):
    """The model is not ready yet; try again soon."""


def open_backend(options: EngineOptions, progress: LoadProgress) -> Backend:
    """Loads what the options name: a script or a model. Raises EngineError. Takes seconds; the model's thread."""
    if options.script is not None:
        from engine.backends.scripted import ScriptedBackend
        from engine.scripted import load_script

        return ScriptedBackend.load(load_script(options.script), progress)
    from engine.backends.llama_cpp import LlamaBackend

    return LlamaBackend.load(options, progress)


class Host:
    """Event-loop thread only, but for what the model's thread does in `_live`."""

    def __init__(self, options: EngineOptions, *, backend: OpenBackend = open_backend) -> None:
        self._options = options
        self._open = backend
        self._status: Literal["loading", "ok", "error"] = "loading"
        self._detail = "starting"
        self._fraction: float | None = None
        self._loads = 0
        self._error: EngineError | None = None
        self._backend: Backend | None = None
        self._scheduler: Scheduler | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._mailboxes: dict[Job, _Mailbox] = {}
        self._closing = threading.Event()

    def start(self) -> None:
        """Begins to load the model and returns at once. Needs a running event loop."""
        if self._thread is None:
            self._loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._live, name="model", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ends all work and waits for the model's thread. Blocks; any thread but that one."""
        self._closing.set()
        if self._scheduler is not None:
            self._scheduler.close()
        if self._thread is not None:
            self._thread.join()

    def health(self) -> dict[str, Any]:
        """The body of `GET /health`. `progress` grows while work goes on; busy and not growing means stuck."""
        scheduler = self._scheduler
        return {
            "status": self._status,
            "progress": self._loads + (scheduler.progress if scheduler else 0),
            "busy": scheduler.busy if scheduler else self._status == "loading",
            "detail": self._detail,
            "fraction": self._fraction,
            "pid": os.getpid(),
            "version": package_version(),
        }

    @property
    def info(self) -> ModelInfo:
        """The loaded model. Raises as `ready` does."""
        return self.ready().info

    def ready(self) -> Backend:
        """The backend. Raises Loading, or what loading failed with."""
        if self._error is not None:
            raise self._error
        if self._backend is None or self._scheduler is None:
            raise Loading(f"the model is still loading: {self._detail}")
        return self._backend

    async def tokens(self, text: str) -> list[int]:
        return await asyncio.to_thread(self.ready().tokens_of, text)

    @asynccontextmanager
    async def answering(self, request: GenerateRequest) -> AsyncIterator[AsyncIterator[list[Chunk]]]:
        """Queues a request and gives its answer: lists of what has come since the last one.

        Leaving the context stops the work, whether or not anything was read. Raises EngineError on entering when the
        request cannot be served, and from the iterator when the model fails on the way.
        """
        backend = self.ready()
        encoded = await asyncio.to_thread(backend.encode, request)
        self.ready()  # the model's thread may have ended meanwhile, and then nobody would answer
        scheduler = self._scheduler
        if scheduler is None or self._closing.is_set():
            raise EngineUnavailable("the host is closing")
        job, mailbox = Job(request, encoded), _Mailbox()
        scheduler.submit(job)
        self._mailboxes[job] = mailbox
        try:
            yield mailbox.letters()
        finally:
            del self._mailboxes[job]
            scheduler.cancel(job)

    # -- the model's thread ----------------------------------------------------------------------------------------

    def _live(self) -> None:
        """Load, then step until closed. An exception nobody foresaw ends the thread, which `/health` then shows."""
        ended: EngineError = EngineUnavailable("the host has an internal error")
        backend: Backend | None = None
        try:
            backend = self._open(self._options, self._loaded)
            scheduler = Scheduler(backend, self._deliver)
            self._backend, self._scheduler = backend, scheduler
            self._status, self._detail, self._fraction = "ok", "", None
            while not self._closing.is_set():
                if not scheduler.step():
                    scheduler.wait(1.0)
            ended = EngineUnavailable("the host is closing")
        except EngineError as exc:
            if backend is not None:
                raise
            ended = exc
        finally:
            self._fail(ended)
            if backend is not None:
                backend.close()

    def _loaded(self, what: str, fraction: float | None) -> None:
        self._loads += 1
        self._detail, self._fraction = what, fraction

    def _fail(self, error: EngineError) -> None:
        self._error, self._detail, self._fraction = error, str(error), None
        self._status = "error"
        self._on_loop(self._fail_all, error)

    def _deliver(self, events: list[Event]) -> None:
        self._on_loop(self._post, events)

    def _on_loop(self, function: Callable[[Any], None], value: object) -> None:
        """One hop per step. A loop that is gone has nobody left to tell."""
        if self._loop is not None and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(function, value)
            except RuntimeError:
                logger.debug("the event loop closed before the model's thread did")

    # -- the event loop --------------------------------------------------------------------------------------------

    def _post(self, events: list[Event]) -> None:
        for job, said in events:
            mailbox = self._mailboxes.get(job)
            if mailbox is not None:
                mailbox.put(said)

    def _fail_all(self, error: EngineError) -> None:
        for mailbox in self._mailboxes.values():
            mailbox.put(error)


class _Mailbox:
    """What one answer's reader has not taken yet; neighbouring pieces of a candidate are joined."""

    def __init__(self) -> None:
        self._chunks: list[Chunk] = []
        self._error: EngineError | None = None
        self._full = asyncio.Event()

    def put(self, said: Chunk | EngineError) -> None:
        if isinstance(said, EngineError):
            self._error = said
        elif self._chunks and self._chunks[-1].index == said.index and not (said.thinking and self._chunks[-1].text):
            last = self._chunks[-1]
            self._chunks[-1] = replace(said, text=last.text + said.text, thinking=last.thinking + said.thinking)
        else:
            self._chunks.append(said)
        self._full.set()

    async def letters(self) -> AsyncGenerator[list[Chunk], None]:
        """What has come, each time something has; ends with the chunk that holds the usage."""
        over = False
        while not over:
            await self._full.wait()
            self._full.clear()
            chunks, self._chunks = self._chunks, []
            if chunks:
                over = chunks[-1].usage is not None
                yield chunks
            if self._error is not None and not over:
                raise self._error
