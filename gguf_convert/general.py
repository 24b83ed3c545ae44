"""`general.*`: what a model is called, where it comes from, how to sample from it.

Read from the folder alone (its name, config.json, README.md, generation_config.json), as llama.cpp's converter does.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gguf_convert.arch.architecture import Config
from gguf_convert.card import Card, read_card
from gguf_convert.errors import SourceError
from gguf_convert.fields import Field
from gguf_convert.naming import ModelName, read_name, size_label
from gguf_convert.source.checkpoint import MAX_CONFIG, read_json_object
from gguf_convert.tensors import TargetTensor

_QUANTIZATION_VERSION = 2  # GGML_QNT_VERSION: how ggml lays out its blocks
_CACHED = "models--"
_HUB = "https://huggingface.co/"
_HUB_ID = re.compile(r"https?://huggingface\.co/([^/]+/[^/]+)$")

# Of generation_config.json: its key, ours under general.sampling, and the type.
_SAMPLING = (
    ("sequence", "sequence", "string"),
    ("top_k", "top_k", "i32"),
    ("top_p", "top_p", "f32"),
    ("min_p", "min_p", "f32"),
    ("xtc_probability", "xtc_probability", "f32"),
    ("xtc_threshold", "xtc_threshold", "f32"),
    ("temperature", "temp", "f32"),
    ("penalty_last_n", "penalty_last_n", "i32"),
    ("penalty_repeat", "penalty_repeat", "f32"),
    ("mirostat", "mirostat", "i32"),
    ("mirostat_tau", "mirostat_tau", "f32"),
    ("mirostat_eta", "mirostat_eta", "f32"),
)
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {"string": (str,), "i32": (int,), "f32": (int, float)}

# Of the model card: our key under general, and its keys, the first that is there.
_CARD = (
    ("name", ("name", "model_name")),
    ("author", ("author", "model_author", "model_creator")),
    ("version", ("version", "model_version")),
    ("organization", ("organization", "model_organization")),
    ("finetune", ("finetune", "model_finetune")),
    ("basename", ("basename", "model_basename", "model_type")),
    ("description", ("description", "model_description")),
    ("size_label", ("size_label", "model_size_label")),
    ("license", ("license",)),
    ("license.name", ("license_name",)),
    ("license.link", ("license_link",)),
    ("source.url", ("url", "model_url")),
    ("source.doi", ("doi", "model_doi")),
    ("source.uuid", ("uuid", "model_uuid")),
    ("source.repo_url", ("repo_url", "model_repo_url")),
)
_FROM_NAMES = ("name", "version", "organization", "finetune", "basename", "size_label")


def general_fields(folder: Path, config: Config, tensors: Sequence[TargetTensor]) -> list[Field]:
    """`general.*` of a checkpoint in this folder, without `general.architecture` and `general.file_type`."""
    card, parameters = read_card(folder), sum(tensor.elements for tensor in tensors)
    names = [read_name(name, parameters) for name in _names(folder, config)]
    return [
        Field("general.type", "string", "model"),
        *_sampling(folder),
        *_described(card, names, tensors),
        *_related("base_model", card, ("base_model", "base_models", "base_model_sources"), parameters),
        *_related("dataset", card, ("datasets", "dataset", "dataset_sources"), parameters),
        *_lists(card),
        Field("general.quantization_version", "u32", _QUANTIZATION_VERSION),
    ]


def _names(folder: Path, config: Config) -> Iterator[str]:
    said = config.get("_name_or_path")
    if isinstance(said, str) and said.count("/") <= 1:  # more slashes are a path on somebody's machine
        yield said
    yield _hub_id(folder.resolve()) or folder.resolve().name


def _hub_id(folder: Path) -> str | None:
    """Of a folder in Hugging Face's cache, which is named by its commit: models--organization--name/snapshots/0a1b."""
    above = folder.parent.parent.name
    if folder.parent.name != "snapshots" or not above.startswith(_CACHED):
        return None
    return above.removeprefix(_CACHED).replace("--", "/", 1)


def _sampling(folder: Path) -> Iterator[Field]:
    path = folder / "generation_config.json"
    try:
        said = read_json_object(path, MAX_CONFIG) if path.is_file() else {}
    except SourceError:  # published ones are sometimes not JSON, and nothing depends on them
        return
    said.setdefault("penalty_repeat", said.get("repetition_penalty"))
    for theirs, ours, kind in _SAMPLING:
        value: Any = said.get(theirs)
        if _fits(value, kind):
            yield Field(f"general.sampling.{ours}", kind, value)


def _fits(value: Any, kind: str) -> bool:
    return isinstance(value, _PYTHON_TYPES[kind]) and not isinstance(value, bool) and value != ""


def _described(card: Card, names: Sequence[ModelName], tensors: Sequence[TargetTensor]) -> Iterator[Field]:
    for key, theirs in _CARD:
        value = _first(card, theirs)
        if value is None and key in _FROM_NAMES:
            value = next((found for name in names if (found := getattr(name, key))), None)
        if value is None and key == "size_label":
            value = _size_label(tensors)
        if value is not None:
            yield Field(f"general.{key}", "string", value if isinstance(value, str) else ",".join(value))


def _size_label(tensors: Sequence[TargetTensor]) -> str:
    experts = [tensor for tensor in tensors if "_exps." in tensor.name]
    total = sum(tensor.elements for tensor in tensors)
    shared = total - sum(tensor.elements for tensor in experts)
    per_expert = sum(tensor.elements // tensor.shape[-1] for tensor in experts)
    count = sum(tensor.shape[-1] for tensor in experts) // len(experts) if experts else 0
    return size_label(total, shared, per_expert, count)


def _related(what: str, card: Card, keys: tuple[str, ...], parameters: int) -> Iterator[Field]:
    """What the model was made from: a count, and name, version, organization and address of each."""
    said = _first(card, keys)
    if said is None:
        return
    entries = (said,) if isinstance(said, str) else said
    yield Field(f"general.{what}.count", "u32", len(entries))
    for index, entry in enumerate(entries):
        for key, value in _relation(entry, parameters).items():
            if value:
                yield Field(f"general.{what}.{index}.{key}", "string", value)


def _relation(entry: str, parameters: int) -> Mapping[str, str | None]:
    if entry.startswith(("http://", "https://", "ssh://")):
        on_hub = _HUB_ID.match(entry)
        names = _as_fields(read_name(on_hub[1], parameters)) if on_hub else {}
        return {**names, "repo_url": entry}
    known = "/" in entry and not entry.startswith(".") and " " not in entry
    return {**_as_fields(read_name(entry, parameters)), "repo_url": f"{_HUB}{entry}" if known else None}


def _as_fields(name: ModelName) -> dict[str, str | None]:
    return {"name": name.name, "version": name.version, "organization": name.organization}


def _lists(card: Card) -> Iterator[Field]:
    for key, theirs in (("tags", ("tags", "pipeline_tag")), ("languages", ("languages", "language"))):
        found: list[str] = []
        for name in theirs:
            said: Any = card.get(name, ())
            found += (said,) if isinstance(said, str) else said
        if found:
            yield Field(f"general.{key}", "[string]", tuple(found))


def _first(card: Card, keys: tuple[str, ...]) -> str | tuple[str, ...] | None:
    return next((card[key] for key in keys if key in card), None)
