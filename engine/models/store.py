"""What is installed: one folder per model under the data directory, each with a manifest and, mostly, the files.

<data>/models/<id>/manifest.json     what the model is, where it came from, size and sha256 of each file
<data>/models/<id>/*.gguf            its files; a user's own file may stay where it is and is only pointed to
<data>/models/default.json           the user's choice of default model (`r1-lsp models use`)
"""

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import ModelNotFound, ModelUnusable
from engine.models.gguf_header import GgufError, GgufHeader
from engine.models.gguf_model import read_model_header
from engine.prompt.family import detect

MANIFEST, CHOICE = "manifest.json", "default.json"
DEFAULT_ID = "smollm2-135m-instruct"
"""The model that `make` installs and that "default" means until the user chooses another."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CHUNK = 2**20

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


class StoredFile(BaseModel):
    """One file of a model. `path` is relative to the model's folder, or absolute for a file that stays elsewhere."""

    model_config = ConfigDict(frozen=True)

    path: str
    size: int
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    mtime_ns: int
    """The file's time when its sha256 was last right; another time means that it is computed again before use."""


class Manifest(BaseModel):
    """What is known of an installed model. The first file is the one to load; the others are its further parts."""

    model_config = ConfigDict(frozen=True)

    id: str
    files: tuple[StoredFile, ...] = Field(min_length=1)
    source: str
    licence: str = "unknown"
    revision: str | None = None
    recipe: str | None = None
    family: str = "unknown"
    weights: str = ""
    n_params: int = 0
    n_ctx_train: int = 0

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


class _Choice(BaseModel):
    model: str


@dataclass(frozen=True, slots=True)
class Store:
    """The models folder of one data directory."""

    root: Path

    def folder(self, model_id: str) -> Path:
        """Where a model's manifest and files are. Raises ModelNotFound for a name that could leave the folder."""
        if not _ID.fullmatch(model_id):
            raise ModelNotFound(f"{model_id!r} is not a model name")
        return self.root / model_id

    def installed(self) -> tuple[Manifest, ...]:
        """All installed models by name. A folder whose manifest cannot be read is left out."""
        found = []
        for path in sorted(self.root.glob(f"*/{MANIFEST}")):
            with contextlib.suppress(ModelUnusable):
                found.append(_read_manifest(path))
        return tuple(found)

    def get(self, model_id: str) -> Manifest | None:
        """The manifest of an installed model, or None."""
        if not _ID.fullmatch(model_id):
            return None
        path = self.folder(model_id) / MANIFEST
        return _read_manifest(path) if path.is_file() else None

    def paths(self, manifest: Manifest) -> tuple[Path, ...]:
        """Where the model's files are, the one to load first."""
        return tuple(self.folder(manifest.id) / file.path for file in manifest.files)

    def save(self, manifest: Manifest) -> None:
        """Writes the manifest; a crash leaves the old one or the new one."""
        folder = self.folder(manifest.id)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")

    def remove(self, model_id: str) -> int:
        """Removes a model and returns the bytes freed; a file that only is pointed to stays. Raises ModelNotFound."""
        manifest = self.get(model_id)
        if manifest is None:
            raise ModelNotFound(f"{model_id} is not installed")
        freed = sum(file.size for file in manifest.files if not Path(file.path).is_absolute())
        shutil.rmtree(self.folder(model_id))
        if self.chosen() == model_id:
            (self.root / CHOICE).unlink(missing_ok=True)
        return freed

    def choose(self, model: str) -> Path:
        """Makes an installed model, or an absolute path, the default. Returns the file that says so."""
        self.root.mkdir(parents=True, exist_ok=True)
        write_whole(self.root / CHOICE, _Choice(model=model).model_dump_json() + "\n")
        return self.root / CHOICE

    def chosen(self) -> str:
        """What "default" means now."""
        try:
            return _Choice.model_validate_json((self.root / CHOICE).read_bytes()).model
        except (OSError, ValidationError):
            return DEFAULT_ID

    def check(self, manifest: Manifest, *, thorough: bool = False, progress: Progress | None = None) -> Manifest:
        """Makes sure that a model's files are those that were installed. Raises ModelUnusable with one sentence.

        Fast: size and time of each file. A file whose time changed (and every file, if `thorough`) is read through
        and its sha256 compared; the manifest with the new time is saved and returned.
        """
        files = []
        for file, path in zip(manifest.files, self.paths(manifest), strict=True):
            found = _stat(path)
            if found.st_size != file.size:
                raise ModelUnusable(f"{path} has {found.st_size} bytes, {file.size} were installed; {_AGAIN}")
            stale = thorough or found.st_mtime_ns != file.mtime_ns
            if stale and sha256_of(path, progress) != file.sha256:
                raise ModelUnusable(f"{path} is not the file that was installed (its sha256 differs); {_AGAIN}")
            files.append(file.model_copy(update={"mtime_ns": found.st_mtime_ns}))
        checked = manifest.model_copy(update={"files": tuple(files)})
        if checked != manifest:
            with contextlib.suppress(OSError):  # a read-only data directory only costs the check again next time
                self.save(checked)
        return checked


_AGAIN = "remove it with `r1-lsp models rm` and install it again"


def describe(
    model_id: str, header: GgufHeader, files: tuple[StoredFile, ...], *, source: str, licence: str | None = None
) -> Manifest:
    """A manifest for files whose header is known. The licence is the file's own word unless given."""
    own_licence = header.metadata.get("general.license")
    return Manifest(
        id=model_id,
        files=files,
        source=source,
        licence=licence or (own_licence if isinstance(own_licence, str) else "unknown"),
        family=detect(header.metadata),
        weights=weights_of(header),
        n_params=header.n_params,
        n_ctx_train=header.number("{arch}.context_length") or 0,
    )


def add_file(store: Store, path: Path, model_id: str, progress: Progress | None = None) -> Manifest:
    """Registers a user's own GGUF file where it is; nothing is copied. Raises ModelUnusable, ModelNotFound."""
    parts = shards(path.resolve())
    header = usable_header(parts[0])
    for part in parts[1:]:
        usable_header(part)
    files = tuple(stored(part, str(part), progress) for part in parts)
    manifest = describe(model_id, header, files, source=f"file {path.resolve()}")
    manifest = manifest.model_copy(update={"n_params": sum(usable_header(part).n_params for part in parts)})
    store.save(manifest)
    return manifest


def stored(path: Path, name: str, progress: Progress | None = None) -> StoredFile:
    """The record of a file that is in place: its sha256 is computed here."""
    found = _stat(path)
    return StoredFile(path=name, size=found.st_size, sha256=sha256_of(path, progress), mtime_ns=found.st_mtime_ns)


def usable_header(path: Path) -> GgufHeader:
    """The header of a file that llama.cpp may see. Raises ModelNotFound, ModelUnusable with one sentence."""
    try:
        return read_model_header(path)
    except GgufError as exc:
        error = ModelNotFound if not path.exists() else ModelUnusable
        raise error(str(exc)) from exc


_SHARD = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf")


def shards(path: Path) -> tuple[Path, ...]:
    """All parts of a split model, the first first; just the file itself for one that is not split.

    Raises ModelUnusable when the file is not the first part, ModelNotFound when a part is missing.
    """
    match = _SHARD.fullmatch(path.name)
    if match is None:
        return (path,)
    count = int(match["count"])
    if int(match["number"]) != 1:
        first = f"{match['stem']}-00001-of-{match['count']}.gguf"
        raise ModelUnusable(f"{path.name} is a part of a split model; give its first part, {first}")
    parts = tuple(path.with_name(f"{match['stem']}-{i:05}-of-{count:05}.gguf") for i in range(1, count + 1))
    for part in parts:
        if not part.is_file():
            raise ModelNotFound(f"{part} is missing; the model has {count} parts")
    return parts


def weights_of(header: GgufHeader) -> str:
    """The tensor type that most bytes of the file are in, e.g. "Q4_K"."""
    by_type: dict[str, int] = {}
    for tensor in header.tensors:
        by_type[tensor.type.name] = by_type.get(tensor.type.name, 0) + tensor.size
    return max(by_type, key=lambda name: by_type[name], default="")


def sha256_of(path: Path, progress: Progress | None = None) -> str:
    """The file's sha256 in hex. Raises ModelUnusable when it cannot be read."""
    digest, done = hashlib.sha256(), 0
    try:
        total = path.stat().st_size
        for chunk in _chunks(path):
            digest.update(chunk)
            done += len(chunk)
            if progress:
                progress(done, total)
    except OSError as exc:
        raise ModelUnusable(f"{path} cannot be read: {exc.strerror or exc}") from exc
    return digest.hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Writes beside `path` and renames, so that no one ever sees half a file."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except FileNotFoundError:
        raise ModelNotFound(f"there is no file {path} any more; {_AGAIN}") from None
    except OSError as exc:
        raise ModelUnusable(f"{path} cannot be read: {exc.strerror or exc}") from exc


def _read_manifest(path: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as exc:
        raise ModelUnusable(f"{path} is damaged; {_AGAIN}") from exc
    if manifest.id != path.parent.name or not all(_stays_inside(file.path) for file in manifest.files):
        raise ModelUnusable(f"{path} is damaged; {_AGAIN}")
    return manifest


def _stays_inside(name: str) -> bool:
    return Path(name).is_absolute() or Path(name).name == name
