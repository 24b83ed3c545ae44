"""Runs a command where only loopback exists, and says how often anything in it tried to leave.

    python offline.py REPORT.json COMMAND...

A network namespace of its own has no route out; the kernel counts each attempt to use one (OutNoRoutes), whatever
program made it. Names are looked up at an address out there, so a look-up counts too, even on machines with a resolver
of their own. Linux with user namespaces only: `available()` says.
"""

import ctypes
import fcntl
import json
import socket
import struct
import subprocess
import sys
from pathlib import Path

SIOCSIFFLAGS = 0x8914  # linux/sockios.h
IFF_UP = 0x1  # linux/if.h
MS_BIND = 0x1000  # linux/mount.h

UNSHARE = ("unshare", "--map-root-user", "--net", "--mount")


def available() -> bool:
    """Whether this machine lets us make network namespaces."""
    try:
        return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def command_line(report: Path, *command: str) -> list[str]:
    """The command, run without a way out; `report` is written when it ends."""
    return [*UNSHARE, sys.executable, "-I", __file__, str(report), *command]


def main() -> int:
    report, command = Path(sys.argv[1]), sys.argv[2:]
    raise_loopback()
    look_up_outside(report.with_suffix(".resolv.conf"))
    code = subprocess.run(command, check=False).returncode
    report.write_text(json.dumps(attempts()), encoding="utf-8")
    return code


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def look_up_outside(file: Path) -> None:
    """Only in this namespace: the resolver asks an address of RFC 5737, which nobody has."""
    file.write_text("nameserver 192.0.2.1\n", encoding="ascii")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(bytes(file), b"/etc/resolv.conf", None, MS_BIND, None) != 0:
        raise OSError(ctypes.get_errno(), "mounting over /etc/resolv.conf failed")


def attempts() -> dict[str, int]:
    """How often a packet, a connection or a look-up found no route, per protocol, since the namespace was made."""
    header, values = [
        line.split() for line in Path("/proc/net/snmp").read_text(encoding="ascii").splitlines() if line[:3] == "Ip:"
    ]
    ipv4 = int(values[header.index("OutNoRoutes")])
    lines = Path("/proc/net/snmp6").read_text(encoding="ascii").splitlines()
    ipv6 = next(int(line.split()[1]) for line in lines if line.startswith("Ip6OutNoRoutes"))
    return {"ipv4": ipv4, "ipv6": ipv6}


if __name__ == "__main__":
    sys.exit(main())
