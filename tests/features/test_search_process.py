"""Repairs are searched in a process of its own, which may die, be told to stop, and is gone with its session."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from r1_lsp.features.broken import NOTHING
from r1_lsp.features.repairing import in_thread
from r1_lsp.features.search_process import SearchProcess

BROKEN = "é = 1\nprint(é\nx = [é)\n".encode()
MANY = b"".join(b"def f%d(a:\n    return (a, [1, 2\n\n" % n for n in range(4000))
"""Searched for more than a second."""


@asynccontextmanager
async def process() -> AsyncIterator[SearchProcess]:
    one = SearchProcess()
    try:
        yield one
    finally:
        await one.close()


def pid(one: SearchProcess) -> int:
    assert one._process is not None
    return one._process.pid


async def gone(number: int) -> bool:
    for _ in range(500):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        await asyncio.sleep(0.01)
    return False


def test_it_finds_what_a_thread_finds() -> None:
    async def both() -> None:
        async with process() as one:
            found = await one.search("python", BROKEN, 0)
            assert found == await in_thread("python", BROKEN, 0)
            assert found.problems
            assert found.repairs

    asyncio.run(both())


def test_a_crash_answers_with_nothing_and_the_next_search_has_a_new_process() -> None:
    async def crash() -> None:
        async with process() as one:
            await one.search("python", BROKEN, 0)
            first = pid(one)
            waiting = asyncio.create_task(one.search("python", MANY, 0))
            await asyncio.sleep(0.05)
            os.kill(first, signal.SIGKILL)
            assert await waiting == NOTHING
            assert (await one.search("python", BROKEN, 0)).repairs
            assert pid(one) != first

    asyncio.run(crash())


def test_a_cancelled_search_makes_room_for_the_next() -> None:
    async def cancel() -> None:
        async with process() as one:
            await one.search("python", BROKEN, 0)
            old = [asyncio.create_task(one.search("python", MANY, 0)) for _ in range(20)]
            await asyncio.sleep(0.05)
            for task in old:
                task.cancel()
            # Twenty searches in that text would take longer than a search may.
            assert (await one.search("python", BROKEN, 0)).repairs

    asyncio.run(cancel())


def test_it_ends_when_it_is_closed_and_when_its_pipe_is() -> None:
    async def end() -> None:
        async with process() as one:
            await one.search("python", BROKEN, 0)
            first = pid(one)
        assert await gone(first)  # it is waited for: nothing is left for the loop's end
        async with process() as other:
            waiting = asyncio.create_task(other.search("python", MANY, 0))
            while other._process is None or other._process.stdin is None:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            last = pid(other)
            other._process.stdin.close()
            assert await waiting == NOTHING
            assert await gone(last)

    asyncio.run(end())
