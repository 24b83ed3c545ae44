"""What llama.cpp makes of the tiny checkpoints, as digests: one JSON file for each checkpoint in `digests/`.

`source` is the digest of the checkpoint itself, `metadata` that of the F32 file, `tensors` has the shape of each tensor
and its digest in every type it was met in, and `files` for each kind of file which type each tensor has (one letter
each, in the order of `tensors`, see `letters`) and which metadata differ from the F32 file's.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_letters
from typing import Any

from tests.reference.gguf_file import Entry, GgufFile, Tensor

HOME = Path(__file__).resolve().parent / "digests"
BASE = "F32"
LONG = 16
"""Arrays of more elements are kept as a digest."""


@dataclass(frozen=True, slots=True)
class Digests:
    """What llama.cpp made of one checkpoint: the kinds of file by their names (F32, Q4_K_M, ...)."""

    source: str
    files: Mapping[str, GgufFile]


def checkpoint_digest(folder: Path) -> str:
    """Of all files of a checkpoint, in the order of their names."""
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        whole.update(f"{path.name} {path.stat().st_size}\n".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


def load_digests(name: str) -> Digests:
    """The committed digests of one checkpoint."""
    whole = json.loads((HOME / f"{name}.json").read_text("utf-8"))
    base = {key: Entry(*entry) for key, entry in whole["metadata"].items()}
    letters = whole["letters"]
    files = {}
    for kind, made in whole["files"].items():
        types = [letters[letter] for letter in made["types"]]
        tensors = {
            name: Tensor(tuple(known["shape"]), type_name, known[type_name])
            for (name, known), type_name in zip(whole["tensors"].items(), types, strict=True)
        }
        files[kind] = GgufFile(base | {key: Entry(*entry) for key, entry in made["metadata"].items()}, tensors)
    return Digests(whole["source"], files)


def tensors_of(digests: Digests) -> dict[str, set[Tensor]]:
    """Each tensor in every type it was met in."""
    every: dict[str, set[Tensor]] = {}
    for file in digests.files.values():
        for name, tensor in file.tensors.items():
            every.setdefault(name, set()).add(tensor)
    return every


def save_digests(name: str, digests: Digests) -> None:
    """Writes what `load_digests` reads. The metadata of the other files must only add to the F32 file's or differ."""
    base = digests.files[BASE]
    letters = dict(zip(_types(digests), ascii_letters, strict=False))
    tensors: dict[str, dict[str, Any]] = {name: {"shape": tensor.shape} for name, tensor in base.tensors.items()}
    files = {}
    for kind, made in digests.files.items():
        assert made.tensors.keys() == tensors.keys(), kind
        for tensor_name, tensor in made.tensors.items():
            assert tensors[tensor_name].setdefault(tensor.type, tensor.digest) == tensor.digest, tensor_name
        types = "".join(letters[made.tensors[tensor_name].type] for tensor_name in tensors)
        files[kind] = {"types": types, "metadata": _entries(made, base)}
    whole = {
        "source": digests.source,
        "letters": {letter: type_name for type_name, letter in letters.items()},
        "metadata": _entries(base),
        "files": files,
        "tensors": tensors,
    }
    HOME.mkdir(exist_ok=True)
    (HOME / f"{name}.json").write_text(_by_lines(whole), "utf-8")


def shortened(file: GgufFile) -> GgufFile:
    """The file with its long arrays replaced by their length and digest, as the digests keep them."""
    return GgufFile({key: _short(entry) for key, entry in file.metadata.items()}, file.tensors)


def _short(entry: Entry) -> Entry:
    if not isinstance(entry.value, list) or len(entry.value) <= LONG:
        return entry
    text = json.dumps(entry.value, ensure_ascii=False, separators=(",", ":"))
    return Entry(entry.type, f"{len(entry.value)} elements, sha256 {hashlib.sha256(text.encode()).hexdigest()}")


def _types(digests: Digests) -> list[str]:
    return sorted({tensor.type for file in digests.files.values() for tensor in file.tensors.values()})


def _entries(file: GgufFile, base: GgufFile | None = None) -> dict[str, Any]:
    known = base.metadata if base else {}
    assert known.keys() <= file.metadata.keys()
    return {key: (entry.type, entry.value) for key, entry in sorted(file.metadata.items()) if known.get(key) != entry}


def _by_lines(whole: dict[str, Any]) -> str:
    """JSON with one line for each key of the second level: what changed is visible in a diff."""
    parts = []
    for key, value in whole.items():
        if not isinstance(value, dict):
            parts.append(f'"{key}": {json.dumps(value)}')
            continue
        rows = (f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value.items())
        parts.append(f'"{key}": {{\n' + ",\n".join(rows) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
