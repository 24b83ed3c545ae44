"""A checkpoint on a hub, known from its configuration and headers alone: kilobytes, whatever the weights weigh."""

import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from gguf_convert.errors import SourceError
from gguf_convert.source.checkpoint import (
    INDEX,
    MAX_CONFIG,
    MAX_INDEX,
    SINGLE,
    Checkpoint,
    Shard,
    check_numbers,
    gather,
    index_of,
    read_json_object,
)
from gguf_convert.source.hub import RemoteFile, Snapshot, fetch_small_files, read_span
from gguf_convert.source.safetensors import MAX_HEADER, read_safetensors_from
from gguf_convert.tensors import SourceTensor

_AT_ONCE: Final = 8  # headers are small: what takes the time is asking
_GUESS: Final = 2**15  # read with the length of a header: one request for most small files
_LENGTH: Final = 8


def open_remote(source: Snapshot, folder: Path) -> Checkpoint:
    """The checkpoint of a repository. Its small files are put into `folder`, where its shards will be once somebody has
    downloaded them (`hub.download` gives them the times that stand here).

    Raises SourceError with one sentence when something is missing or unsound.
    """
    fetch_small_files(source, folder)
    config = read_json_object(folder / "config.json", MAX_CONFIG)
    weight_map = _weight_map(source, folder)
    names = sorted(set(weight_map.values())) if weight_map is not None else _unindexed(source)
    files = [source.file(name) for name in names]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        contents = dict(zip(names, pool.map(partial(_header, source), files), strict=True))
    return Checkpoint(
        folder=folder,
        config=config,
        tensors=gather(Path(source.repository), contents, weight_map),
        shards={file.name: _shard(folder, file) for file in files},
    )


def _weight_map(source: Snapshot, folder: Path) -> Mapping[str, str] | None:
    if SINGLE in source.files or INDEX not in source.files:
        return None
    return index_of(read_json_object(folder / INDEX, MAX_INDEX), INDEX)


def _unindexed(source: Snapshot) -> list[str]:
    if SINGLE in source.files:
        return [SINGLE]
    names = sorted(name for name in source.files if name.endswith(".safetensors"))
    if not names:
        raise SourceError(f"{source.repository} holds no safetensors file")
    check_numbers(source.repository, names)
    return names


def _shard(folder: Path, file: RemoteFile) -> Shard:
    return Shard(name=file.name, path=folder / file.name, size=file.size, mtime_ns=file.stamp_ns)


def _header(source: Snapshot, file: RemoteFile) -> tuple[SourceTensor, ...]:
    head = read_span(source, file, 0, min(_GUESS, file.size)) if file.size else b""
    stop = _LENGTH + min(int.from_bytes(head[:_LENGTH], "little"), MAX_HEADER)
    if len(head) < min(stop, file.size):
        head += read_span(source, file, len(head), min(stop, file.size))
    return read_safetensors_from(io.BytesIO(head), file.size, file.name, f"{source.repository}/{file.name}")
