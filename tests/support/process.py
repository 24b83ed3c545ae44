"""A server as an editor starts it: the installed command in a process of its own, spoken to over pipes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

COMMAND = Path(sys.executable).with_name("r1-lsp")
"""The installed entry script of the environment that runs the tests."""


class ServerProcess:
    """`with ServerProcess(...) as server:`; killed on leaving if it still lives."""

    def __init__(self, *arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [COMMAND, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**os.environ, **(env or {})},
        )
        self._number = 0

    def __enter__(self) -> "ServerProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def write(self, method: str, params: Any = None, *, id_: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params, **({} if id_ is None else {"id": id_})}
        body = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        """The next message, which must be framed without a byte too many."""
        assert self.process.stdout is not None
        header = self.process.stdout.readline()
        assert header.startswith(b"Content-Length: "), header
        assert self.process.stdout.readline() == b"\r\n"
        message: dict[str, Any] = json.loads(self.process.stdout.read(int(header.split(b":")[1])))
        return message

    def request(self, method: str, params: Any = None) -> dict[str, Any]:
        """Sends a request and reads up to its answer; requests of the server are answered with null."""
        self._number += 1
        self.write(method, params, id_=self._number)
        while (message := self.read()).get("id") != self._number or "method" in message:
            if "method" in message and "id" in message:
                self.respond(message["id"])
        return message

    def respond(self, id_: int | str, result: Any = None) -> None:
        body = json.dumps({"jsonrpc": "2.0", "id": id_, "result": result}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def initialize(self, process_id: int | None = None, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """`initialize` alone: the engine starts only after `initialized`."""
        params = {
            "processId": process_id,
            "rootUri": None,
            "capabilities": {"textDocument": {"inlineCompletion": {}}},
            "initializationOptions": options,
        }
        return self.request("initialize", params)

    def wait(self, timeout_s: float = 20.0) -> int:
        """The exit code."""
        return self.process.wait(timeout_s)

    def stderr(self) -> str:
        """All it said, once it has ended."""
        assert self.process.stderr is not None
        return self.process.stderr.read().decode()


def gone(pid: int, within_s: float) -> bool:
    """Whether a process ends in time (a zombie has ended)."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False
