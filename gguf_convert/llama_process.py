"""llama.cpp with one file, in a process of its own: the asking side of `llama.py`."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from gguf_convert.errors import WorkerDied
from gguf_convert.inspect import printable

_ENVIRONMENT: Final = {"GGML_NO_BACKTRACE": "1"}  # it would start a debugger
_FRAMING: Final = ("ptrace", "warning: process", "See: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`n_tokens` of the vocabulary, the `context` in tokens that was made, and the token that `first` comes before
    every text, if any.
    """

    n_tokens: int
    context: int
    first: int | None


@dataclass(frozen=True, slots=True)
class Tokenised:
    """The ids of a text, and the bytes that they stand for."""

    ids: list[int]
    text: bytes


class LlamaProcess:
    """`with LlamaProcess(file) as llama`: the process lives as long as the block. A `context` of 0 tokens loads the
    vocabulary alone. Everything raises WorkerDied, with what llama.cpp said, when its process has ended.
    """

    def __init__(self, file: Path, *, context: int = 0, threads: int = 1) -> None:
        self._file = file
        self._job = {"file": str(file), "context": context, "threads": threads}
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - what it says when it dies; closed in __exit__
        self._process: subprocess.Popen[bytes] | None = None
        self.facts = Facts(n_tokens=0, context=0, first=None)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-m", "gguf_convert.llama"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            env={**os.environ, **_ENVIRONMENT},
        )
        try:
            told = self._ask(self._job)
        except WorkerDied:
            self.__exit__()
            raise
        self.facts = Facts(n_tokens=told["tokens"], context=told["context"], first=told["first"])
        return self

    def __exit__(self, *error: object) -> None:
        process = self._running
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        process.wait()
        self._words.close()

    def tokenise(self, text: bytes, *, special: bool = False) -> Tokenised:
        """The ids of a text; `special`: whether control tokens in it count as such."""
        told = self._ask({"text": text.decode("latin-1"), "special": special})
        return Tokenised(told["ids"], told["text"].encode("latin-1"))

    def logits(self, tokens: Sequence[int], skip: int) -> Iterator[NDArray[np.float32]]:
        """The logits after each token but the first `skip`, one row at a time. They are computed from now on, as fast
        as they are taken; all of them must be taken before anything else is asked.
        """
        self._tell({"tokens": list(tokens), "skip": skip})
        return self._rows(len(tokens) - skip)

    def _rows(self, count: int) -> Iterator[NDArray[np.float32]]:
        size = 4 * self.facts.n_tokens
        stream = self._running.stdout
        assert stream is not None
        for _ in range(count):
            row = stream.read(size)
            if len(row) < size:
                raise WorkerDied(self._obituary())
            yield np.frombuffer(row, "<f4")

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def _tell(self, job: dict[str, Any]) -> None:
        stream = self._running.stdin
        assert stream is not None
        try:
            stream.write(json.dumps(job).encode() + b"\n")
            stream.flush()
        except BrokenPipeError:
            raise WorkerDied(self._obituary()) from None

    def _ask(self, job: dict[str, Any]) -> Any:
        self._tell(job)
        stream = self._running.stdout
        assert stream is not None
        line = stream.readline()
        if not line:
            raise WorkerDied(self._obituary())
        return json.loads(line)

    def _obituary(self) -> str:
        code = self._running.wait()
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else "gave up"
        self._words.seek(0)
        lines = self._words.read().decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip() and not line.startswith(_FRAMING)]
        told = said[-2:] if code < 0 else [*said[:1], *said[-1:]]  # an assertion comes last, a refusal first
        words = "; ".join(dict.fromkeys(told))
        return f"llama.cpp {how} with {self._file}: {printable(words, 300)}"
