"""Files looked at in parallel processes (r1_lsp.cli.examiner), our end of it.

Each child has one file at a time and a few more waiting. One that crashes or is stuck costs the answer about its file,
which becomes a sentence, and is replaced.
"""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import IO

from r1_lsp.cli.console import Failure, visible
from r1_lsp.cli.examine import Examined, Task
from r1_lsp.cli.examiner import LENGTH, frame, message_in, unanswered

FILE_S = 60.0
"""The most a file may take, by the clock: the budgets inside are less than half, a loaded machine may need the rest."""
START_S = 60.0
WAITING = 4
"""Files a child has before it, so that it never waits for us."""
FILES_PER_CHILD = 20
"""A child takes a fifth of a second to start, as long as some twenty files."""
MOST_FAILED_STARTS = 3
_ANY_LENGTH = 2**31
"""A reader that never pauses: it would not notice the end of a child that was killed."""
COMMAND = (sys.executable, "-I", "-m", "r1_lsp.cli.examiner")

Heard = Callable[[Examined], None]


def usual_jobs() -> int:
    """All cores but one, which the user keeps; one at least."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cores - 1)


def examined(
    tasks: Sequence[Task],
    *,
    jobs: int,
    heard: Heard = lambda _: None,
    command: Sequence[str] = COMMAND,
    file_s: float = FILE_S,
) -> list[Examined]:
    """The answers about all files, in the order of the tasks; `heard` gets each as it comes.

    Raises Failure when no child can be started.
    """
    run = _Run(tasks, heard, command, file_s)
    try:
        asyncio.run(run.all(min(jobs, -(-len(tasks) // FILES_PER_CHILD))))
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    return [answer for answer in run.answers if answer is not None]


class _Gone(Exception):
    """A child ended; says how."""


class _Run:
    """One run: what waits, what is answered. Event-loop thread only."""

    def __init__(self, tasks: Sequence[Task], heard: Heard, command: Sequence[str], file_s: float) -> None:
        self._waiting = deque(enumerate(tasks))
        self._heard, self._command, self._file_s = heard, command, file_s
        self._failed_starts = 0
        self.answers: list[Examined | None] = [None] * len(tasks)

    async def all(self, jobs: int) -> None:
        """Until every task has its answer."""
        async with asyncio.TaskGroup() as group:
            for _ in range(jobs):
                group.create_task(self._keep_one_busy())

    async def _keep_one_busy(self) -> None:
        while self._waiting:
            with tempfile.TemporaryFile() as said:
                async with _child(self._command, said) as child:
                    if await self._is_ready(child, said):
                        await self._feed(child, said)

    async def _is_ready(self, child: Process, said: IO[bytes]) -> bool:
        """Raises Failure after several that were not."""
        try:
            async with asyncio.timeout(START_S):
                await _next(child, said)
        except (TimeoutError, _Gone) as reason:
            self._failed_starts += 1
            if self._failed_starts < MOST_FAILED_STARTS:
                return False
            raise Failure(f"no process could be started to look at files: {reason or 'it takes too long'}") from None
        self._failed_starts = 0
        return True

    async def _feed(self, child: Process, said: IO[bytes]) -> None:
        """Until nothing waits, or the child is lost."""
        given: deque[tuple[int, Task]] = deque()
        while self._waiting or given:
            while self._waiting and len(given) < WAITING:
                given.append(self._waiting.popleft())
                _send(child, given[-1][1])
            number, task = given[0]
            try:
                async with asyncio.timeout(self._file_s):
                    answer = await _next(child, said)
            except TimeoutError:
                answer, lost = unanswered(task, f"no answer within {self._file_s:g} s"), True
            except _Gone as gone:
                answer, lost = unanswered(task, f"the process that looked at it {gone}"), True
            else:
                lost = False
            given.popleft()
            if lost:
                self._waiting.extendleft(reversed(given))
            assert answer is not None
            self.answers[number] = answer
            self._heard(answer)
            if lost:
                return


@asynccontextmanager
async def _child(command: Sequence[str], said: IO[bytes]) -> AsyncIterator[Process]:
    """A child for as long as it is wanted. In a session of its own: Ctrl-C at the terminal is for us to handle."""
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=said, start_new_session=True, limit=_ANY_LENGTH
        )
    except OSError as error:
        raise Failure(f"no process could be started to look at files: {error.strerror or error}") from None
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _send(child: Process, task: Task) -> None:
    assert child.stdin is not None
    # Without waiting for it to be read: the child may be waiting for us to read.
    if not child.stdin.is_closing():
        child.stdin.write(frame(task))


async def _next(child: Process, said: IO[bytes]) -> Examined | None:
    """The next frame. Raises _Gone when the child ended before it was whole."""
    assert child.stdout is not None
    try:
        (length,) = LENGTH.unpack(await child.stdout.readexactly(LENGTH.size))
        answer: Examined | None = message_in(await child.stdout.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        raise _Gone(_end_of(await child.wait(), said)) from None
    return answer


def _end_of(code: int, said: IO[bytes]) -> str:
    """How a child ended: by which signal, or with which last words."""
    if code < 0:
        names = {known.value: known.name for known in signal.Signals}
        return f"was ended by {names.get(-code, f'signal {-code}')}"
    said.seek(0)
    words = said.read().decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(words) if line.strip()), f"exit code {code}")
    return f"failed ({visible(last[:200])})"
