"""What the server answers, and when: once each, with the protocol's codes."""

import asyncio
import gc
import json
import logging
import sys
import types as module_types
from collections.abc import Iterator
from typing import Any

import pytest
from lsprotocol import types

from r1_lsp.server import HANDLERS
from r1_lsp.session import Failed, Session, Stopped
from r1_lsp.wire.rows import Row
from tests.support.lsp import Editor

URI = "file:///a.py"

NAME = "r1_lsp.handlers._test_handlers"


@pytest.fixture
def handlers() -> Iterator[module_types.ModuleType]:
    """A module of handlers, made for one test."""
    module = sys.modules[NAME] = module_types.ModuleType(NAME)
    yield module
    del sys.modules[NAME]


def rows(*methods: str, empty: Any = None) -> tuple[Row, ...]:
    """The table with the test's `handle` in place of the handlers of some methods."""
    ours = tuple(Row(method=method, handler="_test_handlers.handle", empty=empty) for method in methods)
    return (*(row for row in HANDLERS if row.method not in methods), *ours)


HOVER = types.TEXT_DOCUMENT_HOVER


def test_before_initialize_and_after_shutdown() -> None:
    async def main() -> None:
        editor = Editor()
        await editor.connect()
        assert (await editor.request(HOVER)).code == -32002
        editor.notify("textDocument/didOpen")
        await editor.initialize()
        assert (await editor.request("initialize", capabilities={})).code == -32600
        assert (await editor.request("shutdown")).error is None
        assert (await editor.request(HOVER)).code == -32600
        assert (await editor.request("shutdown")).code == -32600
        editor.notify("exit")
        assert await editor.wire.ended == 0
        editor.check()
        await editor.wire.close()

    asyncio.run(main())


def test_exit_without_shutdown_and_end_of_stream() -> None:
    async def main(last: bytes) -> int:
        editor = Editor()
        await editor.connect()
        await editor.initialize()
        editor.raw(last)
        await editor.wire.close()
        return await asyncio.wait_for(editor.wire.ended, 2)

    body = b'{"jsonrpc":"2.0","method":"exit"}'
    assert asyncio.run(main(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))) == 1
    assert asyncio.run(main(b"")) == 1


def test_what_came_before_the_end_of_the_stream_counts() -> None:
    async def main() -> None:
        editor = Editor()
        await editor.connect()
        await editor.initialize()
        id_ = editor.send("shutdown")
        editor.notify("exit")
        editor.raw(b"")
        assert (await editor.reply(id_)).error is None
        assert await asyncio.wait_for(editor.wire.ended, 2) == 0
        await editor.wire.close()

    asyncio.run(main())


def test_codes_of_wrong_requests() -> None:
    async def main() -> None:
        async with Editor() as editor:
            assert (await editor.request("r1/none")).code == -32601
            assert (await editor.request(HOVER, position={"line": -1, "character": 0})).code == -32602
            assert (await editor.request(HOVER, textDocument={"uri": URI})).code == -32602
            assert (await editor.reply(editor.ask(HOVER, [1, 2]))).code == -32602
            assert (await editor.reply(editor.ask(HOVER, 3))).code == -32600
            assert (await editor.reply(editor.ask("textDocument/didOpen", {}))).code == -32601
            for body, code in ((b"{", -32700), (b"[]", -32600), (b"3", -32600), (b"[" * 10**5, -32700)):
                editor.raw(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
                await editor.request("r1/none")
                [answer] = editor.take_strays()
                assert (answer["id"], answer["error"]["code"]) == (None, code)

    asyncio.run(main())


def test_data_that_looks_like_a_message_is_data(handlers: module_types.ModuleType) -> None:
    async def handle(_session: Session, params: types.ExecuteCommandParams) -> Any:
        return params.arguments

    handlers.handle = handle  # type: ignore[attr-defined]
    data = [{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}, {"jsonrpc": 3}]

    async def main() -> None:
        async with Editor(rows=rows("workspace/executeCommand")) as editor:
            reply = await editor.request("workspace/executeCommand", command="x", arguments=data)
            assert reply.result == data

    asyncio.run(main())


@pytest.mark.parametrize(
    "error", [ValueError("secret text"), RecursionError(), MemoryError(), KeyboardInterrupt(), SystemExit(3)]
)
def test_a_handler_that_raises(
    handlers: module_types.ModuleType, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(_session: Session, _params: object) -> None:
        raise error

    handlers.handle = handle  # type: ignore[attr-defined]
    caplog.set_level(logging.INFO)

    async def main() -> None:
        async with Editor(rows=rows(HOVER, "textDocument/didSave")) as editor:
            editor.open(URI, "x")
            assert (await editor.request(HOVER, **editor.here())).code == -32603
            editor.notify("textDocument/didSave", textDocument={"uri": URI})
            assert (await editor.request("r1/none")).code == -32601

    asyncio.run(main())
    assert f"{HOVER} failed: {type(error).__name__}" in caplog.text
    assert "secret" not in caplog.text


def test_an_answer_that_is_not_json(handlers: module_types.ModuleType) -> None:
    handlers.handle = lambda _session, _params: {"x": float("nan")}  # type: ignore[attr-defined]

    async def main() -> None:
        async with Editor(rows=rows(HOVER)) as editor:
            editor.open(URI, "x")
            assert (await editor.request(HOVER, **editor.here())).code == -32603

    asyncio.run(main())


def test_the_ways_to_end_without_a_result(handlers: module_types.ModuleType) -> None:
    outcomes: list[Exception] = [Stopped(), Failed("There is no model.")]

    async def handle(_session: Session, _params: object) -> None:
        raise outcomes.pop(0)

    handlers.handle = handle  # type: ignore[attr-defined]

    async def main() -> None:
        async with Editor(rows=rows(HOVER, empty=[])) as editor:
            editor.open(URI, "x")
            assert (await editor.request(HOVER, **editor.here())).result == []
            reply = await editor.request(HOVER, **editor.here())
            assert reply.error == {"code": -32803, "message": "There is no model."}

    asyncio.run(main())


def test_cancelled_by_the_editor(handlers: module_types.ModuleType) -> None:
    ended: list[str] = []

    async def handle(_session: Session, _params: object) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("ended")

    handlers.handle = handle  # type: ignore[attr-defined]

    async def main() -> None:
        async with Editor(rows=rows(HOVER)) as editor:
            editor.open(URI, "x")
            ids = [editor.send(HOVER, **editor.here()) for _ in range(100)]
            await asyncio.sleep(0)
            for id_ in ids:
                editor.cancel(id_)
                editor.cancel(id_)
            for id_ in ids:
                assert (await editor.reply(id_)).code == -32800
            editor.cancel("never")

    asyncio.run(main())
    assert set(ended) <= {"ended"}


def test_superseded_is_empty_and_cancelled_is_an_error(handlers: module_types.ModuleType) -> None:
    async def handle(session: Session, params: types.HoverParams) -> int:
        async with session.newest(("hover", params.text_document.uri)):
            await asyncio.sleep(60 if params.position.character == 0 else 0)
            return params.position.character

    handlers.handle = handle  # type: ignore[attr-defined]

    async def main() -> None:
        async with Editor(rows=rows(HOVER, empty=[])) as editor:

            def hover(character: int, uri: str = URI) -> int | str:
                return editor.send(HOVER, textDocument={"uri": uri}, position={"line": 0, "character": character})

            older, other = hover(0), hover(0, "file:///b.py")
            newer = hover(7)
            assert (await editor.reply(older)).result == []
            assert (await editor.reply(newer)).result == 7
            last = hover(0)
            await asyncio.sleep(0.01)
            editor.cancel(last)
            assert (await editor.reply(last)).code == -32800
            editor.cancel(other)

    asyncio.run(main())


def test_an_id_that_is_still_open_is_refused(handlers: module_types.ModuleType) -> None:
    gate = asyncio.Event()

    async def handle(_session: Session, _params: object) -> int:
        await gate.wait()
        return 1

    handlers.handle = handle  # type: ignore[attr-defined]

    async def main() -> None:
        async with Editor(rows=rows(HOVER)) as editor:
            place = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}
            editor.ask(HOVER, place, 5)
            assert (await editor.reply(editor.ask(HOVER, place, 5))).code == -32600
            text = editor.ask(HOVER, place, "5")
            gate.set()
            assert (await editor.reply(text)).result == 1
            await editor.until(lambda: len(editor._replies[5]) == 2)
            assert editor._replies[5][-1].result == 1
            assert (await editor.reply(editor.ask(HOVER, place, 5))).result == 1

    asyncio.run(main())


def test_shutdown_answers_what_is_open(handlers: module_types.ModuleType) -> None:
    async def handle(_session: Session, _params: object) -> None:
        await asyncio.sleep(60)

    handlers.handle = handle  # type: ignore[attr-defined]

    async def main() -> None:
        async with Editor(rows=rows(HOVER)) as editor:
            editor.open(URI, "x")
            id_ = editor.send(HOVER, **editor.here())
            await asyncio.sleep(0)
        assert (await editor.reply(id_)).code == -32802

    asyncio.run(main())


def test_a_handler_sees_the_text_of_its_moment(handlers: module_types.ModuleType) -> None:
    async def handle(session: Session, _params: object) -> str:
        snapshot = session.snapshot(URI)
        assert snapshot is not None
        await asyncio.sleep(0.01)
        return snapshot.text.decode()

    handlers.handle = handle  # type: ignore[attr-defined]

    async def main() -> None:
        async with Editor(rows=rows(HOVER)) as editor:
            editor.open(URI, "")
            ids = []
            for letter in "abc":
                editor.type(letter)
                ids.append(editor.send(HOVER, **editor.here()))
            assert [(await editor.reply(id_)).result for id_ in ids] == ["a", "ab", "abc"]

    asyncio.run(main())


def test_a_late_answer_to_a_request_we_gave_up(handlers: module_types.ModuleType) -> None:
    async def handle(session: Session, _params: object) -> str:
        try:
            async with asyncio.timeout(0.01):
                await session.request("window/showDocument", types.ShowDocumentParams(uri=URI))
        except TimeoutError:
            return "gave up"
        return "answered"

    handlers.handle = handle  # type: ignore[attr-defined]

    async def main() -> None:
        async with Editor(rows=rows(HOVER)) as editor:
            editor._answer = lambda message: None  # type: ignore[method-assign]
            editor.open(URI, "x")
            assert (await editor.request(HOVER, **editor.here())).result == "gave up"
            [asked] = [message for message in editor.requests if message["method"] == "window/showDocument"]
            for answer in ({"result": {"success": True}}, {"error": {"code": 1, "message": "no"}}, {"result": 7}):
                body = json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}).encode()
                editor.raw(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            assert (await editor.request("r1/none")).code == -32601

    asyncio.run(main())
    gc.collect()
