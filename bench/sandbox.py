"""Runs a generated Python program where it can do no harm: `passes(program)`.

Each program runs in a forked child that may compute, read files and end, and nothing else: a seccomp filter refuses
every system call that is not in a short list. So there is no network, no file is written, no process or thread is
started, no signal is sent. It works for root and for anybody else, and needs no namespaces. Limits on processor time,
memory, file size and the number of processes come on top. Where the kernel cannot do this, `refusal` says so, and
nothing must be run.

Source of the filter's format: linux/filter.h, linux/seccomp.h.
"""

import ctypes
import functools
import gc
import io
import os
import platform
import resource
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

CPU_S = 3
WALL_S = 30
MEMORY_BYTES = 2 << 30
PASSED = 42
"""The exit status of a program that ran to its end; nothing else ends with it by accident."""

# System calls a Python program needs to compute, to import the standard library and to end.
_CALLS = {
    "x86_64": {
        "read": 0, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
        "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "access": 21,
        "sched_yield": 24, "mremap": 25, "madvise": 28, "exit": 60, "getcwd": 79, "readlink": 89, "gettimeofday": 96,
        "sigaltstack": 131, "gettid": 186, "futex": 202, "getdents64": 217, "clock_gettime": 228, "clock_getres": 229,
        "exit_group": 231, "newfstatat": 262, "readlinkat": 267, "getrandom": 318, "statx": 332,
    },
    "aarch64": {
        "getcwd": 17, "close": 57, "getdents64": 61, "lseek": 62, "read": 63, "pread64": 67, "readlinkat": 78,
        "newfstatat": 79, "fstat": 80, "exit": 93, "exit_group": 94, "futex": 98, "clock_gettime": 113,
        "clock_getres": 114, "sched_yield": 124, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
        "rt_sigreturn": 139, "gettimeofday": 169, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222,
        "mprotect": 226, "madvise": 233, "getrandom": 278, "statx": 291,
    },
}  # fmt: skip
_OPENAT = {"x86_64": 257, "aarch64": 56}
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # _REFUSE: the call fails with EPERM
_NUMBER_AT, _ARCH_AT, _THIRD_ARGUMENT_AT = 0, 4, 32
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("first", ctypes.POINTER(_Instruction)))


@functools.cache
def refusal() -> str | None:
    """Why no program can be run safely here, as a sentence; None where one can."""
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        return "Generated code is run only on Linux on x86-64 or ARM64, where it can be locked in."
    for attempt, harm in _HARMS.items():
        if _status_of(functools.partial(_refused, harm)) != PASSED:
            return f"Generated code is not run: this kernel does not keep it from making {attempt}."
    return None


def passes(program: str) -> bool:
    """Whether a Python program runs to its end without an error, within the limits."""
    return _status_of(functools.partial(_ran, program)) == PASSED


def _ran(program: str) -> bool:
    sys.stdout = sys.stderr = io.StringIO()  # the real ones are closed
    exec(compile(program, "<generated>", "exec"), {"__name__": "__generated__"})
    return True


def _refused(harm: Callable[[], object]) -> bool:
    try:
        harm()
    except PermissionError:
        return True
    return False


def _make_socket() -> None:
    socket.socket().close()


def _write_file() -> None:
    Path("written").write_text("x", encoding="utf-8")


_HARMS: dict[str, Callable[[], object]] = {"a socket": _make_socket, "a file": _write_file, "a process": os.fork}


def _status_of(work: Callable[[], bool]) -> int:
    """The exit status of locked-in work: PASSED where it returned true; -1 where it had to be killed."""
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        _work_and_exit(work)
    watch = os.pidfd_open(pid)
    try:
        if not select.select([watch], [], [], WALL_S)[0]:
            os.kill(pid, signal.SIGKILL)
    finally:
        os.close(watch)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _work_and_exit(work: Callable[[], bool]) -> None:
    """Never returns: neither an exception nor an exit of the program reaches the parent's code."""
    status = 1
    try:
        _lock_in()
        status = PASSED if work() else 1
    except BaseException:  # noqa: BLE001 - a generated program may raise anything, SystemExit too
        status = 1
    finally:
        os._exit(status)


@functools.cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory()


def _lock_in() -> None:
    """Gives up everything but computing. Raises OSError where the kernel does not take the filter."""
    os.setsid()
    os.chdir(_folder().name)
    os.closerange(0, 1024)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for nothing in (resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC, resource.RLIMIT_CORE):
        resource.setrlimit(nothing, (0, 0))
    steps = _filter(platform.machine())
    program = _Program(len(steps), (_Instruction * len(steps))(*steps))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program)):
        if libc.prctl(*(ctypes.byref(one) if one is program else one for one in arguments)) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def _filter(machine: str) -> list[_Instruction]:
    """Allows the listed calls, and `openat` for reading only; every other call fails with EPERM."""
    steps = [
        _Instruction(_LOAD, 0, 0, _ARCH_AT),
        _Instruction(_JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        _Instruction(_RETURN, 0, 0, _KILL),
        _Instruction(_LOAD, 0, 0, _NUMBER_AT),
    ]
    for number in _CALLS[machine].values():
        steps += [_Instruction(_JUMP_EQUAL, 0, 1, number), _Instruction(_RETURN, 0, 0, _ALLOW)]
    steps += [
        _Instruction(_JUMP_EQUAL, 0, 3, _OPENAT[machine]),
        _Instruction(_LOAD, 0, 0, _THIRD_ARGUMENT_AT),
        _Instruction(_JUMP_ANY_BIT, 1, 0, _WRITING),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_RETURN, 0, 0, _REFUSE),
    ]
    return steps
