"""Reads weights of a checkpoint, any range of rows at a time, as the float32 values that they mean."""

import os
from collections.abc import Iterator, Mapping
from math import prod
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gguf_convert.errors import SourceError, Unsupported
from gguf_convert.rows import Rows32
from gguf_convert.source.checkpoint import Checkpoint, Shard
from gguf_convert.source.decode import DECODERS, from_gptq, scale_blocks, unpack
from gguf_convert.source.gptq import PARTS, Packed, packed_of
from gguf_convert.tensors import SourceTensor

_OF_ACTIVATIONS = ("activation_scale", "input_scale")  # for FP8 arithmetic, which ggml does not do
_LARGEST_READ = 2**30  # the system reads a little less than 2 GiB at once


def logical_weights(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Names of the checkpoint's weights as the model sees them, in the order of the files.

    Scales of FP8 blocks and of activations are left out, and the four parts of a GPTQ matrix X appear as X.weight.
    """
    tensors = checkpoint.tensors
    names = []
    for name in tensors:
        stem, _, kind = name.rpartition(".")
        if kind == "qweight":
            names.append(f"{stem}.weight")
        elif not _belongs_to_another(name, stem, kind, tensors):
            names.append(name)
    return tuple(names)


def _belongs_to_another(name: str, stem: str, kind: str, tensors: Mapping[str, SourceTensor]) -> bool:
    if kind in PARTS:
        return f"{stem}.qweight" in tensors
    if kind in _OF_ACTIVATIONS:
        return f"{stem}.weight" in tensors
    return kind.endswith("_scale_inv") and name.removesuffix("_scale_inv") in tensors


def stored_parts(checkpoint: Checkpoint, weight: str) -> Iterator[SourceTensor]:
    """The tensors that a weight of this name is stored as: itself and its scales, or the parts of a GPTQ matrix."""
    stem, _, kind = weight.rpartition(".")
    parts = [f"{stem}.{part}" for part in PARTS] if kind == "weight" else []
    for name in (weight, f"{weight}_scale_inv", *parts):
        if name in checkpoint.tensors:
            yield checkpoint.tensors[name]


class CheckpointReader:
    """Implements `rows.WeightReader`. Holds each shard open from its first use to the end of its `with` block.

    Raises SourceError when a shard is missing, became shorter or was changed since the checkpoint was opened, and
    for weights that are not finite numbers; Unsupported for types and quantisations that are not read.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._tensors = checkpoint.tensors
        self._files: dict[str, int] = {}
        self._quantisation = _quantisation(checkpoint.config)

    def __enter__(self) -> "CheckpointReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._files:
            os.close(self._files.popitem()[1])

    def shape(self, weight: str) -> tuple[int, ...]:
        if packed := self._packed(weight):
            return packed.shape
        return self._tensor(weight).shape

    def rows(self, weight: str, start: int, stop: int) -> Rows32:
        with np.errstate(all="ignore"):  # what is not finite is reported with its name
            made = self._meant(weight, start, stop)
        _check_finite(made, weight, start)
        return made

    def stored(self, weight: str, start: int, stop: int) -> NDArray[np.uint8]:
        """The bytes of rows [start, stop) as they are in the file."""
        return self._raw(self._tensor(weight), start, stop)

    def _meant(self, weight: str, start: int, stop: int) -> Rows32:
        if packed := self._packed(weight):
            return self._gptq_rows(packed, start, stop)
        tensor = self._tensor(weight)
        return self._fp8_rows(tensor, start, stop) if tensor.dtype == "F8_E4M3" else self._rows(tensor, start, stop)

    def _tensor(self, name: str) -> SourceTensor:
        try:
            return self._tensors[name]
        except KeyError:
            raise SourceError(f"the checkpoint in {self._checkpoint.folder} has no weight {name!r}") from None

    def _rows(self, tensor: SourceTensor, start: int, stop: int) -> Rows32:
        decode = DECODERS.get(tensor.dtype)
        if decode is None:
            raise Unsupported(f"the weight {tensor.name!r} is stored as {tensor.dtype}, which is not converted")
        return decode(self._raw(tensor, start, stop)).reshape(stop - start, _row_length(tensor))

    def _raw(self, tensor: SourceTensor, start: int, stop: int) -> NDArray[np.uint8]:
        n_rows = prod(tensor.shape[:-1])
        if not 0 <= start <= stop <= n_rows:
            raise IndexError(f"rows {start} to {stop} of {tensor.name}, which has {n_rows}")
        row_bytes = tensor.size // n_rows if n_rows else 0
        return self._read(tensor, start * row_bytes, (stop - start) * row_bytes)

    def _fp8_rows(self, tensor: SourceTensor, start: int, stop: int) -> Rows32:
        scale = self._tensors.get(f"{tensor.name}_scale_inv")
        if scale is None:
            raise SourceError(f"the weight {tensor.name!r} is stored as FP8, but there is no {tensor.name}_scale_inv")
        height, width = block = self._block()
        bands = tuple(-(-n // size) for n, size in zip(tensor.shape, block, strict=False))
        if len(tensor.shape) != 2 or scale.shape != bands:
            raise SourceError(
                f"{scale.name!r} has the shape {list(scale.shape)}, but blocks of {height} x {width} "
                f"in {list(tensor.shape)} need {list(bands)}"
            )
        made = self._rows(tensor, start, stop)
        scale_blocks(made, self._rows(scale, start // height, -(-stop // height)), block, start)
        return made

    def _block(self) -> tuple[int, int]:
        said = self._quantisation.get("weight_block_size")
        if not isinstance(said, list) or len(said) != 2 or not all(type(n) is int and 0 < n < 2**31 for n in said):
            raise SourceError("config.json has FP8 weights but no weight_block_size of two numbers")
        return said[0], said[1]

    def _packed(self, weight: str) -> Packed | None:
        stem, _, kind = weight.rpartition(".")
        if kind != "weight" or weight in self._tensors or f"{stem}.qweight" not in self._tensors:
            return None
        return packed_of(stem, self._tensors, self._quantisation)

    def _gptq_rows(self, packed: Packed, start: int, stop: int) -> Rows32:
        per_word = 32 // packed.bits
        first = start // per_word  # zero points are packed along the outputs, eight to a word
        zero_words = self._columns(packed.zeros, first, -(-stop // per_word))
        zeros = unpack(_words(zero_words), packed.bits).reshape(len(zero_words), zero_words.shape[1] // 4 * per_word)
        zeros = zeros[:, start - first * per_word :][:, : stop - start]
        levels = unpack(_words(self._columns(packed.levels, start, stop)), packed.bits)
        scales = DECODERS[packed.scales.dtype](self._columns(packed.scales, start, stop)).reshape(zeros.shape)
        return from_gptq(levels, zeros, scales, self._groups(packed), packed.shift)

    def _groups(self, packed: Packed) -> NDArray[np.int32]:
        n_groups, n_inputs = packed.scales.shape[0], packed.shape[1]
        if packed.groups is None:
            return (np.arange(n_inputs) // packed.group_size).astype(np.int32)
        groups: NDArray[np.int32] = self._read(packed.groups, 0, packed.groups.size).view("<i4")
        if groups.min(initial=0) < 0 or groups.max(initial=0) >= n_groups:
            raise SourceError(f"{packed.groups.name!r} names a group that is not one of the {n_groups}")
        return groups

    def _columns(self, tensor: SourceTensor, start: int, stop: int) -> NDArray[np.uint8]:
        """The bytes of the columns [start, stop) of a matrix, row by row: nothing beside them is read."""
        n_rows, n_columns = tensor.shape
        item = tensor.size // (n_rows * n_columns)
        if stop - start == n_columns:
            return self._read(tensor, 0, tensor.size).reshape(n_rows, -1)
        out = np.empty((n_rows, (stop - start) * item), np.uint8)
        for row in range(n_rows):
            self._read_into(tensor, (row * n_columns + start) * item, out[row])
        return out

    def _read(self, tensor: SourceTensor, offset: int, count: int) -> NDArray[np.uint8]:
        out = np.empty(count, np.uint8)
        self._read_into(tensor, offset, out)
        return out

    def _read_into(self, tensor: SourceTensor, offset: int, out: NDArray[np.uint8]) -> None:
        shard = self._checkpoint.shards[tensor.shard]
        file = self._file(shard)
        done = 0
        while done < len(out):
            piece = out[done : done + _LARGEST_READ]
            try:
                count = os.preadv(file, [piece.data], tensor.offset + offset + done)
            except OSError as exc:
                raise SourceError(f"{shard.path} cannot be read: {exc.strerror or exc}") from exc
            if count == 0:
                raise SourceError(f"{shard.path} became shorter while it was converted")
            done += count
        _check_unchanged(os.fstat(file), shard)

    def _file(self, shard: Shard) -> int:
        file = self._files.get(shard.name)
        if file is None:
            try:
                file = os.open(shard.path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                raise SourceError(f"{shard.path} was removed while it was converted") from None
            except OSError as exc:
                raise SourceError(f"{shard.path} cannot be read: {exc.strerror or exc}") from exc
            self._files[shard.name] = file
        return file


def _quantisation(config: Mapping[str, Any]) -> Mapping[str, Any]:
    said = config.get("quantization_config")
    return said if isinstance(said, dict) else {}


def _words(raw: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rows of bytes as rows of words of four bytes."""
    return raw.reshape(len(raw), raw.shape[1] // 4, 4)


def _row_length(tensor: SourceTensor) -> int:
    return tensor.shape[-1] if tensor.shape else 1


def _check_unchanged(found: os.stat_result, shard: Shard) -> None:
    if (found.st_size, found.st_mtime_ns) != (shard.size, shard.mtime_ns):
        raise SourceError(f"{shard.path} was changed while it was converted")


def _check_finite(rows: Rows32, weight: str, start: int) -> None:
    # The least and the greatest are NaN when anything is, and infinite when anything is; nothing is allocated.
    if rows.size and not (np.isfinite(rows.max()) and np.isfinite(rows.min())):
        row = int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0])
        raise SourceError(f"the weight {weight!r} holds something that is no finite number in row {start + row}")
