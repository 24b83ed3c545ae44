"""A process that looks at files: `python -I -m r1_lsp.cli.examiner`, a child of r1_lsp.cli.examiners.

Either way go frames, four bytes of length and a pickle: Task and Examined; the first it says is None, once it is ready.
Both ends are ours, on pipes that nobody else can open. It imports little, so that it starts fast.
"""

import contextlib
import gc
import os
import pickle
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from r1_lsp.cli.examine import Examined, Task, examine

LENGTH = struct.Struct(">I")
_COLLECT_EVERY = 200
_MOST_MEMORY = 6 << 30
"""Bytes of address space. A file of the largest size we take needs a quarter of it; a grammar gone wild takes all."""


def frame(message: object) -> bytes:
    """One message on its way."""
    body = pickle.dumps(message)
    return LENGTH.pack(len(body)) + body


def message_in(body: bytes) -> Any:
    """The message of a frame, from what follows its length."""
    return pickle.loads(body)


def main(look: Callable[[Task], Examined] = examine) -> None:
    """One file after the other, until stdin closes."""
    tasks, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Nothing else may write among the frames.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _bound_memory()
    # Trees of text make much garbage and few cycles.
    gc.freeze()
    gc.disable()
    _put(answers, None)
    count = 0
    while len(head := tasks.read(LENGTH.size)) == LENGTH.size:
        _put(answers, _looked(look, message_in(tasks.read(*LENGTH.unpack(head)))))
        count += 1
        if count % _COLLECT_EVERY == 0:
            gc.collect()


def _bound_memory() -> None:
    """Where the system can: else one file may take the memory of the whole machine."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))


def _looked(look: Callable[[Task], Examined], task: Task) -> Examined:
    try:
        return look(task)
    except Exception as error:  # noqa: BLE001 - one file must not cost the others their answers, nor a new process
        return unanswered(task, f"{type(error).__name__}: {error}")


def unanswered(task: Task, why: str) -> Examined:
    """What is said of a file that could not be looked at to its end."""
    return Examined(path=task.path, language=task.language, unread=f"{task.path} was not looked at to the end: {why}")


def _put(answers: BinaryIO, message: object) -> None:
    answers.write(frame(message))
    answers.flush()


if __name__ == "__main__":
    main()
