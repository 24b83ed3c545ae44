"""What the server offers depends on what the editor can do."""

import asyncio
import logging
from typing import Any

import pytest

from r1_lsp.wire.client import read_client
from tests.support.lsp import PRESETS, Editor, preset

ENCODING = {
    "vscode": "utf-16",
    "neovim-0.11": "utf-8",
    "neovim-0.12": "utf-8",
    "helix": "utf-8",
    "eglot": "utf-32",
    "bare": "utf-16",
}


@pytest.mark.parametrize("name", PRESETS)
def test_offers(name: str) -> None:
    async def main() -> dict[str, Any]:
        async with Editor(preset=name) as editor:
            return editor.server_capabilities

    offered = asyncio.run(main())
    has_inline = "inlineCompletion" in preset(name).get("textDocument", {})
    assert offered["positionEncoding"] == ENCODING[name]
    assert ("inlineCompletionProvider" in offered) is has_inline
    assert ("completionProvider" in offered) is not has_inline
    assert ("diagnosticProvider" in offered) is ("diagnostic" in preset(name).get("textDocument", {}))
    assert offered["codeActionProvider"]["resolveProvider"] is (name != "bare")
    assert offered["textDocumentSync"] == {"openClose": True, "change": 2, "save": {"includeText": False}}


@pytest.mark.parametrize(
    "params",
    [
        {"capabilities": None},
        {"capabilities": []},
        {"capabilities": {"textDocument": 3, "general": {"positionEncodings": "utf-8"}, "window": []}},
        {"capabilities": {"general": {"positionEncodings": [None, 8, "latin-1"]}}},
        {"capabilities": {"textDocument": {"codeAction": {"resolveSupport": {"properties": {"edit": 1}}}}}},
        {"clientInfo": "x", "processId": "12", "workspaceFolders": [3, {"uri": 4}], "rootUri": 5},
        {"processId": -1, "initializationOptions": []},
        {"processId": True},
    ],
)
def test_an_editor_that_gets_its_capabilities_wrong_is_a_plain_one(params: dict[str, Any]) -> None:
    assert read_client(params) == read_client({})


def test_initialize_without_anything() -> None:
    async def main() -> None:
        editor = Editor()
        await editor.connect()
        assert (await editor.reply(editor.ask("initialize", None))).code == -32602
        reply = await editor.request("initialize")
        assert reply.result["capabilities"]["positionEncoding"] == "utf-16"
        await editor.leave()

    asyncio.run(main())


def test_the_first_encoding_we_know_is_taken() -> None:
    def encoding(*offered: str) -> str:
        return read_client({"capabilities": {"general": {"positionEncodings": list(offered)}}}).encoding

    assert encoding("latin-1", "utf-32", "utf-8") == "utf-32"
    assert encoding() == "utf-16"


def test_what_the_editor_is_called_is_logged_and_its_text_is_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def main() -> None:
        async with Editor(preset="helix", options={"engine": {"apiKey": "s3cret"}}) as editor:
            editor.open("file:///a.py", "password = 'hunter2'")
            editor.type("# hunter2")
            await editor.request("textDocument/hover", **editor.here())
            editor.notify("textDocument/didChange", textDocument={"uri": "file:///a.py"}, contentChanges=["hunter2"])
            await editor.notification("window/showMessage")
            await editor.request("r1/none")

    asyncio.run(main())
    assert "helix" in caplog.text
    assert "hunter2" not in caplog.text
    assert "s3cret" not in caplog.text
