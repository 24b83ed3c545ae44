"""Settings as an editor sends them -> frozen `Settings` without holes, plus one sentence for each thing that was wrong.

Pydantic is imported here and not in `r1_lsp.settings`, so that a server can answer `initialize` before this is loaded.
"""

import copy
import difflib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict
from pydantic_core import ErrorDetails

from engine.types import EngineOptions
from r1_lsp.settings import (
    CompletionSettings,
    DiagnosticsLevel,
    DiagnosticsSettings,
    DocstringSettings,
    DocstringStyle,
    FixSettings,
    HoverSettings,
    LogLevel,
    LogSettings,
    Multiline,
    Settings,
    Suggest,
)

__all__ = ["SECTION", "Settings", "parse_settings", "settings_schema"]

SECTION = "r1"
"""The section of an editor's configuration that is ours."""

# These name an executable, an address, a file to load or a secret, which is not a workspace's to choose.
_MACHINE: JsonDict = {"scope": "machine"}

Text = Annotated[str, Field(min_length=1)]
CommandLine = Annotated[tuple[Text, ...], Field(min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True)


class EngineSection(_Section):
    url: Text | None = Field(
        default=None,
        description="Address of an OpenAI-compatible server to use instead.",
        json_schema_extra=_MACHINE,
    )
    api_key: Text | None = Field(
        default=None, description="Key for engine.url; sent nowhere else.", json_schema_extra=_MACHINE
    )
    remote_model: Text | None = Field(
        default=None, description="Model to ask engine.url for.", json_schema_extra=_MACHINE
    )
    threads: int | None = Field(
        default=None, ge=1, le=1024, strict=True, description="CPU threads; null measures the best number once."
    )
    context_tokens: int | None = Field(
        default=None,
        ge=512,
        le=1_048_576,
        strict=True,
        description="Length of the context in tokens; null fits the memory.",
    )
    gpu_layers: int | None = Field(
        default=None, ge=-1, le=1000, strict=True, description="Layers to put on a GPU; -1 all, null what fits."
    )
    adapter: Text | None = Field(
        default=None,
        description="Path of a LoRA adapter for the model, made by `r1-gguf lora`.",
        json_schema_extra=_MACHINE,
    )
    script: Text | None = Field(
        default=None,
        description="Script for the scripted backend (for tests); replaces the model.",
        json_schema_extra=_MACHINE,
    )


class CompletionSection(_Section):
    suggest: Suggest | dict[str, Suggest] = Field(
        default="auto", description='When suggestions appear; also per language: {"*": "auto", "markdown": "off"}.'
    )
    debounce_ms: int | None = Field(
        default=None,
        ge=0,
        le=10_000,
        strict=True,
        description="Pause before asking the model; null adapts to typing speed.",
    )
    max_tokens: int = Field(default=96, ge=1, le=1024, strict=True, description="Longest suggestion in tokens.")
    candidates: int = Field(
        default=3, ge=1, le=8, strict=True, description="Suggestions to offer when asked explicitly."
    )
    in_comments: bool = Field(default=False, strict=True, description="Suggest inside comments and strings too.")
    multiline: Multiline = Field(default="auto", description="Whether a suggestion may have several lines.")


class FixSection(_Section):
    checkers: dict[str, tuple[CommandLine, ...]] = Field(
        default={},
        description="Commands that check a file, per language id: each a list of a program and its arguments, where "
        '"{file}" stands for the path; the text is on standard input.',
        json_schema_extra=_MACHINE,
    )
    think_tokens: int = Field(
        default=1024, ge=0, le=65_536, strict=True, description="Most tokens a model may spend on reasoning."
    )
    candidates: int = Field(default=3, ge=1, le=8, strict=True, description="Fixes to try before giving up.")


class HoverSection(_Section):
    enabled: bool = Field(default=True, strict=True, description="Say on hover where a docstring is wrong or missing.")
    drafts: bool = Field(default=False, strict=True, description="Draft missing docstrings while the machine is idle.")


class DocstringSection(_Section):
    style: DocstringStyle = Field(default="auto", description="Style of docstrings; auto follows the file.")


class DiagnosticsSection(_Section):
    level: DiagnosticsLevel = Field(
        default="sure", description="Syntax errors to report: those with a sure repair, all, none."
    )


class LogSection(_Section):
    level: LogLevel = Field(default="info", description="How much the server logs.")


class Options(_Section):
    """The `r1` section: every key optional, spelled in camelCase."""

    model: Text = Field(
        default="default", description="A catalogue name, or the path of a GGUF file.", json_schema_extra=_MACHINE
    )
    engine: EngineSection = EngineSection()
    completion: CompletionSection = CompletionSection()
    fix: FixSection = FixSection()
    hover: HoverSection = HoverSection()
    docstring: DocstringSection = DocstringSection()
    diagnostics: DiagnosticsSection = DiagnosticsSection()
    log: LogSection = LogSection()


def parse_settings(raw: object) -> tuple[Settings, tuple[str, ...]]:
    """Reads what an editor sent: the `r1` section itself, or an object that holds it, or null. Never fails.

    Unknown keys are left out and values of the wrong type defaulted; each is one sentence in the second result.
    """
    options, complaints = _lenient(_own_section(raw))
    return _settings(options), complaints


def settings_schema() -> dict[str, dict[str, Any]]:
    """Every setting by its full name ("r1.completion.maxTokens") as a JSON schema with default and description.

    The shape is that of `contributes.configuration.properties` in a VS Code manifest, `scope` included.
    """
    whole = Options.model_json_schema(by_alias=True)
    found: dict[str, dict[str, Any]] = {}
    for name, schema in whole["properties"].items():
        section = whole["$defs"].get(str(schema.get("$ref", "")).rpartition("/")[2])
        if section is None:
            found[f"{SECTION}.{name}"] = _plain(schema)
            continue
        for key, inner in section["properties"].items():
            found[f"{SECTION}.{name}.{key}"] = _plain(inner)
    return found


def _own_section(raw: object) -> object:
    if isinstance(raw, Mapping) and set(raw) == {SECTION}:
        return raw[SECTION]
    return {} if raw is None else raw


def _lenient(raw: object) -> tuple[Options, tuple[str, ...]]:
    if not isinstance(raw, Mapping):
        return Options(), (f"The settings must be an object, not {_shown(raw)}; the defaults are used.",)
    remaining: dict[str, Any] = copy.deepcopy(dict(raw))
    complaints: list[str] = []
    while True:
        try:
            return Options.model_validate(remaining), tuple(complaints)
        except ValidationError as error:
            for path, details in _by_setting(error).items():
                complaints.append(_complaint(path, details))
                _drop(remaining, path)


def _by_setting(error: ValidationError) -> dict[tuple[str, ...], ErrorDetails]:
    """The most precise error of each setting, in the order of the settings."""
    found: dict[tuple[str, ...], ErrorDetails] = {}
    for details in error.errors(include_url=False):
        path = _key_path(details["loc"])
        if path not in found or len(details["loc"]) > len(found[path]["loc"]):
            found[path] = details
    return found


def _key_path(loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The part of an error's location that names a setting: ("completion", "suggest"), without what is inside it."""
    first = str(loc[0])
    in_section = len(loc) > 1 and _section_of(first) is not None
    return (first, str(loc[1])) if in_section else (first,)


def _section_of(name: str) -> type[_Section] | None:
    annotation = next((f.annotation for f in Options.model_fields.values() if f.alias == name), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, _Section) else None


def _drop(options: dict[str, Any], path: tuple[str, ...]) -> None:
    holder: Any = options
    for key in path[:-1]:
        holder = holder[key]
    holder.pop(path[-1], None)


def _complaint(path: tuple[str, ...], details: ErrorDetails) -> str:
    name = ".".join((SECTION, *path))
    if details["type"] == "extra_forbidden":
        return f"Unknown setting {name} is ignored{_near(path)}."
    schema = settings_schema().get(name)
    if schema is None:
        return f"{name} must be an object, not {_shown(details['input'])}; its defaults are used."
    default = json.dumps(schema["default"])
    return f"{name} has a value that does not fit ({_reason(details)}); the default {default} is used."


def _near(path: tuple[str, ...]) -> str:
    section = _section_of(path[0]) if len(path) > 1 else None
    known = [str(f.alias) for f in (section or Options).model_fields.values()]
    found = difflib.get_close_matches(path[-1], known, n=1, cutoff=0.6)
    return f" (did you mean {'.'.join((SECTION, *path[:-1], found[0]))}?)" if found else ""


def _reason(details: ErrorDetails) -> str:
    message = details["msg"][:1].lower() + details["msg"][1:]
    secret = "apiKey" in details["loc"]
    return message if secret else f"{message}, not {_shown(details['input'])}"


def _shown(value: object) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= 40 else text[:37] + "..."


def _settings(options: Options) -> Settings:
    return Settings(
        engine=_engine(options),
        completion=_completion(options.completion),
        fix=FixSettings(
            checkers=MappingProxyType(dict(options.fix.checkers)),
            think_tokens=options.fix.think_tokens,
            candidates=options.fix.candidates,
        ),
        hover=HoverSettings(**options.hover.model_dump()),
        docstring=DocstringSettings(style=options.docstring.style),
        diagnostics=DiagnosticsSettings(level=options.diagnostics.level),
        log=LogSettings(level=options.log.level),
    )


def _engine(options: Options) -> EngineOptions:
    section = options.engine
    return EngineOptions(
        model=options.model,
        n_ctx=section.context_tokens,
        threads=section.threads,
        gpu_layers=section.gpu_layers,
        adapter=section.adapter,
        url=section.url,
        api_key=section.api_key,
        remote_model=section.remote_model,
        script=section.script,
    )


def _completion(section: CompletionSection) -> CompletionSettings:
    suggest = {"*": section.suggest} if isinstance(section.suggest, str) else {"*": "auto", **section.suggest}
    return CompletionSettings(
        suggest=cast(Mapping[str, Suggest], MappingProxyType(suggest)),
        debounce_ms=section.debounce_ms,
        max_tokens=section.max_tokens,
        candidates=section.candidates,
        in_comments=section.in_comments,
        multiline=section.multiline,
    )


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Without pydantic's titles, and with "a or null" as a list of types, as manifests write it."""
    plain = {key: value for key, value in schema.items() if key not in ("title", "anyOf")}
    branches = [dict(branch) for branch in schema.get("anyOf", ())]
    real = [branch for branch in branches if branch.get("type") != "null"]
    if len(real) == 1 and len(real) < len(branches):
        plain |= real[0] | {"type": [real[0]["type"], "null"]}
    elif branches:
        plain["anyOf"] = branches
    return plain
