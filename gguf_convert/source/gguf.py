"""A GGUF file, or a set of split ones, as a checkpoint: the same readers make rows of it, its metadata is kept."""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.models.gguf_header import ARRAY, SCALAR_TYPES, STRING, GgufError, GgufHeader, Tensor, Value, read_header
from gguf_convert.errors import SourceError
from gguf_convert.fields import Field, FieldValue
from gguf_convert.source.checkpoint import Checkpoint, Shard, shard_at
from gguf_convert.tensors import SourceTensor

_SPLIT_NAME = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")
_PREAMBLE: Final = 4 + 4 + 8 + 8


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufSource:
    """`tensors` are those of all files in their order. `metadata` is the first file's; long arrays are cut short there,
    and whole in `read_fields(first)`.
    """

    first: Path
    checkpoint: Checkpoint
    tensors: tuple[Tensor, ...]
    metadata: Mapping[str, Value]


def open_gguf(path: Path) -> GgufSource:
    """Reads the headers of the model at `path`; any file of a split set stands for all of them.

    Raises SourceError with one sentence when a file is missing or unsound.
    """
    paths = _all_files(path)
    headers = [_header(path) for path in paths]
    shards = {path.name: shard_at(path) for path in paths}
    tensors = {
        tensor.name: _source_tensor(tensor, header, shard)
        for header, shard in zip(headers, shards.values(), strict=True)
        for tensor in header.tensors
    }
    found = tuple(tensor for header in headers for tensor in header.tensors)
    if len(tensors) < len(found):
        raise SourceError(f"two files of {paths[0]} hold a tensor of the same name")
    _check_split(paths, headers, len(found))
    checkpoint = Checkpoint(folder=path.parent, config={}, tensors=tensors, shards=shards)
    return GgufSource(first=paths[0], checkpoint=checkpoint, tensors=found, metadata=headers[0].metadata)


def stem(path: Path) -> str:
    """The model's name in a file's, without the number of a split file."""
    split = _SPLIT_NAME.fullmatch(path.name)
    return split["stem"] if split else path.name.removesuffix(".gguf")


def read_fields(path: Path) -> Iterator[Field]:
    """All metadata of the file at `path` as it is written there, arrays whole. Raises SourceError."""
    header = _header(path)
    try:
        with path.open("rb") as file:
            raw = file.read(header.data_start)
    except OSError as exc:
        raise SourceError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    yield from _fields(path, raw, len(header.metadata))


def _all_files(path: Path) -> list[Path]:
    split = _SPLIT_NAME.fullmatch(path.name)
    if split is None or int(split["count"]) < 2:
        return [path]
    return [
        path.with_name(f"{split['stem']}-{number:05d}-of-{split['count']}.gguf")
        for number in range(1, int(split["count"]) + 1)
    ]


def _header(path: Path) -> GgufHeader:
    try:
        header = read_header(path)
    except GgufError as exc:
        raise SourceError(str(exc)) from exc
    if header.byte_order != "little":
        raise SourceError(f"{path} is written in another byte order")
    return header


def _check_split(paths: list[Path], headers: list[GgufHeader], n_tensors: int) -> None:
    """That the files belong together, as far as llama.cpp checks it."""
    count = headers[0].number("split.count") or 1
    if count != len(paths):
        raise SourceError(f"{paths[0]} is one of {count} files, which its name does not say")
    for number, (path, header) in enumerate(zip(paths, headers, strict=True)):
        if count > 1 and (header.number("split.no"), header.number("split.count")) != (number, count):
            raise SourceError(f"{path} is not file {number + 1} of {count}, as its name says")
    wanted = headers[0].number("split.tensors.count")
    if count > 1 and wanted != n_tensors:
        raise SourceError(f"the files of {paths[0]} hold {n_tensors} tensors, and should hold {wanted}")


def _source_tensor(tensor: Tensor, header: GgufHeader, shard: Shard) -> SourceTensor:
    return SourceTensor(
        name=tensor.name,
        dtype=tensor.type.name,
        shape=tensor.shape[::-1],
        shard=shard.name,
        offset=header.data_start + tensor.offset,
        size=tensor.size,
    )


def _fields(path: Path, raw: bytes, count: int) -> Iterator[Field]:
    """The reader of headers has checked what is read here, so a position past the end can only be a changed file."""
    position = _PREAMBLE
    try:
        for _ in range(count):
            key, position = _text(raw, position)
            kind, value, position = _value(raw, position)
            yield Field(key.decode(), kind, value)
    except struct.error:
        raise SourceError(f"{path} has changed while it was read") from None
    except UnicodeDecodeError:
        raise SourceError(f"{path} has text in its metadata that is not UTF-8") from None


def _value(raw: bytes, position: int) -> tuple[str, FieldValue, int]:
    (number,) = struct.unpack_from("<I", raw, position)
    position += 4
    if number == STRING:
        text, position = _text(raw, position)
        return "string", text.decode(), position
    if number == ARRAY:
        return _array(raw, position)
    kind, code = SCALAR_TYPES[number]
    (value,) = struct.unpack_from("<" + code, raw, position)
    return kind, bool(value) if kind == "bool" else value, position + struct.calcsize("<" + code)


def _array(raw: bytes, position: int) -> tuple[str, FieldValue, int]:
    number, count = struct.unpack_from("<IQ", raw, position)
    position += 12
    if number == STRING:
        texts = []
        for _ in range(count):
            text, position = _text(raw, position)
            texts.append(text)
        return "[string]", tuple(texts), position
    kind, code = SCALAR_TYPES[number]
    layout = f"<{count}{code}"
    values = struct.unpack_from(layout, raw, position)
    return f"[{kind}]", tuple(map(bool, values)) if kind == "bool" else values, position + struct.calcsize(layout)


def _text(raw: bytes, position: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from("<Q", raw, position)
    start, end = position + 8, position + 8 + length
    if end > len(raw):
        raise struct.error
    return raw[start:end], end
