"""Writes the header of a GGUF file: everything before the tensor data.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3, little endian. What ggml's reader or
ours refuses is not written.
"""

import math
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.models.gguf_header import (
    ARRAY,
    MAGIC,
    MAX_ALIGNMENT,
    MAX_KEY,
    MAX_STRING,
    MAX_TENSOR_NAME,
    SCALAR_TYPES,
    STRING,
    TENSOR_TYPES,
    TensorType,
)
from gguf_convert.errors import TargetError
from gguf_convert.fields import Field

VERSION: Final = 3
DEFAULT_ALIGNMENT: Final = 32

_TYPES_BY_NAME: Final[Mapping[str, tuple[int, TensorType]]] = {
    kind.name: (number, kind) for number, kind in TENSOR_TYPES.items()
}
_SCALARS_BY_NAME: Final[Mapping[str, tuple[int, str]]] = {
    name: (number, code) for number, (name, code) in SCALAR_TYPES.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorInfo:
    """One tensor of the file: `shape` in ggml's order (the row length first), `type` by ggml's name (Q4_K), `offset`
    in bytes from the start of the data.
    """

    name: str
    shape: tuple[int, ...]
    type: str
    offset: int

    @property
    def size(self) -> int:
        """Bytes in the file, without padding."""
        kind = _TYPES_BY_NAME[self.type][1]
        return math.prod(self.shape) // kind.block * kind.size


def padded(size: int, alignment: int = DEFAULT_ALIGNMENT) -> int:
    """The next multiple of the alignment."""
    return -(-size // alignment) * alignment


def encode_header(fields: Sequence[Field], infos: Sequence[TensorInfo], alignment: int = DEFAULT_ALIGNMENT) -> bytes:
    """The header of a file with this metadata and these tensors, zeros up to the start of the data included.

    The tensors must lie one behind the other, each at the next multiple of `alignment`, which is written under
    `general.alignment` unless it is the default or among the fields. Raises TargetError for what GGUF cannot hold.
    """
    fields = _with_alignment(fields, alignment)
    _check_names([field.key for field in fields], "metadata key", MAX_KEY)
    _check_names([info.name for info in infos], "tensor", MAX_TENSOR_NAME)
    out = [MAGIC, struct.pack("<IQQ", VERSION, len(infos), len(fields))]
    for field in fields:
        out += [_text(field.key, field.key), _value(field)]
    out += _infos(infos, alignment)
    header = b"".join(out)
    return header.ljust(padded(len(header), alignment), b"\0")


def _with_alignment(fields: Sequence[Field], alignment: int) -> Sequence[Field]:
    if alignment < 1 or alignment > MAX_ALIGNMENT or alignment & (alignment - 1):
        raise TargetError(f"tensors cannot be aligned to {alignment} bytes, only to a power of two")
    said = [field for field in fields if field.key == "general.alignment"]
    if said and said != [Field("general.alignment", "u32", alignment)]:
        raise TargetError(f"general.alignment is {said[0].value}, but tensors are aligned to {alignment} bytes")
    return fields if said or alignment == DEFAULT_ALIGNMENT else [*fields, Field("general.alignment", "u32", alignment)]


def _check_names(names: Sequence[str], what: str, limit: int) -> None:
    seen: set[str] = set()
    for name in names:
        if not name or "\0" in name:
            raise TargetError(f"a {what} is empty or holds a NUL byte: {name!r}")
        if name in seen:
            raise TargetError(f"the {what} {name!r} would be written twice")
        if len(_encoded(name, name)) > limit:
            raise TargetError(f"the {what} {name!r} is longer than {limit} bytes")
        seen.add(name)


def _infos(infos: Sequence[TensorInfo], alignment: int) -> Iterator[bytes]:
    expected = 0
    for info in infos:
        number = _checked_type(info)
        if info.offset != expected:
            raise TargetError(f"the tensor {info.name!r} is placed at {info.offset}, but must be at {expected}")
        expected = padded(info.offset + info.size, alignment)
        yield _text(info.name, info.name)
        yield struct.pack(f"<I{len(info.shape)}QIQ", len(info.shape), *info.shape, number, info.offset)


def _checked_type(info: TensorInfo) -> int:
    if info.type not in _TYPES_BY_NAME:
        raise TargetError(f"the tensor {info.name!r} has the type {info.type}, which ggml does not have")
    number, kind = _TYPES_BY_NAME[info.type]
    if not 1 <= len(info.shape) <= 4 or min(info.shape) < 1 or math.prod(info.shape) >= 2**63:
        raise TargetError(f"the tensor {info.name!r} has the shape {list(info.shape)}, which GGUF cannot hold")
    if info.shape[0] % kind.block:
        raise TargetError(
            f"the tensor {info.name!r} has rows of {info.shape[0]}, no multiple of {kind.block} as {kind.name} needs"
        )
    return number


def _value(field: Field) -> bytes:
    if not field.type.startswith("["):
        number, encode = _scalar(field.type, field)
        return struct.pack("<I", number) + encode(field.value)
    number, encode = _scalar(field.type[1:-1], field)
    if not isinstance(field.value, tuple):
        raise TargetError(f"the metadata {field.key!r} is to be an array, but is {field.value!r}")
    items = b"".join(map(encode, field.value))
    return struct.pack("<IIQ", ARRAY, number, len(field.value)) + items


def _scalar(kind: str, field: Field) -> tuple[int, Callable[[object], bytes]]:
    """The number of a type, and how one value of it is written."""
    if kind == "string":
        return STRING, lambda value: _text(value, field.key)
    if kind not in _SCALARS_BY_NAME:
        raise TargetError(f"the metadata {field.key!r} has the type {field.type}, which GGUF does not have")
    number, code = _SCALARS_BY_NAME[kind]
    wanted = _PYTHON_TYPES.get(kind, (int,))
    pack = struct.Struct("<" + code).pack

    def encode(value: object) -> bytes:
        if type(value) not in wanted:
            raise TargetError(f"the metadata {field.key!r} is {value!r}, which is not a value of type {kind}")
        try:
            return pack(value)
        except (struct.error, OverflowError):
            raise TargetError(f"the metadata {field.key!r} is {value!r}, too large for its type {kind}") from None

    return number, encode


_PYTHON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {"bool": (bool,), "f32": (float, int), "f64": (float, int)}


def _text(value: object, key: str) -> bytes:
    if not isinstance(value, str | bytes):
        raise TargetError(f"the metadata {key!r} is {value!r}, which is no text")
    raw = value if isinstance(value, bytes) else _encoded(value, key)
    if len(raw) > MAX_STRING:
        raise TargetError(f"the metadata {key!r} is a text of {len(raw)} bytes; at most {MAX_STRING} are allowed")
    return struct.pack("<Q", len(raw)) + raw


def _encoded(text: str, key: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise TargetError(f"the metadata {key!r} holds half a surrogate pair, which UTF-8 cannot write") from None
