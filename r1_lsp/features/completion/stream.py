"""A generation at work: its text goes through the judges as it comes, and it may outlive the request that began it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

from engine.types import Engine, GenerateRequest
from r1_lsp.features.completion.judge import Draft, Judge
from r1_lsp.features.completion.spot import Since, Spot

LINGER_S = 0.05
"""How long a generation goes on after its request was cancelled. Editors cancel at a key and then ask again."""

Spawn = Callable[[Coroutine[Any, Any, None], str], "asyncio.Task[None]"]


async def stream(
    engine: Engine, request: GenerateRequest, judge_of: Callable[[], Judge], heard: Callable[[Judge], None]
) -> list[Draft]:
    """Runs a request, one judge per candidate, until all judges are done; then stops the model. Raises EngineError.

    A judge takes a millisecond or two to make (`judge_of`), which is while the model reads the prompt.
    `heard` is called after each piece of text. Reasoning is not text and is passed over.
    """
    ended: set[int] = set()
    judges: list[Judge] = []
    async with aclosing(engine.generate(request)) as chunks:
        async for chunk in chunks:
            judges = judges or [judge_of() for _ in range(request.n)]
            judge = judges[chunk.index]
            if chunk.text and not judge.done:
                judge.take(chunk.text)
                heard(judge)
            judge.unfinished = judge.unfinished or chunk.finish in ("length", "budget", "loop")
            if judge.done or chunk.finish is not None:
                ended.add(chunk.index)
            if len(ended) == request.n:
                break
    return [judge.verdict() for judge in judges]


class Flight:
    """One generation for one document, shared by the requests that it can answer. Event-loop thread only."""

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.said = b""
        self.failure: str | None = None
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._waiting = 0

    def begin(self, work: Coroutine[Any, Any, None], spawn: Spawn) -> None:
        """Starts the work in the background; it reports through `heard`."""
        self._task = spawn(work, "completion")
        self._task.add_done_callback(lambda _: self._news.set())

    @property
    def over(self) -> bool:
        return self._task is None or self._task.done()

    def heard(self, text: str) -> None:
        """The first candidate's text so far."""
        self.said = text.encode("utf-8", "replace")
        self._news.set()

    def follows(self, since: Since) -> bool:
        """Whether what the user typed since is what the model is saying."""
        return self.said.startswith(since.typed) or since.typed.startswith(self.said)

    async def landed(self, since: Since | None = None) -> bool:
        """Waits for the end. False when the model said something else than was typed `since`; stops it then.

        When the waiting request is cancelled and no other joins within LINGER_S, the work is stopped.
        """
        self._waiting += 1
        try:
            if since is None and self._task is not None:
                await asyncio.wait((self._task,))
            elif since is not None and not await self._said_all(since):
                self.stop()
                return False
            self._raise_failure()
            return True
        finally:
            self._waiting -= 1
            if not self.over:
                asyncio.get_running_loop().call_later(LINGER_S, self._stop_unless_wanted)

    async def _said_all(self, since: Since) -> bool:
        """Waits for the end; False as soon as the text is not what was typed."""
        while not self.over:
            if not self.follows(since):
                return False
            self._news.clear()
            await self._news.wait()
        return True

    def stop(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()

    def _raise_failure(self) -> None:
        task = self._task
        if task is not None and not task.cancelled() and (failure := task.exception()) is not None:
            raise failure

    def _stop_unless_wanted(self) -> None:
        if not self._waiting:
            self.stop()
