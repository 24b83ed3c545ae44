"""What differs by operating system: processes, locks, local sockets, directories. Tested on Linux.

POSIX: Unix sockets and flock. Windows: loopback TCP with a token, and locking through msvcrt; a lock is not inherited
there, so the host takes it itself.
"""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import EngineUnavailable

WINDOWS = sys.platform == "win32"
HAS_UNIX_SOCKETS = hasattr(socket, "AF_UNIX") and not WINDOWS
LOCKS_ARE_INHERITED = not WINDOWS
SOCKET_PATH_MAX = 100
"""Bytes a Unix socket's path may have: sun_path holds 104 on macOS and 108 on Linux, with the final NUL."""

_APP = "r1-lsp"


def share_lock_briefly() -> None:
    """Threads of this process hand over the interpreter lock after half a millisecond instead of five.

    For processes whose event loop shares it with a thread that works: without this, a loop that has something to send
    stands still for five milliseconds while the other runs Python code.
    """
    sys.setswitchinterval(0.0005)


# -- directories ---------------------------------------------------------------------------------------------------


def data_dir() -> Path:
    """Where installed models belong: R1_LSP_DATA_DIR, or the system's place for a user's data. Not created here."""
    if chosen := os.environ.get("R1_LSP_DATA_DIR"):
        return Path(chosen)
    import platformdirs  # 18 ms that a server needs only after `initialize`; so below

    return platformdirs.user_data_path(_APP, appauthor=False)


def cache_dir() -> Path:
    """Where what can be made again belongs. Not created here."""
    import platformdirs

    return platformdirs.user_cache_path(_APP, appauthor=False)


def state_dir() -> Path:
    """Where small records of past work belong. Not created here."""
    import platformdirs

    return platformdirs.user_state_path(_APP, appauthor=False)


def runtime_dir() -> Path:
    """The user's private directory for sockets and locks, created with mode 0700.

    Falls back to the temporary directory where the usual place is missing or its path too long for a socket.
    Raises EngineUnavailable when the directory belongs to someone else or others may enter it.
    """
    usual = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{_user()}")
    wanted = usual / _APP
    usable = not WINDOWS and usual.is_dir() and os.access(usual, os.W_OK | os.X_OK)
    if not usable or len(os.fsencode(wanted)) > SOCKET_PATH_MAX - len("/host-0123456789abcdef.sock"):
        wanted = Path(tempfile.gettempdir()) / f"{_APP}-{_user()}"
    return private_dir(wanted)


def private_dir(path: Path) -> Path:
    """Creates `path` with mode 0700 if it is missing, and checks that it is the user's own and closed to others."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as exc:
        raise EngineUnavailable(f"the directory {path} cannot be used for sockets: {exc.strerror}") from exc
    if not stat.S_ISDIR(found.st_mode):
        raise EngineUnavailable(f"{path} is not a directory; remove it so that sockets can be put there")
    if not WINDOWS and found.st_uid != os.getuid():
        raise EngineUnavailable(f"the directory {path} belongs to another user, so no socket is put there")
    if not WINDOWS and found.st_mode & 0o077:
        raise EngineUnavailable(f"the directory {path} is open to other users; make it private with chmod 700")
    return path


def _user() -> str:
    return os.environ.get("USERNAME", "user") if WINDOWS else str(os.getuid())


# -- locks ---------------------------------------------------------------------------------------------------------


class Lock:
    """An exclusive lock on a file, held by an open descriptor: it ends with its last holder, however that one dies."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self.descriptor = path, descriptor

    def is_at_path(self) -> bool:
        """Whether the file under that name is still the one we hold."""
        try:
            there = self.path.lstat()
        except OSError:
            return False
        held = os.fstat(self.descriptor)
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def write_pid(self, pid: int) -> None:
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{pid}\n".encode(), 0)

    def close(self) -> None:
        """Lets go of our descriptor; a child that inherited it keeps the lock."""
        os.close(self.descriptor)

    def remove(self) -> None:
        """Deletes the file if it is still ours, then lets go. In this order: who waits finds another file or none."""
        if self.is_at_path():
            self.path.unlink(missing_ok=True)
        self.close()


def try_lock(path: Path) -> Lock | None:
    """Takes the lock, or returns None when somebody holds it. Raises EngineUnavailable when it cannot be opened."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        except OSError as exc:
            raise EngineUnavailable(f"the lock {path} cannot be opened: {exc.strerror}") from exc
        if not _lock_descriptor(descriptor):
            os.close(descriptor)
            return None
        lock = Lock(path, descriptor)
        if lock.is_at_path():
            return lock
        # The former holder deleted the file between our open and our lock: what we hold is no longer the lock.
        lock.close()


def _lock_descriptor(descriptor: int) -> bool:
    try:
        if WINDOWS:
            import msvcrt

            os.lseek(descriptor, 2**30, os.SEEK_SET)  # beyond what is written: a locked byte cannot be read there
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def holder(path: Path) -> int | None:
    """The process that holds the lock: the id it wrote there, or None when nobody holds it or wrote anything yet."""
    if not path.exists():
        return None
    lock = try_lock(path)
    if lock is not None:
        lock.close()
        return None
    try:
        return int(path.read_bytes()) or None
    except (OSError, ValueError):
        return None


# -- processes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Child:
    """A process we started and do not own: it outlives us. `ended` is set once it has died and was reaped."""

    pid: int
    ended: threading.Event = field(default_factory=threading.Event)


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs. A dead one that nobody has waited for yet (a zombie) does not count."""
    if pid <= 0:
        return False
    if WINDOWS:
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        record = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return record.rpartition(b")")[2].split()[:1] == [b"Z"]


def _is_alive_on_windows(pid: int) -> bool:
    import ctypes

    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    handle = kernel.OpenProcess(0x1000, 0, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == 259  # STILL_ACTIVE


def kill(pid: int) -> None:
    """Ends a process at once, also one that is stopped or deaf to SIGTERM. A process already gone is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM if WINDOWS else signal.SIGKILL)


def ask_to_end(pid: int) -> None:
    """Asks a process to end in good order (on Windows it just ends). A process already gone is no error."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def start_detached(command: Sequence[str], *, log: Path, inherit: Lock) -> Child:
    """Starts a process that outlives us: no terminal input, output into `log` (truncated, 0600).

    It inherits the lock, which is closed here, and its id is written there; on Windows it has to take the lock itself.
    Every other descriptor is closed in the child. A daemon thread waits for it, so that no zombie stays.
    Raises EngineUnavailable.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        output = os.open(log, flags, 0o600)
        try:
            if not LOCKS_ARE_INHERITED:
                inherit.close()
            process = _popen(command, output, inherit.descriptor)
        finally:
            os.close(output)
    except OSError as exc:
        raise EngineUnavailable(f"the engine's host could not be started: {exc.strerror}") from exc
    child = Child(process.pid)
    if LOCKS_ARE_INHERITED:
        inherit.write_pid(child.pid)
        inherit.close()

    def wait() -> None:
        process.wait()
        child.ended.set()

    threading.Thread(target=wait, name=f"wait-{process.pid}", daemon=True).start()
    return child


def _popen(command: Sequence[str], output: int, inherit: int) -> subprocess.Popen[bytes]:
    if WINDOWS:
        detached = 0x00000008 | 0x00000200  # DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, creationflags=detached)
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=(inherit,),
        start_new_session=True,
        cwd="/",
    )


def harden(*, own_session: bool = True) -> None:
    """Prepares this process to run a model: no core file, own session, private files, nothing of the workspace held."""
    os.environ["GGML_NO_BACKTRACE"] = "1"  # or a failed assertion forks one debugger per thread, and they stay
    os.umask(0o077)
    if WINDOWS:
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.chdir("/")
    if own_session:
        with contextlib.suppress(PermissionError):  # already the leader of its session
            os.setsid()
