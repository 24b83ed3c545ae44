"""An editor in memory: no process, no threads, no descriptors; frames go from one end to the other as bytes.

    async with Editor(engine=ScriptedEngine({...}), preset="vscode") as editor:
        editor.open("file:///a.py", "print($0)")
        editor.type("foo")
        reply = await editor.request("textDocument/inlineCompletion", ...)

On leaving, it shuts the server down and asserts that every request was answered exactly once and that no message is
left which nobody asked for or waited for.
"""

import asyncio
import contextlib
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from engine.scripted import ScriptedEngine
from engine.types import Engine
from r1_lsp.server import HANDLERS, create_server
from r1_lsp.wire.outbox import Outbox
from r1_lsp.wire.rows import Row
from tests.support.fixture import cursor

_COMMON: dict[str, Any] = {
    "workspace": {
        "applyEdit": True,
        "workspaceEdit": {"documentChanges": True},
        "configuration": True,
        "didChangeConfiguration": {"dynamicRegistration": True},
        "workspaceFolders": True,
    },
    "textDocument": {
        "synchronization": {"didSave": True},
        "completion": {"completionItem": {"snippetSupport": True, "insertReplaceSupport": True}},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "codeAction": {
            "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix", "refactor"]}},
            "resolveSupport": {"properties": ["edit"]},
            "dataSupport": True,
            "isPreferredSupport": True,
            "disabledSupport": True,
        },
        "publishDiagnostics": {"versionSupport": True, "relatedInformation": True},
    },
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
}

_INLINE: dict[str, Any] = {"textDocument": {"inlineCompletion": {"dynamicRegistration": True}}}
_PULL: dict[str, Any] = {
    "textDocument": {"diagnostic": {"dynamicRegistration": True}},
    "workspace": {"diagnostics": {"refreshSupport": True}},
}
_TAGS: dict[str, Any] = {"textDocument": {"codeAction": {"tagSupport": {"valueSet": [1]}}}}

PRESETS: dict[str, tuple[str, tuple[str, ...] | None, tuple[dict[str, Any], ...]]] = {
    # name: (clientInfo.name, positionEncodings, what it has beyond _COMMON)
    "vscode": ("Visual Studio Code", ("utf-16",), (_INLINE, _PULL, _TAGS)),
    "neovim-0.11": ("Neovim", ("utf-8", "utf-16", "utf-32"), (_PULL,)),
    "neovim-0.12": ("Neovim", ("utf-8", "utf-16", "utf-32"), (_INLINE, _PULL)),
    "helix": ("helix", ("utf-8", "utf-32", "utf-16"), ()),
    "eglot": ("Emacs", ("utf-32", "utf-8", "utf-16"), ()),
    "bare": ("", None, ()),
}

EXPECTED = frozenset({"r1/status", "$/progress", "window/logMessage", "textDocument/publishDiagnostics"})
"""Notifications that may come at any time; every other one must be waited for."""


@dataclass(frozen=True)
class Reply:
    """An answer: `error` is None or {code, message}."""

    result: Any
    error: dict[str, Any] | None

    @property
    def code(self) -> int | None:
        return None if self.error is None else self.error["code"]


@dataclass
class Buffer:
    """What the editor has on the screen: the text, the version, the caret as an index into the text."""

    text: str
    version: int
    caret: int
    language: str


def preset(name: str) -> dict[str, Any]:
    """The capabilities an editor sends."""
    _, encodings, more = PRESETS[name]
    found: dict[str, Any] = {} if name == "bare" else json.loads(json.dumps(_COMMON))
    if encodings:
        found["general"] = {"positionEncodings": list(encodings)}
    for part in more:
        _merge(found, part)
    return found


class Editor:
    """One editor with one server. See the module's docstring."""

    def __init__(
        self,
        *,
        engine: Engine | None = None,
        preset: str = "neovim-0.12",
        options: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        capabilities: Mapping[str, Any] | None = None,
        rows: tuple[Row, ...] = HANDLERS,
    ) -> None:
        self.preset = preset
        self.engine = engine if engine is not None else ScriptedEngine({})
        self.options = options
        self.settings = settings
        self.capabilities = capabilities if capabilities is not None else globals()["preset"](preset)
        self.buffers: dict[str, Buffer] = {}
        self.current = ""
        self.notifications: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.server_capabilities: dict[str, Any] = {}
        self.answer: dict[str, Callable[[Any], Any]] = {
            "window/workDoneProgress/create": lambda _: None,
            "client/registerCapability": lambda _: None,
            "workspace/configuration": lambda params: [self.settings for _ in params["items"]],
            "workspace/applyEdit": lambda _: {"applied": True},
            "workspace/diagnostic/refresh": lambda _: None,
            "window/showDocument": lambda _: {"success": True},
        }
        self._rows = rows
        self._ids = itertools.count(1)
        self._asked: list[int | str] = []
        self._replies: dict[int | str, list[Reply]] = {}
        self._strays: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    # -- life --------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> "Editor":
        await self.connect()
        await self.initialize()
        return self

    async def connect(self) -> None:
        """Makes the server, without `initialize`."""
        self.wire = create_server(lambda _: self.engine, rows=self._rows, outbox=_Delivery(self._deliver))

    async def initialize(self) -> Reply:
        """`initialize` and `initialized`."""
        reply = await self.request(
            "initialize",
            processId=None,
            rootUri=None,
            clientInfo={"name": PRESETS[self.preset][0]},
            capabilities=self.capabilities,
            initializationOptions=self.options,
        )
        assert reply.error is None, reply.error
        self.server_capabilities = reply.result["capabilities"]
        self.notify("initialized")
        return reply

    @property
    def encoding(self) -> str:
        return str(self.server_capabilities["positionEncoding"])

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            await self.wire.close()
            return
        await self.leave()

    async def leave(self) -> None:
        """`shutdown` and `exit`, and all that must hold then."""
        reply = await self.request("shutdown")
        assert reply.error is None, reply.error
        self.notify("exit")
        assert await asyncio.wait_for(self.wire.ended, 2) == 0
        await self.wire.close()
        self.check()

    def check(self) -> None:
        """Every request answered exactly once, nothing left over."""
        assert not self._strays, f"answers nobody asked for: {self._strays}"
        for id_ in set(self._asked):
            n_asked, n_answered = self._asked.count(id_), len(self._replies.get(id_, []))
            assert n_answered == n_asked, f"request {id_} was sent {n_asked} times and answered {n_answered} times"
        left = [message for message in self.notifications if message["method"] not in EXPECTED]
        assert not left, f"nobody waited for {left}"

    # -- messages ----------------------------------------------------------------------------------------------------

    def send(self, method: str, /, id_: int | str | None = None, **params: Any) -> int | str:
        """Sends a request and returns its id; `reply` waits for the answer."""
        return self.ask(method, params, id_)

    def ask(self, method: str, params: Any, id_: int | str | None = None) -> int | str:
        """As `send`, with params of any kind."""
        id_ = next(self._ids) if id_ is None else id_
        self._asked.append(id_)
        self._put({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})
        return id_

    async def request(self, method: str, /, **params: Any) -> Reply:
        """Sends a request and waits for the answer."""
        return await self.reply(self.send(method, **params))

    async def reply(self, id_: int | str, timeout_s: float = 10.0) -> Reply:
        """The (last) answer to a request."""
        await self.until(lambda: self._replies.get(id_), timeout_s)
        return self._replies[id_][-1]

    def cancel(self, id_: int | str) -> None:
        self.notify("$/cancelRequest", id=id_)

    def notify(self, method: str, /, **params: Any) -> None:
        self._put({"jsonrpc": "2.0", "method": method, "params": params})

    async def notification(
        self, method: str, where: Callable[[Any], bool] = lambda _: True, timeout_s: float = 10.0
    ) -> Any:
        """Waits for a notification of the server, takes it away and returns its params."""

        def matching() -> list[dict[str, Any]]:
            return [m for m in self.notifications if m["method"] == method and where(m.get("params"))]

        await self.until(matching, timeout_s)
        message = matching()[0]
        self.notifications.remove(message)
        return message.get("params")

    async def until(self, there: Callable[[], object], timeout_s: float = 10.0) -> None:
        """Waits until something holds; it is looked at after each message of the server and every 10 ms."""
        async with asyncio.timeout(timeout_s):
            while not there():
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await self._news.wait()

    # -- documents ---------------------------------------------------------------------------------------------------

    def open(self, uri: str, text: str, language: str = "python") -> None:
        """Opens a document; `$0` in the text is where the caret stands (its end without one)."""
        if "$0" in text:
            clean, at = cursor(text)
            text, caret = clean.decode(), len(clean[:at].decode())
        else:
            caret = len(text)
        self.buffers[uri] = Buffer(text, 1, caret, language)
        self.current = uri
        self.notify("textDocument/didOpen", textDocument=dict(uri=uri, languageId=language, version=1, text=text))

    def type(self, text: str, *, delete: int = 0, uri: str | None = None) -> None:
        """Types at the caret, deleting characters before it first."""
        buffer = self.buffers[uri or self.current]
        self.replace(buffer.caret - delete, buffer.caret, text, uri=uri)

    def replace(self, start: int, end: int, new: str, *, uri: str | None = None) -> None:
        """Replaces text between two indices; the caret goes behind it."""
        uri = uri or self.current
        buffer = self.buffers[uri]
        change = {"range": {"start": self.position(start, uri), "end": self.position(end, uri)}, "text": new}
        buffer.text = buffer.text[:start] + new + buffer.text[end:]
        buffer.caret = start + len(new)
        buffer.version += 1
        self.notify(
            "textDocument/didChange", textDocument={"uri": uri, "version": buffer.version}, contentChanges=[change]
        )

    def close(self, uri: str | None = None) -> None:
        uri = uri or self.current
        del self.buffers[uri]
        self.notify("textDocument/didClose", textDocument={"uri": uri})

    def here(self, uri: str | None = None) -> dict[str, Any]:
        """textDocument and position of the caret, as most requests want them."""
        uri = uri or self.current
        return {"textDocument": {"uri": uri}, "position": self.position(self.buffers[uri].caret, uri)}

    def position(self, index: int, uri: str | None = None) -> dict[str, int]:
        """Position of an index into the text, in the encoding agreed on."""
        before = self.buffers[uri or self.current].text[:index].replace("\r\n", "\n").replace("\r", "\n")
        line = before[before.rfind("\n") + 1 :]
        units = {"utf-8": len(line.encode()), "utf-16": len(line.encode("utf-16-le")) // 2, "utf-32": len(line)}
        return {"line": before.count("\n"), "character": units[self.encoding]}

    async def complete(self, **context: Any) -> Reply:
        """`textDocument/inlineCompletion` at the caret, as while typing unless the context says otherwise."""
        return await self.request("textDocument/inlineCompletion", **self.here(), context={"triggerKind": 2, **context})

    # -- wire --------------------------------------------------------------------------------------------------------

    def raw(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self.wire.receive(data)

    def _put(self, message: Mapping[str, Any]) -> None:
        body = json.dumps(message).encode()
        self.raw(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def _deliver(self, frame: bytes) -> None:
        header, _, body = frame.partition(b"\r\n\r\n")
        assert header == b"Content-Length: %d" % len(body), header
        message = json.loads(body)
        assert message["jsonrpc"] == "2.0", message
        if "method" not in message:
            self._replied(message)
        elif "id" in message:
            self.requests.append(message)
            asyncio.get_running_loop().call_soon(self._answer, message)
        else:
            self.notifications.append(message)
        self._news.set()

    def _replied(self, message: dict[str, Any]) -> None:
        assert ("result" in message) != ("error" in message), message
        reply = Reply(message.get("result"), message.get("error"))
        if message["id"] in self._asked:
            self._replies.setdefault(message["id"], []).append(reply)
        else:
            self._strays.append(message)

    def _answer(self, message: dict[str, Any]) -> None:
        how = self.answer.get(message["method"])
        outcome = {"result": how(message["params"])} if how else {"error": {"code": -32601, "message": "no"}}
        self._put({"jsonrpc": "2.0", "id": message["id"], **outcome})

    def take_strays(self) -> list[dict[str, Any]]:
        """Answers without a request of ours (id null after a parse error); taken away."""
        strays, self._strays = self._strays, []
        return strays


class _Delivery(Outbox):
    """An outbox that hands over each frame at once."""

    def __init__(self, deliver: Callable[[bytes], None]) -> None:
        super().__init__()
        self._deliver = deliver

    def post(self, frame: bytes, key: object = None) -> None:
        self._deliver(frame)


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping):
            _merge(into.setdefault(key, {}), value)
        else:
            into[key] = value
