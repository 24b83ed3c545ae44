"""The engine as features see it: one client for our own host and for any OpenAI-compatible server.

Importing this module is cheap: aiohttp and the prompt formats are imported when the engine starts, after `initialize`.
"""

import contextlib
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from engine import payload
from engine.errors import EngineUnavailable
from engine.status import StatusBoard
from engine.supervisor import Supervisor
from engine.types import Chunk, Engine, EngineOptions, EngineStatus, GenerateRequest, ModelInfo, Usage

if TYPE_CHECKING:
    import aiohttp

logger = logging.getLogger(__name__)

_LONGEST_REFUSAL = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request on its way: `who` names the server in sentences; `tame` rewrites what a foreign server streams.
    `ours`: our own host, whose headers come when the model begins.

    `open` holds the responses being read: who closes the session closes them first, because aiohttp leaves a reader
    of a closed session waiting for ever.
    """

    http: "aiohttp.ClientSession"
    url: str
    body: dict[str, Any]
    who: str
    ours: bool = False
    open: "set[aiohttp.ClientResponse]" = field(default_factory=set)
    tame: Callable[[AsyncGenerator[Chunk, None]], AsyncGenerator[Chunk, None]] | None = None


class Door(Protocol):
    """The way to a server: our host's or a remote one."""

    board: StatusBoard

    def start(self) -> None: ...

    async def call(self, request: GenerateRequest) -> Call:
        """Waits until the server is ready. Raises EngineError."""

    def served(self) -> None:
        """The server gave a sign that it answers."""

    async def score(self, request: GenerateRequest) -> tuple[float, ...]: ...

    async def count_tokens(self, text: str) -> int: ...

    async def restart(self) -> None: ...

    async def close(self) -> None: ...


def create_engine(options: EngineOptions) -> Engine:
    """An engine for these options. Nothing is started or imported before its `start`."""
    return EngineClient(options)


class EngineClient:
    """Implements `engine.types.Engine`; event-loop thread only. `door` is for tests."""

    def __init__(self, options: EngineOptions, *, door: Door | None = None) -> None:
        self._door = door or _door(options)

    @property
    def status(self) -> EngineStatus:
        return self._door.board.status

    def watch(self, listener: Callable[[EngineStatus], None]) -> Callable[[], None]:
        return self._door.board.watch(listener)

    def start(self) -> None:
        self._door.start()

    async def info(self) -> ModelInfo:
        self._door.start()
        return await self._door.board.ready()

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[Chunk, None]:
        call = await self._door.call(request)
        raw = _stream(call, self._door.served)
        async with contextlib.aclosing(raw), contextlib.aclosing(call.tame(raw) if call.tame else raw) as answer:
            async for chunk in answer:
                if not 0 <= chunk.index < request.n:
                    raise EngineUnavailable(f"{call.who} sent an answer that nobody asked for")
                yield chunk

    async def score(self, request: GenerateRequest) -> tuple[float, ...]:
        return await self._door.score(request)

    async def count_tokens(self, text: str) -> int:
        return await self._door.count_tokens(text)

    async def restart(self) -> None:
        """Kills our host (a remote server is only asked again), forgets past failures and starts again."""
        await self._door.restart()

    async def close(self) -> None:
        await self._door.close()


def _door(options: EngineOptions) -> Door:
    if options.url is None:
        return HostDoor(Supervisor(options))
    from engine.remote import RemoteDoor  # it needs the prompt formats, which a local engine's client does not

    return RemoteDoor(options)


class HostDoor:
    """The way to our own host, which `supervisor` keeps alive."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.board = supervisor.board

    def start(self) -> None:
        self._supervisor.start()

    async def call(self, request: GenerateRequest) -> Call:
        life = await self._supervisor.life()
        route, body = payload.for_host(request)
        return Call(http=life.http, url=f"{life.url}{route}", body=body, who="the engine", ours=True, open=life.open)

    def served(self) -> None:
        self._supervisor.served()

    async def score(self, request: GenerateRequest) -> tuple[float, ...]:
        from engine.answer import scores_of

        call = await self.call(request)
        answer = await ask(replace(call, body={**call.body, "stream": False}))
        self.served()
        return scores_of(answer, len(request.choices), call.who)

    async def count_tokens(self, text: str) -> int:
        life = await self._supervisor.life()
        call = Call(http=life.http, url=f"{life.url}/tokenize", body={"content": text}, who="the engine")
        return len((await ask(call))["tokens"])

    async def restart(self) -> None:
        await self._supervisor.restart()

    async def close(self) -> None:
        await self._supervisor.close()


async def ask(call: Call) -> dict[str, Any]:
    """Posts and returns the JSON object answered. Raises EngineError."""
    async with posted(call) as response:
        try:
            record = await response.json(content_type=None)
        except ValueError as exc:
            raise EngineUnavailable(f"{call.who} did not answer with JSON") from exc
    if not isinstance(record, dict):
        raise EngineUnavailable(f"{call.who} did not answer with a JSON object")
    return record


@contextlib.asynccontextmanager
async def posted(call: Call) -> AsyncIterator["aiohttp.ClientResponse"]:
    """A response with status 200; leaving closes its connection if something is still to come. Raises EngineError."""
    import aiohttp

    from engine.answer import refusal

    try:
        async with call.http.post(call.url, json=call.body, allow_redirects=False) as response:
            call.open.add(response)
            try:
                if response.status != 200:
                    said = await response.content.read(_LONGEST_REFUSAL)
                    raise refusal(response.status, said, response.headers.get("Retry-After"), call.who)
                yield response
            finally:
                call.open.discard(response)
                if not response.content.at_eof():
                    response.close()
    except (aiohttp.ClientError, OSError, RuntimeError) as exc:
        raise unreachable(call.who, exc) from exc


def unreachable(who: str, exc: Exception) -> EngineUnavailable:
    """A broken or impossible connection as one sentence."""
    import aiohttp

    match exc:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return EngineUnavailable(f"{who} cannot be trusted: its TLS certificate was not accepted")
        case TimeoutError():
            return EngineUnavailable(f"{who} did not answer in time")
        case aiohttp.ClientConnectorError():
            cause = exc.os_error
            # asyncio's own text would name the address once more; name look-ups have negative numbers and good texts.
            number = cause.errno or 0
            why = os.strerror(number) if number > 0 else cause.strerror or str(cause)
            return EngineUnavailable(f"{who} cannot be reached: {why}")
        case aiohttp.InvalidURL():
            return EngineUnavailable(f"{who} has no valid address")
        case _:
            return EngineUnavailable(f"{who} broke off while answering")


async def _stream(call: Call, served: Callable[[], None]) -> AsyncGenerator[Chunk, None]:
    """The chunks of a streamed answer; the last one of all has `usage`, also where the server sends none."""
    from engine.answer import chunks

    spoken, finished, n_pieces, counted, told = set[int](), set[int](), 0, False, False
    async with posted(call) as response:
        served()
        if call.ours:
            yield Chunk()
        async for data in _events(response):
            if data == "[DONE]":
                told = True
                break
            for chunk in chunks(data):
                spoken.add(chunk.index)
                finished.update({chunk.index} if chunk.finish else ())
                n_pieces += bool(chunk.text or chunk.thinking)
                counted = counted or chunk.usage is not None
                yield chunk
    if not told and (not spoken or spoken - finished):
        raise EngineUnavailable(f"{call.who} broke off while answering")
    for index in sorted(spoken - finished):
        yield Chunk(index=index, finish="stop")
    if not counted:
        yield Chunk(index=max(spoken, default=0), usage=Usage(completion_tokens=n_pieces))


async def _events(response: "aiohttp.ClientResponse") -> AsyncIterator[str]:
    from engine.sse import SseParser

    parser = SseParser()
    async for piece in response.content.iter_any():
        for data in parser.feed(piece):
            yield data
