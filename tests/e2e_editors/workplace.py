"""Where one editor runs: a home and a project of its own, the scripted model, and where pictures of it go."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.e2e_editors import offline

ROOT = Path(__file__).resolve().parents[2]
EDITORS = ROOT / "build" / "editors"
PICTURES = ROOT / "build" / "e2e"
R1_LSP = ROOT / ".venv" / "bin" / "r1-lsp"

T = TypeVar("T")

SHOP = """\
\"\"\"What a shop computes; prices are in €.\"\"\"


def total(prices, discount):
    return sum(prices) - discount


def rounded_total(prices):
    \"\"\"The sum of all prices, rounded to cents. é😀\"\"\"
"""

SCRIPT: dict[str, Any] = {
    "info": {"id": "scripted", "can_infill": True},
    "rules": [
        {"match": "    return ro$", "reply": "und(sum(prices), 2)\n"},
        {"match": 'greeting = "é😀" \\+ na$', "reply": "me.title() + suffix\n"},
        {
            "match": "def mean\\(values\\):(\\s|<fim_suffix>|<fim_middle>)*$",
            "reply": "count = len(values)\n    return sum(values) / count\n\n",
        },
    ],
    "default": {"reply": ""},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """`folder` holds everything and has a short path, because Unix sockets in it have a limit of 107 bytes."""

    folder: Path
    settings: dict[str, Any]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def file(self) -> Path:
        return self.project / "shop.py"

    @property
    def network_report(self) -> Path:
        return self.folder / "network.json"

    @property
    def environment(self) -> dict[str, str]:
        """The user's environment with a home of its own: nothing of the user's configuration is read or written."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "R1_", "VSCODE_"))}
        own = {f"XDG_{kind}_HOME": str(self.home / kind.lower()) for kind in ("CONFIG", "CACHE", "DATA", "STATE")}
        return kept | own | {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.folder / "run"), "LANG": "C.UTF-8"}

    def offline(self, *command: str) -> list[str]:
        """The command without a way out of this machine, where the system can do that."""
        return offline.command_line(self.network_report, *command) if offline.available() else list(command)

    def reasons(self) -> str:
        """What the server noted about each suggestion, as JSON lines."""
        return "".join(file.read_text("utf-8") for file in self.home.rglob("why.jsonl"))

    def attempts_to_leave(self) -> dict[str, int]:
        """How often a program of the editor's session, now ended, tried to reach another machine, by protocol."""
        if not offline.available():
            return {"ipv4": 0, "ipv6": 0}
        report = until(lambda: self.network_report.exists() and self.network_report.read_text("utf-8"), "the report")
        return dict(json.loads(report))


@contextmanager
def workplace(settings: dict[str, Any] | None = None) -> Iterator[Workplace]:
    """A fresh one. `settings` are the server's; by default they choose the scripted model."""
    with tempfile.TemporaryDirectory(prefix="r1-e2e-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        for name in ("home", "project", "run"):
            (folder / name).mkdir(mode=0o700)
        script = folder / "script.json"
        script.write_text(json.dumps(SCRIPT), encoding="utf-8")
        place = Workplace(folder=folder, settings=settings or {"engine": {"script": str(script)}})
        place.file.write_text(SHOP, encoding="utf-8")
        yield place


def until(question: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """Asks until the answer is true. Raises AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := question():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")


def picture(name: str) -> Path:
    """Where a picture of an editor goes."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES / name


def program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is missing; run `python3 tests/e2e_editors/setup.py` first"
    return found
