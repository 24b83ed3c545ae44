"""Hosts for tests: real host processes with scripts, in a runtime directory of their own; and their remains."""

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine import place, platform
from engine.client import EngineClient, HostDoor
from engine.supervisor import Supervisor, Watch
from engine.types import Chunk, EngineOptions, GenerateRequest, TextPrompt

SLOW: dict[str, Any] = {"default": {"reply": "one two three four five six seven eight nine ten " * 20, "delay_s": 0.02}}
SHORT_GRACE = ("--after-last-s", "0.5", "--for-first-s", "10")
"""The five seconds of grace, shortened where they are not what is tested."""


@dataclass
class Stage:
    """A private runtime directory, the hosts started in it, and the clients to close."""

    directory: Path
    files: list[place.HostFiles] = field(default_factory=list)

    def options(self, script: dict[str, Any] | None = None) -> EngineOptions:
        path = self.directory / "script.json"
        path.write_text(json.dumps(script or SLOW))
        options = EngineOptions(script=str(path))
        self.files = [place.host_files(self.directory, options)]
        return options

    @contextlib.asynccontextmanager
    async def client(
        self,
        options: EngineOptions,
        *,
        watch: Watch | None = None,
        command: tuple[str, ...] | None = None,
        extra: tuple[str, ...] = SHORT_GRACE,
        on_tcp: bool = False,
    ) -> AsyncIterator[EngineClient]:
        command = command or (os.fspath(python()), "-I", "-m", "engine.host", *extra)
        supervisor = Supervisor(
            options, directory=self.directory, command=command, watch=watch or Watch(), on_tcp=on_tcp
        )
        client = EngineClient(options, door=HostDoor(supervisor))
        try:
            yield client
        finally:
            await client.close()

    def pid(self) -> int | None:
        return platform.holder(self.files[0].lock)

    def remains(self) -> list[str]:
        return sorted(path.name for path in self.directory.iterdir() if path.name.startswith("host-"))


@contextlib.contextmanager
def stage() -> Iterator[Stage]:
    """A stage in a short path (sockets need one). At the end, hosts that should have gone are killed."""
    made = Stage(Path(tempfile.mkdtemp(prefix="r1-")))
    try:
        yield made
    finally:
        for files in made.files:
            pid = platform.holder(files.lock)
            if pid is not None:
                platform.kill(pid)
        shutil.rmtree(made.directory, ignore_errors=True)


def python() -> Path:
    import sys

    return Path(sys.executable)


def asking(text: str = "x", **fields: Any) -> GenerateRequest:
    return GenerateRequest(prompt=TextPrompt(text=text), **fields)


async def next_piece(answer: AsyncGenerator[Chunk, None]) -> Chunk:
    """The next chunk that says something: the first may only say that the model has begun."""
    while not ((chunk := await anext(answer)).text or chunk.thinking or chunk.finish):
        pass
    return chunk


def scale(number: int) -> int:
    """`number` at the default R1_FUZZ_SCALE of 1; at least 1."""
    return max(1, round(number * float(os.environ.get("R1_FUZZ_SCALE", "1"))))


def wait_until(true: Callable[[], bool], within_s: float) -> float:
    """Waits (blocking) until `true()`; returns the seconds it took. Fails the test when it takes longer."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within_s, f"not so within {within_s} s"
        time.sleep(0.02)
    return time.monotonic() - began
