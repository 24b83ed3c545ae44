"""The VS Code manifest and the documentation offer exactly the settings the server has, so they cannot drift apart.

`UPDATE_EXPECT=1` writes the server's settings into both.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from r1_lsp import ext
from r1_lsp.config import settings_schema

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "editors" / "vscode" / "package.json"
PAGE = ROOT / "docs" / "editors.md"
TABLE = re.compile(r"(<!-- settings: begin [^\n]*-->\n)(.*)(<!-- settings: end -->)", re.DOTALL)

EXTENSION_SETTINGS: dict[str, dict[str, Any]] = {
    "r1.server.path": {
        "type": "string",
        "default": "r1-lsp",
        "scope": "machine",
        "description": "The server's program: a name to look up in PATH, or an absolute path.",
    },
    "r1.trace.server": {
        "type": "string",
        "enum": ["off", "messages", "verbose"],
        "default": "off",
        "scope": "window",
        "description": "Writes the messages between VS Code and the server to the log.",
    },
}


def wanted_settings() -> dict[str, dict[str, Any]]:
    return EXTENSION_SETTINGS | settings_schema()


def machine_settings() -> list[str]:
    return sorted(name for name, schema in wanted_settings().items() if schema.get("scope") == "machine")


def test_manifest_has_the_servers_settings() -> None:
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    if os.environ.get("UPDATE_EXPECT"):
        manifest["contributes"]["configuration"]["properties"] = wanted_settings()
        manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] = machine_settings()
        MANIFEST.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    found = manifest["contributes"]["configuration"]["properties"]
    assert found == json.loads(json.dumps(wanted_settings())), "run once with UPDATE_EXPECT=1"


def settings_table() -> str:
    rows = ["| setting | default | what |", "| --- | --- | --- |"]
    for name, schema in settings_schema().items():
        star = "*" if schema.get("scope") == "machine" else ""
        default = json.dumps(schema["default"])
        rows.append(f"| `{name}`{star} | `{default}` | {schema['description']} |")
    return "\n".join(rows) + "\n"


def test_documentation_lists_the_servers_settings() -> None:
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("UPDATE_EXPECT"):
        page = TABLE.sub(lambda found: found[1] + settings_table() + found[3], page)
        PAGE.write_text(page, encoding="utf-8")
    found = TABLE.search(page)
    assert found
    assert found[2] == settings_table(), "run once with UPDATE_EXPECT=1"


def test_a_workspace_cannot_choose_programs_addresses_or_secrets() -> None:
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    assert manifest["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] == machine_settings()
    for name in ("r1.server.path", "r1.model", "r1.engine.url", "r1.engine.apiKey", "r1.fix.checkers"):
        assert name in machine_settings()


def test_commands_of_the_manifest_do_not_shadow_the_servers() -> None:
    """The client library registers the server's own commands in VS Code; a second one of the same name would fail."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    offered = {command["command"] for command in manifest["contributes"]["commands"]}
    assert not offered & set(ext.COMMANDS)


def test_lock_file_has_hashes_and_names_no_registry() -> None:
    lock = json.loads(MANIFEST.with_name("package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert all("integrity" in entry and "resolved" not in entry for entry in packages.values())
