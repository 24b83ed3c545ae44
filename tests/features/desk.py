"""A completion desk without an editor: snapshots from text, a scripted engine, one event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import PurePath
from typing import Any, TypeVar

from ast_tools import language_of, parse
from ast_tools.lines import Lines
from engine.scripted import ScriptedEngine
from r1_lsp.features.completion import Ask, CompletionDesk, Means, Outcome, complete
from r1_lsp.settings import CompletionSettings, Settings
from r1_lsp.snapshot import Snapshot

T = TypeVar("T")

LSP_IDS = {
    ".py": "python",
    ".js": "javascript",
    ".ts": "typescript",
    ".tsx": "typescriptreact",
    ".rs": "rust",
    ".md": "markdown",
}


def snapshot_of(text: bytes | str, name: str = "input.py", *, version: int = 1) -> Snapshot:
    """A snapshot with its tree."""
    data = text.encode() if isinstance(text, str) else text
    lsp_id = LSP_IDS.get(PurePath(name).suffix, "plaintext")
    language = language_of(lsp_id, name)
    return Snapshot(
        uri=f"file:///w/{name}",
        path=f"/w/{name}",
        version=version,
        language=language,
        language_id=lsp_id,
        lines=Lines(data),
        tree=parse(language, data) if language is not None else None,
    )


def instant(settings: CompletionSettings | None = None) -> Settings:
    """Settings without a debounce."""
    return Settings(completion=replace(settings or CompletionSettings(), debounce_ms=0))


class Table:
    """A desk with its engine, inside a running loop."""

    def __init__(self, script: dict[str, Any], settings: Settings | None = None) -> None:
        self.engine = ScriptedEngine(script)
        self.engine.start()
        self.desk = CompletionDesk()
        self.settings = settings or instant()
        self.started = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, snapshot: Snapshot, offset: int, ask: Ask | None = None) -> Outcome:
        return await complete(self.desk, snapshot, offset, ask or Ask(), self.means())

    def means(self) -> Means:
        return Means(settings=self.settings, engine=self._use_engine, parsed=_same, spawn=self._spawn)

    def _use_engine(self) -> ScriptedEngine:
        self.started += 1
        return self.engine

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.engine.close()


def at_table(script: dict[str, Any], scenario: Callable[[Table], Awaitable[T]], settings: Settings | None = None) -> T:
    """Runs a scenario at a fresh desk."""

    async def main() -> T:
        table = Table(script, settings)
        try:
            return await scenario(table)
        finally:
            await table.close()

    return asyncio.run(main())


async def _same(snapshot: Snapshot) -> Snapshot:
    return snapshot
