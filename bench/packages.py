"""Source packages for the corpora: fetched by name with the registries' clients, checked by sha256, kept in the cache.

Nothing of a package is ever run: archives are read, not installed, and an sdist's metadata is copied by a backend of
our own in place of the package's.
"""

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.platform import cache_dir

Kind = Literal["wheel", "sdist", "npm", "deb", "deb-source"]

# What the sdists of the table are built with.
_BACKENDS = (
    "setuptools.build_meta",
    "hatchling.build",
    "maturin",
    "mesonpy",
    "scikit_build_core.build",
)
# pip wants the metadata of whatever it downloads; an sdist carries it in PKG-INFO.
_BACKEND = """
import email.parser, pathlib, shutil, sys

def get_requires_for_build_wheel(config_settings=None):
    return []

def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    with open("PKG-INFO", encoding="utf-8", errors="replace") as file:
        head = email.parser.HeaderParser().parse(file)
    folder = pathlib.Path(metadata_directory, f"{head['Name'].replace('-', '_')}-{head['Version']}.dist-info")
    folder.mkdir()
    shutil.copyfile("PKG-INFO", folder / "METADATA")
    return folder.name

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    raise SystemExit("never built here")

__legacy__ = sys.modules[__name__]
"""


class Unavailable(Exception):
    """One sentence: a package that cannot be had."""


class Package(BaseModel):
    """One pinned package of the table. `sources`: the folders of its archive that hold each language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    name: str
    version: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    platform: str | None = None
    split: Literal["dev", "test"]
    sources: dict[str, tuple[str, ...]]

    @property
    def label(self) -> str:
        """How it is called in tables and folders."""
        return re.sub(r"[^\w.+-]+", "-", self.name).strip("-")


def archive_of(package: Package) -> tuple[Path, str]:
    """The package's archive and a note, empty unless another version than the pinned one had to do.

    Raises Unavailable.
    """
    shelf = cache_dir() / "corpora" / "archives" / f"{package.label}-{package.version}-{package.sha256[:8]}"
    kept = sorted(shelf.glob("*")) if shelf.is_dir() else []
    if kept:
        return kept[0], _checked(package, kept[0])
    shelf.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=shelf.parent) as work:
        found = _CLIENTS[package.kind](package, Path(work))
        note = _checked(package, found)
        shelf.mkdir(exist_ok=True)
        return found.rename(shelf / found.name), note


def _checked(package: Package, archive: Path) -> str:
    """A note where a Debian release has another version; a wrong sha256 of a pinned one raises Unavailable."""
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest == package.sha256:
        return ""
    if package.kind in ("deb", "deb-source") and f"_{_pinned(package)}" not in _unquoted(archive.name):
        return f"{package.name}: not {package.version} but {archive.name}, whose sha256 is not in the table"
    archive.unlink()
    raise Unavailable(f"{package.name} {package.version} was fetched, but its sha256 is not the one in the table")


def _pinned(package: Package) -> str:
    """The version as the archive's name has it: without the epoch, and for upstream's archive without Debian's part."""
    version = package.version.partition(":")[2] or package.version
    return version.rpartition("-")[0] if package.kind == "deb-source" else version


def _unquoted(name: str) -> str:
    return name.replace("%3a", ":").replace(":", "_")


# -- the clients ---------------------------------------------------------------------------------------------------


def _wheel(package: Package, work: Path) -> Path:
    platform = ("--platform", package.platform) if package.platform else ()
    return _pip(package, work, "--only-binary", ":all:", *platform)


def _sdist(package: Package, work: Path) -> Path:
    backends = work / "backends"
    for name in _BACKENDS:
        *parents, last = name.split(".")
        folder = backends.joinpath(*parents)
        folder.mkdir(parents=True, exist_ok=True)
        for depth in range(len(parents)):
            # A plain package: one without this file would give way to an installed one of the same name.
            backends.joinpath(*parents[: depth + 1], "__init__.py").touch()
        (folder / f"{last}.py").write_text(_BACKEND, "utf-8")
    options = ("--no-binary", ":all:", "--no-build-isolation", "--use-pep517")
    return _pip(package, work, *options, python_path=str(backends))


def _pip(package: Package, work: Path, *options: str, python_path: str = "") -> Path:
    wanted, out = work / "wanted.txt", work / "out"
    wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", "utf-8")
    command = [sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    _run(package, [*command, "--require-hashes", "--dest", str(out), *options, "-r", str(wanted)], work, python_path)
    return _only(package, out)


def _npm(package: Package, work: Path) -> Path:
    out = work / "out"
    out.mkdir()
    _run(package, ["npm", "pack", "--ignore-scripts", "--silent", f"{package.name}@{package.version}"], out)
    return _only(package, out)


def _deb(package: Package, work: Path) -> Path:
    return _apt(package, work, ("download",))


def _deb_source(package: Package, work: Path) -> Path:
    return _apt(package, work, ("source", "--download-only", "--only-source"))


def _apt(package: Package, work: Path, action: tuple[str, ...]) -> Path:
    """The pinned version, or the one that this Debian release has."""
    out = work / "out"
    out.mkdir()
    command = ["apt-get", *_apt_options(), *action, "-qq"]
    try:
        _run(package, [*command, f"{package.name}={package.version}"], out)
    except Unavailable:
        _run(package, [*command, package.name], out)
    for path in out.iterdir():
        if not (path.suffix == ".deb" or (".orig.tar" in path.name and path.suffix != ".asc")):
            path.unlink()
    return _only(package, out)


def _apt_options() -> list[str]:
    """Lists and caches of our own, so that neither root nor a machine with deb-src lines is needed."""
    root = cache_dir() / "corpora" / "apt"
    parts, lists, cache = root / "sources", root / "lists", root / "cache"
    options = ["-o", "Dir::Etc::SourceList=/dev/null", "-o", f"Dir::Etc::SourceParts={parts}"]
    options += ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={cache}", "-o", "APT::Sandbox::User=root"]
    if not parts.is_dir():
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        (cache / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        parts.mkdir()
        for path, text in _apt_sources():
            (parts / path.name).write_text(text, "utf-8")
        subprocess.run(["apt-get", *options, "update", "-qq"], check=False, capture_output=True, timeout=600)
    return options


def _apt_sources() -> Iterator[tuple[Path, str]]:
    """The machine's own sources with the lines for source packages added."""
    etc = Path("/etc/apt")
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        if path.suffix not in (".list", ".sources") or not path.is_file():
            continue
        text = path.read_text("utf-8")
        if path.suffix == ".sources":
            yield path, re.sub(r"(?m)^Types:.*$", "Types: deb deb-src", text)
        else:
            yield path, text + re.sub(r"(?m)^(?!deb ).*$|^deb ", lambda m: "deb-src " if m[0] else "", text)


_CLIENTS = {"wheel": _wheel, "sdist": _sdist, "npm": _npm, "deb": _deb, "deb-source": _deb_source}


def _run(package: Package, command: list[str], work: Path, python_path: str = "") -> None:
    env = {**os.environ, **({"PYTHONPATH": python_path} if python_path else {})}
    try:
        done = subprocess.run(command, cwd=work, env=env, check=False, capture_output=True, timeout=900)
    except FileNotFoundError as exc:
        raise Unavailable(f"{package.name} {package.version} needs `{command[0]}`, which is not installed") from exc
    except subprocess.TimeoutExpired as exc:
        raise Unavailable(f"{package.name} {package.version} was not there after 15 minutes") from exc
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = next((line for line in reversed(said) if re.match("(?i)e(rror)?:", line)), said[-1] if said else "")
        raise Unavailable(f"{package.name} {package.version} cannot be had: {reason[:200]}")


def _only(package: Package, folder: Path) -> Path:
    found = sorted(folder.glob("*"))
    if len(found) != 1:
        raise Unavailable(f"{package.name} {package.version}: one archive was expected, {len(found)} came")
    return found[0]


# -- reading an archive --------------------------------------------------------------------------------------------


def members(package: Package, archive: Path) -> Iterator[tuple[str, bytes]]:
    """(path inside the package, content) of every plain file; a single top folder is left out of the path.

    Raises Unavailable for an archive that cannot be read.
    """
    try:
        if package.kind == "wheel":
            yield from _zipped(archive)
        else:
            yield from _tarred(package, archive)
    except (OSError, tarfile.TarError, zipfile.BadZipFile) as exc:
        raise Unavailable(f"{package.name} {package.version}: its archive cannot be read ({exc})") from exc


def _zipped(archive: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(archive) as file:
        for info in file.infolist():
            if not info.is_dir() and info.file_size <= MAX_MEMBER:
                yield info.filename, file.read(info)


MAX_MEMBER = 1_000_000
"""Bytes; no source file that people wrote is larger."""


def _tarred(package: Package, archive: Path) -> Iterator[tuple[str, bytes]]:
    top = 0 if package.kind == "deb" else 1
    with _opened(package, archive) as file:
        for info in file:
            content = file.extractfile(info) if info.isfile() and info.size <= MAX_MEMBER else None
            if content is not None:
                yield "/".join(info.name.removeprefix("./").split("/")[top:]), content.read()


@contextmanager
def _opened(package: Package, archive: Path) -> Iterator[tarfile.TarFile]:
    if package.kind != "deb":
        with tarfile.open(archive) as file:
            yield file
        return
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as unpacks:
        stream: IO[bytes] | None = unpacks.stdout
        assert stream is not None
        with tarfile.open(fileobj=stream, mode="r|") as file:
            yield file
        stream.read()
