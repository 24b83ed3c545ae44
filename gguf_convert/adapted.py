"""Rows that an adapter has a part in: its own matrices as GGUF wants them, and weights with it added."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gguf_convert.rows import OfOne, Rows32, Weight, WeightReader

_AT_ONCE: Final = 2**16
"""Elements that are added to at once: they stay in the processor's cache over all ranks."""


@dataclass(frozen=True, slots=True)
class Scaled(OfOne):
    """A weight times a number."""

    factor: float

    def rows(self, reader: WeightReader, start: int, stop: int) -> Rows32:
        return self.base.rows(reader, start, stop) * np.float32(self.factor)


@dataclass(frozen=True, slots=True)
class Turned(OfOne):
    """A small matrix, transposed: [row length of the base, rows of the base]."""

    @property
    def n_rows(self) -> int:
        return self.base.row_length

    @property
    def row_length(self) -> int:
        return self.base.n_rows

    def rows(self, reader: WeightReader, start: int, stop: int) -> Rows32:
        columns = [self.base.rows(reader, row, row + 1)[0, start:stop] for row in range(self.base.n_rows)]
        return np.stack(columns, axis=1)


@dataclass(frozen=True, slots=True)
class Merged(OfOne):
    """A weight W with an adapter added: W + scale * B A, in float32. `down` is A, `up` is B; for embeddings A
    transposed is `up` and B transposed is `down`.

    Summed over ranks one by one and not as a product of matrices, whose rounding depends on how many rows are asked
    for: the bytes of the output must not depend on where slots are cut.
    """

    down: Weight | Turned
    up: Weight | Turned
    scale: float

    @property
    def weights(self) -> Sequence[str]:
        return (*self.base.weights, *self.down.weights, *self.up.weights)

    def rows(self, reader: WeightReader, start: int, stop: int) -> Rows32:
        made = self.base.rows(reader, start, stop)
        down = self.down.rows(reader, 0, self.down.n_rows)
        up = self.up.rows(reader, start, stop) * np.float32(self.scale)
        step = max(_AT_ONCE // self.row_length, 1)
        part = np.empty((step, self.row_length), dtype=np.float32)
        for first in range(0, len(made), step):
            some = made[first : first + step]
            for rank, row in enumerate(down):
                some += np.multiply(up[first : first + step, rank, None], row, out=part[: len(some)])
        return made
