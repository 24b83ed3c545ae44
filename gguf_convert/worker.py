"""A worker: makes slots in a process of its own. `python -I -m gguf_convert.worker`, started by `crew.py`.

ggml's assertions end the process they run in, and several processes need no interpreter lock. A worker imports little
(numpy, ctypes), writes straight to a slot's place in the output, and keeps nothing from one slot to the next; so it may
die at any moment. It ends when the parent's pipe does.
"""

import hashlib
import os
import signal
import sys
import zlib
from contextlib import ExitStack
from typing import Final

import numpy as np

from gguf_convert import ggml
from gguf_convert.checks.blocks import first_unsound
from gguf_convert.errors import ConversionError, SourceError, TargetError, WeightsTooLarge
from gguf_convert.jobs import Answer, Failed, Hashed, HashSource, HashTensor, Job, Made, Material, Setup, receive, send
from gguf_convert.plan import PlannedTensor
from gguf_convert.rows import Stored
from gguf_convert.slots import Slot
from gguf_convert.source.reader import CheckpointReader

COMPARED: Final = 8
"""Every eighth row of a tensor is read back from its bytes and compared; all of them would take a third of the time
that Q8_0 takes, and say the same.
"""
_PIECE: Final = 2**20


def main() -> None:
    """Answers jobs until the parent's end of the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides what it means
    jobs = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a print of a C library must not end up between the answers
    setup = receive(jobs)
    if setup is None:
        return
    with ExitStack() as stack:
        desk = _Desk(setup, stack)
        while (job := receive(jobs)) is not None:
            if isinstance(job, Material):
                desk.take(job)
            else:
                send(answers, desk.answer(job))


class _Desk:
    """Everything that one worker has open."""

    def __init__(self, setup: Setup, stack: ExitStack) -> None:
        self._setup = setup
        self._files = [os.open(path, os.O_RDWR | os.O_CLOEXEC) for path in setup.files]
        for file in self._files:
            stack.callback(os.close, file)
        self._readers = stack.enter_context(ExitStack())
        self._reader: CheckpointReader | None = None
        self._tensor: PlannedTensor | None = None

    def take(self, material: Material) -> None:
        """What the next slots are made from; the files of the last ones are closed."""
        self._readers.close()
        self._reader = self._readers.enter_context(CheckpointReader(material.checkpoint))
        self._tensor = material.tensor

    def answer(self, job: Job) -> Answer:
        """Does the job; what goes wrong is an answer too."""
        try:
            if isinstance(job, Slot):
                return self._made(job)
            if isinstance(job, HashTensor):
                return self._hash_of_tensor(job)
            return _hash_of_source(job)
        except ConversionError as exc:
            return Failed(type(exc).__name__, str(exc))

    def _made(self, slot: Slot) -> Made:
        assert self._reader is not None
        assert self._tensor is not None
        tensor, source = self._tensor, self._tensor.target.source
        if isinstance(source, Stored) and source.type == tensor.type:
            data = self._reader.stored(source.name, slot.start, slot.stop)
            self._write(tensor, slot.start, data)
            return Made(zlib.crc32(data.data), 0.0, 0.0)  # a copy: there is nothing to compare
        rows = source.rows(self._reader, slot.start, slot.stop)
        data = self._quantised(tensor, rows, slot.start)
        self._write(tensor, slot.start, data)
        error, energy = _compared(tensor.type, rows, data, slot.start)
        return Made(zlib.crc32(data.data), error, energy)

    def _quantised(self, tensor: PlannedTensor, rows: ggml.Floats, start: int) -> ggml.Bytes:
        data = self._weighed(tensor, rows, start)
        if first_unsound(ggml.target_type(tensor.type), data) is not None:  # scales are halves, up to 65504
            raise WeightsTooLarge(
                f"{tensor.target.name} has weights that are too large for {tensor.type}; a recipe that gives it BF16 "
                f"or F32 can hold them"
            )
        return data

    def _weighed(self, tensor: PlannedTensor, rows: ggml.Floats, start: int) -> ggml.Bytes:
        if self._setup.importance is None:
            return ggml.quantise(tensor.type, rows)
        pieces = [
            ggml.quantise(tensor.type, rows[part.start - start : part.stop - start], part.values)
            for part in self._setup.importance.for_rows(tensor.target, start, start + len(rows))
        ]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _write(self, tensor: PlannedTensor, start: int, data: ggml.Bytes) -> None:
        offset, _ = tensor.place(start, start)
        left = data.data
        while left:
            try:
                written = os.pwrite(self._files[tensor.file], left, offset)
            except OSError as exc:
                path = self._setup.files[tensor.file]
                raise TargetError(f"{path} cannot be written: {exc.strerror or exc}") from exc
            left, offset = left[written:], offset + written

    def _hash_of_tensor(self, job: HashTensor) -> Hashed:
        path = self._setup.files[job.file]
        end = job.offset + job.size
        digest = hashlib.sha256()
        for offset in range(job.offset, end, _PIECE):
            size = min(_PIECE, end - offset)
            piece = os.pread(self._files[job.file], size, offset)
            if len(piece) < size:
                raise TargetError(f"{path} became shorter while it was written")
            digest.update(piece)
        return Hashed(digest.hexdigest())


def _hash_of_source(job: HashSource) -> Hashed:
    try:
        with job.path.open("rb") as file:
            return Hashed(hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as exc:
        raise SourceError(f"{job.path} cannot be read: {exc.strerror or exc}") from exc


def _compared(type_name: str, rows: ggml.Floats, data: ggml.Bytes, start: int) -> tuple[float, float]:
    """Sums of squared errors and squared weights over the slot's rows whose number in the tensor COMPARED divides."""
    first = -start % COMPARED
    kept = rows[first::COMPARED]
    if not len(kept):
        return 0.0, 0.0
    back = ggml.dequantise(type_name, data.reshape(len(rows), -1)[first::COMPARED].reshape(-1), rows.shape[1])
    return float(np.square(kept - back, dtype=np.float64).sum()), float(np.square(kept, dtype=np.float64).sum())


if __name__ == "__main__":
    main()
