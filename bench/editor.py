"""The editor's end of a real server process, as bare frames: what it costs is not counted as the server's."""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ANSWER_S = 120.0
"""No answer takes longer, unless the server hangs; then the benchmark fails instead of hanging too."""
STD_LIB = Path(json.__file__).parent.parent


class Editor:
    """One document at a time, utf-16 positions counted in ASCII lines only."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.ready: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.uri = ""
        self._version = 0

    async def request(self, method: str, params: object) -> Any:
        """The result of a request; an error raises RuntimeError."""
        number, answer = next(self._ids), asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._send({"id": number, "method": method, "params": params})
        return await asyncio.wait_for(answer, ANSWER_S)

    def notify(self, method: str, params: object) -> None:
        self._send({"method": method, "params": params})

    def open(self, uri: str, text: str, language: str = "python") -> None:
        self.uri, self._version = uri, 1
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def close(self) -> None:
        self.notify("textDocument/didClose", {"textDocument": {"uri": self.uri}})

    def change(self, line: int, start: int, end: int, text: str) -> None:
        """Replaces columns start..end of a line."""
        self._version += 1
        span = {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}
        self.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": self.uri, "version": self._version},
                "contentChanges": [{"range": span, "text": text}],
            },
        )

    async def complete(self, line: int, column: int) -> tuple[list[dict[str, Any]], float]:
        """The items for a position as while typing, and the seconds until they came."""
        began = time.perf_counter()
        params = {
            "textDocument": {"uri": self.uri},
            "position": {"line": line, "character": column},
            "context": {"triggerKind": 2},
        }
        return await self.request("textDocument/inlineCompletion", params), time.perf_counter() - began

    async def why(self) -> dict[str, Any]:
        """What became of the last request."""
        return (await self.request("workspace/executeCommand", {"command": "r1.why", "arguments": []}))[0]

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def read(self) -> None:
        """Takes in what the server sends, until it ends."""
        assert self._process.stdout is not None
        try:
            while True:
                header = await self._process.stdout.readuntil(b"\r\n\r\n")
                length = int(header.split(b":")[1])
                self._take(json.loads(await self._process.stdout.readexactly(length)))
        except asyncio.IncompleteReadError:
            for waiting in self._waiting.values():
                waiting.set_exception(RuntimeError("the server ended"))

    def _take(self, message: dict[str, Any]) -> None:
        if "method" in message and "id" in message:
            self._send({"id": message["id"], "result": None})
        elif message.get("method") == "r1/status":
            status = message["params"]
            if status["phase"] == "ready" and not self.ready.done():
                self.ready.set_result(status)
            elif status["phase"] == "failed" and not self.ready.done():
                self.ready.set_exception(RuntimeError(status["detail"]))
        elif "id" in message and message["id"] in self._waiting:
            waiting = self._waiting.pop(message["id"])
            if "error" in message:
                waiting.set_exception(RuntimeError(message["error"]["message"]))
            else:
                waiting.set_result(message["result"])


@asynccontextmanager
async def editor(options: dict[str, Any], folder: Path) -> AsyncIterator[Editor]:
    """A server process of its own, initialized; ended on leaving."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-m", "r1_lsp", "serve", "--stdio", cwd=folder, stdin=-1, stdout=-1
    )
    one = Editor(process)
    reading = asyncio.create_task(one.read())
    capabilities = {"textDocument": {"inlineCompletion": {}}}
    params = {"processId": None, "rootUri": None, "capabilities": capabilities, "initializationOptions": options}
    await one.request("initialize", params)
    one.notify("initialized", {})
    try:
        yield one
        await one.request("shutdown", None)
    finally:
        one.notify("exit", None)
        await asyncio.wait_for(process.wait(), 10)
        reading.cancel()


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the values lie; nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
