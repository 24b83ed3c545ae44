"""The workers of a conversion, as their parent sees them: processes that each do one job at a time.

A worker gets its next job when its last answer has been dealt with, so that what a killed parent has not written down
is never more than the slots that were being made.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Final, Self

from gguf_convert.errors import (
    ConversionError,
    RecipeError,
    SourceError,
    TargetError,
    Unsupported,
    WeightsTooLarge,
    WorkerDied,
)
from gguf_convert.jobs import Answer, Failed, HashSource, HashTensor, Job, Material, Setup, receive, send
from gguf_convert.slots import Slot

_ENVIRONMENT: Final[Mapping[str, str]] = {
    "OMP_NUM_THREADS": "1",  # one thread per worker; a pool of a library would only take memory
    "OPENBLAS_NUM_THREADS": "1",
    "GGML_NO_BACKTRACE": "1",  # ggml would start a debugger
    # One arena, kept: slots follow each other, and pages that are given back must be cleared again.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(2**28),
    "MALLOC_TRIM_THRESHOLD_": str(2**28),
}
_ERRORS: Final[Mapping[str, type[ConversionError]]] = {
    kind.__name__: kind for kind in (RecipeError, SourceError, TargetError, Unsupported, WeightsTooLarge)
}


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    jobs: IO[bytes]
    answers: IO[bytes]
    job: Job | None = None
    tensor: int | None = None


class Crew:
    """`with Crew(setup, material, count) as crew`: the processes live as long as the block. `material` says what the
    slots of a tensor are made from. `keep` are descriptors that workers hold open (the lock), and do not use.
    """

    def __init__(
        self, setup: Setup, material: Callable[[int], Material], count: int, keep: tuple[int, ...] = ()
    ) -> None:
        self._setup = setup
        self._material = material
        self._count = count
        self._keep = keep
        self._workers: list[_Worker] = []
        self._ready = selectors.DefaultSelector()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - what workers say when they die; closed in _end

    def __enter__(self) -> Self:
        try:
            for _ in range(self._count):
                self._workers.append(self._start())
            for worker in self._workers:
                self._tell(worker, self._setup)
        except BaseException:
            self._end(kill=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(kill=kind is not None)

    def _end(self, *, kill: bool) -> None:
        for worker in self._workers:
            if kill:
                worker.process.kill()
            _close(worker)
        for worker in self._workers:
            worker.process.wait()
        self._ready.close()
        self._words.close()

    def answers(self, next_job: Callable[[], Job | None]) -> Iterator[tuple[Job, Answer]]:
        """Every job of `next_job` and its answer, as they come. `next_job` says None when there is none at present; it
        is asked again after each answer. Raises the ConversionError that a worker met, or WorkerDied.
        """
        while True:
            self._employ(next_job)
            if all(worker.job is None for worker in self._workers):
                return
            key = self._ready.select()[0][0]
            worker = key.data
            job, answer = worker.job, receive(worker.answers)
            if answer is None:
                raise WorkerDied(self._obituary(worker))
            if isinstance(answer, Failed):
                raise _ERRORS.get(answer.kind, ConversionError)(answer.sentence)
            worker.job = None
            yield job, answer

    def _employ(self, next_job: Callable[[], Job | None]) -> None:
        for worker in self._workers:
            if worker.job is None:
                worker.job = next_job()
                if worker.job is None:
                    return
                if isinstance(worker.job, Slot) and worker.tensor != worker.job.tensor:
                    worker.tensor = worker.job.tensor
                    self._tell(worker, self._material(worker.tensor))
                self._tell(worker, worker.job)

    def _tell(self, worker: _Worker, message: Setup | Material | Job) -> None:
        try:
            send(worker.jobs, message)
        except BrokenPipeError:
            raise WorkerDied(self._obituary(worker)) from None

    def _start(self) -> _Worker:
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-m", "gguf_convert.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._words,
                pass_fds=self._keep,
                env={**os.environ, **_ENVIRONMENT},
            )
        except OSError as exc:
            raise WorkerDied(
                f"a worker process cannot be started: {exc.strerror or exc}; fewer may do (--workers N)"
            ) from exc
        assert process.stdin is not None
        assert process.stdout is not None
        worker = _Worker(process, process.stdin, process.stdout)
        self._ready.register(process.stdout, selectors.EVENT_READ, worker)
        return worker

    def _obituary(self, worker: _Worker) -> str:
        code = worker.process.wait()
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"a worker process {how} {self._at_work(worker.job)}{self._last_words()}"

    def _at_work(self, job: Job | None) -> str:
        if job is None:
            return "while it had nothing to do"
        if isinstance(job, HashSource):
            return f"while it read {job.shard}"
        name = self._material(job.tensor).tensor.target.name
        if isinstance(job, HashTensor):
            return f"while it hashed {name}"
        return f"while it made rows {job.start} to {job.stop} of {name}"

    def _last_words(self) -> str:
        self._words.seek(0)
        lines = self._words.read().decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return f" ({said[-1][:200]})" if said else ""


def _close(worker: _Worker) -> None:
    for stream in (worker.jobs, worker.answers):
        with contextlib.suppress(BrokenPipeError):  # it died with a job half sent
            stream.close()
