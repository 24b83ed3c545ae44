"""How the rows of a target tensor are made from a checkpoint: a small algebra of frozen, picklable values.

Every kind of value answers the same questions: how many rows of which length, at which multiples they may be cut
(`unit`), which weights of the checkpoint they need, and the float32 values of the rows [start, stop). So a plan can
name the work, a worker in another process can do any piece of it, and no piece needs more memory than its own rows.

Rows are quantised one by one in every type of ggml, hence any cut at a multiple of `unit` gives the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Rows32 = NDArray[np.float32]


class WeightReader(Protocol):
    """Reads weights of one checkpoint by their name, scaled to what they mean (FP8 blocks, GPTQ groups)."""

    def shape(self, weight: str) -> tuple[int, ...]:
        """The shape of the weight as the model sees it, in PyTorch's order. Raises SourceError when there is none."""
        ...

    def rows(self, weight: str, start: int, stop: int) -> Rows32:
        """Rows [start, stop) of the weight seen as a matrix (all dimensions but the last are rows), as float32."""
        ...


class RowSource(Protocol):
    """Where the rows of one target tensor come from."""

    @property
    def n_rows(self) -> int: ...

    @property
    def row_length(self) -> int: ...

    @property
    def unit(self) -> int:
        """Ranges of rows start and stop at multiples of this."""
        ...

    @property
    def weights(self) -> Sequence[str]:
        """Names of the checkpoint's weights it is made from, in order."""
        ...

    def weights_of(self, start: int, stop: int) -> Sequence[str]:
        """Names of those which the rows [start, stop) are made from."""
        ...

    def rows(self, reader: WeightReader, start: int, stop: int) -> Rows32:
        """Rows [start, stop), shape [stop - start, row_length], contiguous; may be written to by the caller."""
        ...


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight as it is; one of one dimension is a single row."""

    name: str
    n_rows: int
    row_length: int

    @property
    def unit(self) -> int:
        return 1

    @property
    def weights(self) -> Sequence[str]:
        return (self.name,)

    def weights_of(self, start: int, stop: int) -> Sequence[str]:
        return (self.name,)

    def rows(self, reader: WeightReader, start: int, stop: int) -> Rows32:
        return reader.rows(self.name, start, stop)


@dataclass(frozen=True, slots=True)
class Stored(Weight):
    """A weight of a GGUF file, stored as ggml's `type`; written as that type its bytes are taken over unread."""

    type: str


@dataclass(frozen=True, slots=True)
class Stacked:
    """Sources of one shape, one behind the other: the experts of a layer."""

    parts: tuple[RowSource, ...]

    @property
    def n_rows(self) -> int:
        return len(self.parts) * self.parts[0].n_rows

    @property
    def row_length(self) -> int:
        return self.parts[0].row_length

    @property
    def unit(self) -> int:
        return self.parts[0].unit

    @property
    def weights(self) -> Sequence[str]:
        return tuple(name for part in self.parts for name in part.weights)

    def weights_of(self, start: int, stop: int) -> Sequence[str]:
        each = self.parts[0].n_rows
        touched = self.parts[start // each : -(-stop // each)]
        return tuple(name for part in touched for name in part.weights)

    def rows(self, reader: WeightReader, start: int, stop: int) -> Rows32:
        each = self.parts[0].n_rows
        pieces = [
            self.parts[index].rows(reader, max(start - index * each, 0), min(stop - index * each, each))
            for index in range(start // each, -(-stop // each))
        ]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


@dataclass(frozen=True, slots=True)
class OfOne:
    """What is made of one other source, row for row unless a kind says otherwise; the beginning of such kinds."""

    base: RowSource

    @property
    def n_rows(self) -> int:
        return self.base.n_rows

    @property
    def row_length(self) -> int:
        return self.base.row_length

    @property
    def unit(self) -> int:
        return 1

    @property
    def weights(self) -> Sequence[str]:
        return self.base.weights

    def weights_of(self, start: int, stop: int) -> Sequence[str]:
        return self.weights


@dataclass(frozen=True, slots=True)
class HalvesInterleaved(OfOne):
    """Query and key rows of Llama: each head's two halves, which the checkpoint keeps apart, row by row in turn.

    llama.cpp rotates neighbouring rows where Hugging Face rotates row i and row i + head / 2.
    """

    n_head: int

    @property
    def unit(self) -> int:
        return self.base.n_rows // self.n_head

    def weights_of(self, start: int, stop: int) -> Sequence[str]:
        return self.base.weights_of(start, stop)

    def rows(self, reader: WeightReader, start: int, stop: int) -> Rows32:
        apart = self.base.rows(reader, start, stop).reshape(-1, 2, self.unit // 2, self.row_length)
        return np.ascontiguousarray(apart.swapaxes(1, 2)).reshape(stop - start, self.row_length)


@dataclass(frozen=True, slots=True)
class LatentKeys(OfOne):
    """The key half of multi-head latent attention's `kv_b_proj`, transposed per head: [n_head, latent, nope].

    `base` has n_head times (nope + value) rows of the latent's length. Scales of FP8 blocks lie along the rows of
    the base, so it is scaled first and transposed then (DeepSeek-V2, arXiv 2405.04434, section 2.1: the absorbed
    form).
    """

    n_head: int
    nope: int
    value: int

    @property
    def n_rows(self) -> int:
        return self.n_head * self.base.row_length

    @property
    def row_length(self) -> int:
        return self.nope

    @property
    def unit(self) -> int:
        return self.base.row_length

    def rows(self, reader: WeightReader, start: int, stop: int) -> Rows32:
        each = self.nope + self.value
        heads = range(start // self.unit, stop // self.unit)
        keys = [self.base.rows(reader, head * each, head * each + self.nope) for head in heads]
        return np.concatenate([np.ascontiguousarray(key.T) for key in keys])


@dataclass(frozen=True, slots=True)
class LatentValues(OfOne):
    """The value half of multi-head latent attention's `kv_b_proj`: [n_head, value, latent]."""

    n_head: int
    nope: int
    value: int

    @property
    def n_rows(self) -> int:
        return self.n_head * self.value

    @property
    def unit(self) -> int:
        return self.value

    def rows(self, reader: WeightReader, start: int, stop: int) -> Rows32:
        each = self.nope + self.value
        heads = range(start // self.value, stop // self.value)
        values = [self.base.rows(reader, head * each + self.nope, (head + 1) * each) for head in heads]
        return values[0] if len(values) == 1 else np.concatenate(values)


@dataclass(frozen=True, slots=True)
class Constant:
    """One row that the architecture computes from the configuration (frequencies of a scaled rotary embedding)."""

    values: tuple[float, ...]

    @property
    def n_rows(self) -> int:
        return 1

    @property
    def row_length(self) -> int:
        return len(self.values)

    @property
    def unit(self) -> int:
        return 1

    @property
    def weights(self) -> Sequence[str]:
        return ()

    def weights_of(self, start: int, stop: int) -> Sequence[str]:
        return ()

    def rows(self, reader: WeightReader, start: int, stop: int) -> Rows32:
        return np.array([self.values], dtype=np.float32)
