"""A block of a task that someone else may end early."""

import asyncio
from types import TracebackType


class Interruptible:
    """`async with Interruptible(Reason()) as block:`; elsewhere `block.interrupt()` raises the reason out of it.

    Works as `asyncio.timeout` does: the task is cancelled, and the cancellation that was ours becomes the reason at the
    border of the block. A cancellation from elsewhere passes through.
    """

    def __init__(self, reason: Exception) -> None:
        self._reason = reason
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self.interrupted = False

    async def __aenter__(self) -> "Interruptible":
        self._task = asyncio.current_task()
        assert self._task is not None
        self._cancelling = self._task.cancelling()
        return self

    def interrupt(self) -> None:
        """Ends the block; does nothing once the block was left."""
        if self._task is not None and not self.interrupted:
            self.interrupted = True
            self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, self._task = self._task, None
        if not self.interrupted or task is None:
            return
        if kind is not asyncio.CancelledError:
            await _absorb_cancellation()
        if task.uncancel() <= self._cancelling:
            raise self._reason from None


async def _absorb_cancellation() -> None:
    """Takes delivery of a cancellation that the block outran."""
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        return
