"""Runs the converter for the editor: a process of its own, its JSON lines as progress, its sentence as the error."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

Tell = Callable[[str, float | None], None]
"""Called with a sentence and how far the work is, 0 to 1."""

PROGRAM: Final = (sys.executable, "-I", "-m", "gguf_convert")
_GRACE_S: Final = 10.0
"""How long a converter that was told to stop may take: its workers finish what they write."""
_LONGEST_LINE: Final = 2**20


class ConversionFailed(Exception):
    """str(error) is one sentence for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to convert: a folder with a checkpoint, the file to make, and the types' name (Q4_K_M)."""

    source: str
    target: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """The files that were made, and their size together in bytes."""

    files: tuple[str, ...]
    size: int


async def convert(wish: Wish, tell: Tell, program: Sequence[str] | None = None) -> Converted:
    """Converts in a child process. Cancelling ends it; the same wish later goes on where it ended.

    Raises ConversionFailed.
    """
    process = await asyncio.create_subprocess_exec(
        *(program or PROGRAM), "convert", "--json", f"--type={wish.type}", "--", wish.source, wish.target,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        start_new_session=True, limit=_LONGEST_LINE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        complaint = asyncio.create_task(_last_line(process.stderr))
        converted = await _follow(process.stdout, tell)
        said = await complaint
        if await process.wait() != 0 or converted is None:
            raise ConversionFailed(said or "The converter ended without a word.")
        return converted
    finally:
        await _end(process)


async def _follow(lines: asyncio.StreamReader, tell: Tell) -> Converted | None:
    """Passes progress on until the converter's output ends; what it made, if it said so."""
    converted = None
    async for line in lines:
        match _event(line):
            case {"event": "progress", "done": float() | int() as done} as step:
                tell(_sentence(step), float(done))
            case {"event": "done", "files": [*files], "size": int(size)}:
                converted = Converted(files=tuple(map(str, files)), size=size)
    return converted


def _event(line: bytes) -> Any:
    with contextlib.suppress(ValueError):
        return json.loads(line)
    return None


def _sentence(event: Mapping[str, Any]) -> str:
    left, at = event.get("left"), event.get("at")
    parts = [str(at)] if isinstance(at, str) else []
    if isinstance(left, int | float):
        parts.append(f"{_duration(left)} left")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


async def _last_line(lines: asyncio.StreamReader) -> str:
    last = b""
    with contextlib.suppress(ValueError):  # a line beyond the limit
        async for line in lines:
            last = line.strip() or last
    return last.decode("utf-8", "replace").removeprefix("r1-gguf: ")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Asks a running converter to stop, as Ctrl-C would, and waits; after a while it is not asked any more."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            async with asyncio.timeout(_GRACE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
    # Its pipes may be held by a worker for a moment longer.
    process._transport.close()  # type: ignore[attr-defined]
    await process.wait()
