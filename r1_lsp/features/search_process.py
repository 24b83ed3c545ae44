"""The search for repairs in a process of its own, both ends of it: `python -I -m r1_lsp.features.search_process`.

In a thread of the server a search would compete with typing for the interpreter lock: in a broken file of 10,000
lines it doubled the time of the slowest completions. A grammar that crashes takes this process with it, not the server.

Either way go frames, four bytes of length and a pickle: (number, language, text, offset, earlier text) and (number,
Broken); a bare number says that its answer is wanted no more. Both ends are ours, on pipes that nobody else can open.
"""

import asyncio
import contextlib
import os
import pickle
import queue
import struct
import sys
import threading
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import BinaryIO

from ast_tools import LANGUAGES
from r1_lsp.features.broken import NOTHING, Broken, broken_in

ANSWER_S = 20.0
"""Longer than the budgets of all places together; a process that takes longer is stuck."""
_NICE = 5
"""Whoever types goes first, where both want the same core."""
_LENGTH = struct.Struct(">I")

_Job = tuple[int, str, bytes, int, bytes | None]


class SearchProcess:
    """The server's end. The process is started by the first search and again after a crash. Event-loop thread only."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Broken]] = {}
        self._starting = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None

    async def search(self, language: str, text: bytes, near: int, sound: bytes | None = None) -> Broken:
        """What is broken in a text; NOTHING where the process dies over it. Cancelling ends the search."""
        number, process = next(self._numbers), await self._started()
        answer: asyncio.Future[Broken] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        _send(process, (number, language, text, near, sound))
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError:
            self._kill()
            return NOTHING
        except asyncio.CancelledError:
            _send(process, number)
            raise
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        """Ends the process and waits for its end; who waits for an answer gets NOTHING."""
        self._kill()
        if self._reading is not None:
            await self._reading

    def _kill(self) -> None:
        if self._process is not None:
            # Kills it, and closes its pipes now: the loop may end before it would see that they are closed.
            self._process._transport.close()  # type: ignore[attr-defined]
            self._lost()

    async def _started(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._process is None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-I", "-m", __spec__.name,
                    stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
                )  # fmt: skip
                self._reading = asyncio.create_task(self._read(self._process))
            return self._process

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionResetError):
            while True:
                (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
                number, broken = pickle.loads(await process.stdout.readexactly(length))
                answer = self._waiting.get(number)
                if answer is not None and not answer.done():
                    answer.set_result(broken)
        if self._process is process:
            self._lost()
        await process.wait()

    def _lost(self) -> None:
        self._process = None
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(NOTHING)


def _send(process: asyncio.subprocess.Process, message: object) -> None:
    assert process.stdin is not None
    if not process.stdin.is_closing():
        process.stdin.write(_frame(message))


def _frame(message: object) -> bytes:
    body = pickle.dumps(message)
    return _LENGTH.pack(len(body)) + body


def main() -> None:
    """The process's end: one job after the other, until stdin closes."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(_NICE)
    jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
    unwanted: set[int] = set()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, jobs, unwanted), daemon=True).start()
    while True:
        number, language, text, near, sound = jobs.get()
        broken = _answer(language, text, near, partial(unwanted.__contains__, number), sound)
        sys.stdout.buffer.write(_frame((number, broken)))
        sys.stdout.buffer.flush()


def _answer(language: str, text: bytes, near: int, unwanted: Callable[[], bool], sound: bytes | None) -> Broken:
    return NOTHING if unwanted() else broken_in(LANGUAGES[language], text, near, unwanted, sound)


def _listen(stream: BinaryIO, jobs: "queue.SimpleQueue[_Job]", unwanted: set[int]) -> None:
    while len(head := stream.read(_LENGTH.size)) == _LENGTH.size:
        message = pickle.loads(stream.read(*_LENGTH.unpack(head)))
        if isinstance(message, int):
            unwanted.add(message)
        else:
            jobs.put(message)
    # The server is gone; a search in the middle of a parse would not notice.
    os._exit(0)


if __name__ == "__main__":
    main()
