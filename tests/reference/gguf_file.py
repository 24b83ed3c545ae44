"""A GGUF file as values: all metadata, and a digest of each tensor's bytes.

For files that llama.cpp or our converter has just written; it trusts them, and keeps long arrays, which the product's
header reader does not.
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.models.gguf_header import read_header

_SCALARS = {
    0: "u8",
    1: "i8",
    2: "u16",
    3: "i16",
    4: "u32",
    5: "i32",
    6: "f32",
    7: "bool",
    10: "u64",
    11: "i64",
    12: "f64",
}
_CODES = dict(zip(_SCALARS.values(), "BbHhIif?Qqd", strict=True))
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class Entry:
    """One piece of metadata: the type it is written in (`[T]` is an array of T), and the value."""

    type: str
    value: Any


@dataclass(frozen=True, slots=True)
class Tensor:
    """`shape` in ggml's order, `digest` of its bytes."""

    shape: tuple[int, ...]
    type: str
    digest: str


@dataclass(frozen=True, slots=True)
class GgufFile:
    metadata: dict[str, Entry]
    tensors: dict[str, Tensor]


def read_gguf(path: Path) -> GgufFile:
    """The whole file. Raises GgufError when the product's reader refuses it."""
    header = read_header(path)
    with path.open("rb") as file:
        metadata = _metadata(file)
        tensors = {}
        for tensor in header.tensors:
            file.seek(header.data_start + tensor.offset)
            tensors[tensor.name] = Tensor(tensor.shape, tensor.type.name, digest(file.read(tensor.size)))
    return GgufFile(metadata, tensors)


def digest(data: bytes | memoryview | NDArray[np.uint8]) -> str:
    """The first 64 bits of the SHA-256: enough between programs that mean well."""
    return hashlib.sha256(data).hexdigest()[:16]


def _metadata(file: BinaryIO) -> dict[str, Entry]:
    magic, version, _, count = struct.unpack("<4sIQQ", file.read(24))
    assert (magic, version) == (b"GGUF", 3)
    return {_string(file): _entry(file) for _ in range(count)}


def _entry(file: BinaryIO) -> Entry:
    (code,) = struct.unpack("<I", file.read(4))
    if code == _ARRAY:
        inner, length = struct.unpack("<IQ", file.read(12))
        name = _type_name(inner)
        return Entry(f"[{name}]", [_value(file, name) for _ in range(length)])
    name = _type_name(code)
    return Entry(name, _value(file, name))


def _type_name(code: int) -> str:
    return "string" if code == _STRING else _SCALARS[code]


def _value(file: BinaryIO, name: str) -> Any:
    if name == "string":
        return _string(file)
    code = f"<{_CODES[name]}"
    return struct.unpack(code, file.read(struct.calcsize(code)))[0]


def _string(file: BinaryIO) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    return file.read(length).decode("utf-8")
