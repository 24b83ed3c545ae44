"""Every byte of every tensor, read once: its sha256, and scales that are no finite numbers."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from engine.models.gguf_header import Tensor, TensorType
from gguf_convert.checks.blocks import first_unsound
from gguf_convert.checks.findings import Finding, Tell
from gguf_convert.errors import SourceError
from gguf_convert.source.gguf import GgufSource
from gguf_convert.tensors import SourceTensor

_PIECE: Final = 2**22


def check_contents(model: GgufSource, hashes: Mapping[str, str], tell: Tell) -> Iterator[Finding]:
    """Reads the whole model. `hashes` are the sha256 that tensors should have, as far as known.

    When all of them differ, that is one finding: the hashes are then those of another model.
    """
    total = sum(tensor.size for tensor in model.tensors)
    done, different = 0, []
    for tensor in model.tensors:
        tell(f"reading {tensor.name}", done / total)
        place = model.checkpoint.tensors[tensor.name]
        digest, unsound = _read(model.checkpoint.shards[place.shard].path, place, tensor.type)
        if unsound is not None:
            yield Finding("values", f"{tensor.name} {_where(tensor, unsound)}")
        if tensor.name in hashes and digest != hashes[tensor.name]:
            different.append(tensor)
        done += tensor.size
    yield from _different(different, len(hashes))


def _different(tensors: list[Tensor], known: int) -> Iterator[Finding]:
    if len(tensors) == known > 1:
        yield Finding("checksums", "no tensor has the sha256 that the manifest says: it is that of another conversion")
        return
    for tensor in tensors:
        yield Finding("checksums", f"{tensor.name} is not what was written: its sha256 differs from the manifest's")


def _read(path: Path, place: SourceTensor, kind: TensorType) -> tuple[str, int | None]:
    """The sha256 of a tensor, and the number of its first block whose scale is no finite number."""
    digest, unsound, before = hashlib.sha256(), None, 0
    try:
        with path.open("rb") as file:
            file.seek(place.offset)
            for piece in _pieces(file, path, place.size, max(_PIECE // kind.size, 1) * kind.size):
                digest.update(piece)
                if unsound is None:
                    found = first_unsound(kind, np.frombuffer(piece, np.uint8))
                    unsound = None if found is None else before + found
                before += len(piece) // kind.size
    except OSError as exc:
        raise SourceError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    return digest.hexdigest(), unsound


def _pieces(file: BinaryIO, path: Path, size: int, step: int) -> Iterator[bytes]:
    for start in range(0, size, step):
        wanted = min(step, size - start)
        piece = file.read(wanted)
        if len(piece) < wanted:
            raise SourceError(f"{path} became shorter while it was read")
        yield piece


def _where(tensor: Tensor, block: int) -> str:
    row, column = divmod(block * tensor.type.block, tensor.shape[0])
    if tensor.type.block == 1:
        return f"has a value that is no finite number in row {row}, column {column}"
    return f"has a block whose scale is no finite number in row {row}, from column {column} on"
