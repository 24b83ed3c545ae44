"""The files of a checkpoint on a hub, fetched one after the other in a thread while others are converted."""

import contextlib
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gguf_convert.errors import SourceError
from gguf_convert.source.hub import Snapshot, download, part_path
from gguf_convert.units import in_units

_JOIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Files of `source`, fetched into `folder`. Unless they are to be kept, each is deleted when it is not needed any
    more, and so are the folder and the one around it in the end; nobody else may use these then.
    """

    source: Snapshot
    folder: Path
    keep: bool = True

    @property
    def origin(self) -> str:
        """What names these very files, on the command line too."""
        return f"hub:{self.source.repository}@{self.source.commit}"

    def sha256(self, name: str) -> str | None:
        """What the hub says of a file, and a fetched one therefore has; None when it says git's checksum only."""
        return self.source.file(name).sha256

    def sizes(self, names: Iterable[str]) -> dict[str, int]:
        """Sizes of files in bytes."""
        return {name: self.source.file(name).size for name in names}

    def check_room(self, size: int) -> None:
        """Raises SourceError when the disk has no room for so many bytes of files; all of them, if they are kept."""
        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.folder).free
            here = sum(path.lstat().st_blocks * 512 for path in self.folder.iterdir())
        if size > free + here:
            raise SourceError(
                f"{self.folder} has no room for files of the checkpoint: {in_units(size)} are needed"
                f" and {in_units(free + here)} are free there"
            )

    def drop(self, name: str) -> None:
        """Deletes a file, whole or not. A worker may still have it open, so its room is given back first."""
        for path in (self.folder / name, part_path(self.folder, self.source.file(name))):
            with _writing(path), contextlib.suppress(FileNotFoundError):
                if path.lstat().st_nlink == 1 and not path.is_symlink():
                    os.truncate(path, 0)
                path.unlink()

    def clear(self) -> None:
        """Deletes all of the repository's files, and the folders unless somebody put something of their own there; does
        nothing when files are to be kept.
        """
        if self.keep or not self.folder.exists():
            return
        for name, file in self.source.files.items():
            if file.checksum:
                self.drop(name)
        with contextlib.suppress(OSError):
            self.folder.rmdir()
            self.folder.parent.rmdir()


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Makes one sentence of what the system says."""
    try:
        yield
    except OSError as exc:
        raise SourceError(f"{path} cannot be written: {exc.strerror or exc}") from exc


class _Stopped(Exception):
    """Whoever wanted the files does not want them any more."""


class Arrivals:
    """`with Arrivals(supply, names) as arrivals`: fetches the names in their order, as far as it is allowed to.

    One thread; what goes wrong in it is raised by `wait`, when nothing else is left to do.
    """

    def __init__(self, supply: Supply, names: Sequence[str]) -> None:
        self.supply = supply
        self._names = tuple(names)
        self._change = threading.Condition()
        self._allowed = 0
        self._here: set[str] = set()
        self._error: Exception | None = None
        self._stop = False
        self._at: tuple[str, int, int] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._change:
            self._stop = True
            self._change.notify_all()
        self._thread.join(_JOIN_S)  # a silent line may hold it longer; it has nothing left to spoil

    def allow(self, count: int) -> None:
        """The first `count` files may be fetched; it never becomes fewer."""
        with self._change:
            self._allowed = max(self._allowed, count)
            self._change.notify_all()

    def here(self, name: str) -> bool:
        """Whether a file was fetched and checked."""
        with self._change:
            return name in self._here

    def wait(self, seconds: float) -> None:
        """Until something changes. Raises the error that ended the thread."""
        with self._change:
            if self._error:
                raise self._error
            self._change.wait(seconds)

    @property
    def at(self) -> str:
        """What is being fetched and how far it is, for a progress line."""
        if self._at is None:
            return "waiting for the hub"
        name, done, total = self._at
        return f"{name}: {done / 1e6:,.0f} of {total / 1e6:,.0f} MB fetched"

    def _run(self) -> None:
        try:
            for number, name in enumerate(self._names):
                self._await(number)
                download(self.supply.source, self.supply.source.file(name), self.supply.folder, self._report)
                with self._change:
                    self._here.add(name)
                    self._change.notify_all()
        except _Stopped:
            return
        except Exception as exc:  # noqa: BLE001 - whatever it is, whoever waits for the file must learn of it
            with self._change:
                self._error = exc
                self._change.notify_all()

    def _await(self, number: int) -> None:
        with self._change:
            while self._allowed <= number and not self._stop:
                self._change.wait()
            if self._stop:
                raise _Stopped

    def _report(self, name: str, done: int, total: int) -> None:
        if self._stop:
            raise _Stopped
        self._at = (name, done, total)
