"""A repository of a Hugging Face-compatible hub: what it holds at one commit, and its files, whole or in part.

What the hub says is not trusted: names that are not plain are left aside, sizes are capped, a body longer than
announced is refused, and a file gets its name only after its checksum was right. Files kept in git have git's own
(SHA-1 of "blob SIZE\\0" and the content), files kept beside it (LFS) a sha256.
"""

import fcntl
import hashlib
import io
import os
import re
import shutil
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gguf_convert.errors import SourceError
from gguf_convert.source.connection import Hub, Interrupted, RangeRefused, answer_of, chunks, persistently
from gguf_convert.units import in_units

MAX_LISTING = 64 * 2**20
MAX_SMALL = 64 * 2**20
SPARE_DISK = 64 * 2**20
_SMALL = (".json", ".jinja", ".model", "merges.txt", "vocab.txt", "README.md")
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_PLAIN_NAME = re.compile(r"[\w+=-][\w.+=-]{0,199}", re.ASCII)

Report = Callable[[str, int, int], None]  # (name, bytes here, bytes in all); what it raises ends the download


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file at the top of a repository; `sha256` or else `git_id` is its checksum."""

    name: str
    size: int
    sha256: str | None
    git_id: str | None

    @property
    def checksum(self) -> str | None:
        return self.sha256 or self.git_id

    def hasher(self) -> Any:
        """A fresh hash object; fed with the whole content, its hexdigest is the checksum."""
        if self.sha256:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)

    @property
    def stamp_ns(self) -> int:
        """The time of last change that a checked copy is given, in nanoseconds: a number made of the checksum.

        So a copy that was checked once need not be read again, and "size and time of the source", by which a conversion
        knows what it was begun with, mean its content. Whole seconds: some file systems keep no more.
        """
        return int((self.checksum or "0")[:7], 16) * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The files at the top of a repository at one commit (40 hexadecimal digits), by name."""

    hub: Hub
    repository: str
    commit: str
    files: Mapping[str, RemoteFile]

    def file(self, name: str) -> RemoteFile:
        """Raises SourceError when the repository has none of this name."""
        if name not in self.files:
            raise SourceError(f"{self.repository} has no file {name!r}")
        return self.files[name]


class _Lfs(BaseModel):
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class _Sibling(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    name: str = Field(alias="rfilename")
    size: int | None = Field(default=None, ge=0)
    git_id: str | None = Field(default=None, alias="blobId", pattern=r"^[0-9a-f]{40}$")
    lfs: _Lfs | None = None


class _Repository(BaseModel):
    sha: str = Field(pattern=r"^[0-9a-f]{40}$")
    siblings: list[_Sibling]


def parse_source(text: str) -> tuple[str, str] | None:
    """(repository, revision) of `hub:OWNER/NAME` or `hub:OWNER/NAME@REVISION`; None for a path.

    A folder of such a name is written as a path: `./hub:...`. Raises SourceError when what follows `hub:` is no name.
    """
    if not text.startswith("hub:"):
        return None
    repository, at, revision = text.removeprefix("hub:").partition("@")
    if not _REPOSITORY.fullmatch(repository) or (at and not revision):
        raise SourceError(f"{text!r} does not name a repository; hub:OWNER/NAME or hub:OWNER/NAME@REVISION is wanted")
    return repository, revision or "main"


def is_repository(text: str) -> bool:
    """Whether it has the form OWNER/NAME."""
    return _REPOSITORY.fullmatch(text) is not None


def snapshot(hub: Hub, repository: str, revision: str = "main") -> Snapshot:
    """What `owner/name` holds at a branch, tag or commit; later requests name the commit that this one found.

    Raises SourceError with one sentence.
    """
    path = f"/api/models/{repository}/revision/{urllib.parse.quote(revision, safe='')}?blobs=true"
    what = repository if revision == "main" else f"{repository} at {revision}"
    body = persistently(hub, partial(_bytes, hub, path, what, MAX_LISTING))
    try:
        told = _Repository.model_validate_json(body)
    except ValidationError as exc:
        raise SourceError(f"the hub's answer about {repository} cannot be understood") from exc
    if re.fullmatch(r"[0-9a-f]{40}", revision) and told.sha != revision:
        raise SourceError(f"the hub answered with another revision of {repository} than was asked for")
    files = {s.name: _remote(s) for s in told.siblings if _PLAIN_NAME.fullmatch(s.name)}
    return Snapshot(hub=hub, repository=repository, commit=told.sha, files=files)


def _remote(told: _Sibling) -> RemoteFile:
    if told.lfs:
        return RemoteFile(name=told.name, size=told.lfs.size, sha256=told.lfs.sha256, git_id=None)
    return RemoteFile(name=told.name, size=told.size or 0, sha256=None, git_id=told.git_id)


def _bytes(hub: Hub, path: str, what: str, limit: int) -> bytes:
    body = b""
    with answer_of(hub, path, what) as answer:
        for chunk in chunks(hub, answer):
            body += chunk
            if len(body) > limit:
                raise SourceError(f"the hub's answer about {what} is unreasonably long")
        announced = answer.headers.get("Content-Length") or ""
    if announced.isdecimal() and len(body) < int(announced):
        raise Interrupted(f"{len(body):,} of {announced} bytes about {what} arrived")
    return body


def read_span(source: Snapshot, file: RemoteFile, start: int, stop: int) -> bytes:
    """The bytes [start, stop) of a file, without the rest of it. Raises SourceError with one sentence."""
    return persistently(source.hub, partial(_span, source, file, start, stop))


def _span(source: Snapshot, file: RemoteFile, start: int, stop: int) -> bytes:
    body = bytearray()
    with answer_of(source.hub, _path(source, file), _what(source, file), span=(start, stop)) as answer:
        for chunk in chunks(source.hub, answer):
            body += chunk
            if len(body) >= stop - start:
                return bytes(body[: stop - start])
    raise Interrupted(f"{len(body):,} of {stop - start:,} bytes of {_what(source, file)} arrived")


def _path(source: Snapshot, file: RemoteFile) -> str:
    return f"/{source.repository}/resolve/{source.commit}/{urllib.parse.quote(file.name)}"


def _what(source: Snapshot, file: RemoteFile) -> str:
    return f"{source.repository}/{file.name}"


def download(source: Snapshot, file: RemoteFile, folder: Path, report: Report) -> Path:
    """The path of the file in `folder`, whole, checked and stamped; what is there and right is not fetched again.

    Until then it is `.CHECKSUM.part` beside it and is resumed, also by a later call. Raises SourceError with one
    sentence; the part then stays, unless its checksum was wrong.
    """
    target, part = folder / file.name, part_path(folder, file)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if _is_whole(target, file):
            report(file.name, file.size, file.size)
            return target
        _check_disk(file, part)
        with _Part(part, file) as sink:
            fill = partial(_stream, source, file, sink, report)
            persistently(source.hub, fill, arrived=lambda: sink.done, advice="the same command goes on from here")
            sink.settle()
        _stamp(part, file)
        part.replace(target)
    except OSError as exc:
        raise SourceError(f"{part} cannot be written: {exc.strerror or exc}") from exc
    return target


def fetch_small_files(source: Snapshot, folder: Path) -> None:
    """Downloads what a conversion reads besides the weights: configuration, index, tokenizer, template; never code.

    Raises SourceError with one sentence, also for a file of more than 64 MiB.
    """
    small = [file for file in source.files.values() if file.name.endswith(_SMALL)]
    for file in small:
        if file.size > MAX_SMALL:
            raise SourceError(f"{file.name} of {source.repository} has {file.size:,} bytes, which is unreasonably long")
    for file in small:
        download(source, file, folder, lambda name, done, total: None)


def part_path(folder: Path, file: RemoteFile) -> Path:
    """Where the unfinished file is: its checksum keeps the parts of different revisions apart."""
    if file.checksum is None:
        raise SourceError(f"the hub gives no checksum of {file.name}; it is not used unchecked")
    return folder / f".{file.checksum}.part"


def _is_whole(path: Path, file: RemoteFile) -> bool:
    """Whether this is the file that the hub announced, by its stamp or else by its checksum; a link never is."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size != file.size:
        return False
    if path.stat().st_mtime_ns == file.stamp_ns:
        return True
    hasher = file.hasher()
    with path.open("rb") as there:
        _feed(hasher, there)
    if hasher.hexdigest() != file.checksum:
        return False
    _stamp(path, file)
    return True


def _stamp(path: Path, file: RemoteFile) -> None:
    os.utime(path, ns=(file.stamp_ns, file.stamp_ns))


def _feed(hasher: Any, there: io.BufferedIOBase) -> None:
    while block := there.read(2**20):
        hasher.update(block)


def _check_disk(file: RemoteFile, part: Path) -> None:
    missing = file.size - (part.lstat().st_size if part.exists() else 0)
    free = shutil.disk_usage(part.parent).free
    if missing + SPARE_DISK > free:
        raise SourceError(
            f"{in_units(missing)} of {file.name} are to be downloaded and {in_units(free)} are free in {part.parent}"
        )


class _Part:
    """The unfinished file, with the hash of what it holds; never opened through a link."""

    def __init__(self, path: Path, file: RemoteFile) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._path, self._file = path, file
        self._sink = io.BufferedRandom(io.FileIO(os.open(path, flags, 0o644), "r+"))
        self._hasher, self.done = file.hasher(), 0

    def __enter__(self) -> "_Part":
        """Takes in what is there. Raises SourceError when another process is at it."""
        try:
            fcntl.flock(self._sink, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._sink.close()
            raise SourceError(f"another process downloads {self._file.name} into {self._path.parent}") from None
        _feed(self._hasher, self._sink)
        self.done = self._sink.tell()
        if self.done > self._file.size:
            self.restart()
        return self

    def __exit__(self, *exc: object) -> None:
        self._sink.close()

    def restart(self) -> None:
        """Forgets what is there."""
        self._sink.seek(0)
        self._sink.truncate()
        self._hasher, self.done = self._file.hasher(), 0

    def add(self, chunk: bytes) -> None:
        """Appends. Raises SourceError when the file is longer than announced."""
        if self.done + len(chunk) > self._file.size:
            self.restart()
            raise SourceError(f"{self._file.name} is longer than the hub announced")
        self._sink.write(chunk)
        self._hasher.update(chunk)
        self.done += len(chunk)

    def settle(self) -> None:
        """Puts it on the disk. Raises SourceError, and removes it, when it is not what the hub announced."""
        self._sink.flush()
        os.fsync(self._sink.fileno())
        if self._hasher.hexdigest() != self._file.checksum:
            self._path.unlink(missing_ok=True)
            raise SourceError(
                f"{self._file.name} did not arrive as the hub announced it (its checksum differs); try again"
            )


def _stream(source: Snapshot, file: RemoteFile, sink: _Part, report: Report) -> None:
    """One connection: asks for what is missing and appends it."""
    if sink.done == file.size:
        report(file.name, sink.done, file.size)
        return
    span = (sink.done, file.size) if sink.done else None
    try:
        with answer_of(source.hub, _path(source, file), _what(source, file), span=span) as answer:
            for chunk in chunks(source.hub, answer):
                sink.add(chunk)
                report(file.name, sink.done, file.size)
    except RangeRefused:
        sink.restart()
        raise
    if sink.done < file.size:
        raise Interrupted(f"{sink.done:,} of {file.size:,} bytes of {_what(source, file)} arrived")
