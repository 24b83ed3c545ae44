"""A host that is killed is answered for at once, replaced, and leaves nothing behind.

`make fuzz` reaches 50 kills of the host, 20 of a client and 1,000 cancels (R1_FUZZ_SCALE of 10).
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator

import aiohttp
import pytest

from engine import place, platform
from engine.client import EngineClient
from engine.errors import EngineError, EngineUnavailable
from engine.supervisor import session_for
from engine.types import Chunk, EnginePhase
from tests.engine.link.hosts import SHORT_GRACE, Stage, asking, next_piece, scale, stage, wait_until

pytestmark = [pytest.mark.process, pytest.mark.timeout(max(120, scale(120)))]
SEED = int(os.environ.get("R1_FUZZ_SEED", str(time.time_ns() % 2**32)))


@pytest.fixture(name="theatre")
def _theatre() -> Iterator[Stage]:
    print(f"R1_FUZZ_SEED={SEED}")
    with stage() as made:
        yield made


async def first_piece(client: EngineClient) -> str:
    """Asks and stops after the first piece."""
    answer = client.generate(asking())
    chunk = await next_piece(answer)
    await answer.aclose()
    return chunk.text


async def served_again(client: EngineClient, within_s: float = 20) -> str:
    """Asks until answered: a request that meets the dying host is errored, and may be."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                return await first_piece(client)
            except EngineUnavailable:
                await asyncio.sleep(0.02)


async def drained(answer: AsyncGenerator[Chunk, None]) -> None:
    async for _ in answer:
        pass


def test_kill_9_of_the_host_mid_completion(theatre: Stage) -> None:
    """Each request is answered or errored within 2 s of the kill, and the engine is back."""
    chance, answered, back = random.Random(SEED), [0.0], [0.0]

    async def cut_off(client: EngineClient) -> None:
        answer = client.generate(asking())
        await next_piece(answer)
        await asyncio.sleep(chance.random() * 0.1)
        pid = theatre.pid()
        assert pid is not None
        platform.kill(pid)
        killed = time.monotonic()
        with pytest.raises(EngineError):
            await asyncio.wait_for(drained(answer), 2)
        answered.append(time.monotonic() - killed)
        assert await served_again(client) == "one"
        back.append(time.monotonic() - killed)
        assert theatre.pid() != pid

    async def work() -> None:
        async with theatre.client(theatre.options()) as client:
            for _ in range(scale(5)):
                await cut_off(client)

    asyncio.run(work())
    print(f"{len(back) - 1} kills: errored after at most {max(answered):.3f} s, back after at most {max(back):.2f} s")
    wait_until(lambda: not theatre.remains(), 5)


def test_kill_9_while_waiting_for_the_first_piece(theatre: Stage) -> None:
    """A host that dies while it reads the prompt errors that request; the next one is served."""

    async def work() -> None:
        options = theatre.options({"default": {"reply": "a b c"}, "prefill_s": 0.6})
        async with theatre.client(options) as client:
            asked = asyncio.ensure_future(first_piece(client))
            await client.info()
            await asyncio.sleep(0.3)
            platform.kill(theatre.pid() or 0)
            with pytest.raises(EngineError, match="broke off"):
                await asyncio.wait_for(asked, 2)
            assert (await served_again(client)).startswith("a")

    asyncio.run(work())


CLIENT = """
import asyncio, json, sys
from pathlib import Path
from engine.client import EngineClient, HostDoor
from engine.supervisor import Supervisor
from engine.types import EngineOptions, GenerateRequest, TextPrompt

async def main():
    options = EngineOptions(script=sys.argv[2])
    command = (sys.executable, "-I", "-m", "engine.host", *sys.argv[3:])
    client = EngineClient(options, door=HostDoor(Supervisor(options, directory=Path(sys.argv[1]), command=command)))
    await client.info()
    answer = client.generate(GenerateRequest(prompt=TextPrompt(text="x")))
    await anext(answer)
    print("answering", flush=True)
    async for chunk in answer:
        pass
    await asyncio.sleep(60)

asyncio.run(main())
"""


def start_client(theatre: Stage, script: str, *extra: str) -> "subprocess.Popen[bytes]":
    """Another process, as an editor's server is one; returns once it is being answered."""
    command = [sys.executable, "-c", CLIENT, str(theatre.directory), script, *extra]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"answering\n"
    return process


def test_kill_9_of_one_client_leaves_the_other_served_and_of_all_leaves_nothing(theatre: Stage) -> None:
    """One host for both; 5 s after the last one's death no process, socket, lock or log is left."""
    options = theatre.options()

    async def outlive(others: int) -> int:
        async with theatre.client(options, extra=()) as client:
            await client.info()
            for _ in range(others):
                with await asyncio.to_thread(start_client, theatre, options.script or "") as other:
                    pid = theatre.pid()
                    answer = client.generate(asking())
                    await next_piece(answer)
                    other.kill()
                    pieces = [await anext(answer) for _ in range(20)]
                    assert all(piece.text for piece in pieces)
                    await answer.aclose()
                assert theatre.pid() == pid
            assert pid is not None
            return pid

    asyncio.run(outlive(scale(2)))
    for turn in range(scale(2)):
        # The five seconds of grace once; then shorter, to see more deaths.
        with start_client(theatre, options.script or "", *(SHORT_GRACE if turn else ())) as last:
            pid = theatre.pid()
            assert pid is not None
            last.kill()
        took = wait_until(lambda: not theatre.remains(), 6)
        time.sleep(0.2)  # the files go a moment before the process
        assert turn or took > 3
        assert not platform.is_alive(pid)


def test_what_a_killed_host_left_is_cleared_by_the_next(theatre: Stage) -> None:
    """kill -9 leaves socket, lock and log; the next client starts a new host on the same names."""
    options = theatre.options()

    async def use() -> None:
        async with theatre.client(options) as client:
            assert await first_piece(client) == "one"

    async def use_and_kill() -> None:
        async with theatre.client(options) as client:
            await first_piece(client)
            os.kill(theatre.pid() or 0, signal.SIGKILL)
            await client.close()

    asyncio.run(use_and_kill())
    assert len(theatre.remains()) == 3
    asyncio.run(use())
    wait_until(lambda: not theatre.remains(), 5)


def test_cancels_at_random_moments(theatre: Stage) -> None:
    """Closed generators and cancelled tasks stop the host's work: it is idle at once and has not grown tired."""
    chance, n = random.Random(SEED), scale(100)

    async def one(client: EngineClient) -> None:
        reading = asyncio.ensure_future(read(client))
        await asyncio.sleep(chance.random() * 0.1)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    async def read(client: EngineClient) -> list[Chunk]:
        return [chunk async for chunk in client.generate(asking())]

    async def work() -> float:
        options = theatre.options({"default": {"reply": "a b c d " * 500, "delay_s": 0.005}, "prefill_s": 0.03})
        async with theatre.client(options) as client:
            await client.info()
            for _ in range(-(-n // 10)):
                await asyncio.gather(*(one(client) for _ in range(10)))
            address = place.address_at(theatre.files[0].socket)
            assert address is not None
            async with session_for(address) as http:
                began = time.monotonic()
                while await is_busy(http, address.url):
                    assert time.monotonic() - began < 2, "the host still works on cancelled requests"
                idle = time.monotonic() - began
            assert client.status.phase is EnginePhase.READY
            return idle

    print(f"{n} cancels: idle {asyncio.run(work()):.3f} s after the last")


async def is_busy(http: aiohttp.ClientSession, url: str) -> bool:
    async with http.get(f"{url}/health") as response:
        return bool(json.loads(await response.read())["busy"])
