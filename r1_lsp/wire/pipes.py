"""The descriptors the protocol runs on, and the threads that read and write them.

Threads with blocking calls, because they work alike for pipes, sockets, terminals and files, and leave the descriptors
as the editor gave them (asyncio makes them non-blocking for everyone who shares them).
"""

import ipaddress
import os
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass

from r1_lsp.wire.outbox import Outbox, write_all

_CHUNK = 1024 * 1024
_GREETING = b"content-"
"""What an editor's first message begins with, in any case; a web page that posts to our port begins with a verb."""


class BadAddress(Exception):
    """str(error) is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Pipes:
    """Descriptors of our own: nobody else writes to `output` or reads from `input`."""

    input: int
    output: int


def take_stdio() -> Pipes:
    """Moves stdin and stdout to private descriptors, so that no print, no C library and no child can touch the wire.

    What is printed afterwards goes to stderr; who reads stdin afterwards finds nothing.
    """
    pipes = Pipes(os.dup(0), os.dup(1))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return pipes


def accept_tcp(address: str) -> Pipes:
    """Waits for one editor on HOST:PORT and says on stderr where. Loopback only. Raises BadAddress.

    Who does not begin as an editor does is sent away: to the framing, a web page's request would be a message.
    """
    host, port = _host_and_port(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=1)
    except OSError as error:
        raise BadAddress(f"cannot listen on {address}: {error.strerror or error}") from error
    with listener:
        print(f"listening on {host}:{listener.getsockname()[1]}", file=sys.stderr, flush=True)  # noqa: T201
        connection, _ = listener.accept()
        while not _greets(connection):
            connection.close()
            connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    descriptor = connection.detach()
    return Pipes(descriptor, descriptor)


def _greets(connection: socket.socket) -> bool:
    """Waits for the first bytes, which stay where they are."""
    try:
        first = connection.recv(len(_GREETING), socket.MSG_PEEK)
    except OSError:
        return False
    return bool(first) and _GREETING.startswith(first.lower())


def start_threads(
    pipes: Pipes, outbox: Outbox, on_data: Callable[[bytes], None], on_broken: Callable[[], object]
) -> None:
    """Starts the reader and the writer. `on_data` gets what was read, b"" at the end; both are called off the loop."""
    reader = threading.Thread(target=_read_all, args=(pipes.input, outbox, on_data), name="wire-reader", daemon=True)
    writer = threading.Thread(target=write_all, args=(outbox, pipes.output, on_broken), name="wire-writer", daemon=True)
    reader.start()
    writer.start()


def _read_all(descriptor: int, outbox: Outbox, on_data: Callable[[bytes], None]) -> None:
    data = b"-"
    while data:
        outbox.wait_for_room()
        try:
            data = os.read(descriptor, _CHUNK)
        except OSError:
            data = b""
        on_data(data)


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65535:
        raise BadAddress(f"{address!r} is no HOST:PORT; an example is 127.0.0.1:9257")
    if host == "localhost":
        host = "127.0.0.1"
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise BadAddress(f"{host} is not a loopback address; the server listens only for editors on this machine")
    return host, int(port)
