"""Downloads model files from a Hugging Face-compatible hub.

`urllib` and not aiohttp: a pull is a command in the foreground with one connection at a time, and every rule about
redirects, tokens and proxies can be stated in one opener. Nothing is asked of the environment: a proxy or a token is
used only when it is given.

What the hub says is not trusted: file names are checked under the rules of POSIX and Windows, a body longer than
announced is cut off, and a file gets its name only after its sha256 was right.
"""

import contextlib
import fnmatch
import hashlib
import http.client
import io
import os
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message as Headers
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import DownloadError

HUGGING_FACE = "https://huggingface.co"
MAX_REDIRECTS = 5
MAX_LISTING = 64 * 2**20
SPARE_DISK = 64 * 2**20
_CHUNK = 2**18
# An attempt that brings less counts as failed, and so does a connection slower than this per second of patience.
_PROGRESS, _SLOWEST = 2**16, 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Where and how to download. `patience` is how long silence is borne, `attempts` how often a cut is resumed."""

    url: str = HUGGING_FACE
    token: str | None = field(default=None, repr=False)
    proxy: str | None = None
    patience_s: float = 30.0
    attempts: int = 6
    pause_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file as the hub announces it: `name` is its path in the repository, `size` in bytes."""

    name: str
    size: int
    sha256: str

    @property
    def local(self) -> str:
        """The name it gets here: its path's last part."""
        return self.name.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a repository holds at one commit. Only files with a sha256 are in it."""

    repository: str
    revision: str
    licence: str | None
    files: tuple[RemoteFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`done` of `total` bytes of the file `name` are here."""

    name: str
    done: int
    total: int


Report = Callable[[Progress], None]


class _Lfs(BaseModel):
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    size: int | None = Field(default=None, ge=0)


class _Sibling(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    name: str = Field(alias="rfilename")
    size: int | None = Field(default=None, ge=0)
    lfs: _Lfs | None = None


class _Card(BaseModel):
    license: str | None = None


class _Repository(BaseModel):
    sha: str = Field(pattern=r"^[0-9a-f]{40}$")
    siblings: list[_Sibling]
    card: _Card | None = Field(default=None, alias="cardData")


def list_files(hub: Hub, repository: str, revision: str = "main") -> Listing:
    """The files of `owner/name` at a branch, tag or commit. Raises DownloadError with one sentence."""
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", repository, re.ASCII):
        raise DownloadError(f"{repository!r} is not the name of a repository; OWNER/NAME is wanted")
    wanted = urllib.parse.quote(revision, safe="")
    try:
        told = _Repository.model_validate_json(_asked(hub, f"{repository}/revision/{wanted}?blobs=true", repository))
    except ValidationError as exc:
        raise DownloadError(f"the hub's answer about {repository} cannot be understood") from exc
    if re.fullmatch(r"[0-9a-f]{40}", revision) and told.sha != revision:
        raise DownloadError(f"the hub answered with another revision of {repository} than was asked for")
    files = tuple(
        RemoteFile(name=s.name, size=s.lfs.size if s.lfs.size is not None else s.size or 0, sha256=s.lfs.sha256)
        for s in told.siblings
        if s.lfs and s.lfs.sha256
    )
    licence = told.card.license if told.card else None
    return Listing(repository=repository, revision=told.sha, licence=licence, files=files)


def _asked(hub: Hub, path: str, what: str) -> bytes:
    """One answer of the hub's API; asked again while the hub is busy or out of reach."""
    for attempt in range(hub.attempts):
        try:
            with _opened(hub, f"{_base(hub)}/api/models/{path}", {}, what) as answer:
                return _bounded(answer, MAX_LISTING)
        except _Cut as exc:
            if attempt + 1 == hub.attempts:
                raise DownloadError(f"{exc}; try again later") from exc
            time.sleep(hub.pause_s * 2 ** min(attempt, 4))
    raise DownloadError("no attempt to reach the hub is allowed")


def chosen_files(listing: Listing, pattern: str) -> tuple[RemoteFile, ...]:
    """The one model that fits a shell pattern: a file, or all parts of a split one in order.

    Where a repository has both, the whole file is taken. Raises DownloadError when none or several models fit, when
    parts are missing, or when a name is not one we would write.
    """
    models: dict[str, list[RemoteFile]] = {}
    for file in listing.files:
        if fnmatch.fnmatchcase(file.name.lower(), pattern.lower()) and file.name.lower().endswith(".gguf"):
            check_name(file.name)
            models.setdefault(_SPLIT.sub("", file.name), []).append(file)
    whole = {stem: files for stem, files in models.items() if len(files) == 1 and not _SPLIT.search(files[0].name)}
    candidates = whole if len(whole) == 1 else models
    if not candidates:
        there = ", ".join(sorted({f.local for f in listing.files if f.name.lower().endswith(".gguf")})[:12])
        raise DownloadError(f"{listing.repository} has no file {pattern}; it has: {there or 'no GGUF file at all'}")
    if len(candidates) > 1:
        names = ", ".join(sorted(files[0].local for files in candidates.values())[:12])
        raise DownloadError(f"several models of {listing.repository} fit {pattern}: {names}; name one with --file")
    files = sorted(next(iter(candidates.values())), key=lambda file: file.name)
    _check_parts(files)
    return tuple(files)


_SPLIT = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)


def _check_parts(files: Sequence[RemoteFile]) -> None:
    numbers = [match.groups() for file in files if (match := _SPLIT.search(file.name))]
    if numbers and [int(n) for n, _ in numbers] != list(range(1, int(numbers[0][1]) + 1)):
        raise DownloadError(f"the hub has only {len(files)} of the {int(numbers[0][1])} parts of {files[0].local}")


_WINDOWS_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')


def check_name(name: str) -> None:
    """Refuses a repository path that is not plain and relative under the rules of POSIX and Windows alike."""
    for part in name.split("/"):
        odd_ends = part != part.strip(" ") or part.startswith(".") or part.endswith(".")
        if not part or odd_ends or _FORBIDDEN.search(part) or len(part.encode("utf-8", "replace")) > 200:
            raise DownloadError(f"the hub names a file {name!r}, which is not accepted")
        if _WINDOWS_DEVICES.fullmatch(part.partition(".")[0].rstrip(" ")):
            raise DownloadError(f"the hub names a file {name!r}, which is a device on Windows")


def download(hub: Hub, listing: Listing, files: Sequence[RemoteFile], folder: Path, report: Report) -> list[Path]:
    """Downloads files into `folder` and returns their paths; what is there and right is not fetched again.

    A part stays beside its target as `.<sha256>.part` and is resumed, also by a later call; the name keeps parts of
    other revisions apart. Raises DownloadError with one sentence; the part then stays, unless its sha256 was wrong.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if folder.is_symlink():
        raise DownloadError(f"{folder} is a link; models are not downloaded through links")
    _check_disk(folder, files)
    return [_fetch(hub, listing, file, folder, report) for file in files]


def part_path(folder: Path, file: RemoteFile) -> Path:
    """Where the unfinished file is."""
    return folder / f".{file.sha256}.part"


def _check_disk(folder: Path, files: Sequence[RemoteFile]) -> None:
    here = sum(part_path(folder, file).lstat().st_size for file in files if part_path(folder, file).exists())
    here += sum((folder / file.local).stat().st_size for file in files if (folder / file.local).exists())
    missing = sum(file.size for file in files) - here
    free = shutil.disk_usage(folder).free
    if missing + SPARE_DISK > free:
        raise DownloadError(
            f"{missing / 1e9:.1f} GB are to be downloaded and the disk of {folder} has {free / 1e9:.1f} GB free"
        )


def _fetch(hub: Hub, listing: Listing, file: RemoteFile, folder: Path, report: Report) -> Path:
    target, part = folder / file.local, part_path(folder, file)
    if target.is_file() and not target.is_symlink() and target.stat().st_size == file.size:
        with target.open("rb") as there:
            if hashlib.file_digest(there, "sha256").hexdigest() == file.sha256:
                report(Progress(name=file.local, done=file.size, total=file.size))
                return target
    try:
        with _open_part(part) as sink:
            _fill(hub, listing, file, sink, report)
            sink.flush()
            os.fsync(sink.fileno())
            sink.seek(0)
            found = hashlib.file_digest(sink, "sha256").hexdigest()
    except OSError as exc:
        raise DownloadError(f"{part} cannot be written: {exc.strerror or exc}") from exc
    if found != file.sha256:
        part.unlink(missing_ok=True)
        raise DownloadError(f"{file.local} did not arrive as the hub announced it (its sha256 differs); try again")
    part.replace(target)
    return target


def _open_part(part: Path) -> io.BufferedRandom:
    """Opens the unfinished file for reading and writing, never through a link."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return io.BufferedRandom(io.FileIO(os.open(part, flags, 0o644), "r+"))


def _fill(hub: Hub, listing: Listing, file: RemoteFile, sink: io.BufferedRandom, report: Report) -> None:
    """Downloads until the size is reached; each cut is resumed, and only attempts that brought little are counted."""
    failures = 0
    while (done := sink.seek(0, os.SEEK_END)) != file.size:
        if done > file.size:
            sink.truncate(0)
            done = 0
        try:
            _stream(hub, listing, file, sink, report)
        except _Cut as exc:
            progressed = sink.seek(0, os.SEEK_END) - done >= _PROGRESS
            failures = 0 if progressed else failures + 1
            if failures >= hub.attempts:
                raise DownloadError(f"the download of {file.local} was cut off: {exc}; pull again to resume") from exc
            time.sleep(hub.pause_s * 2 ** min(failures, 4))
    report(Progress(name=file.local, done=file.size, total=file.size))


class _Cut(Exception):
    """The connection ended early or was not there; worth another attempt."""


def _stream(hub: Hub, listing: Listing, file: RemoteFile, sink: io.BufferedRandom, report: Report) -> None:
    """One connection: asks for what is missing and appends it."""
    done = sink.seek(0, os.SEEK_END)
    quoted = urllib.parse.quote(file.name)
    url = f"{_base(hub)}/{listing.repository}/resolve/{listing.revision}/{quoted}"
    headers = {"Range": f"bytes={done}-"} if done else {}
    with _opened(hub, url, headers, f"{listing.repository}/{file.name}") as answer:
        if done and not _continues(answer.status, answer.headers, done):
            sink.seek(0)
            sink.truncate(0)
            done = 0
            if answer.status != 200:
                raise _Cut("the hub would not continue where the part ends")
        pace = _Pace(hub.patience_s)
        while chunk := _read(answer, _CHUNK):
            pace.keep(len(chunk))
            done += len(chunk)
            if done > file.size:
                sink.truncate(0)
                raise DownloadError(f"{file.local} is longer than the hub announced")
            sink.write(chunk)
            report(Progress(name=file.local, done=done, total=file.size))
    if done < file.size:
        raise _Cut(f"{done} of {file.size} bytes arrived")


class _Pace:
    """Ends a connection that only trickles."""

    def __init__(self, patience_s: float) -> None:
        self._patience = patience_s
        self._since, self._bytes = time.monotonic(), 0

    def keep(self, count: int) -> None:
        """Counts what arrived. Raises _Cut when too little came within the patience."""
        self._bytes += count
        waited = time.monotonic() - self._since
        if waited < self._patience:
            return
        if self._bytes < _SLOWEST * waited:
            raise _Cut("the hub sends less than 1 kB per second")
        self._since, self._bytes = time.monotonic(), 0


def _continues(status: int, headers: Headers, done: int) -> bool:
    return status == 206 and (headers.get("Content-Range") or "").startswith(f"bytes {done}-")


def _read(answer: Any, count: int) -> bytes:
    try:
        data: bytes = answer.read1(count)
    except (OSError, http.client.HTTPException) as exc:
        raise _Cut(_reason(exc)) from exc
    return data


def _bounded(answer: Any, limit: int) -> bytes:
    data = b""
    try:
        while len(data) <= limit and (chunk := answer.read1(_CHUNK)):
            data += chunk
    except (OSError, http.client.HTTPException) as exc:
        raise DownloadError(f"the hub's answer was cut off: {_reason(exc)}") from exc
    if len(data) > limit:
        raise DownloadError("the hub's answer is unreasonably long")
    return data


# Connections -----------------------------------------------------------------------------------------------------


def _base(hub: Hub) -> str:
    parsed = urllib.parse.urlsplit(hub.url)
    if parsed.scheme not in {"http", "https"} or not parsed.hostname or parsed.username or parsed.query:
        raise DownloadError(f"{hub.url!r} is not the address of a hub; https://HOST is wanted")
    if parsed.scheme == "http" and hub.token and parsed.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise DownloadError("a token is not sent over plain http; give the hub's https address")
    return hub.url.rstrip("/")


@contextlib.contextmanager
def _opened(hub: Hub, url: str, headers: Mapping[str, str], what: str) -> Any:
    """An answered request. Raises DownloadError for a refusal, _Cut for what another attempt may cure."""
    own = {"User-Agent": "r1-lsp", "Accept-Encoding": "identity", **headers}
    if hub.token:
        own["Authorization"] = f"Bearer {hub.token}"
    proxies = {"http": hub.proxy, "https": hub.proxy} if hub.proxy else {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _Redirects())
    request = urllib.request.Request(url, headers=own)
    try:
        answer = opener.open(request, timeout=hub.patience_s)
    except urllib.error.HTTPError as exc:
        with exc:
            if exc.code == 416:  # the part is as long as the file, or longer: it is judged by its size and sha256
                yield exc
                return
            raise _refusal(exc.code, what, has_token=hub.token is not None) from exc
    except urllib.error.URLError as exc:
        raise _unreachable(hub, exc, resuming="Range" in headers or "/resolve/" in url) from exc
    except (OSError, http.client.HTTPException) as exc:
        raise _unreachable(hub, exc, resuming="/resolve/" in url) from exc
    with answer:
        yield answer


def _unreachable(hub: Hub, exc: Exception, *, resuming: bool) -> Exception:
    host = urllib.parse.urlsplit(hub.url).netloc
    sentence = f"{host} cannot be reached: {_reason(exc)}"
    return _Cut(sentence) if resuming else DownloadError(sentence)


def _reason(exc: BaseException) -> str:
    inner = getattr(exc, "reason", None) or exc
    reason = getattr(inner, "strerror", None) or inner
    return str(reason).replace("\n", " ") or type(exc).__name__


def _refusal(code: int, what: str, *, has_token: bool) -> Exception:
    if code in {408, 429, 500, 502, 503, 504}:
        return _Cut(f"the hub answered {code}")
    if code == 401:
        hint = "the token was not accepted" if has_token else "it needs a token (set HF_TOKEN), or does not exist"
        return DownloadError(f"the hub does not give {what}: {hint}")
    if code == 403:
        return DownloadError(f"the hub does not give {what} to you; its page may ask you to accept a licence first")
    if code == 404:
        return DownloadError(f"the hub has no {what}")
    return DownloadError(f"the hub answered {code} for {what}")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, never away from https, and takes the token along only to the same host."""

    max_redirections = MAX_REDIRECTS

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if new.scheme not in {"http", "https"} or (old.scheme == "https" and new.scheme != "https"):
            fp.close()
            raise DownloadError("the hub redirects to an address that is not https; that is not followed")
        seen = getattr(req, "redirect_dict", {})
        if sum(seen.values()) >= MAX_REDIRECTS:
            fp.close()
            raise DownloadError(f"the hub redirects more than {MAX_REDIRECTS} times")
        moved = super().redirect_request(req, fp, code, msg, headers, newurl)
        if moved is not None and (old.scheme, old.netloc) != (new.scheme, new.netloc):
            moved.remove_header("Authorization")
        return moved
