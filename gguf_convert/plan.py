"""Where every byte of the output goes, before any weight is read.

GGUF wants tensors one behind the other in the order of its header, each padded; so types decide sizes, sizes decide
offsets, and any worker can then write its rows where they belong.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gguf_convert.arch.architecture import Layout
from gguf_convert.errors import RecipeError
from gguf_convert.fields import Field
from gguf_convert.ggml import row_bytes
from gguf_convert.header import TensorInfo, encode_header, padded
from gguf_convert.tensors import TargetTensor

QUANTISATION_VERSION: Final = 2
"""GGML_QNT_VERSION: how the blocks of the present quantised types are laid out."""
MAX_FILES: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """When another file is begun: before one would hold more than `max_size` bytes of tensors, or more than
    `max_tensors`. None means never; a tensor is never divided.
    """

    max_size: int | None = None
    max_tensors: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTensor:
    """A tensor, its type and its place: `file` is a number of the plan's files, `offset` from that file's start."""

    target: TargetTensor
    type: str
    file: int
    offset: int
    size: int

    @property
    def row_bytes(self) -> int:
        return self.size // self.target.n_rows

    def place(self, start: int, stop: int) -> tuple[int, int]:
        """Offset in the file and size, both in bytes, of the rows [start, stop)."""
        return self.offset + start * self.row_bytes, (stop - start) * self.row_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """One file of the output: `header` is all before its first tensor, `size` the whole file in bytes."""

    name: str
    header: bytes
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`digest` says whether two plans write the same bytes from the same weights. `unused` and `warnings` as in
    Layout.
    """

    architecture: str
    tensors: tuple[PlannedTensor, ...]
    files: tuple[PlannedFile, ...]
    unused: Mapping[str, str]
    warnings: tuple[str, ...]
    digest: str

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    @property
    def elements(self) -> int:
        return sum(tensor.target.elements for tensor in self.tensors)


def make_plan(
    layout: Layout, *, types: Mapping[str, str], fields: Sequence[Field], file_name: str, split: Split | None = None
) -> Plan:
    """The plan for a checkpoint's layout. `types` has every tensor that is not pinned, `fields` what the layout's lack
    (the tokenizer's, `general.file_type`), `file_name` ends in ".gguf".

    Raises RecipeError for a type that is missing or does not fit, and what `encode_header` raises.
    """
    groups = list(_groups(layout.tensors, types, split or Split()))
    if len(groups) > MAX_FILES:
        raise RecipeError(f"the output would have {len(groups)} files; at most {MAX_FILES} can be numbered")
    own = _with_version((*layout.fields, *fields))
    tensors: list[PlannedTensor] = []
    files: list[PlannedFile] = []
    for number, group in enumerate(groups):
        header = _header(group, types, (*(own if number == 0 else ()), *_split_fields(number, groups)))
        placed = _placed(group, types, number, len(header))
        files.append(_file(_name(file_name, number, len(groups)), header, placed))
        tensors += placed
    return Plan(
        architecture=str(next((field.value for field in own if field.key == "general.architecture"), "")),
        tensors=tuple(tensors),
        files=tuple(files),
        unused=layout.unused,
        warnings=tuple(layout.warnings),
        digest=_digest(tensors, files),
    )


def header_size(layout: Layout, fields: Sequence[Field]) -> int:
    """Bytes before the first tensor of one file with all of them. Which types they have does not matter."""
    types = {tensor.name: "F32" for tensor in layout.tensors}
    return len(_header(layout.tensors, types, _with_version((*layout.fields, *fields))))


def _with_version(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    key = "general.quantization_version"
    if any(field.key == key for field in fields):
        return fields
    return (*fields, Field(key, "u32", QUANTISATION_VERSION))


def _type_of(tensor: TargetTensor, types: Mapping[str, str]) -> str:
    chosen = tensor.pinned or types.get(tensor.name)
    if chosen is None:
        raise RecipeError(f"nothing says which type {tensor.name} is to have")
    return chosen


def _size_of(tensor: TargetTensor, types: Mapping[str, str]) -> int:
    chosen = _type_of(tensor, types)
    try:
        return row_bytes(chosen, tensor.row_length) * tensor.n_rows
    except RecipeError as exc:
        raise RecipeError(f"{tensor.name}: {exc}") from exc


def _groups(
    tensors: Sequence[TargetTensor], types: Mapping[str, str], split: Split
) -> Iterator[Sequence[TargetTensor]]:
    """The tensors of each file."""
    group: list[TargetTensor] = []
    size = 0
    for tensor in tensors:
        more = padded(_size_of(tensor, types))
        full = split.max_size is not None and size + more > split.max_size
        if group and (full or len(group) == split.max_tensors):
            yield group
            group, size = [], 0
        group.append(tensor)
        size += more
    yield group


def _header(group: Sequence[TargetTensor], types: Mapping[str, str], fields: Sequence[Field]) -> bytes:
    infos = []
    offset = 0
    for tensor in group:
        infos.append(TensorInfo(name=tensor.name, shape=tensor.shape, type=_type_of(tensor, types), offset=offset))
        offset += padded(_size_of(tensor, types))
    return encode_header(fields, infos)


def _split_fields(number: int, groups: Sequence[Sequence[TargetTensor]]) -> tuple[Field, ...]:
    if len(groups) == 1:
        return ()
    return (
        Field("split.no", "u16", number),
        Field("split.count", "u16", len(groups)),
        Field("split.tensors.count", "i32", sum(map(len, groups))),
    )


def _placed(group: Sequence[TargetTensor], types: Mapping[str, str], file: int, data_start: int) -> list[PlannedTensor]:
    placed = []
    offset = data_start
    for tensor in group:
        size = _size_of(tensor, types)
        placed.append(PlannedTensor(target=tensor, type=_type_of(tensor, types), file=file, offset=offset, size=size))
        offset += padded(size)
    return placed


def _file(name: str, header: bytes, placed: Sequence[PlannedTensor]) -> PlannedFile:
    end = placed[-1].offset + padded(placed[-1].size) if placed else len(header)
    return PlannedFile(name=name, header=header, size=end)


def _name(file_name: str, number: int, count: int) -> str:
    """llama.cpp looks for the other files under these names."""
    if count == 1:
        return file_name
    return f"{file_name.removesuffix('.gguf')}-{number + 1:05d}-of-{count:05d}.gguf"


def _digest(tensors: Sequence[PlannedTensor], files: Sequence[PlannedFile]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.header).digest())
    for tensor in tensors:
        digest.update(repr((tensor.file, tensor.offset, tensor.type, tensor.target)).encode())
    return digest.hexdigest()
