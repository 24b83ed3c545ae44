"""The journal of a conversion: what is already in the output, so that the same command goes on where the last ended.

JSON lines. The first says which conversion it is; then one line for each slot made, tensor hashed, source hashed, and
now and then `{"synced": N}`: what the first N lines say has reached the disk. A line is written in one piece when its
bytes are in the file, so a killed process loses nothing that has a line. After a power failure lines may be there whose
bytes are not: those behind the last `synced` are compared with the output before they are believed.

The file is also the lock of its conversion. Workers hold it open too, so nobody begins while an orphan still writes.
"""

import fcntl
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gguf_convert.errors import TargetError
from gguf_convert.jobs import Made
from gguf_convert.output import writing
from gguf_convert.slots import Slot

SUFFIX: Final = ".partial.journal"
_PATIENCE_S: Final = 30.0
"""Workers whose parent was killed finish their slot first."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A tensor that is whole in the output: its hash, and the sums of `Made` over all of it."""

    sha256: str
    error: float
    energy: float


@dataclass(slots=True)
class Done:
    """What the journal says is done. `parts` has the slots of tensors that are not finished: (start, stop) -> (error,
    energy); `unsynced` the slots that are to be compared with the output: their lines and CRC-32.

    R1 has 700,000 slots. What is finished is kept as one record, so that memory does not grow with them.
    """

    parts: dict[int, dict[tuple[int, int], tuple[float, float]]] = field(default_factory=dict)
    unsynced: dict[Slot, tuple[int, int]] = field(default_factory=dict)
    tensors: dict[int, Finished] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    complete: bool = False

    @property
    def nothing(self) -> bool:
        """Whether no row of the output is made."""
        return not self.parts and not self.tensors

    def rows(self, tensor: int) -> int:
        """How many rows of an unfinished tensor are made."""
        return sum(stop - start for start, stop in self.parts.get(tensor, ()))

    def made(self, slot: Slot, made: Made, line: int) -> None:
        self.parts.setdefault(slot.tensor, {})[slot.start, slot.stop] = (made.error, made.energy)
        self.unsynced[slot] = (line, made.crc)

    def finished(self, tensor: int, sha256: str) -> None:
        # In the order of rows and rounded once, so that the sums do not depend on which worker was faster.
        sums = [sums for _, sums in sorted(self.parts.pop(tensor).items())]
        error, energy = (math.fsum(column) for column in zip(*sums, strict=True))
        self.tensors[tensor] = Finished(sha256, error, energy)

    def synced(self, lines: int) -> None:
        self.unsynced = {slot: known for slot, known in self.unsynced.items() if known[0] >= lines}

    def lost(self, tensor: int) -> None:
        """Nothing of this tensor is believed any more."""
        self.parts.pop(tensor, None)
        self.tensors.pop(tensor, None)
        self.unsynced = {slot: known for slot, known in self.unsynced.items() if slot.tensor != tensor}


class Journal:
    """An open journal. Whoever has one is the only one who writes this output."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.lines = 0
        self.identity: Mapping[str, Any] | None = None
        self.done = Done()
        self._read()

    def begin(self, identity: Mapping[str, Any]) -> None:
        """Empties it and writes the first line, which says which conversion this is."""
        os.ftruncate(self.descriptor, 0)
        self.lines, self.done, self.identity = 0, Done(), identity
        self._append(identity)

    def made(self, slot: Slot, made: Made) -> None:
        """A slot is in the output."""
        line = self.lines
        self._append({"slot": [slot.tensor, slot.start, slot.stop], "crc": made.crc, "sums": [made.error, made.energy]})
        self.done.made(slot, made, line)

    def hashed_tensor(self, tensor: int, sha256: str) -> None:
        """All slots of a tensor are in the output, and this is their hash."""
        self._append({"tensor": tensor, "sha256": sha256})
        self.done.finished(tensor, sha256)

    def hashed_source(self, shard: str, sha256: str) -> None:
        """A file of the checkpoint has this hash."""
        self._append({"source": shard, "sha256": sha256})
        self.done.sources[shard] = sha256

    def synced(self, lines: int) -> None:
        """What the first `lines` lines say has reached the disk."""
        self._append({"synced": lines})
        self.done.synced(lines)

    def settle(self) -> None:
        """Waits until every line is on the disk."""
        with writing(self.path):
            os.fdatasync(self.descriptor)

    def complete(self) -> None:
        """Everything is in the output and on the disk; only names are left to change."""
        self._append({"complete": True})
        os.fsync(self.descriptor)
        self.done.complete = True

    def lost(self, tensor: int) -> None:
        """What the journal says of a tensor is not what the output holds: it is to be made anew."""
        self._append({"lost": tensor})
        self.done.lost(tensor)

    def _append(self, value: Mapping[str, Any]) -> None:
        line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        with writing(self.path):
            written = os.write(self.descriptor, line)
        if written < len(line):  # half a line would end what the next run reads
            raise TargetError(f"{self.path} cannot be written: the disk is full")
        self.lines += 1

    def _read(self) -> None:
        """Takes in whole, sound lines; what follows the first that is not is cut off."""
        good = 0
        with os.fdopen(os.dup(self.descriptor), "rb") as file:
            file.seek(0)
            for line in file:
                if not line.endswith(b"\n") or not self._take(line):
                    break
                good += len(line)
                self.lines += 1
        os.ftruncate(self.descriptor, good)

    def _take(self, line: bytes) -> bool:
        try:
            value = json.loads(line)
            if self.identity is None:
                self.identity = value if "plan" in value else None
                return self.identity is not None
            return _note(value, self.done, self.lines)
        except (ValueError, TypeError, KeyError):
            return False


@contextmanager
def locked(path: Path) -> Iterator[Journal]:
    """The journal at `path`, new or as it was left. Raises TargetError when another process has it."""
    descriptor = _locked_file(path)
    try:
        yield Journal(path, descriptor)
    finally:
        os.close(descriptor)


def _note(value: Mapping[str, Any], done: Done, line: int) -> bool:
    if "slot" in value:
        tensor, start, stop = map(int, value["slot"])
        error, energy = map(float, value["sums"])
        done.made(Slot(tensor, start, stop), Made(int(value["crc"]), error, energy), line)
    elif "tensor" in value:
        done.finished(int(value["tensor"]), str(value["sha256"]))
    elif "source" in value:
        done.sources[str(value["source"])] = str(value["sha256"])
    elif "synced" in value:
        done.synced(int(value["synced"]))
    elif "lost" in value:
        done.lost(int(value["lost"]))
    else:
        done.complete = bool(value["complete"])
    return True


def _locked_file(path: Path) -> int:
    """The descriptor of the file at `path`, locked. Whoever had it before may have removed it meanwhile."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as exc:
            raise TargetError(f"{path} cannot be written: {exc.strerror or exc}") from exc
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise TargetError(f"another conversion is writing {path.name.removesuffix(SUFFIX)}") from None
        except FileNotFoundError:
            pass
        except OSError as exc:
            os.close(descriptor)
            raise TargetError(f"{path} cannot be locked: {exc.strerror or exc}") from exc
        os.close(descriptor)
        time.sleep(0.05)
