"""What a finished conversion leaves beside its output, NAME.manifest.json: from what it was made, how, and how well."""

import os
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from gguf_convert.errors import TargetError
from gguf_convert.output import writing

SUFFIX: Final = ".manifest.json"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Record):
    """A file of the checkpoint. `sha256` is None when the user did not want it computed."""

    name: str
    size: int
    mtime_ns: int
    sha256: str | None


class TensorRecord(_Record):
    """A tensor of the output. `error` is the root mean square of the errors relative to that of the weights, over every
    eighth row; None when these weights are all zero.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    file: str
    size: int
    sha256: str
    error: float | None


class Versions(_Record):
    """What wrote the bytes."""

    converter: str
    ggml: str


class Manifest(_Record):
    """`plan` is the plan's digest; `recipe` is what the user called the recipe; `importance` the sha256 of the
    importance matrix's file; `origin` names the repository and commit of a hub that the sources are from; `headers` are
    the sha256 of all before the first tensor of each file.
    """

    version: int = 1
    architecture: str
    recipe: str
    plan: str
    importance: str | None
    origin: str | None = None
    versions: Versions
    sources: tuple[Source, ...]
    files: tuple[str, ...]
    headers: tuple[str, ...] = ()
    tensors: tuple[TensorRecord, ...]
    unused: dict[str, str]
    warnings: tuple[str, ...]


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Writes it in one piece. Raises TargetError."""
    new = path.with_name(path.name + ".new")
    with writing(path):
        with new.open("w", encoding="utf-8") as file:
            file.write(manifest.model_dump_json(indent=1) + "\n")
            file.flush()
            os.fsync(file.fileno())  # the journal goes next, and could not make it again
        new.replace(path)


def read_manifest(path: Path) -> Manifest | None:
    """The manifest at `path`; None when there is none. Raises TargetError when it is not sound."""
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise TargetError(f"{path} cannot be read: {exc.strerror or exc}") from exc
    except ValidationError as exc:
        raise TargetError(f"{path} is no manifest of a conversion") from exc
