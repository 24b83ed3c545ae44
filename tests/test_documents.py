"""What the documents promise and a program can check."""

import re
from pathlib import Path

from engine.models.catalogue import CATALOGUE
from r1_lsp.cli import COMMANDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_every_catalogue_entry_stands_in_the_readme_as_in_the_documentation() -> None:
    documented = (ROOT / "docs" / "models.md").read_text("utf-8")
    for name in CATALOGUE:
        [row] = re.findall(rf"^\| `{re.escape(name)}` \|.*$", README, re.MULTILINE)
        assert row.removesuffix(" |") in documented, name


def test_every_command_stands_in_the_readme() -> None:
    missing = [name for name in COMMANDS if f"r1-lsp {name}" not in README and f"make {name}" not in README]
    assert not missing


def test_every_make_target_of_the_readme_exists() -> None:
    targets = re.findall(r"^([a-z-]+)%?:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    modules = [*(ROOT / "bench").glob("*.py"), *(path.parent for path in (ROOT / "bench").glob("*/__main__.py"))]
    benches = {f"bench-{path.stem.replace('_', '-')}" for path in modules}
    assert set(re.findall(r"`?make ([a-z][a-z-]+)", README)) <= {*targets, *benches}


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


def test_no_lock_file_names_an_address_or_a_path_of_one_machine() -> None:
    for lock in [*(ROOT / "requirements").glob("*.txt"), *ROOT.glob("editors/*/package-lock.json")]:
        text = lock.read_text("utf-8")
        assert not re.search(r"--(extra-)?index-url|--find-links|file://|\"resolved\": \"http", text), lock
