"""Writes safetensors files and checkpoints for tests, plainly and without the reader's own code."""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DTYPES = {
    np.dtype(np.float32): "F32",
    np.dtype(np.float16): "F16",
    np.dtype(np.float64): "F64",
    np.dtype(np.int32): "I32",
    np.dtype(np.int64): "I64",
    np.dtype(np.uint8): "U8",
}


@dataclass(frozen=True)
class Stored:
    """A tensor whose bytes numpy has no type for: BF16, F8_E4M3."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes


Arrays = Mapping[str, NDArray[Any] | Stored]


def stored(value: NDArray[Any] | Stored) -> Stored:
    if isinstance(value, Stored):
        return value
    return Stored(DTYPES[value.dtype], value.shape, value.tobytes())


def framed(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def entry(dtype: str, shape: Sequence[int], begin: int, end: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def safetensors_bytes(arrays: Arrays, metadata: Mapping[str, str] | None = None) -> bytes:
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    data = b""
    for name, value in arrays.items():
        tensor = stored(value)
        header[name] = entry(tensor.dtype, tensor.shape, len(data), len(data) + len(tensor.data))
        data += tensor.data
    text = json.dumps(header).encode()
    return framed(text + b" " * (-len(text) % 8), data)


def write_checkpoint(
    folder: Path, shards: Mapping[str, Arrays], config: Mapping[str, Any] | None = None, *, index: bool = True
) -> Path:
    """Writes a checkpoint; several shards get an index unless told otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config or {}))
    for name, arrays in shards.items():
        (folder / name).write_bytes(safetensors_bytes(arrays, {"format": "pt"}))
    if index and len(shards) > 1:
        weight_map = {tensor: name for name, arrays in shards.items() for tensor in arrays}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return folder
