"""What the parent asks a worker, and what it answers: frames of four bytes of length and a pickle.

Both ends are ours, on pipes that nobody else can open.
"""

import pickle
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from gguf_convert.imatrix import Importance
from gguf_convert.plan import PlannedTensor
from gguf_convert.slots import Slot
from gguf_convert.source.checkpoint import Checkpoint

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a worker is told once: where the output is, and the importance matrix, if any."""

    files: tuple[Path, ...]
    importance: Importance | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """What a worker is told before its first slot of a tensor: the tensor, and the part of the checkpoint that it is
    made from. All of R1's checkpoint would take 80 MB in each worker.
    """

    tensor: PlannedTensor
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class HashTensor:
    """Asks for the sha256 of a finished tensor, as it is in the output."""

    tensor: int
    file: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class HashSource:
    """Asks for the sha256 of a file of the checkpoint."""

    shard: str
    path: Path


Job = Slot | HashTensor | HashSource


@dataclass(frozen=True, slots=True)
class Made:
    """A slot is in the file. `crc` is the CRC-32 of its bytes; `error` and `energy` are the sums of squared errors and
    of squared weights over the rows that were compared (`worker.COMPARED`).
    """

    crc: int
    error: float
    energy: float


@dataclass(frozen=True, slots=True)
class Hashed:
    """The sha256 that was asked for, in hexadecimal digits."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It could not be done: the name of the ConversionError, and its sentence."""

    kind: str
    sentence: str


Answer = Made | Hashed | Failed


def send(stream: IO[bytes], message: Any) -> None:
    """Writes one message and flushes it."""
    data = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next message; None when the other end is gone."""
    prefix = stream.read(_LENGTH.size)
    if len(prefix) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(prefix)
    data = stream.read(length)
    return pickle.loads(data) if len(data) == length else None
