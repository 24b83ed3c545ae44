"""Importance matrices for tests, in both of llama.cpp's formats, and what its quantiser makes of them."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gguf_convert.fields import Field
from gguf_convert.header import TensorInfo, encode_header, padded
from gguf_convert.mixes import may_quantise
from tests.gguf_convert.shapes import Model


@dataclass(frozen=True)
class Measured:
    """Sums [experts or 1, columns] and counts [experts or 1] of one tensor."""

    sums: np.ndarray
    counts: np.ndarray

    @property
    def means(self) -> np.ndarray:
        """As llama.cpp's quantiser weighs columns: experts that saw nothing weigh all alike."""
        rows = [s / c if c > 0 else np.ones_like(s) for s, c in zip(self.sums, self.counts, strict=True)]
        return np.concatenate(rows).astype(np.float32)


def measured(model: Model, *, unseen: int = 1) -> dict[str, Measured]:
    """For every tensor of a block that is quantised; of stacked ones the expert number `unseen` saw nothing."""
    random = np.random.default_rng(7)
    made = {}
    for name, shape in model.shapes.items():
        if name.startswith("blk.") and may_quantise(name, shape):
            n_experts = shape[2] if len(shape) > 2 else 1
            sums = random.gamma(0.5, 100, (n_experts, shape[0])).astype(np.float32)
            sums[:, ::37] = 0
            counts = random.integers(3, 1000, n_experts).astype(np.float32)
            if n_experts > 1:
                counts[unseen], sums[unseen] = 0, 0
            made[name] = Measured(sums, counts)
    return made


def write_gguf(path: Path, entries: Mapping[str, Measured]) -> None:
    arrays = {f"{name}.in_sum2": entry.sums for name, entry in entries.items()}
    arrays |= {f"{name}.counts": entry.counts[:, None] for name, entry in entries.items()}
    infos, offset = [], 0
    for name, array in arrays.items():
        infos.append(TensorInfo(name=name, shape=array.shape[::-1], type="F32", offset=offset))
        offset += padded(array.nbytes)
    fields = [
        Field("general.type", "string", "imatrix"),
        Field("imatrix.datasets", "[string]", ("code é.txt",)),
        Field("imatrix.chunk_count", "u32", 12),
        Field("imatrix.chunk_size", "u32", 512),
    ]
    body = b"".join(array.tobytes().ljust(padded(array.nbytes), b"\0") for array in arrays.values())
    path.write_bytes(encode_header(fields, infos) + body)


def write_legacy(path: Path, entries: Mapping[str, Measured], calls: int = 12) -> None:
    out = struct.pack("<i", len(entries))
    for name, entry in entries.items():
        values = entry.means * np.float32(calls)
        out += struct.pack("<i", len(name)) + name.encode() + struct.pack("<ii", calls, values.size) + values.tobytes()
    dataset = "code é.txt".encode()
    path.write_bytes(out + struct.pack("<ii", 12, len(dataset)) + dataset)
