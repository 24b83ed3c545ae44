"""`python -I -m engine.host --socket PATH --options-json JSON`: one model, served to one user until nobody needs it.

The story: harden the process, hold the lock, listen, load the model while already answering, end when the last lease
is gone, leave no file behind.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from engine.errors import EngineError
from engine.host.endpoint import Listener, listen
from engine.place import files_at, options_from_json
from engine.platform import Lock, harden, share_lock_briefly, try_lock
from engine.types import EngineOptions

if TYPE_CHECKING:
    from aiohttp import web

    from engine.host.lifetime import Lifetime

logger = logging.getLogger("engine.host")

CLOSE_S = 2.0
"""Seconds the model's thread gets to finish; then the process ends without it."""


class Served(Protocol):
    """What a host process runs: the real host, or a stand-in."""

    def start(self) -> None:
        """Begins to load the model and returns at once."""

    def health(self) -> Mapping[str, Any]: ...

    def close(self) -> None:
        """Ends the model's thread; may block."""


Build = Callable[[EngineOptions], "tuple[Served, web.Application]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What to run. `keep` serves without leases until told to stop; `announce` is called once it listens."""

    socket: Path
    options: EngineOptions
    lock_fd: int | None = None
    tcp: bool = False
    port: int = 0
    keep: bool = False
    announce: Callable[[Listener], None] | None = None
    after_last_s: float = 4.5
    for_first_s: float = 5.0


def main(argv: Sequence[str] | None = None, *, build: Build | None = None) -> int:
    """Runs a host to its end. Exit code 0: ended in order; 1: could not start; 3: another host is running."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        return run(_orders(argv), build or real_host)
    except EngineError as exc:
        print(exc, file=sys.stderr)  # noqa: T201 - the log's last line is the reason the user is shown
        return 1


def _orders(argv: Sequence[str] | None) -> Orders:
    parser = argparse.ArgumentParser(prog="python -I -m engine.host", description="Serves one model to one user.")
    parser.add_argument("--socket", type=Path, required=True, help="where to listen")
    parser.add_argument("--options-json", default="{}", help="EngineOptions as JSON")
    parser.add_argument("--lock-fd", type=int, help="an inherited descriptor that holds the lock")
    parser.add_argument(
        "--tcp", action="store_true", help="loopback TCP; the socket's path becomes a file saying where"
    )
    parser.add_argument("--after-last-s", type=float, default=4.5, help="seconds to live after the last lease")
    parser.add_argument("--for-first-s", type=float, default=5.0, help="seconds to wait for the first lease")
    given = parser.parse_args(argv)
    return Orders(
        socket=given.socket,
        options=options_from_json(given.options_json),
        lock_fd=given.lock_fd,
        tcp=given.tcp,
        after_last_s=given.after_last_s,
        for_first_s=given.for_first_s,
    )


def real_host(options: EngineOptions) -> "tuple[Served, web.Application]":
    from engine.host.app import Host, create_app

    host = Host(options)
    return host, create_app(host)


def run(orders: Orders, build: Build) -> int:
    """Holds the lock and listens before anything heavy is imported, so that clients find the host at once."""
    harden(own_session=not orders.keep)
    share_lock_briefly()
    files = files_at(orders.socket)
    lock = try_lock(files.lock) if orders.lock_fd is None else Lock(files.lock, orders.lock_fd)
    if lock is None:
        logger.error("another host is already running for these options; `r1-engine status` lists it")
        return 3
    os.set_inheritable(lock.descriptor, False)  # noqa: FBT003 - positional only
    lock.write_pid(os.getpid())
    try:
        listener = listen(orders.socket, tcp=orders.tcp, port=orders.port)
    except OSError as exc:
        lock.remove()
        logger.error("cannot listen at %s: %s", orders.socket, exc.strerror)  # noqa: TRY400 - one sentence
        return 1
    try:
        if orders.announce is not None:
            orders.announce(listener)
        # Not asyncio.run: at its end that waits for worker threads, and one may be inside llama.cpp for long.
        asyncio.new_event_loop().run_until_complete(_serve(orders, build, listener, lock))
    finally:
        listener.unlink()
        listener.socket.close()
        lock.remove()
    # Only now: a host that ended with an exception leaves its log, where the reason stands.
    _remove_own_log(files.log)
    return 0


async def _serve(orders: Orders, build: Build, listener: Listener, lock: Lock) -> None:
    from aiohttp import web

    from engine.host.guard import guard
    from engine.host.lifetime import Lifetime, Patience

    host, app = build(orders.options)
    life = Lifetime(
        host.health,
        asked=orders.options.script or orders.options.model,
        still_ours=lambda: listener.is_at_path() and lock.is_at_path(),
        patience=Patience(after_last_s=orders.after_last_s, for_first_s=orders.for_first_s, keep=orders.keep),
    )
    app.middlewares.insert(0, guard(listener))
    app.router.add_get("/lease", life.lease)
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.SockSite(runner, listener.socket).start()
    host.start()
    logger.info("the host ends: %s", await _first(life.over(), _told_to_stop(life)))
    listener.unlink()
    await runner.cleanup()
    closing = asyncio.to_thread(host.close)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(closing, CLOSE_S)


async def _first(*waits: Any) -> str:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return str(done.pop().result())


async def _told_to_stop(life: "Lifetime") -> str:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, told.set)
    await told.wait()
    life.stop()
    return "it was told to stop"


def _remove_own_log(log: Path) -> None:
    with contextlib.suppress(OSError):
        there, ours = log.lstat(), os.fstat(2)
        if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
            log.unlink()


def end_now(code: int) -> NoReturn:
    """Leaves at once: a thread that is still inside llama.cpp must not keep the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    end_now(main())
