"""`r1-engine`: the inference host by hand. Exit codes: 0 done, 1 failed, 2 misuse."""
# ruff: noqa: T201 - a command prints

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from engine import place, platform
from engine.errors import EngineError, ModelNotFound
from engine.supervisor import clear_away, session_for
from engine.types import EngineOptions

LOOK_S = 5.0
"""Seconds a host gets to say how it is."""
STOP_S = 6.0
"""Seconds a host gets to end in good order before it is killed."""


class _Misuse(Exception):
    """A sentence for somebody who called the command wrongly."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Misuse(f"{message}; `{self.prog} --help` shows the usage")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one subcommand; errors are one sentence on stderr."""
    try:
        given = _parser().parse_args(argv)
        return int(given.run(given))
    except (_Misuse, EngineError) as exc:
        print(f"r1-engine: {exc}", file=sys.stderr)
        return 2 if isinstance(exc, _Misuse | ModelNotFound) else 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="r1-engine", description="The process that runs the model, by hand.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="run a host in the foreground, without need of a lease")
    serve.set_defaults(run=_serve)
    serve.add_argument("--model", default="default", help="a catalogue name or a GGUF file")
    serve.add_argument("--n-ctx", type=int, help="tokens of context")
    serve.add_argument("--threads", type=int, help="threads for the model")
    serve.add_argument("--gpu-layers", type=int, help="layers on the GPU")
    serve.add_argument("--adapter", help="a LoRA adapter for the model, made by `r1-gguf lora`")
    serve.add_argument("--script", help="answer from a script instead of a model")
    serve.add_argument("--socket", type=Path, help="where to listen; default: where r1-lsp looks for these options")
    serve.add_argument("--tcp", action="store_true", help="listen on 127.0.0.1 with a token instead of a Unix socket")
    serve.add_argument("--port", type=_port, default=0, help="the port for --tcp; default: any free one")
    status = commands.add_parser("status", help="list the running hosts")
    status.set_defaults(run=_status)
    stop = commands.add_parser("stop", help="end the running hosts")
    stop.set_defaults(run=_stop)
    for command in (serve, status, stop):
        command.add_argument("--json", action="store_true", help="one line of JSON for programs")
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; a number up to 65535 is wanted")
    return int(text)


# -- serve ---------------------------------------------------------------------------------------------------------


def _serve(given: argparse.Namespace) -> int:
    from engine.host.__main__ import Orders, end_now, real_host, run
    from engine.host.endpoint import Listener

    options = EngineOptions(
        model=given.model,
        n_ctx=given.n_ctx,
        threads=given.threads,
        gpu_layers=given.gpu_layers,
        adapter=given.adapter,
        script=given.script,
    )
    if given.script:
        from engine.scripted import load_script

        load_script(given.script)
    else:
        from engine.models.resolve import resolve

        resolve(options)  # a model that is not there is said here, not only to those who connect
    options = place.named(options)
    socket = given.socket.absolute() if given.socket else place.host_files(platform.runtime_dir(), options).socket

    def announce(listener: Listener) -> None:
        address = place.address_at(listener.path)
        told = {"socket": str(socket), "url": address.url if address else "", "token": listener.token}
        print(json.dumps(told) if given.json else _sentence(told), flush=True)

    orders = Orders(
        socket=socket, options=options, tcp=given.tcp or given.port > 0, port=given.port, keep=True, announce=announce
    )
    # The model's thread may be deep in llama.cpp: leave without waiting for it.
    return end_now(min(run(orders, real_host), 1))


def _sentence(told: dict[str, Any]) -> str:
    if told["token"] is None:
        return f"listening at the Unix socket {told['socket']}"
    return f"listening at {told['url']} (token: {told['token']})"


# -- status and stop -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A running host. `status` is "deaf" when it does not answer."""

    pid: int
    socket: str
    status: str
    detail: str
    model: str
    leases: int


def _running() -> list[tuple[place.HostFiles, int]]:
    """The hosts of this user that live; what dead ones left is removed on the way."""
    found = []
    for lock in sorted(platform.runtime_dir().glob("host-*.lock")):
        files = place.files_at(lock.with_suffix(".sock"))
        pid = platform.holder(lock)
        if pid is not None:
            found.append((files, pid))
        else:
            clear_away(files)
    return found


def _status(given: argparse.Namespace) -> int:
    hosts = [asyncio.run(_look(files, pid)) for files, pid in _running()]
    if given.json:
        print(json.dumps([asdict(host) for host in hosts]))
    elif not hosts:
        print("no engine is running")
    for host in () if given.json else hosts:
        state = f"{host.status} ({host.detail})" if host.detail else host.status
        print(f"{host.model or 'a model'}: {state}; process {host.pid}, {host.leases} in use, {host.socket}")
    return 0


async def _look(files: place.HostFiles, pid: int) -> Found:
    import aiohttp

    health: dict[str, Any] = {}
    address = place.address_at(files.socket)
    if address is not None:
        # A host that does not answer in time is shown as deaf, which is the answer.
        with contextlib.suppress(aiohttp.ClientError, OSError, ValueError):
            # The lease's first line tells more than /health: the number of leases, and the model asked for.
            async with asyncio.timeout(LOOK_S), session_for(address) as http, http.get(f"{address.url}/lease") as lease:
                health = json.loads(await lease.content.readline())
    return Found(
        pid=pid,
        socket=str(files.socket),
        status=str(health.get("status", "deaf")),
        detail=str(health.get("detail", "")),
        model=str(health.get("asked", "")),
        leases=max(int(health.get("leases", 1)) - 1, 0),
    )


def _stop(given: argparse.Namespace) -> int:
    hosts = _running()
    for _, pid in hosts:
        platform.ask_to_end(pid)
    deadline = time.monotonic() + STOP_S
    for files, pid in hosts:
        while platform.holder(files.lock) == pid:
            if time.monotonic() > deadline:
                platform.kill(pid)
            time.sleep(0.05)
        clear_away(files)
    if given.json:
        print(json.dumps({"stopped": [pid for _, pid in hosts]}))
    else:
        print(f"stopped: {len(hosts)}" if hosts else "no engine is running")
    return 0
