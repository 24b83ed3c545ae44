"""Reads the header of a safetensors file and refuses everything that is not sound. The weights are not read.

A checkpoint is data from the internet. Sizes are compared with the file's before anything is read, and the JSON is
walked entry by entry instead of being parsed as a whole: a hundred megabytes of brackets would become gigabytes of
objects. Any input takes at most about two seconds and 256 MB.

Format: https://github.com/huggingface/safetensors#format; as its own library does, the tensors must fill the file
without a gap. The limits are our own unless said otherwise.
"""

import json
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, Final

from gguf_convert.errors import SourceError
from gguf_convert.tensors import SourceTensor

MAX_HEADER: Final = 100_000_000  # the reference library's limit
MAX_METADATA: Final = 16 * 2**20
MAX_TENSORS: Final = 100_000  # R1 as one file would have 91,991
MAX_NAME: Final = 1024
MAX_KEY: Final = 2**16  # a name with the spaces around it
MAX_DIMENSIONS: Final = 8

# Bytes of one element. Types of less than a byte (F4, F6) are not here: no architecture we convert is stored so.
ITEM_SIZES: Final[Mapping[str, int]] = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F8_E4M3": 1,
    "F8_E5M2": 1,
    "F8_E8M0": 1,
    "U16": 2,
    "I16": 2,
    "F16": 2,
    "BF16": 2,
    "U32": 4,
    "I32": 4,
    "F32": 4,
    "U64": 8,
    "I64": 8,
    "F64": 8,
}

_LENGTH = 8  # bytes before the header that say how long it is
# Possessive repetition (+ after *): nothing is tried twice, so a hostile header is walked once.
_SPACE = rb"[ \t\r\n]*+"
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TEXT_PAIR = _STRING + _SPACE + rb":" + _SPACE + _STRING + _SPACE
_KEY = re.compile(_SPACE + rb"(" + _STRING + rb")" + _SPACE + rb":" + _SPACE, re.DOTALL)
_OBJECT = re.compile(rb"\{[^{}]{0,2048}+\}")
_METADATA = re.compile(
    rb"\{" + _SPACE + rb"(?:" + _TEXT_PAIR + rb"(?:," + _SPACE + _TEXT_PAIR + rb")*+)?+\}",
    re.DOTALL,
)
_MORE = re.compile(_SPACE + rb"([,}])")
_REST = re.compile(_SPACE + rb"\Z")
_NONE = re.compile(_SPACE + rb"\{" + _SPACE + rb"\}")
_decode = json.JSONDecoder(object_pairs_hook=list).decode
_WORDS = frozenset({"dtype", "shape", "data_offsets"})


def read_safetensors(path: Path) -> tuple[SourceTensor, ...]:
    """The tensors of the file at `path`, in the order in which they lie in it.

    Raises SourceError with one sentence when the file is missing, not a regular file, not safetensors or not sound.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise SourceError(f"{path} is not a regular file")
        with path.open("rb") as file:
            return read_safetensors_from(file, found.st_size, path.name, str(path))
    except FileNotFoundError:
        raise SourceError(f"there is no file {path}") from None
    except OSError as exc:
        raise SourceError(f"{path} cannot be read: {exc.strerror or exc}") from exc


def read_safetensors_from(file: BinaryIO, size: int, shard: str, name: str) -> tuple[SourceTensor, ...]:
    """The same for an open file of `size` bytes, read from its start; only the header is read, so the bytes behind it
    need not be there yet. `shard` is what the tensors say they lie in, `name` what error sentences call the file.
    """
    try:
        return _read(file, size, shard)
    except _Unsound as exc:
        raise SourceError(f"{name} {exc}") from None


class _Unsound(Exception):
    """What is wrong, as the second half of a sentence that begins with the file's name."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def _read(file: BinaryIO, size: int, shard: str) -> tuple[SourceTensor, ...]:
    text = _header(file, size)
    start = _LENGTH + len(text)
    entries = sorted(_entries(text), key=lambda entry: (entry.begin, entry.end))
    _check_extent(entries, size - start)
    return tuple(
        SourceTensor(
            name=entry.name,
            dtype=entry.dtype,
            shape=entry.shape,
            shard=shard,
            offset=start + entry.begin,
            size=entry.end - entry.begin,
        )
        for entry in entries
    )


def _header(file: BinaryIO, size: int) -> bytes:
    if size == 0:
        raise _Unsound("is empty")
    length = int.from_bytes(file.read(_LENGTH), "little")
    if size < _LENGTH + 2 or length < 2:
        raise _Unsound("is not a safetensors file")
    if length > MAX_HEADER:
        raise _Unsound(f"is not a safetensors file, or has a header of {length} bytes; at most {MAX_HEADER} are read")
    if length > size - _LENGTH:
        raise _Unsound(f"is cut off: its header is {length} bytes long and the file {size}")
    text = file.read(length)
    if len(text) != length:
        raise _Unsound("became shorter while it was read")
    if not text.startswith(b"{"):
        raise _Unsound("is not a safetensors file: its header is no JSON object")
    return text


def _entries(text: bytes) -> Iterator[_Entry]:
    seen: set[str] = set()
    for name, value in _pairs(text):
        if name in seen:
            raise _Unsound(f"has {name!r} twice in its header")
        if len(seen) == MAX_TENSORS:
            raise _Unsound(f"has more than {MAX_TENSORS} tensors")
        seen.add(name)
        if name != "__metadata__":
            yield _entry(name, value)


def _pairs(text: bytes) -> Iterator[tuple[str, bytes]]:
    """Each key and its value; that of `__metadata__` is only walked over. Nothing but spaces may follow the object."""
    none = _NONE.match(text)
    position, mark = (none.end(), b"}") if none else (1, b",")
    while mark == b",":
        key = _KEY.match(text, position, position + MAX_KEY)
        if not key:
            raise _broken(position)
        name = _name(key[1])
        kind = _METADATA if name == "__metadata__" else _OBJECT
        value = kind.match(text, key.end(), key.end() + MAX_METADATA)
        more = value and _MORE.match(text, value.end())
        if not value or not more:
            raise _broken(key.end())
        mark, position = more[1], more.end()
        yield name, (value[0] if kind is _OBJECT else b"")
    if not _REST.match(text, position):
        raise _Unsound("has something behind the JSON object of its header")


def _broken(position: int) -> _Unsound:
    return _Unsound(f"has a header that is no JSON object of tensors: see its byte {_LENGTH + position}")


def _name(quoted: bytes) -> str:
    if len(quoted) > MAX_NAME:
        raise _Unsound(f"has a tensor name of {len(quoted)} bytes; at most {MAX_NAME} are allowed")
    try:
        name = quoted[1:-1].decode("utf-8")
        if "\\" in name:
            name = str(json.loads(quoted))
            name.encode("utf-8")  # JSON's escapes can spell half of a surrogate pair
    except ValueError:
        raise _Unsound("has a tensor name that is not UTF-8") from None
    if not name or not name.isprintable():
        raise _Unsound("has a tensor name that is empty or cannot be printed")
    return name


def _entry(name: str, value: bytes) -> _Entry:
    if value.count(b"[") != 2:  # those of the shape and of the offsets; more could be nested without end
        raise _Unsound(f"does not say where the tensor {name!r} is")
    try:
        pairs = _decode(value.decode("utf-8"))
    except ValueError:
        raise _Unsound(f"has no JSON object for the tensor {name!r}") from None
    said = dict(pairs)
    if len(pairs) != len(_WORDS) or said.keys() != _WORDS:
        raise _Unsound(f"says something other than type, shape and offsets of the tensor {name!r}")
    dtype, shape, offsets = said["dtype"], _naturals(said["shape"]), _naturals(said["data_offsets"])
    if not isinstance(dtype, str) or dtype not in ITEM_SIZES:
        raise _Unsound(f"stores the tensor {name!r} as {dtype!r}, which is not a type we can read")
    if shape is None or len(shape) > MAX_DIMENSIONS:
        raise _Unsound(f"has no possible shape for the tensor {name!r}")
    if offsets is None or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _Unsound(f"has no possible offsets for the tensor {name!r}")
    size = prod(shape) * ITEM_SIZES[dtype]
    if offsets[1] - offsets[0] != size:
        raise _Unsound(f"gives the tensor {name!r} {offsets[1] - offsets[0]} bytes, but it needs {size}")
    return _Entry(name, dtype, shape, *offsets)


def _naturals(value: object) -> tuple[int, ...] | None:
    if isinstance(value, list) and all(type(n) is int and 0 <= n < 2**63 for n in value):
        return tuple(value)
    return None


def _check_extent(entries: list[_Entry], room: int) -> None:
    expected = 0
    for entry in entries:
        if entry.begin != expected:
            fault = "overlaps another" if entry.begin < expected else f"leaves {entry.begin - expected} bytes unused"
            raise _Unsound(f"has the tensor {entry.name!r} at offset {entry.begin}, where it {fault}")
        expected = entry.end
    if expected > room:
        raise _Unsound(f"is cut off: {expected} bytes of weights are announced, {room} are there")
    if expected < room:
        raise _Unsound(f"has {room - expected} bytes behind its tensors")
