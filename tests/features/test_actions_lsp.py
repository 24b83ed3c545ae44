"""Code actions in whole sessions: what each editor is sent, and every way a fix may end other than with an edit."""

import asyncio
import importlib
import threading
from collections.abc import Callable
from typing import Any

import pytest

from engine.scripted import ScriptedEngine
from tests.support.lsp import Editor, Reply, preset

URI = "file:///proj/mean.py"
TEXT = "def mean(values):\n    # é😀\n    total = sum(values); totl\n    return total$0\n"
FIXED = "```python\ntotal = sum(values); total\n```"
COLUMN = {"utf-8": 25, "utf-16": 25, "utf-32": 25}


def engine(reply: str = FIXED, **rule: Any) -> ScriptedEngine:
    return ScriptedEngine({"default": {"reply": reply, **rule}})


def undefined(editor: Editor, source: str = "Pyright") -> dict[str, Any]:
    start = editor.buffers[URI].text.index("totl")
    place = {"start": editor.position(start), "end": editor.position(start + 4)}
    return {"range": place, "message": '"totl" is not defined', "source": source, "code": "undefined", "severity": 1}


async def actions(editor: Editor, diagnostic: dict[str, Any], **context: Any) -> list[dict[str, Any]]:
    reply = await editor.request(
        "textDocument/codeAction",
        textDocument={"uri": URI},
        range=diagnostic["range"],
        context={"diagnostics": [diagnostic], **context},
    )
    assert reply.error is None, reply.error
    return list(reply.result)


async def offered(editor: Editor, source: str = "Pyright") -> dict[str, Any]:
    editor.open(URI, TEXT)
    [found] = [
        entry for entry in await actions(editor, undefined(editor, source)) if entry["title"].startswith("Fix: ")
    ]
    return found


async def resolved(editor: Editor, entry: dict[str, Any]) -> Reply:
    return await editor.request("codeAction/resolve", **entry)


@pytest.mark.parametrize("name", ["vscode", "neovim-0.12", "helix", "eglot"])
def test_fix_is_offered_without_edit_and_resolved_with_one(name: str) -> None:
    async def story() -> None:
        async with Editor(engine=engine(), preset=name) as editor:
            entry = await offered(editor)
            assert entry["title"] == 'Fix: "totl" is not defined (not re-checked)'
            assert entry["kind"] == "quickfix"
            assert "edit" not in entry
            assert not entry.get("isPreferred")
            assert entry["diagnostics"] == [undefined(editor)]
            assert entry.get("tags") == ([1] if name == "vscode" else None)
            reply = await resolved(editor, entry)
            assert reply.error is None, reply.error
            start = editor.buffers[URI].text.index("totl")
            place = {"start": editor.position(start), "end": editor.position(start + 4)}
            assert reply.result["edit"] == {
                "documentChanges": [
                    {"textDocument": {"uri": URI, "version": 1}, "edits": [{"range": place, "newText": "total"}]}
                ]
            }

    asyncio.run(story())


def test_an_editor_without_versions_gets_plain_changes() -> None:
    capabilities = preset("helix")
    del capabilities["workspace"]["workspaceEdit"]

    async def story() -> None:
        async with Editor(engine=engine(), preset="helix", capabilities=capabilities) as editor:
            reply = await resolved(editor, await offered(editor))
            assert list(reply.result["edit"]) == ["changes"]
            assert [edit["newText"] for edit in reply.result["edit"]["changes"][URI]] == ["total"]

    asyncio.run(story())


def test_an_editor_that_cannot_resolve_is_offered_nothing_a_model_must_make() -> None:
    capabilities = preset("helix")
    del capabilities["textDocument"]["codeAction"]["resolveSupport"]

    async def story() -> None:
        async with Editor(engine=engine(), preset="helix", capabilities=capabilities) as editor:
            editor.open(URI, TEXT)
            assert await actions(editor, undefined(editor)) == []

    asyncio.run(story())


def test_a_bare_editor_gets_no_code_actions() -> None:
    async def story() -> None:
        async with Editor(engine=engine(), preset="bare") as editor:
            editor.open(URI, TEXT)
            assert await actions(editor, undefined(editor)) == []

    asyncio.run(story())


def test_only_the_kinds_that_are_wanted() -> None:
    async def story() -> None:
        async with Editor(engine=engine(), preset="vscode") as editor:
            editor.open(URI, "def f(x):\n    return totl$0\n")
            header = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
            diagnostic = undefined(editor) | {"range": header}
            assert {entry["kind"] for entry in await actions(editor, diagnostic)} == {"quickfix", "refactor.rewrite"}
            assert {entry["kind"] for entry in await actions(editor, diagnostic, only=["refactor"])} == {
                "refactor.rewrite"
            }
            assert await actions(editor, diagnostic, only=["source.organizeImports"]) == []

    asyncio.run(story())


def test_edit_selection_is_offered_where_the_editor_can_ask() -> None:
    capabilities = preset("vscode") | {"experimental": {"r1": {"editCommand": "r1.edit"}}}

    async def story(capabilities: dict[str, Any]) -> list[str]:
        async with Editor(engine=engine(), preset="vscode", capabilities=capabilities) as editor:
            editor.open(URI, TEXT)
            found = await actions(editor, undefined(editor))
            return [entry["command"]["command"] for entry in found if entry["title"] == "Edit selection..."]

    assert asyncio.run(story(capabilities)) == ["r1.edit"]
    assert asyncio.run(story(preset("vscode"))) == []


def test_a_fix_for_an_older_version_is_refused() -> None:
    async def story() -> None:
        async with Editor(engine=engine(), preset="vscode") as editor:
            entry = await offered(editor)
            editor.type("x")
            reply = await resolved(editor, entry)
            assert reply.code == -32801
            assert reply.error == {"code": -32801, "message": "The file has changed since, so the change was not made."}
            assert isinstance(editor.engine, ScriptedEngine)
            assert editor.engine.requests == []

    asyncio.run(story())


def test_typing_while_the_model_works_ends_the_work() -> None:
    async def story() -> None:
        model = engine(delay_s=0.2)
        async with Editor(engine=model, preset="vscode") as editor:
            id_ = editor.send("codeAction/resolve", **await offered(editor))
            while model.active == 0:
                await asyncio.sleep(0.01)
            editor.type("x")
            assert (await editor.reply(id_)).code == -32801
            assert (model.active, model.closed_early) == (0, 1)

    asyncio.run(story())


def test_closing_the_document_ends_the_work_on_it() -> None:
    async def story() -> None:
        model = engine(delay_s=1.0)
        async with Editor(engine=model, preset="vscode") as editor:
            id_ = editor.send("codeAction/resolve", **await offered(editor))
            while model.active == 0:
                await asyncio.sleep(0.01)
            editor.notify("textDocument/didClose", textDocument={"uri": URI})
            assert (await editor.reply(id_)).code == -32801
            assert (model.active, model.closed_early) == (0, 1)

    asyncio.run(story())


def test_cancelling_a_fix_stops_the_model() -> None:
    async def story() -> None:
        model = engine(delay_s=0.2)
        async with Editor(engine=model, preset="vscode") as editor:
            id_ = editor.send("codeAction/resolve", **await offered(editor))
            while model.active == 0:
                await asyncio.sleep(0.01)
            editor.cancel(id_)
            assert (await editor.reply(id_)).code == -32800
            while model.active:
                await asyncio.sleep(0.01)
            assert model.closed_early == 1

    asyncio.run(story())


def test_cancel_on_the_progress_bar_stops_the_model() -> None:
    async def story() -> None:
        model = engine(delay_s=0.2)
        async with Editor(engine=model, preset="vscode") as editor:
            id_ = editor.send("codeAction/resolve", **await offered(editor))
            begin = await editor.notification("$/progress", lambda p: p["value"].get("cancellable") is True)
            while model.active == 0:
                await asyncio.sleep(0.01)
            editor.notify("window/workDoneProgress/cancel", token=begin["token"])
            reply = await editor.reply(id_)
            assert (reply.result, reply.error) == (None, None)
            assert model.closed_early == 1

    asyncio.run(story())


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (engine(error="the engine died"), "The engine died."),
        (ScriptedEngine({"fail": "there is no model file"}), "There is no model file."),
        (engine("no code"), "No change: the model's answer held no code block."),
        (
            engine("", thinking="Wait. " * 3000),
            "No change: the model gave no answer after reasoning within its 1024 tokens.",
        ),
    ],
    ids=["engine error", "no model", "no code block", "endless thought"],
)
def test_a_fix_that_fails_answers_one_sentence(model: ScriptedEngine, sentence: str) -> None:
    async def story() -> None:
        async with Editor(engine=model, preset="neovim-0.12") as editor:
            reply = await resolved(editor, await offered(editor))
            assert reply.error == {"code": -32803, "message": sentence}
            if model.script.fail:
                await editor.notification("window/showMessage")

    asyncio.run(story())


def test_our_own_report_can_be_checked_again_and_says_so() -> None:
    async def story() -> None:
        async with Editor(engine=engine(), preset="vscode") as editor:
            assert "(not re-checked)" not in (await offered(editor, source="r1"))["title"]

    asyncio.run(story())


def test_an_action_of_someone_else_comes_back_as_it_was() -> None:
    async def story() -> None:
        async with Editor(engine=engine(), preset="vscode") as editor:
            for data in (None, 7, {"r1": "rm"}, {"other": [1]}):
                entry = {"title": "Foreign"} | ({} if data is None else {"data": data})
                reply = await resolved(editor, entry)
                assert reply.error is None
                assert reply.result["title"] == "Foreign"

    asyncio.run(story())


@pytest.mark.parametrize("data", [{"r1": "fix"}, {"r1": "fix", "uri": 3, "version": "x", "report": [1]}])
def test_strange_data_is_answered(data: dict[str, Any]) -> None:
    async def story() -> None:
        async with Editor(engine=engine(), preset="vscode") as editor:
            reply = await resolved(editor, {"title": "Fix", "data": data})
            assert reply.code == -32801

    asyncio.run(story())


async def command(editor: Editor, name: str, *arguments: Any) -> Reply:
    return await editor.request("workspace/executeCommand", command=name, arguments=list(arguments))


def applied(editor: Editor) -> list[str]:
    """The new texts of the one edit the server asked for."""
    [request] = [request for request in editor.requests if request["method"] == "workspace/applyEdit"]
    [change] = request["params"]["edit"]["documentChanges"]
    return [edit["newText"] for edit in change["edits"]]


def test_the_command_edits_a_selection() -> None:
    async def story() -> None:
        async with Editor(engine=engine("```python\nreturn total or None\n```"), preset="neovim-0.12") as editor:
            editor.open(URI, TEXT)
            line = {"start": {"line": 3, "character": 0}, "end": {"line": 4, "character": 0}}
            reply = await command(editor, "r1.editSelection", URI, line, "return nothing for an empty list")
            assert reply.error is None, reply.error
            assert applied(editor) == [" or None"]

    asyncio.run(story())


def test_a_docstring_looks_at_the_whole_file_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("r1_lsp.features.docstring.draft")
    threads: list[threading.Thread] = []

    def noted(work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any) -> Any:
            threads.append(threading.current_thread())
            return work(*args)

        return run

    monkeypatch.setattr(module, "manner", noted(module.manner))
    monkeypatch.setattr(module, "same_except_docstrings", noted(module.same_except_docstrings))

    async def story() -> None:
        async with Editor(engine=engine("Computes the mean."), preset="neovim-0.12") as editor:
            editor.open(URI, TEXT)
            reply = await command(editor, "r1.writeDocstring", {"uri": URI, "position": {"line": 2, "character": 6}})
            assert reply.error is None, reply.error
            assert len(threads) == 2
            assert threading.main_thread() not in threads

    asyncio.run(story())


def test_the_command_writes_a_docstring() -> None:
    async def story() -> None:
        model = engine("Summary: Computes the mean.\nParameter values: the numbers\nReturns: their mean")
        async with Editor(engine=model, preset="neovim-0.12") as editor:
            editor.open(URI, TEXT)
            reply = await command(editor, "r1.writeDocstring", {"uri": URI, "position": {"line": 2, "character": 6}})
            assert reply.error is None, reply.error
            [new] = applied(editor)
            assert new.startswith('    """Computes the mean.\n\n    Args:\n        values: The numbers.')

    asyncio.run(story())


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("r1.editSelection", ()),
        ("r1.editSelection", (URI, {"start": 1, "end": 2}, "x")),
        ("r1.editSelection", (URI, {"start": {"line": -1, "character": 0}, "end": {"line": 0, "character": 0}}, "x")),
        ("r1.editSelection", (URI, {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}, 5)),
        ("r1.writeDocstring", (URI,)),
        ("r1.writeDocstring", ("file:///nowhere.py", {"line": 0, "character": 0})),
    ],
)
def test_a_command_with_strange_arguments_answers_one_sentence(name: str, arguments: tuple[Any, ...]) -> None:
    async def story() -> None:
        async with Editor(engine=engine(), preset="neovim-0.12") as editor:
            editor.open(URI, TEXT)
            reply = await command(editor, name, *arguments)
            assert reply.code == -32803
            assert reply.error is not None
            assert reply.error["message"].startswith(f"{name} wants the URI of an open file")

    asyncio.run(story())


def test_an_editor_that_refuses_the_edit_is_told() -> None:
    async def story() -> None:
        async with Editor(engine=engine("```python\nreturn total or None\n```"), preset="neovim-0.12") as editor:
            editor.answer["workspace/applyEdit"] = lambda _: {"applied": False}
            editor.open(URI, TEXT)
            line = {"start": {"line": 3, "character": 0}, "end": {"line": 4, "character": 0}}
            reply = await command(editor, "r1.editSelection", URI, line, "return nothing for an empty list")
            assert reply.error == {"code": -32803, "message": "The editor did not take the change."}

    asyncio.run(story())
