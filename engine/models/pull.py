"""Installs a model from a hub: look, choose, warn, download, check, record."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DownloadError, ModelUnusable
from engine.models.catalogue import Entry
from engine.models.hub import Hub, Listing, RemoteFile, Report, chosen_files, download, list_files
from engine.models.memory import WORKING_BYTES, machine_bytes
from engine.models.store import Manifest, Store, StoredFile, describe, usable_header


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to install: under which name, from which repository and revision, which files."""

    id: str
    repository: str
    pattern: str
    revision: str = "main"
    licence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a pull would download. `warning` is a sentence when the model will hardly fit into memory, else ""."""

    wanted: Wanted
    listing: Listing
    files: tuple[RemoteFile, ...]
    warning: str

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def from_entry(entry: Entry, *, pattern: str | None = None, revision: str = "main") -> Wanted:
    """What a catalogue row means; `pattern` asks for other files of its repository."""
    return Wanted(
        id=entry.name,
        repository=entry.repository,
        pattern=pattern or entry.pattern,
        revision=revision,
        licence=entry.licence,
    )


def plan(hub: Hub, wanted: Wanted) -> Plan:
    """Asks the hub what there is. Raises DownloadError."""
    listing = list_files(hub, wanted.repository, wanted.revision)
    files = chosen_files(listing, wanted.pattern)
    return Plan(wanted=wanted, listing=listing, files=files, warning=_warning(files))


def fetch(hub: Hub, plan: Plan, store: Store, report: Report) -> Manifest:
    """Downloads and records. Raises DownloadError; a model whose header is not sound is removed again."""
    folder = store.folder(plan.wanted.id)
    paths = download(hub, plan.listing, plan.files, folder, report)
    try:
        manifest = _described(plan, paths)
    except ModelUnusable as exc:
        for path in paths:
            path.unlink(missing_ok=True)
        raise DownloadError(f"what the hub sent cannot be used: {exc}") from exc
    store.save(manifest)
    _sweep(folder, manifest)
    return manifest


def _described(plan: Plan, paths: Sequence[Path]) -> Manifest:
    headers = [usable_header(path) for path in paths]
    files = tuple(
        StoredFile(path=file.local, size=file.size, sha256=file.sha256, mtime_ns=path.stat().st_mtime_ns)
        for file, path in zip(plan.files, paths, strict=True)
    )
    wanted = plan.wanted
    manifest = describe(
        wanted.id, headers[0], files, source=f"hub {wanted.repository}", licence=wanted.licence or plan.listing.licence
    )
    n_params = sum(header.n_params for header in headers)
    return manifest.model_copy(update={"revision": plan.listing.revision, "n_params": n_params})


def _sweep(folder: Path, manifest: Manifest) -> None:
    """Removes what an earlier version of the model left in its folder, unfinished parts included."""
    keep = {file.path for file in manifest.files} | {"manifest.json"}
    for path in folder.iterdir():
        if path.name not in keep and (path.suffix in {".gguf", ".part"}):
            path.unlink()


def _warning(files: Sequence[RemoteFile]) -> str:
    machine, weights = machine_bytes(), sum(file.size for file in files)
    if not machine or weights + WORKING_BYTES <= machine * 7 // 8:
        return ""
    return (
        f"this model needs about {(weights + WORKING_BYTES) / 1e9:.0f} GB of memory besides its context, "
        f"and this machine has {machine / 1e9:.0f} GB"
    )
