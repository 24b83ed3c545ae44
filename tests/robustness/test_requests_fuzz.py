"""Requests of every kind, right and wrong, cancelled or sent twice: each is answered exactly once, and in time."""

import asyncio
import random
from typing import Any

import pytest
from lsprotocol import types

from engine.scripted import ScriptedEngine
from r1_lsp import ext
from r1_lsp.server import HANDLERS
from tests.support.fuzz import scaled, seeded
from tests.support.lsp import PRESETS, Editor

URI = "file:///fuzz/a.py"
TEXT = "import os\n\n\ndef area(w: float, h: float) -> float:\n    return w * é😀(h\n\n\nprint(area(1, 2)\n"

OURS = [row.method for row in HANDLERS if row.method not in (types.INITIALIZE, types.SHUTDOWN)]
ALL = sorted(set(types.METHOD_TO_TYPES) - {types.INITIALIZE, types.SHUTDOWN, types.EXIT})

EXPECTED_CODES = {None, -32600, -32601, -32602, -32603, -32800, -32801, -32803}
"""How a fuzzed request may be answered; an internal error (-32603) is in the log, and the log is looked at."""


@pytest.mark.fuzz
def test_each_request_is_answered_once(caplog: pytest.LogCaptureFixture) -> None:
    rng = seeded("requests")
    left = scaled(1_000)
    while left > 0:
        preset = rng.choice(list(PRESETS))
        asyncio.run(_session(rng, preset, min(left, 200)))
        left -= 200
        bugs = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert not bugs, "\n".join(bugs)
        caplog.clear()


async def _session(rng: random.Random, preset: str, n_requests: int) -> None:
    script = {"default": {"reply": "foo(bar)\n", "delay_s": 0.001}, "info": {"id": "scripted", "can_infill": True}}
    async with Editor(engine=ScriptedEngine(script), preset=preset) as editor:
        editor.open(URI, TEXT)
        waiting: set[int | str] = set()
        for _ in range(n_requests):
            method, params = _request(rng)
            id_ = rng.choice([None, None, None, None, "a", 7])
            id_ = editor.ask(method, params, id_)
            waiting.add(id_)
            _meanwhile(rng, editor, id_)
            if rng.random() < 0.2:
                await asyncio.sleep(rng.choice((0, 0, 0.001, 0.01)))
        for id_ in waiting:
            reply = await editor.reply(id_, timeout_s=20)
            assert reply.code in EXPECTED_CODES, reply
        editor.notifications.clear()


def _meanwhile(rng: random.Random, editor: Editor, id_: int | str) -> None:
    """What an editor may do right after a request."""
    match rng.randrange(8):
        case 0:
            editor.cancel(id_)
        case 1:
            editor.cancel(rng.choice([id_, "never", 10**9]))
        case 2:
            end = len(editor.buffers[URI].text)
            at = rng.randrange(end)
            editor.replace(at, min(end, at + rng.randrange(3)), rng.choice(["", "(", "\n", "é😀", "x", ")"]))
        case 3:
            editor.notify(rng.choice(["$/unknown", "textDocument/didSave", "workspace/didChangeConfiguration"]))


def _request(rng: random.Random) -> tuple[str, Any]:
    method = rng.choice(OURS) if rng.random() < 0.8 else rng.choice([*ALL, "r1/unknown", "", "$/x", "jsonrpc"])
    params = _params(rng, method)
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        params = _mutated(rng, params)
    return method, params


def _params(rng: random.Random, method: str) -> Any:
    """Params that are right for most methods."""
    place = {"line": rng.randrange(10), "character": rng.randrange(30)}
    params: dict[str, Any] = {
        "textDocument": {"uri": rng.choice([URI, URI, URI, "file:///other.py", "untitled:x", "git:/etc/passwd"])},
        "position": place,
        "range": {"start": place, "end": {"line": place["line"], "character": place["character"] + 3}},
        "context": {"triggerKind": rng.choice((1, 2)), "diagnostics": [], "jsonrpc": "2.0", "id": 1},
    }
    if method == types.WORKSPACE_EXECUTE_COMMAND:
        arguments = rng.choice([[], None, [URI], [{"jsonrpc": "2.0"}], [URI, params["range"], "x"], [[[]]], ["nobody"]])
        return {"command": rng.choice([*ext.COMMANDS, "r1.none"]), "arguments": arguments}
    if method == types.CODE_ACTION_RESOLVE:
        data = rng.choice([None, 1, {}, {"uri": URI, "kind": "fix"}])
        return {"title": "Fix", "kind": "quickfix", "data": data}
    return params


def _mutated(rng: random.Random, value: Any) -> Any:
    """The value with one thing in it replaced or left out."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        if rng.random() < 0.2:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _mutated(rng, value[key])}
    odd = [None, True, -1, 2**31, 2**70, 0.5, "", "\ud800", "é" * 1000, [], {}, [None], {"a": {"b": {}}}]
    return rng.choice(odd)
