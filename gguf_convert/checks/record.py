"""The manifest beside a file, against the file's headers and against the sources it names."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from gguf_convert.checks.findings import Finding, Tell
from gguf_convert.errors import SourceError
from gguf_convert.manifest import SUFFIX, Manifest, Source
from gguf_convert.source.checkpoint import Shard
from gguf_convert.source.gguf import GgufSource, stem

CHECK: Final = "checksums"


def manifest_of(model: GgufSource) -> Path:
    """Where a conversion leaves the manifest of this model."""
    return model.first.with_name(f"{stem(model.first)}.gguf{SUFFIX}")


def check_record(model: GgufSource, manifest: Manifest) -> Iterator[Finding]:
    """Whether the manifest is about these tensors and these headers. What tensors hold is `contents.py`'s."""
    wrong = _another(model, manifest)
    if wrong:
        yield Finding(CHECK, f"the manifest is that of another file: {wrong}")
        return
    shards = model.checkpoint.shards.values()
    for shard, wanted in zip(shards, manifest.headers, strict=False):
        if _header_hash(shard, model) != wanted:
            yield Finding(CHECK, f"the header of {shard.path} is not what was written: its sha256 differs")


def check_sources(manifest: Manifest, shards: Mapping[str, Shard], tell: Tell) -> Iterator[Finding]:
    """Whether files are those that the manifest names."""
    total = sum(source.size for source in manifest.sources)
    done = 0
    for source in manifest.sources:
        tell(f"reading {source.name}", done / total if total else 1.0)
        yield from _source(source, shards.get(source.name))
        done += source.size


def _source(source: Source, shard: Shard | None) -> Iterator[Finding]:
    if shard is None:
        yield Finding(CHECK, f"the source has no file {source.name}, of which this file was made")
    elif shard.size != source.size:
        yield Finding(CHECK, f"{shard.path} has {shard.size} bytes, and {source.size} when this file was made of it")
    elif source.sha256 is not None and _file_hash(shard.path) != source.sha256:
        yield Finding(CHECK, f"{shard.path} is not the file that this one was made of: its sha256 differs")


def _another(model: GgufSource, manifest: Manifest) -> str | None:
    """What shows that the manifest is about other tensors."""
    wanted = {tensor.name: tensor for tensor in manifest.tensors}
    if missing := [tensor.name for tensor in model.tensors if tensor.name not in wanted]:
        return f"it does not know {missing[0]}"
    if len(wanted) != len(model.tensors):
        held = {tensor.name for tensor in model.tensors}
        return f"it has {next(name for name in wanted if name not in held)}, which is not here"
    for tensor in model.tensors:
        said = wanted[tensor.name]
        if (said.type, said.shape) != (tensor.type.name, tensor.shape):
            here = f"{tensor.type.name} {list(tensor.shape)}"
            return f"it has {tensor.name} as {said.type} {list(said.shape)}, which is {here} here"
    return None


def _header_hash(shard: Shard, model: GgufSource) -> str:
    """The sha256 of everything before the first tensor."""
    begins = [tensor.offset for tensor in model.checkpoint.tensors.values() if tensor.shard == shard.name]
    with shard.path.open("rb") as file:
        return hashlib.sha256(file.read(min(begins, default=shard.size))).hexdigest()


def _file_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise SourceError(f"{path} cannot be read: {exc.strerror or exc}") from exc
