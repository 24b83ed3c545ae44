"""`kill -9` of the host in the middle of a completion, seen by an editor: nothing of its documents is lost."""

import asyncio
import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import platform
from r1_lsp.cli.console import Failure
from r1_lsp.cli.session import OpenFile, session
from tests.support.fuzz import scaled, seeded

pytestmark = [pytest.mark.process, pytest.mark.fuzz, pytest.mark.timeout(600)]

BACK_S = 20.0
"""Ten times what a host of the script takes to come back on an idle machine."""


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory of sockets of this test alone, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="r1-") as folder:
        Path(folder).chmod(0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def test_a_killed_host_costs_no_edit(runtime: Path, tmp_path: Path) -> None:
    chance, kills = seeded("documents survive"), scaled(3)
    rules = [{"match": rf"name_{number} =\s*$", "reply": f"value_{number}\n"} for number in range(kills)]
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"rules": rules, "default": {"reply": "slow " * 200, "delay_s": 0.01}}), "utf-8")
    settings = {"engine": {"script": str(script)}, "completion": {"debounceMs": 0, "candidates": 1}}

    async def story() -> None:
        async with session(tmp_path, settings=settings) as editor:
            file = editor.open(tmp_path / "a.py", "é = '😀'\n".encode())
            await editor.ready()
            for number in range(kills):
                await _killed_while_answering(file, runtime, chance)
                file.replace([(len(file.text), len(file.text), f"name_{number} = \n".encode())])
                assert await _answer(file, len(file.text) - 1) == f"value_{number}"

    asyncio.run(story())


async def _killed_while_answering(file: OpenFile, runtime: Path, chance: random.Random) -> None:
    asked = asyncio.create_task(_shown(file, len(file.text)))
    await asyncio.sleep(chance.uniform(0, 0.3))
    [lock] = runtime.rglob("*.lock")
    pid = platform.holder(lock)
    if pid is not None:
        platform.kill(pid)
    await asyncio.wait_for(asked, BACK_S)  # answered, if only with silence


async def _answer(file: OpenFile, offset: int) -> str:
    """What is shown once the host is back."""
    async with asyncio.timeout(BACK_S):
        while not (shown := await _shown(file, offset)):
            await asyncio.sleep(0.1)
    return shown


async def _shown(file: OpenFile, offset: int) -> str:
    try:
        items = await file.complete(offset)
    except Failure:
        return ""
    return str(items[0].insert_text).strip() if items else ""
