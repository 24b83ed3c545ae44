"""What the editor can do, read from `initialize` without holes.

Read from the bare JSON, not through lsprotocol's types: a field that an editor gets wrong must not cost it the session,
and building the converters of all capability types takes longer than the rest of `initialize`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from r1_lsp.proto import ENCODINGS, Encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientInfo:
    """The editor: its name, the position encoding agreed on, and its capabilities as plain flags."""

    name: str = ""
    version: str = ""
    encoding: Encoding = "utf-16"
    process_id: int | None = None
    folders: tuple[str, ...] = ()
    """URIs of the workspace folders at start."""
    inline_completion: bool = False
    hover_markdown: bool = False
    code_action_literals: bool = False
    code_action_resolves_edit: bool = False
    code_action_keeps_data: bool = False
    code_action_preferred: bool = False
    llm_generated_tag: bool = False
    document_changes: bool = False
    apply_edit: bool = False
    pulls_diagnostics: bool = False
    diagnostic_refresh: bool = False
    diagnostic_versions: bool = False
    related_information: bool = False
    progress: bool = False
    configuration: bool = False
    registers_configuration: bool = False
    edit_command: str = ""
    """A command of the editor's own that asks for a sentence and sends `r1.editSelection`."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """`initializationOptions` as sent; empty when they are not an object."""


def read_client(params: Mapping[str, Any]) -> ClientInfo:
    """ClientInfo from the params of `initialize`; what is missing or of a wrong type counts as absent."""
    caps = _Json(params.get("capabilities"))
    doc, workspace, window = caps.at("textDocument"), caps.at("workspace"), caps.at("window")
    action, published = doc.at("codeAction"), doc.at("publishDiagnostics")
    info = _Json(params.get("clientInfo"))
    options = params.get("initializationOptions")
    return ClientInfo(
        name=info.text("name"),
        version=info.text("version"),
        encoding=_encoding(caps.at("general").strings("positionEncodings")),
        process_id=_process_id(params.get("processId")),
        folders=_folders(params),
        inline_completion=doc.has("inlineCompletion"),
        hover_markdown="markdown" in doc.at("hover").strings("contentFormat"),
        code_action_literals=action.has("codeActionLiteralSupport"),
        code_action_resolves_edit="edit" in action.at("resolveSupport").strings("properties"),
        code_action_keeps_data=action.flag("dataSupport"),
        code_action_preferred=action.flag("isPreferredSupport"),
        llm_generated_tag=1 in action.at("tagSupport").items("valueSet"),
        document_changes=workspace.at("workspaceEdit").flag("documentChanges"),
        apply_edit=workspace.flag("applyEdit"),
        pulls_diagnostics=doc.has("diagnostic"),
        diagnostic_refresh=workspace.at("diagnostics").flag("refreshSupport"),
        diagnostic_versions=published.flag("versionSupport"),
        related_information=published.flag("relatedInformation"),
        progress=window.flag("workDoneProgress"),
        configuration=workspace.flag("configuration"),
        registers_configuration=workspace.at("didChangeConfiguration").flag("dynamicRegistration"),
        edit_command=caps.at("experimental", "r1").text("editCommand"),
        options=options if isinstance(options, dict) else {},
    )


class _Json:
    """A piece of foreign JSON; whatever is not of the wanted shape is absent."""

    def __init__(self, value: object) -> None:
        self._value: Mapping[str, Any] = value if isinstance(value, dict) else {}

    def at(self, *keys: str) -> "_Json":
        here = self
        for key in keys:
            here = _Json(here._value.get(key))
        return here

    def has(self, key: str) -> bool:
        return isinstance(self._value.get(key), dict)

    def flag(self, key: str) -> bool:
        return self._value.get(key) is True

    def text(self, key: str) -> str:
        value = self._value.get(key)
        return value if isinstance(value, str) else ""

    def items(self, key: str) -> list[Any]:
        value = self._value.get(key)
        return value if isinstance(value, list) else []

    def strings(self, key: str) -> list[str]:
        return [value for value in self.items(key) if isinstance(value, str)]


def _encoding(offered: list[str]) -> Encoding:
    """The client's first choice among those we know; utf-16 when it names none, as the protocol says."""
    return next((known for wish in offered for known in ENCODINGS if wish == known), "utf-16")


def _process_id(value: object) -> int | None:
    return value if type(value) is int and 0 < value < 2**31 else None


def _folders(params: Mapping[str, Any]) -> tuple[str, ...]:
    folders = params.get("workspaceFolders")
    uris = [_Json(folder).text("uri") for folder in folders] if isinstance(folders, list) else []
    root = params.get("rootUri")
    if not uris and isinstance(root, str):
        uris = [root]
    return tuple(uri for uri in uris if uri)
