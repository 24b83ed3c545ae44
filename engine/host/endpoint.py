"""Where a host listens: a Unix socket, or loopback TCP whose port and token stand in a private file."""

import json
import os
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path

from engine.platform import HAS_UNIX_SOCKETS


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A socket that already queues connections. `token` is set for TCP only; requests must carry it."""

    path: Path
    socket: socket.socket
    inode: tuple[int, int]
    token: str | None = field(default=None, repr=False)

    def is_at_path(self) -> bool:
        """Whether clients that follow the path still come to us."""
        try:
            found = self.path.lstat()
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self.inode

    def unlink(self) -> None:
        if self.is_at_path():
            self.path.unlink(missing_ok=True)


def listen(path: Path, *, tcp: bool = False, port: int = 0) -> Listener:
    """Listens at `path` (mode 0600), replacing a dead host's leftovers; the caller holds the lock. Raises OSError."""
    path.unlink(missing_ok=True)
    return _bind_tcp(path, port) if tcp or not HAS_UNIX_SOCKETS else _bind_unix(path)


def _bind_unix(path: Path) -> Listener:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.settimeout(0)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(128)
    return Listener(path=path, socket=listener, inode=_inode(path))


def _bind_tcp(path: Path, port: int) -> Listener:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.settimeout(0)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    token = secrets.token_hex(32)
    draft = path.with_suffix(".tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump({"port": listener.getsockname()[1], "token": token}, file)
    draft.replace(path)
    return Listener(path=path, socket=listener, inode=_inode(path), token=token)


def _inode(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino
