"""Tensors on both sides of a conversion: as a checkpoint stores them, and as the GGUF file will.

A target tensor does not hold data; it says how any range of its rows is made (`rows.py`), so that a worker can make
a few megabytes of a tensor of 15 GB, and so that where every byte of the file goes is known before the first is
read.
"""

from dataclasses import dataclass
from math import prod

from gguf_convert.rows import RowSource


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTensor:
    """One tensor as a checkpoint stores it.

    `dtype` in safetensors' words (F32, F16, BF16, F8_E4M3, I32, ...), `shape` in PyTorch's order ([out, in]),
    `shard` the file's name within the checkpoint, `offset` in bytes from the start of that file, `size` in bytes.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    shard: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTensor:
    """One tensor of the GGUF file, without its type.

    `shape` in ggml's order (the row length first); `source` makes its rows. `pinned` names the type that the
    architecture needs whatever the recipe says (F32 for norms and routers), None when the recipe decides.
    """

    name: str
    shape: tuple[int, ...]
    source: RowSource
    pinned: str | None = None

    @property
    def row_length(self) -> int:
        return self.shape[0]

    @property
    def n_rows(self) -> int:
        return prod(self.shape[1:])

    @property
    def elements(self) -> int:
        return prod(self.shape)
