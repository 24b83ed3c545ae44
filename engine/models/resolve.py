"""From the name in the options to a checked model file."""

import difflib
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import ModelNotFound, ModelUnusable
from engine.models.adapter import check_adapter
from engine.models.catalogue import CATALOGUE
from engine.models.gguf_header import GgufError, GgufHeader
from engine.models.store import DEFAULT_ID, Manifest, Progress, Store, shards, usable_header
from engine.platform import data_dir
from engine.prompt.family import detect
from engine.types import EngineOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedModel:
    """A model that may be loaded: its header is sound and, if it is installed, it is the file that was installed.

    `path` is the file to give to llama.cpp (the first part of a split model); `size` counts all parts, in bytes;
    `adapter` is a LoRA adapter that fits it.
    """

    path: Path
    id: str
    family: str
    n_ctx_train: int
    size: int
    header: GgufHeader
    adapter: Path | None = None


def store_in(data: Path | None = None) -> Store:
    """The store of a data directory; the user's own one by default."""
    return Store((data or data_dir()) / "models")


def resolve(options: EngineOptions, data: Path | None = None, progress: Progress | None = None) -> ResolvedModel:
    """The model that `options.model` names: "default", an installed model, or the path of a GGUF file.

    Takes about 0.1 s; longer, with calls of `progress`, when an installed file's time has changed and its sha256 is
    computed again. Raises ModelNotFound and ModelUnusable with one sentence.
    """
    store = store_in(data)
    name = store.chosen() if options.model == "default" else options.model
    manifest = store.get(name)
    if manifest is not None:
        return _with_adapter(options, _installed(store, store.check(manifest, progress=progress)))
    if is_path(name):
        return _with_adapter(options, _file(Path(name).expanduser()))
    raise ModelNotFound(_unknown(name, store))


def expanded(options: EngineOptions, data: Path | None = None) -> EngineOptions:
    """The options with "default" replaced by what it means now, so that options can name a shared host."""
    return replace(options, model=store_in(data).chosen()) if options.model == "default" else options


def is_path(name: str) -> bool:
    """Whether a model is named by a path: it has a separator or ends in .gguf."""
    return "/" in name or "\\" in name or name.endswith(".gguf")


def near_names(name: str, store: Store) -> list[str]:
    """Known model names that look like `name`, best first."""
    known = [manifest.id for manifest in store.installed()] + list(CATALOGUE)
    folded = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.5)
    holding = [candidate for candidate in folded if name and name.lower() in candidate]
    return [folded[candidate] for candidate in dict.fromkeys([*close, *holding])][:3]


def _with_adapter(options: EngineOptions, model: ResolvedModel) -> ResolvedModel:
    if options.adapter is None:
        return model
    path = Path(options.adapter).expanduser()
    try:
        check_adapter(path, [model.header, *map(usable_header, shards(model.path)[1:])])
    except GgufError as exc:
        raise (ModelUnusable if path.exists() else ModelNotFound)(str(exc)) from exc
    return replace(model, adapter=path)


def _installed(store: Store, manifest: Manifest) -> ResolvedModel:
    path = store.paths(manifest)[0]
    header = usable_header(path)
    return ResolvedModel(
        path=path,
        id=manifest.id,
        family=detect(header.metadata),
        n_ctx_train=manifest.n_ctx_train,
        size=manifest.size,
        header=header,
    )


def _file(path: Path) -> ResolvedModel:
    if path.is_dir():
        raise ModelUnusable(f"{path} is a directory, not a GGUF file")
    header = usable_header(path)
    parts = shards(path)
    for part in parts[1:]:
        usable_header(part)
    return ResolvedModel(
        path=path,
        id=path.stem,
        family=detect(header.metadata),
        n_ctx_train=header.number("{arch}.context_length") or 0,
        size=sum(part.stat().st_size for part in parts),
        header=header,
    )


def _unknown(name: str, store: Store) -> str:
    if name == DEFAULT_ID:
        return "the default model is not installed; `make setup` installs it"
    if name in CATALOGUE:
        return f"{name} is not installed; `r1-lsp models pull {name}` installs it"
    near = near_names(name, store)
    if near:
        return f"there is no model {name!r}; did you mean {' or '.join(near)}?"
    return f"there is no model {name!r}; `r1-lsp models list` shows those there are"
