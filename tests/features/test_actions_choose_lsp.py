"""Choosing among unsure repairs in whole sessions: offered without an edit, and every way it may end."""

import asyncio
from typing import Any

import pytest

from engine.scripted import ScriptedEngine
from tests.support.lsp import Editor, Reply

URI = "file:///proj/a.py"
TEXT = "# é😀\ntotal = '😀'; result = a + b * (\n"
PLACE = {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 0}}


def model(**rule: Any) -> ScriptedEngine:
    """Likes the second repair best."""
    return ScriptedEngine({"default": {"scores": {"a + b\n": -0.5}, **rule}})


async def menu(editor: Editor) -> list[dict[str, Any]]:
    """On a busy machine answers may come before the repairs are found; each of them waits for a second."""
    for _ in range(90):
        reply = await editor.request(
            "textDocument/codeAction", textDocument={"uri": URI}, range=PLACE, context={"diagnostics": []}
        )
        assert reply.error is None, reply.error
        if reply.result:
            return list(reply.result)
    return []


async def offered(editor: Editor) -> dict[str, Any]:
    editor.open(URI, TEXT + "$0")
    [entry] = [entry for entry in await menu(editor) if entry["title"].startswith("Let the model choose")]
    return entry


async def resolved(editor: Editor, entry: dict[str, Any]) -> Reply:
    return await editor.request("codeAction/resolve", **entry)


@pytest.mark.parametrize("name", ["vscode", "neovim-0.12", "helix", "eglot"])
def test_it_stands_behind_the_repairs_and_brings_one_of_them_when_taken(name: str) -> None:
    async def story() -> None:
        engine = model()
        async with Editor(engine=engine, preset=name) as editor:
            entry = await offered(editor)
            titles = [one["title"] for one in await menu(editor)][:3]
            starts = ("Insert `)`", "Delete `* (`", "Let the model choose among 2 repairs")
            assert all(title.startswith(start) for title, start in zip(titles, starts, strict=True)), titles
            assert entry["kind"] == "quickfix"
            assert "edit" not in entry
            assert not entry.get("isPreferred")
            assert entry.get("tags") == ([1] if name == "vscode" else None)
            assert engine.requests == []
            reply = await resolved(editor, entry)
            assert reply.error is None, reply.error
            start = editor.buffers[URI].text.index(" * (")
            place = {"start": editor.position(start), "end": editor.position(start + 4)}
            assert reply.result["edit"] == {
                "documentChanges": [
                    {"textDocument": {"uri": URI, "version": 1}, "edits": [{"range": place, "newText": ""}]}
                ]
            }
            assert len(engine.requests) == 1

    asyncio.run(story())


def test_a_sure_repair_leaves_nothing_to_choose() -> None:
    async def story() -> None:
        async with Editor(engine=model(), preset="vscode") as editor:
            editor.open(URI, "é = 1\ndef f()\n    return 1\n$0")
            titles = [entry["title"] for entry in await menu(editor)]
            assert titles
            assert not any("choose" in title for title in titles)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("engine", "sentence"),
    [
        (model(error="the engine at http://h cannot score texts"), "The engine at http://h cannot score texts."),
        (ScriptedEngine({"fail": "there is no model file"}), "There is no model file."),
    ],
    ids=["cannot score", "no model"],
)
def test_a_choice_that_fails_answers_one_sentence(engine: ScriptedEngine, sentence: str) -> None:
    async def story() -> None:
        async with Editor(engine=engine, preset="neovim-0.12") as editor:
            reply = await resolved(editor, await offered(editor))
            assert reply.error == {"code": -32803, "message": sentence}
            if engine.script.fail:
                await editor.notification("window/showMessage")

    asyncio.run(story())


def test_cancelling_and_typing_end_the_work() -> None:
    async def story() -> None:
        engine = model(delay_s=0.5)
        async with Editor(engine=engine, preset="vscode") as editor:
            entry = await offered(editor)
            for number, end in enumerate((editor.cancel, lambda _: editor.type("x"))):
                id_ = editor.send("codeAction/resolve", **entry)
                while engine.active == 0:
                    await asyncio.sleep(0.01)
                end(id_)
                assert (await editor.reply(id_)).code == (-32800, -32801)[number]
                while engine.active:
                    await asyncio.sleep(0.01)
                assert engine.closed_early == number + 1

    asyncio.run(story())


STRANGE = (
    None,
    7,
    [7],
    [[7]],
    [[]],
    [[["a", 1, "x"]]],
    [[[9, 3, "x"]]],
    [[[0, 10**9, ""]]],
    [[[0, 3, ""], [1, 2, ""]]],
)


def test_choices_that_were_not_offered_are_not_made() -> None:
    async def story() -> None:
        async with Editor(engine=model(), preset="vscode") as editor:
            entry = await offered(editor)
            for choices in STRANGE:
                entry["data"]["choices"] = choices
                reply = await resolved(editor, entry)
                assert reply.error == {"code": -32803, "message": "There are no repairs to choose among."}, choices

    asyncio.run(story())
