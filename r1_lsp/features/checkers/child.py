"""Runs one program on one text: no shell, bounded time, bounded output, and nothing of it left behind."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_MOST_OUTPUT = 4_000_000


@dataclass(frozen=True, slots=True)
class Output:
    code: int
    stdout: bytes


async def run(argv: Sequence[str], text: bytes, *, cwd: str | None, timeout_s: float) -> Output | None:
    """What a program prints when it is given `text` on stdin; None when it is missing, too slow or too talkative.

    Its whole process group ends with it, also when we are cancelled.
    """
    program = found(argv[0], cwd)
    if program is None:
        return None
    try:
        process = await asyncio.create_subprocess_exec(
            program, *argv[1:],
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            cwd=cwd, start_new_session=True,
        )  # fmt: skip
    except OSError:
        return None
    try:
        async with asyncio.timeout(timeout_s):
            _, said = await asyncio.gather(_give(process, text), _take(process))
            code = await process.wait() if len(said) <= _MOST_OUTPUT else None
    except TimeoutError:
        return None
    finally:
        await _end(process)
    return None if code is None else Output(code, said)


def found(program: str, cwd: str | None) -> str | None:
    """The file a program name means. A bare name is never looked up in the current directory, whatever PATH says."""
    if os.sep in program:
        path = Path(cwd or ".", Path(program).expanduser())
        return str(path) if path.is_file() else None
    folders = [folder for folder in os.get_exec_path() if Path(folder).is_absolute()]
    return shutil.which(program, path=os.pathsep.join(folders))


async def _give(process: asyncio.subprocess.Process, text: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(text)
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _take(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    taken = bytearray()
    while piece := await process.stdout.read(65536):
        taken += piece
        if len(taken) > _MOST_OUTPUT:
            break
    return bytes(taken)


async def _end(process: asyncio.subprocess.Process) -> None:
    """The group goes even if its leader is gone: a checker may have started others."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # Before the wait, which is over only when the pipes are: a grandchild may hold them, or nobody read them.
    process._transport.close()  # type: ignore[attr-defined]
    await process.wait()
