"""A source file: its bytes on the disk, its text as UTF-8, and the way back, which loses nothing.

What is not edited stays to the byte: line ends, a byte order mark, the coding.
"""

import codecs
import contextlib
import os
import re
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from r1_lsp.cli.console import MAX_FILE_BYTES, Failure

_MARKS = (  # longer ones first: UTF-32's begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"\A(?:[^\r\n]*(?:\r\n|\n|\r))?[^\r\n]*?coding[:=][ \t]*([-\w.]+)")
"""In the first two lines, as Python (PEP 263), Ruby, Emacs and Vim read it."""
_DECLARED_WITHIN = 4096
_ANY = "latin-1"
"""Every byte is a character of it: what else is in the file comes back as it was."""


class Binary(Failure):
    """The file holds NUL bytes and no mark that explains them: no source file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`text` is UTF-8 without `mark`, the byte order mark. `undeclared`: not UTF-8, and nothing says what it is."""

    data: bytes
    text: bytes
    mark: bytes = b""
    coding: str = "utf-8"
    undeclared: bool = False

    def encoded(self, text: bytes) -> bytes:
        """Another text (UTF-8) in the coding of this file. Raises Failure when a character is not in it."""
        if self.coding == "utf-8":
            return self.mark + text
        try:
            return self.mark + text.decode("utf-8").encode(self.coding)
        except UnicodeEncodeError as error:
            raise Failure(f"{error.object[error.start]!r} cannot be written in {self.coding}") from None

    def first_not_utf8(self) -> int:
        """Where in `data` the first byte stands that does not fit UTF-8; 0 where all do."""
        try:
            self.data.decode("utf-8")
        except UnicodeDecodeError as error:
            return error.start
        return 0


def read(path: Path | str) -> Source:
    """Reads and decodes a file. Raises Failure with one sentence, Binary for what is no text."""
    return decoded(_bytes_of(path), str(path))


def read_source(path: Path | str) -> bytes:
    """The text of a file that must be UTF-8, to the byte. Raises Failure with one sentence."""
    source = read(path)
    if source.coding != "utf-8":
        line = source.data.count(b"\n", 0, source.first_not_utf8()) + 1
        raise Failure(f"{path} is not UTF-8 (line {line}); it may be Latin-1: convert it first")
    return source.data


def decoded(data: bytes, name: str) -> Source:
    """The text of some bytes. Raises Binary for what is no text; `name` is for the sentence."""
    for mark, coding in _MARKS:
        if data.startswith(mark):
            found = _in(data, mark, coding)
            if found is None:
                raise Failure(f"{name} begins with the mark of {coding.upper()} and is not in it")
            return found
    if b"\0" in data:
        raise Binary(f"{name} is a binary file (it holds NUL bytes)")
    if (found := _in(data, b"", "utf-8")) is not None:
        return found
    declared = _DECLARED.match(data, 0, _DECLARED_WITHIN)
    coding = declared.group(1).decode() if declared is not None else ""
    if coding and (found := _in(data, b"", coding)) is not None:
        return found
    return Source(data=data, text=data.decode(_ANY).encode(), coding=_ANY, undeclared=True)


def _in(data: bytes, mark: bytes, coding: str) -> Source | None:
    """The text if it is in that coding and comes back from it as it was."""
    body = data[len(mark) :]
    try:
        words = body.decode(coding)
        text = body if coding == "utf-8" else words.encode()
        if coding != "utf-8" and words.encode(coding) != body:
            return None
    except (UnicodeError, LookupError, ValueError):
        return None
    return Source(data=data, text=text, mark=mark, coding=coding)


def _bytes_of(path: Path | str) -> bytes:
    try:
        # A pipe that nobody writes to would hold us for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            _is_source(path, os.fstat(descriptor))
            with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
                return file.readall()
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror or error}", code=2) from None


def _is_source(path: Path | str, found: os.stat_result) -> None:
    """Raises Failure for what cannot be a source file."""
    if stat.S_ISDIR(found.st_mode):
        raise Failure(f"{path} is a directory, a file is wanted", code=2)
    if not stat.S_ISREG(found.st_mode):
        raise Failure(f"{path} is not a regular file; `-` reads standard input", code=2)
    if found.st_size > MAX_FILE_BYTES:
        raise Failure(f"{path} is larger than {MAX_FILE_BYTES >> 20} MB, which is no source file")


def replace_file(path: Path | str, before: bytes, after: bytes) -> None:
    """Puts `after` in the place of a file that holds `before`, whole or not at all, also when the machine stops.

    A symbolic link stays one, its target is replaced; mode and owner stay. Raises Failure when the file is no longer
    as it was, is write-protected, or cannot be written.
    """
    try:
        target = Path(path).resolve(strict=True)
        known = target.stat()
        if not known.st_mode & 0o222 or not os.access(target, os.W_OK):
            raise Failure(f"cannot write {path}: it is write-protected")
        beside = _written_beside(target, after, known)
        try:
            if not _still_holds(target, before):
                raise Failure(f"{path} has changed meanwhile and was left alone")
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
        _sync(target.parent)
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror or error}") from None


def _written_beside(target: Path, text: bytes, known: os.stat_result) -> Path:
    """A new file in the same folder, all of it on the disk. No source file by its name, whoever looks meanwhile."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            _like(descriptor, known)
            os.fsync(descriptor)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _still_holds(target: Path, before: bytes) -> bool:
    found = target.stat()
    return stat.S_ISREG(found.st_mode) and found.st_size == len(before) and target.read_bytes() == before


def _like(descriptor: int, known: os.stat_result) -> None:
    """Gives a new file the owner and the mode of the one it is to replace; the owner as far as we may."""
    if hasattr(os, "fchown"):
        with contextlib.suppress(OSError):
            os.fchown(descriptor, known.st_uid, known.st_gid)
    # Last: a new owner takes the set-user bit away.
    os.chmod(descriptor, stat.S_IMODE(known.st_mode))


def _sync(folder: Path) -> None:
    """A rename is on the disk once its folder is. Systems whose folders cannot be opened do it by themselves."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
