"""Brings the shared host up, holds a lease on it, watches its progress, and replaces it when it dies or wedges.

One supervisor belongs to one client. Any number of them, in any number of processes, look after the same host: who
gets the lock starts it, the others attach. All of them watch; whoever finds it wedged first kills it.
"""

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from engine import place, platform
from engine.answer import refusal
from engine.errors import EngineError, EngineUnavailable, ModelUnusable
from engine.status import StatusBoard
from engine.types import EngineOptions, EnginePhase, EngineStatus, ModelInfo

if TYPE_CHECKING:
    import aiohttp

logger = logging.getLogger(__name__)

PREFILL_SLICE = 128
"""Tokens the host decodes between two signs of progress; a slow machine gets four times what that takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Seconds, and how often to try. `stall_s`: busy without progress; `silent_s`: no line on the lease.

    `start_s` is long because a new host listens before it imports what answers, which takes seconds on a cold disk.
    """

    start_s: float = 30.0
    stall_s: float = 10.0
    load_stall_s: float = 120.0
    silent_s: float = 9.0
    max_deaths: int = 3
    back_off_s: tuple[float, ...] = (0.05, 0.3, 1.0)
    proven_after_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One host as we hold it: a session for requests, the lease's open stream, and the answers being read."""

    http: "aiohttp.ClientSession"
    url: str
    lease: "aiohttp.ClientResponse"
    open: "set[aiohttp.ClientResponse]" = field(default_factory=set)

    async def close(self) -> None:
        for response in (self.lease, *self.open):
            response.close()
        await self.http.close()


class HostGone(Exception):
    """The host ended, or was ended by us; the text says why."""


class HostStopped(Exception):
    """Somebody told the host to stop (`r1-engine stop`): it is not started again until there is work."""


class Supervisor:
    """Event-loop thread only. `directory` and `command` are for tests; `on_tcp` asks for TCP instead of a socket."""

    def __init__(
        self,
        options: EngineOptions,
        *,
        directory: Path | None = None,
        command: tuple[str, ...] = (sys.executable, "-I", "-m", "engine.host"),
        watch: Watch | None = None,
        on_tcp: bool = False,
    ) -> None:
        self.board = StatusBoard()
        self.pid: int | None = None
        self._asked = self._options = options
        self._directory, self._command, self._on_tcp = directory, command, on_tcp
        self._watch = watch or Watch()
        self._task: asyncio.Task[None] | None = None
        self._life: Life | None = None
        self._deaths = 0
        self._files: place.HostFiles | None = None

    # -- what the client calls -------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to bring the host up; does nothing while that goes on, nor after a failure (see `restart`)."""
        if self._task is None:
            self.board.put(EngineStatus(phase=EnginePhase.STARTING, detail="starting the engine"))
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._task.add_done_callback(self._run_ended)

    async def life(self) -> Life:
        """The host, once its model is ready. Raises EngineError when it will not become ready."""
        self.start()
        await self.board.ready()
        if self._life is None:
            raise EngineUnavailable("the engine is not running")
        return self._life

    def served(self) -> None:
        """Tells that the host answered a request: its next death does not count as a crash loop."""
        self._deaths = 0

    async def restart(self) -> None:
        """Kills the host, forgets past deaths and starts again."""
        await self._stop()
        files = self._locate()
        pid = await asyncio.to_thread(platform.holder, files.lock)
        if pid is not None:
            platform.kill(pid)
        self._deaths, self._files = 0, None
        self.start()

    async def close(self) -> None:
        """Gives the lease back. The host ends by itself when nobody else holds one."""
        await self._stop()
        self.board.put(EngineStatus(phase=EnginePhase.OFF, detail="the engine is closed"))

    async def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    # -- the story ---------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while True:
                reason = await self._one_life()
                self._deaths += 1
                if self._deaths >= self._watch.max_deaths:
                    raise ModelUnusable(f"model unusable: {reason}")
                logger.warning("the engine's host ended: %s", reason)
                self.board.put(EngineStatus(phase=EnginePhase.RESTARTING, detail=reason))
                await asyncio.sleep(self._watch.back_off_s[min(self._deaths, len(self._watch.back_off_s) - 1)])
        except HostStopped:
            self._task = None
            self.board.put(EngineStatus(phase=EnginePhase.OFF, detail="stopped by hand; the next request starts it"))
        except EngineError as error:
            await asyncio.to_thread(self._clear_away)
            self.board.fail(error)

    def _run_ended(self, task: "asyncio.Task[None]") -> None:
        """A defect of ours must not leave everybody waiting."""
        defect = None if task.cancelled() else task.exception()
        if defect is not None:
            logger.error("the supervisor stopped", exc_info=defect)
            self.board.fail(EngineUnavailable(f"the engine's supervisor stopped: {defect!r}"))

    async def _one_life(self) -> str:
        """Attaches to a host and follows it to its end; returns why it ended. Raises what makes trying again vain."""
        began = asyncio.get_running_loop().time()
        self.pid = None
        try:
            self._life = await self._attach()
            await self._follow(self._life)
        except HostGone as gone:
            if asyncio.get_running_loop().time() - began > self._watch.proven_after_s:
                self._deaths = 0
            return await asyncio.to_thread(self._last_words) or str(gone)
        finally:
            life, self._life = self._life, None
            if life is not None:
                await life.close()
        raise AssertionError("a host is followed to its end")

    # -- starting ----------------------------------------------------------------------------------------------------

    def _locate(self) -> place.HostFiles:
        if self._files is None:
            self._options = place.named(self._asked)
            directory = self._directory or platform.runtime_dir()
            self._files = place.host_files(platform.private_dir(directory), self._options)
        return self._files

    async def _attach(self) -> Life:
        """Connects to the host, starting one when nobody holds the lock. Raises HostGone, or EngineUnavailable."""
        loop = asyncio.get_running_loop()
        files = await asyncio.to_thread(self._locate)
        deadline = loop.time() + self._watch.start_s
        child: platform.Child | None = None
        while loop.time() < deadline:
            life = await self._connect(files.socket)
            if life is not None:
                return life
            if child is not None and child.ended.is_set():
                raise HostGone("the engine's host ended while it started")
            if child is None:
                child = await asyncio.to_thread(self._start_host, files)
            await asyncio.sleep(0.02)
        pid = await asyncio.to_thread(platform.holder, files.lock)
        if pid is not None:
            platform.kill(pid)
        raise HostGone(f"the engine's host did not answer for {self._watch.start_s:g} s")

    def _start_host(self, files: place.HostFiles) -> platform.Child | None:
        """Starts a host if nobody holds the lock. Blocking for milliseconds; runs on a worker thread."""
        lock = platform.try_lock(files.lock)
        if lock is None:
            return None
        lock.write_pid(0)
        for leftover in files.leftovers():
            leftover.unlink(missing_ok=True)
        told = ["--socket", str(files.socket), "--options-json", place.options_to_json(self._options)]
        told += ["--tcp"] if self._on_tcp else []
        if platform.LOCKS_ARE_INHERITED:
            told += ["--lock-fd", str(lock.descriptor)]
        try:
            return platform.start_detached([*self._command, *told], log=files.log, inherit=lock)
        except EngineUnavailable:
            lock.remove()
            raise

    async def _connect(self, path: Path) -> Life | None:
        """Takes a lease from the host at `path`; None when nobody answers there."""
        import aiohttp

        address = place.address_at(path)
        if address is None:
            return None
        async with contextlib.AsyncExitStack() as stack:
            http = await stack.enter_async_context(session_for(address))
            try:
                lease = await asyncio.wait_for(http.get(f"{address.url}/lease"), self._watch.start_s)
            except TimeoutError:
                self.pid = None
                await self._kill("the engine's host accepts no lease")
            except (aiohttp.ClientError, OSError):
                return None
            if lease.status != 200:
                raise EngineUnavailable(f"the engine's host refused a lease with status {lease.status}")
            stack.pop_all()
            return Life(http=http, url=address.url, lease=lease)

    # -- watching ----------------------------------------------------------------------------------------------------

    async def _follow(self, life: Life) -> None:
        """Publishes what the lease tells until it ends. Raises HostGone, or what the host says of its model."""
        loop = asyncio.get_running_loop()
        model: ModelInfo | None = None
        progress, progressed = -1, loop.time()
        async for line in self._lines(life.lease):
            self.pid = line.get("pid", self.pid)
            if line.get("status") == "error":
                await self._complain(life, line)
            if line.get("status") == "stopping":
                raise HostStopped
            if line.get("status") == "ok" and model is None:
                model = await self._model(life)
            self._publish(line, model)
            if line.get("progress") != progress or not line.get("busy"):
                progress, progressed = line.get("progress", 0), loop.time()
            elif loop.time() - progressed > self._patience(model):
                await self._kill("the engine made no progress")
        raise HostGone("the engine's host ended")

    async def _lines(self, lease: "aiohttp.ClientResponse") -> AsyncIterator[dict[str, Any]]:
        import aiohttp

        while True:
            # Not `wait_for`: from Python 3.12 on it gives up lines that came while this whole process stood still.
            reading = asyncio.ensure_future(lease.content.readline())
            try:
                await asyncio.wait({reading}, timeout=self._watch.silent_s)
                if not reading.done():
                    await self._kill("the engine's host fell silent")
                line = reading.result()
            except (aiohttp.ClientError, OSError):
                return
            finally:
                reading.cancel()
            if not line.endswith(b"\n"):
                return
            with contextlib.suppress(ValueError):
                yield json.loads(line)

    def _publish(self, line: dict[str, Any], model: ModelInfo | None) -> None:
        if model is not None:
            self.board.put(EngineStatus(phase=EnginePhase.READY, model=model))
        else:
            detail, fraction = line.get("detail") or "loading the model", line.get("fraction")
            self.board.put(EngineStatus(phase=EnginePhase.LOADING, detail=detail, fraction=fraction))

    def _patience(self, model: ModelInfo | None) -> float:
        if model is None:
            return self._watch.load_stall_s
        slice_s = PREFILL_SLICE / model.prefill_tps if model.prefill_tps > 0 else 0.0
        return max(self._watch.stall_s, 4 * slice_s)

    async def _complain(self, life: Life, line: dict[str, Any]) -> None:
        """Raises what a host in status "error" says of its model; a host that is broken itself is killed."""
        import aiohttp

        error: EngineError = ModelUnusable(str(line.get("detail") or "the model could not be loaded"))
        with contextlib.suppress(aiohttp.ClientError, OSError):
            async with life.http.get(f"{life.url}/v1/models") as response:
                error = refusal(response.status, await response.read(), None, "the engine")
        if isinstance(error, EngineUnavailable):
            await self._kill(str(error))
        raise error

    async def _model(self, life: Life) -> ModelInfo:
        import aiohttp

        try:
            async with life.http.get(f"{life.url}/v1/models") as response:
                return model_info((await response.json())["data"][0])
        except (aiohttp.ClientError, OSError, ValueError, LookupError, TypeError) as exc:
            raise HostGone("the engine's host did not say which model it runs") from exc

    async def _kill(self, why: str) -> NoReturn:
        """Kills the host we know, or whoever holds the lock when we know none: never its successor."""
        pid = await asyncio.to_thread(platform.holder, self._locate().lock)
        if pid is not None and self.pid in (None, pid):
            logger.warning("%s: killing process %d", why, pid)
            platform.kill(pid)
        raise HostGone(why)

    # -- afterwards --------------------------------------------------------------------------------------------------

    def _last_words(self) -> str:
        """The last line a dead host wrote to stderr; empty when it ended in order and took its log along."""
        try:
            text = self._locate().log.read_bytes()[-8192:].decode(errors="replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1][:300] if lines else ""

    def _clear_away(self) -> None:
        """Removes what dead hosts left, unless one lives."""
        with contextlib.suppress(EngineError):
            clear_away(self._locate())


def session_for(address: place.Address) -> "aiohttp.ClientSession":
    """A session for one life of a host: no proxies, no cookies, any number of connections, no limit on time."""
    import aiohttp

    connector = (
        aiohttp.UnixConnector(path=str(address.unix), limit=0) if address.unix else aiohttp.TCPConnector(limit=0)
    )
    return aiohttp.ClientSession(
        connector=connector,
        headers={"Authorization": f"Bearer {address.token}"} if address.token else {},
        timeout=aiohttp.ClientTimeout(total=None),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


def clear_away(files: place.HostFiles) -> bool:
    """Removes the files of a host that is dead; returns False when it lives. Raises EngineUnavailable."""
    lock = platform.try_lock(files.lock)
    if lock is None:
        return False
    for leftover in files.leftovers():
        leftover.unlink(missing_ok=True)
    lock.remove()
    return True


def model_info(record: dict[str, Any]) -> ModelInfo:
    """A row of our host's /v1/models. Fields this version does not know are left out."""
    known = {column.name for column in fields(ModelInfo)}
    return ModelInfo(**{key: value for key, value in record["meta"].items() if key in known})
