"""What the user has chosen, without holes: frozen, every field with the value that holds. Made by `r1_lsp.config`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from engine.types import EngineOptions

Suggest = Literal["auto", "manual", "off"]
Multiline = Literal["auto", "always", "never"]
DocstringStyle = Literal["auto", "google", "numpy", "sphinx", "jsdoc"]
DiagnosticsLevel = Literal["sure", "all", "off"]
LogLevel = Literal["error", "warning", "info", "debug"]

Command = tuple[str, ...]
"""A program and its arguments, never a line for a shell."""


def _frozen_dict() -> Mapping[str, tuple[Command, ...]]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionSettings:
    """`suggest` maps LSP language ids to a mode, "*" stands for every other language. `debounce_ms` None: adaptive."""

    suggest: Mapping[str, Suggest] = field(default_factory=lambda: MappingProxyType({"*": "auto"}))
    debounce_ms: int | None = None
    max_tokens: int = 96
    candidates: int = 3
    in_comments: bool = False
    multiline: Multiline = "auto"

    def mode(self, language_id: str) -> Suggest:
        """When suggestions appear in files of this language."""
        return self.suggest.get(language_id) or self.suggest.get("*") or "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class FixSettings:
    """`checkers` maps a language id to commands that read a file and report; `think_tokens` bounds reasoning."""

    checkers: Mapping[str, tuple[Command, ...]] = field(default_factory=_frozen_dict)
    think_tokens: int = 1024
    candidates: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HoverSettings:
    """`drafts`: docstring drafts may be written by the model while the machine is idle."""

    enabled: bool = True
    drafts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DocstringSettings:
    style: DocstringStyle = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticsSettings:
    """`level`: report syntax errors with a sure repair only, all of them, or none."""

    level: DiagnosticsLevel = "sure"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    level: LogLevel = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of it. `engine` says which model runs and where; it decides which host is ours."""

    engine: EngineOptions = field(default_factory=EngineOptions)
    completion: CompletionSettings = field(default_factory=CompletionSettings)
    fix: FixSettings = field(default_factory=FixSettings)
    hover: HoverSettings = field(default_factory=HoverSettings)
    docstring: DocstringSettings = field(default_factory=DocstringSettings)
    diagnostics: DiagnosticsSettings = field(default_factory=DiagnosticsSettings)
    log: LogSettings = field(default_factory=LogSettings)
