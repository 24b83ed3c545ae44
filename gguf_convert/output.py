"""The files of the output while they are being made: NAME.partial, the room for them, their names at the end.

Nothing under its final name is ever half-written: that name appears by a rename, when all is there and on the disk.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from gguf_convert.errors import TargetError
from gguf_convert.plan import PlannedFile
from gguf_convert.units import in_units

PARTIAL: Final = ".partial"
_PIECE: Final = 2**20


class Output:
    """The open files of an output, in the plan's order."""

    def __init__(self, paths: Sequence[Path], descriptors: Sequence[int]) -> None:
        self.paths = tuple(paths)
        self.descriptors = tuple(descriptors)

    def pieces(self, file: int, offset: int, size: int) -> Iterator[bytes]:
        """What stands in a file, a megabyte at a time."""
        for start in range(offset, offset + size, _PIECE):
            with writing(self.paths[file]):
                yield os.pread(self.descriptors[file], min(_PIECE, offset + size - start), start)

    def sync(self) -> None:
        """Waits until everything that was written is on the disk."""
        for path, descriptor in zip(self.paths, self.descriptors, strict=True):
            with writing(path):
                os.fdatasync(descriptor)


@contextmanager
def opened(folder: Path, files: Sequence[PlannedFile]) -> Iterator[Output]:
    """The partial files: made if need be, as large as they will be, with their headers.

    Raises TargetError when the folder cannot be written or has no room, before any weight is read.
    """
    paths = [folder / (file.name + PARTIAL) for file in files]
    descriptors: list[int] = []
    try:
        _check_room(folder, paths, files)
        for path, file in zip(paths, files, strict=True):
            with writing(path):
                descriptors.append(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644))
                _reserve(descriptors[-1], file.size)
                _write_header(descriptors[-1], file.header)
        yield Output(paths, descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def untouched(folder: Path, files: Sequence[PlannedFile], *, named: bool = False) -> bool:
    """Whether all partial files are there, as large as they were made; some may be `named` as in the end already."""
    suffixes = (PARTIAL, "") if named else (PARTIAL,)
    return all(any(_has_size(folder / (file.name + suffix), file.size) for suffix in suffixes) for file in files)


def _has_size(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size == size


def publish(folder: Path, files: Sequence[PlannedFile]) -> None:
    """Gives the files their final names. May be called again when it was interrupted."""
    for file in files:
        partial = folder / (file.name + PARTIAL)
        with writing(folder / file.name):
            if partial.exists():
                partial.replace(folder / file.name)
    sync_folder(folder)


def discard(folder: Path, names: Iterable[str]) -> None:
    """Removes the partial files of these final names."""
    for name in names:
        partial = folder / (Path(name).name + PARTIAL)
        with writing(partial):
            partial.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Waits until the names in a folder are on the disk."""
    with writing(folder):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Makes one sentence of what the system says."""
    try:
        yield
    except OSError as exc:
        raise TargetError(f"{path} cannot be written: {exc.strerror or exc}") from exc


def _check_room(folder: Path, paths: Sequence[Path], files: Sequence[PlannedFile]) -> None:
    with writing(folder):
        free = shutil.disk_usage(folder).free
    missing = sum(file.size for file in files) - sum(_held(path) for path in paths)
    if missing > free:
        raise TargetError(f"{folder} has no room: {in_units(missing)} are needed and {in_units(free)} are free there")


def _held(path: Path) -> int:
    """Bytes that a file already takes on the disk."""
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def _reserve(descriptor: int, size: int) -> None:
    """Takes the room now, rather than to run out of it hours later."""
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as exc:
        if exc.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:  # a file system that cannot reserve
            raise
    except AttributeError:  # nor can macOS, under this name
        pass
    os.ftruncate(descriptor, size)


def _write_header(descriptor: int, header: bytes) -> None:
    left, offset = memoryview(header), 0
    while left:
        written = os.pwrite(descriptor, left, offset)
        left, offset = left[written:], offset + written
