"""llama.cpp's importance matrices, in both formats: how much each input of a weight matters, measured on a text.

A quantiser minimises the squared error weighted by the mean square of the input that each column meets. For experts
that is known for each of them apart, over the tokens that were routed to it; one that saw none counts every column
alike. For R1 the file has a gigabyte, so it is checked once, in pieces, and read where a worker needs it.

Formats learnt from llama.cpp's common/imatrix-loader.cpp, the arithmetic from its tools/quantize/quantize.cpp.
"""

import hashlib
import io
import os
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from engine.models.gguf_header import MAX_TENSOR_NAME, MAX_TENSORS, GgufError, GgufHeader, Tensor, read_header
from gguf_convert.errors import RecipeError
from gguf_convert.fields import Field
from gguf_convert.tensors import TargetTensor

_PIECE: Final = 2**20
_SUMS, _COUNTS = ".in_sum2", ".counts"
_INT = struct.Struct("<i")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one tensor: `size` float32 sums of squares from `offset` on, in bytes, in the file. They are
    for each of `counts` (experts, or one) behind the other, and so many tokens went into each.
    """

    offset: int
    size: int
    counts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """`values` weigh the columns of the rows [start, stop) of a tensor; None where nothing is known."""

    start: int
    stop: int
    values: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Importance:
    """An importance matrix in a file; a value that can be sent to a worker. `entries` by the tensors' names, `chunks`
    the pieces of text it was measured on, `datasets` what these are called.
    """

    path: Path
    entries: Mapping[str, Entry]
    chunks: int = 0
    datasets: tuple[str, ...] = ()

    def for_rows(self, tensor: TargetTensor, start: int, stop: int) -> Iterator[Weights]:
        """What the rows [start, stop) of a tensor are weighed by, expert by expert.

        Raises RecipeError when the file has another number of values than the tensor has columns and experts, and when
        it cannot be read any more.
        """
        entry = self._entry_of(tensor)
        if entry is None:
            yield Weights(start, stop, None)
            return
        each = tensor.shape[1] if len(tensor.shape) > 1 else 1
        while start < stop:
            end = min(stop, (start // each + 1) * each)
            yield Weights(start, end, self._mean_squares(entry, start // each * tensor.row_length, tensor.row_length))
            start = end

    def check(self, tensors: Iterable[TargetTensor]) -> None:
        """Raises RecipeError when it was measured on a model of another shape."""
        for tensor in tensors:
            self._entry_of(tensor)

    def fields(self) -> tuple[Field, ...]:
        """What llama.cpp's quantiser writes into a file that was made with it; of the path only the name."""
        dataset = (Field("quantize.imatrix.dataset", "string", self.datasets[0]),) if self.datasets else ()
        return (
            Field("quantize.imatrix.file", "string", self.path.name),
            *dataset,
            Field("quantize.imatrix.entries_count", "u32", len(self.entries)),
            *((Field("quantize.imatrix.chunks_count", "u32", self.chunks),) if self.chunks else ()),
        )

    def _entry_of(self, tensor: TargetTensor) -> Entry | None:
        entry = self.entries.get(tensor.name)
        if entry is None:
            return None
        wanted = tensor.row_length * (tensor.shape[2] if len(tensor.shape) > 2 else 1)
        if entry.size == wanted:
            return entry
        if tensor.name in {"token_embd.weight", "per_layer_token_embd.weight"}:
            return None  # what was measured is not what the rows of an embedding meet; llama.cpp ignores it too
        raise RecipeError(
            f"the importance matrix {self.path} is of another model: it has {entry.size} values for {tensor.name}, "
            f"which needs {wanted}"
        )

    def _mean_squares(self, entry: Entry, first: int, length: int) -> NDArray[np.float32]:
        """The values [first, first + length) of an entry, each divided by its count; ones where that is 0."""
        sums = _floats(self.path, entry.offset + first * 4, length)
        each = entry.size // len(entry.counts)
        counts = np.array(entry.counts, dtype=np.float32)[np.arange(first, first + length) // each]
        seen = counts > 0
        return np.divide(sums, counts, out=np.ones_like(sums), where=seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What an importance matrix does not know of a model. `missing` tensors have no data; `unseen` says of how many
    experts no token came to, by tensor.
    """

    missing: tuple[str, ...]
    unseen: Mapping[str, int]


def coverage(importance: Importance, names: Iterable[str]) -> Coverage:
    """For the tensors that are to be quantised."""
    names = list(names)
    unseen = {
        name: sum(count <= 0 for count in importance.entries[name].counts)
        for name in names
        if name in importance.entries
    }
    return Coverage(
        missing=tuple(name for name in names if name not in importance.entries),
        unseen={name: count for name, count in unseen.items() if count},
    )


def coverage_warnings(importance: Importance, names: Iterable[str]) -> Iterator[str]:
    """The same as sentences for the user; none when everything is known."""
    found = coverage(importance, names)
    if found.missing:
        yield f"the importance matrix has no data for {_and_more(found.missing)}; there every column counts alike"
    if found.unseen:
        experts = sum(found.unseen.values())
        where = _and_more([*found.unseen])
        yield f"no token came to {experts} experts while the importance matrix was measured, in {where}"


def _and_more(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} other tensors"


def read_imatrix(path: Path) -> Importance:
    """Opens an importance matrix of either format and checks all of it.

    Raises RecipeError with one sentence when there is none at `path` or it is not sound: cut off, values that are no
    numbers or negative.
    """
    try:
        with path.open("rb") as file:
            is_gguf = file.read(4) == b"GGUF"
            file.seek(0)
            importance = _from_gguf(path) if is_gguf else _Legacy(path, file).importance()
    except (OSError, GgufError) as exc:
        raise RecipeError(f"the importance matrix {path} cannot be read: {_reason(exc)}") from exc
    for name, entry in importance.entries.items():
        _check_values(path, name, entry)
    return importance


def sha256_of(path: Path) -> str:
    """The sha256 of the file, in hexadecimal digits. Raises RecipeError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise RecipeError(f"the importance matrix {path} cannot be read: {_reason(exc)}") from exc


def _reason(exc: Exception) -> str:
    return (exc.strerror if isinstance(exc, OSError) else None) or str(exc)


def _unsound(path: Path, what: str) -> RecipeError:
    return RecipeError(f"the importance matrix {path} {what}")


def _check_name(path: Path, name: str) -> None:
    """Names go into sentences for the user's terminal."""
    if not name.isprintable() or "\ufffd" in name:
        raise _unsound(path, "has a name that cannot be read")


def _from_gguf(path: Path) -> Importance:
    header = read_header(path)
    if header.byte_order != "little":
        raise _unsound(path, "is written in another byte order")
    if "imatrix.chunk_count" not in header.metadata or "imatrix.datasets" not in header.metadata:
        raise _unsound(path, "is a GGUF file, and not an importance matrix")
    for tensor in header.tensors:
        _check_name(path, tensor.name)
    sums = dict(_ending(header, _SUMS))
    counts = dict(_ending(header, _COUNTS))
    if not sums or sums.keys() != counts.keys():
        odd = next(iter(sorted(sums.keys() ^ counts.keys())), None)
        raise _unsound(path, f"has sums or counts alone for {odd}" if odd else "has no entries")
    datasets = header.metadata["imatrix.datasets"]
    return Importance(
        path=path,
        entries={name: _entry(path, header, name, sums[name], counts[name]) for name in sums},
        chunks=header.number("imatrix.chunk_count") or 0,
        datasets=tuple(map(str, datasets)) if isinstance(datasets, tuple) else (),
    )


def _ending(header: GgufHeader, ending: str) -> Iterator[tuple[str, Tensor]]:
    return ((t.name.removesuffix(ending), t) for t in header.tensors if t.name.endswith(ending))


def _entry(path: Path, header: GgufHeader, name: str, sums: Tensor, counts: Tensor) -> Entry:
    if sums.type.name != "F32" or counts.type.name != "F32":
        raise _unsound(path, f"has {sums.type.name} and {counts.type.name} for {name}, which must be F32")
    if sums.elements % counts.elements:
        raise _unsound(path, f"has {counts.elements} counts for {sums.elements} sums of {name}")
    found = _floats(path, header.data_start + counts.offset, counts.elements)
    if not np.isfinite(found).all():
        raise _unsound(path, f"has a count of {name} that is no number")
    # Rounded as lround does, halves away from 0.
    whole = np.trunc(found.astype(np.float64) + np.copysign(0.5, found))
    return Entry(header.data_start + sums.offset, sums.elements, tuple(whole.astype(np.float32).tolist()))


class _Legacy:
    """The format without a magic number: counts of entries and lengths as int32, little endian."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._end = os.fstat(file.fileno()).st_size

    def importance(self) -> Importance:
        n_entries = self._int("no entries")
        if not 1 <= n_entries <= MAX_TENSORS:
            raise _unsound(self._path, "is neither a GGUF file nor one of llama.cpp's older format")
        entries: dict[str, Entry] = {}
        for _ in range(n_entries):
            name, entry = self._entry()
            if name in entries:
                raise _unsound(self._path, f"has {name} twice")
            entries[name] = entry
        chunks, datasets = self._trailer()
        return Importance(path=self._path, entries=entries, chunks=chunks, datasets=datasets)

    def _entry(self) -> tuple[str, Entry]:
        length = self._int("a name")
        if not 1 <= length <= MAX_TENSOR_NAME:
            raise _unsound(self._path, f"has a name of {length} bytes")
        name = self._file.read(length).decode("utf-8", "replace")
        _check_name(self._path, name)
        calls, size = self._int(name), self._int(name)
        offset = self._file.tell()
        if size < 1 or size * 4 > self._end - offset:
            raise _unsound(self._path, f"claims {size} values for {name}, more than it has")
        self._file.seek(size * 4, io.SEEK_CUR)
        # What is there was divided by the count and multiplied by the calls; without calls it is taken as it is.
        return name, Entry(offset, size, (float(np.float32(calls)) if calls > 0 else 1.0,))

    def _trailer(self) -> tuple[int, tuple[str, ...]]:
        """Optional: how many pieces of text, and what the text was called."""
        if self._end - self._file.tell() < 2 * _INT.size:
            return 0, ()
        chunks, length = self._int("an end"), self._int("an end")
        if not 0 < length <= min(self._end - self._file.tell(), 4096):
            return max(chunks, 0), ()
        return max(chunks, 0), (self._file.read(length).decode("utf-8", "replace").rstrip("\0"),)

    def _int(self, of: str) -> int:
        raw = self._file.read(_INT.size)
        if len(raw) < _INT.size:
            raise _unsound(self._path, f"is cut off at {of}")
        return int(_INT.unpack(raw)[0])


def _check_values(path: Path, name: str, entry: Entry) -> None:
    step = _PIECE // 4
    for first in range(0, entry.size, step):
        values = _floats(path, entry.offset + first * 4, min(step, entry.size - first))
        if not np.isfinite(values).all() or values.min() < 0:
            raise _unsound(path, f"has a value for {name} that is negative or no number")


def _floats(path: Path, offset: int, count: int) -> NDArray[np.float32]:
    """So many float32 of the file, from the offset in bytes on."""
    try:
        with path.open("rb") as file:
            raw = os.pread(file.fileno(), count * 4, offset)
    except OSError as exc:
        raise RecipeError(f"the importance matrix {path} cannot be read: {_reason(exc)}") from exc
    if len(raw) < count * 4:
        raise _unsound(path, "became shorter while it was read")
    return np.frombuffer(raw, dtype="<f4")
