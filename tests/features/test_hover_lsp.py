"""Hover in whole sessions: at once, never from the model, with a draft the next time if drafts are allowed."""

import asyncio
from typing import Any

import pytest

from engine.scripted import ScriptedEngine
from engine.types import Lane
from tests.support.lsp import Editor, preset

URI = "file:///proj/a.py"
TEXT = "# é😀\ndef sc$0ale(values, factor):\n    return [value * factor for value in values]\n"
ANSWER = (
    "Summary: Scales the values.\nParameter values: the numbers\nParameter factor: by how much\nReturns: new numbers"
)


async def hovered(editor: Editor) -> Any:
    reply = await editor.request("textDocument/hover", **editor.here())
    assert reply.error is None, reply.error
    return reply.result


@pytest.mark.parametrize("name", ["vscode", "neovim-0.12", "helix", "eglot"])
def test_hover_says_what_is_missing_and_asks_no_model(name: str) -> None:
    async def story() -> None:
        model = ScriptedEngine({"default": {"reply": ANSWER}})
        async with Editor(engine=model, preset=name) as editor:
            editor.open(URI, TEXT)
            found = await hovered(editor)
            assert found["contents"]["kind"] == "markdown"
            assert found["contents"]["value"] == 'No docstring.\n\nCode action here: "Write docstring".'
            assert found["range"]["start"] == {"line": 1, "character": 4}
            assert model.requests == []

    asyncio.run(story())


def test_plain_text_where_the_editor_knows_no_markdown() -> None:
    capabilities = preset("helix")
    del capabilities["textDocument"]["hover"]

    async def story() -> None:
        async with Editor(engine=ScriptedEngine({}), preset="helix", capabilities=capabilities) as editor:
            editor.open(URI, TEXT)
            contents = (await hovered(editor))["contents"]
            assert contents == {"kind": "plaintext", "value": 'No docstring.\nCode action here: "Write docstring".'}

    asyncio.run(story())


def test_off_means_silent() -> None:
    async def story() -> None:
        options = {"hover": {"enabled": False}}
        async with Editor(engine=ScriptedEngine({}), preset="helix", options=options) as editor:
            editor.open(URI, TEXT)
            assert await hovered(editor) is None

    asyncio.run(story())


def test_a_draft_is_made_once_in_the_background_and_shown_the_next_time() -> None:
    async def story() -> None:
        model = ScriptedEngine({"default": {"reply": ANSWER, "delay_s": 0.01}})
        async with Editor(engine=model, preset="vscode", options={"hover": {"drafts": True}}) as editor:
            editor.open(URI, TEXT)
            for _ in range(3):
                assert "Draft" not in (await hovered(editor))["contents"]["value"]
            while not model.finished:
                await asyncio.sleep(0.01)
            for _ in range(200):
                value = (await hovered(editor))["contents"]["value"]
                if "Draft:" in value:
                    break
                await asyncio.sleep(0.01)
            assert '"""Scales the values.' in value
            assert [request.lane for request in model.requests] == [Lane.IDLE]

    asyncio.run(story())


def test_a_draft_that_fails_is_no_ones_business() -> None:
    async def story() -> None:
        model = ScriptedEngine({"default": {"error": "the engine died"}})
        async with Editor(engine=model, preset="vscode", options={"hover": {"drafts": True}}) as editor:
            editor.open(URI, TEXT)
            await hovered(editor)
            while not model.finished:
                await asyncio.sleep(0.01)
            assert "Draft" not in (await hovered(editor))["contents"]["value"]

    asyncio.run(story())
