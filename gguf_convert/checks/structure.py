"""Bytes of a GGUF file that belong to no tensor: padding, which is zeros, and nothing after it."""

from collections.abc import Iterator
from pathlib import Path

from engine.models.gguf_header import GgufHeader, read_header
from gguf_convert.checks.findings import Finding
from gguf_convert.header import padded
from gguf_convert.source.gguf import GgufSource

CHECK = "structure"


def check_structure(model: GgufSource) -> Iterator[Finding]:
    """What the readers of headers let pass, because a model runs all the same."""
    for shard in model.checkpoint.shards.values():
        header = read_header(shard.path)
        yield from _padding(shard.path, header)
        yield from _end(shard.path, header)


def _padding(path: Path, header: GgufHeader) -> Iterator[Finding]:
    with path.open("rb") as file:
        for tensor in header.tensors:
            end = header.data_start + tensor.offset + tensor.size
            file.seek(end)
            if any(file.read(padded(end, header.alignment) - end)):
                yield Finding(CHECK, f"{path} has something else than zeros behind the tensor {tensor.name!r}")


def _end(path: Path, header: GgufHeader) -> Iterator[Finding]:
    last = max((tensor.offset + tensor.size for tensor in header.tensors), default=0)
    over = header.file_size - header.data_start - padded(last, header.alignment)
    if over > 0:
        yield Finding(CHECK, f"{path} has {over} bytes behind its last tensor that belong to nothing")
