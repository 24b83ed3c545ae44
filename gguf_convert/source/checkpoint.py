"""A checkpoint as Hugging Face lays it out: config.json, and weights in one or many safetensors files.

Only what is written in JSON and in headers is read here. Nothing of the folder is executed, and pickled weights
(`*.bin`, `*.pt`) are refused: reading them would run their code.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gguf_convert.errors import SourceError
from gguf_convert.source.safetensors import read_safetensors
from gguf_convert.tensors import SourceTensor

MAX_CONFIG: Final = 4 * 2**20
MAX_INDEX: Final = 12 * 2**20  # R1's has 8.9 MB; parsed, strings take up to twelve times their size
MAX_BRACKETS: Final = 2**19  # and empty lists and objects 36 times theirs
SINGLE: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"

_NUMBERED = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.safetensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One file of weights, and what it was like when the checkpoint was opened. `size` in bytes."""

    name: str
    path: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A model as it was saved: its configuration, and where every tensor lies. May be sent to other processes."""

    folder: Path
    config: Mapping[str, Any]
    tensors: Mapping[str, SourceTensor]
    shards: Mapping[str, Shard]


def open_checkpoint(folder: Path) -> Checkpoint:
    """Reads the configuration and every header of the checkpoint in `folder`.

    Raises SourceError with one sentence when something is missing or unsound.
    """
    _check_folder(folder)
    config = read_json_object(folder / "config.json", MAX_CONFIG)
    weight_map = _weight_map(folder / INDEX) if _uses_index(folder) else None
    names = sorted(set(weight_map.values())) if weight_map is not None else _unindexed(folder)
    shards = {name: shard_at(folder / name) for name in names}
    contents = {name: read_safetensors(folder / name) for name in names}
    return Checkpoint(folder=folder, config=config, tensors=gather(folder, contents, weight_map), shards=shards)


def _check_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    if not folder.exists():
        raise SourceError(f"there is no folder {folder}")
    if folder.suffix == ".gguf":
        raise SourceError(f"{folder} is a GGUF file already; `r1-gguf quantize` makes another of it")
    raise SourceError(f"{folder} is a file; the folder of the checkpoint is wanted")


def read_json_object(path: Path, limit: int) -> dict[str, Any]:
    """The JSON object in the file at `path`, which may have at most `limit` bytes. Raises SourceError."""
    try:
        if not path.is_file():
            raise SourceError(f"there is no file {path}")
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as exc:
        raise SourceError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    if len(raw) > limit:
        raise SourceError(f"{path} is larger than {limit} bytes")
    if raw.count(b"[") + raw.count(b"{") > MAX_BRACKETS:
        raise SourceError(f"{path} holds more lists and objects than a checkpoint's JSON does")
    try:
        value = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_object)
    except _Twice as exc:
        raise SourceError(f"{path} has the key {exc.args[0]!r} twice in one object") from None
    except (ValueError, RecursionError):
        raise SourceError(f"{path} does not hold sound JSON") from None
    if not isinstance(value, dict):
        raise SourceError(f"{path} holds no JSON object")
    return value


class _Twice(ValueError):
    """The key that an object has more than once."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        counted = Counter(key for key, _ in pairs)
        raise _Twice(counted.most_common(1)[0][0])
    return made


def shard_at(path: Path) -> Shard:
    """What the file of weights at `path` is like now. Raises SourceError when it is missing."""
    try:
        found = path.stat()
    except FileNotFoundError:
        raise SourceError(f"the checkpoint in {path.parent} lacks its file {path.name}") from None
    except OSError as exc:
        raise SourceError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    return Shard(name=path.name, path=path, size=found.st_size, mtime_ns=found.st_mtime_ns)


def gather(
    folder: Path, contents: Mapping[str, Sequence[SourceTensor]], weight_map: Mapping[str, str] | None
) -> dict[str, SourceTensor]:
    """All tensors by name; `contents` are those of each shard. Where a name is in several, the index decides.

    Raises SourceError when a tensor is not where the index says, or is in two shards and there is no index.
    """
    tensors: dict[str, SourceTensor] = {}
    for shard, held in contents.items():
        for tensor in held:
            wanted = weight_map.get(tensor.name, shard) if weight_map else shard
            if wanted != shard:
                continue
            if tensor.name in tensors:
                raise SourceError(
                    f"{folder} has the tensor {tensor.name!r} in {tensors[tensor.name].shard} and {shard}"
                )
            tensors[tensor.name] = tensor
    for name, shard in (weight_map or {}).items():
        if name not in tensors or tensors[name].shard != shard:
            raise SourceError(f"{folder / shard} lacks the tensor {name!r}, which {INDEX} says it holds")
    return tensors


def index_of(value: Mapping[str, Any], name: str) -> dict[str, str]:
    """The `weight_map` of an index: which shard holds which tensor. `name` is what error sentences call the index."""
    weight_map = value.get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise SourceError(f"{name} has no weight_map")
    for tensor, shard in weight_map.items():
        if not isinstance(shard, str) or not _is_plain(shard):
            raise SourceError(f"{name} says that {tensor!r} is in {shard!r}, which is no safetensors file beside it")
    return weight_map


def _weight_map(path: Path) -> dict[str, str]:
    return index_of(read_json_object(path, MAX_INDEX), str(path))


def _is_plain(shard: str) -> bool:
    """Whether it names a file in the same folder. The file itself may be a link: the hub's cache is made of them."""
    return shard.endswith(".safetensors") and shard.isprintable() and not set(shard) & set('/\\:\0"')


def _uses_index(folder: Path) -> bool:
    return (folder / INDEX).exists() and not (folder / SINGLE).exists()


def _unindexed(folder: Path) -> list[str]:
    if (folder / SINGLE).exists():
        return [SINGLE]
    try:
        names = sorted(path.name for path in folder.iterdir() if path.suffix == ".safetensors")
    except OSError as exc:
        raise SourceError(f"{folder} cannot be read: {exc.strerror or exc}") from exc
    if not names:
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt"))
        hint = ", only pickled weights, which are not read because reading runs their code" if pickled else ""
        raise SourceError(f"{folder} holds no safetensors file{hint}")
    check_numbers(f"the checkpoint in {folder}", names)
    return names


def check_numbers(place: str, names: Sequence[str]) -> None:
    """Files that count themselves (model-00001-of-00003.safetensors) must all be there, or SourceError is raised."""
    for name in names:
        if match := _NUMBERED.fullmatch(name):
            for number in range(1, int(match[3]) + 1):
                wanted = f"{match[1]}-{number:05d}-of-{match[3]}.safetensors"
                if wanted not in names:
                    raise SourceError(f"{place} lacks its file {wanted}")
