"""The VS Code extension in a real VS Code, against the real server with a scripted model."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e_editors.vscode import NODE, Seen, run
from tests.e2e_editors.workplace import EDITORS, ROOT, Workplace, workplace

EXTENSION = ROOT / "editors" / "vscode"

pytestmark = [pytest.mark.editor, pytest.mark.timeout(400)]

STEPS: list[tuple[str, ...]] = [
    ("ready",),
    ("press", "Control+End"),
    ("type", "    return ro"),
    ("ghost", "ghost"),
    ("notifications",),
    ("picture", "ghost"),
    ("press", "Tab"),
    ("noGhost",),
    ("saved", "    return round(sum(prices), 2)"),
    ("press", "Enter", "Home", "Home"),
    ("type", 'greeting = "é😀" + na'),
    ("ghost", "wide"),
    ("press", "Escape"),
    ("noGhost",),
    ("press", "Shift+Home", "Delete"),
    ("type", "if total"),
    ("press", "Enter"),
    ("type", "    print(1)"),
    ("press", "ArrowUp"),
    ("squiggle",),
    ("press", "Control+."),
    ("widget", "actions"),
    ("picture", "quick-fix"),
    ("press", "Enter"),
    ("saved", "if total:"),
    ("press", "Control+Home"),
    ("press", "ArrowDown", "ArrowDown", "ArrowDown", "Control+ArrowRight", "ArrowRight"),
    ("press", "Control+k", "Control+i"),
    ("widget", "hover"),
    ("picture", "hover"),
    ("press", "Escape"),
    ("palette", "R1: Why No Suggestion?"),
    ("list", "A suggestion was shown."),
    ("picture", "why"),
]


@pytest.fixture(scope="module")
def place() -> Iterator[Workplace]:
    with workplace() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def seen(place: Workplace) -> Seen:
    """One session of about 20 seconds, looked at by all tests here."""
    return run(place, STEPS)


def test_every_step_was_taken(seen: Seen) -> None:
    assert seen.error is None, f"{seen.error}; see build/e2e/vscode-failure.png and\n{seen.log}"


def test_ghost_text(seen: Seen) -> None:
    assert seen.texts["ghost"] == "und(sum(prices), 2)"


def test_columns_after_wide_characters(seen: Seen) -> None:
    assert seen.texts["wide"] == "me.title() + suffix"


def test_quick_fix(seen: Seen) -> None:
    assert "Insert `:`" in seen.texts["actions"]


def test_hover(seen: Seen) -> None:
    assert "No docstring." in seen.texts["hover"]


def test_why(seen: Seen) -> None:
    assert "A suggestion was shown." in seen.texts["list"]
    assert "shop.py:10:14" in seen.texts["list"]


def test_no_complaints_about_settings(seen: Seen) -> None:
    assert "Unknown setting" not in seen.texts["notifications"]


def test_types_of_the_extension(tmp_path: Path) -> None:
    """The extension is plain JavaScript with types in its comments; the TypeScript compiler checks them."""
    for name in ("extension.js", "jsconfig.json", "package.json"):
        shutil.copyfile(EXTENSION / name, tmp_path / name)
    shutil.copytree(EXTENSION / "src", tmp_path / "src")
    modules = EDITORS / "extension" / "node_modules"
    (tmp_path / "node_modules").symlink_to(modules, target_is_directory=True)
    command = (str(NODE), str(modules / "typescript" / "bin" / "tsc"), "--project", str(tmp_path / "jsconfig.json"))
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_left_the_machine(seen: Seen, place: Workplace) -> None:
    assert seen.requests == []
    # Chromium asks its kernel every minute whether it has IPv6, by connecting a UDP socket: nothing is sent.
    assert place.attempts_to_leave()["ipv4"] == 0
