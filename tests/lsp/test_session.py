"""Documents, settings, engine, progress: what a session keeps, seen from the editor."""

import asyncio
import logging
from typing import Any

import pytest

from ast_tools import TreeSession
from engine.scripted import ScriptedEngine
from engine.types import EngineOptions, EnginePhase
from r1_lsp.server import create_server
from r1_lsp.session import Outdated, Session, Stopped, Superseded
from r1_lsp.texts import Texts
from r1_lsp.wire.interrupt import Interruptible
from tests.support.lsp import Editor

URI = "file:///proj/a.py"


def session_of(editor: Editor) -> Session:
    assert editor.wire.session is not None
    return editor.wire.session


@pytest.mark.parametrize("preset", ["vscode", "neovim-0.12", "eglot"])
def test_the_server_has_the_editors_text(preset: str) -> None:
    async def main() -> None:
        async with Editor(preset=preset) as editor:
            editor.open(URI, "é😀 = 1\r\nx = é😀$0 + 1\r\n")
            for key in ("a", "𝒳", "(", "\n", "é"):
                editor.type(key)
            editor.type("", delete=2)
            snapshot = session_of(editor).snapshot(URI)
            assert snapshot is not None
            assert snapshot.text.decode() == editor.buffers[URI].text
            assert (snapshot.path, snapshot.version) == ("/proj/a.py", editor.buffers[URI].version)
            [(start, end)] = snapshot.recent_edits
            assert snapshot.text[start:end].decode() == "a𝒳("
            parsed = await session_of(editor).parsed(snapshot)
            assert parsed.tree is not None
            assert parsed.tree.text == snapshot.text
            editor.close()
            await editor.request("r1/none")
            assert session_of(editor).snapshot(URI) is None

    asyncio.run(main())


def test_an_edit_that_cannot_be_applied_is_said_once_and_healed_by_the_whole_text() -> None:
    async def main() -> None:
        async with Editor() as editor:
            editor.open(URI, "abc")
            wrong = {"start": {"line": 0, "character": 3}, "end": {"line": 0, "character": 1}}
            for version in (2, 3):
                editor.notify(
                    "textDocument/didChange",
                    textDocument={"uri": URI, "version": version},
                    contentChanges=[{"range": wrong, "text": "Z"}],
                )
            said = await editor.notification("window/showMessage")
            assert "reopened" in said["message"]
            assert session_of(editor).snapshot(URI) is None
            editor.notify(
                "textDocument/didChange", textDocument={"uri": URI, "version": 4}, contentChanges=[{"text": "new"}]
            )
            await editor.request("r1/none")
            snapshot = session_of(editor).snapshot(URI)
            assert snapshot is not None
            assert snapshot.text == b"new"

    asyncio.run(main())


def test_a_tree_of_an_older_text_is_outdated() -> None:
    async def main() -> None:
        async with Editor() as editor:
            editor.open(URI, "x = (1,\n" * 20_000)
            await editor.request("r1/none")
            snapshot = session_of(editor).snapshot(URI)
            assert snapshot is not None
            parsing = asyncio.ensure_future(session_of(editor).parsed(snapshot))
            await asyncio.sleep(0)
            editor.type("y")
            with pytest.raises(Outdated):
                await parsing

    asyncio.run(main())


def test_a_text_that_is_too_large_has_no_tree() -> None:
    async def main() -> None:
        async with Editor() as editor:
            editor.open(URI, "x = 1\n" * 700_000)
            editor.open("file:///a.txt", "plain", "plaintext")
            await editor.request("r1/none")
            for uri in (URI, "file:///a.txt"):
                snapshot = session_of(editor).snapshot(uri)
                assert snapshot is not None
                assert (await session_of(editor).parsed(snapshot)).tree is None

    asyncio.run(main())


def test_settings_come_from_options_and_from_the_editors_configuration() -> None:
    async def main() -> None:
        options = {"model": "mine", "completion": {"maxTokens": 7}, "nonsense": 1}
        settings: dict[str, Any] = {"completion": {"candidates": 2, "maxTokens": None}}
        async with Editor(options=options, settings=settings) as editor:
            said = await editor.notification("window/showMessage")
            assert "nonsense" in said["message"]
            await editor.until(lambda: session_of(editor).settings.completion.candidates == 2)
            assert session_of(editor).settings.completion.max_tokens == 7
            assert session_of(editor).settings.engine.model == "mine"
            editor.notify("workspace/didChangeConfiguration", settings={"r1": {"completion": {"maxTokens": 9}}})
            await editor.until(lambda: session_of(editor).settings.completion.max_tokens == 9)
            editor.settings = {"completion": {"maxTokens": 11}}
            editor.notify("workspace/didChangeConfiguration", settings=None)
            await editor.until(lambda: session_of(editor).settings.completion.max_tokens == 11)

    asyncio.run(main())


def test_an_editor_that_never_tells_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("r1_lsp.session._PULL_S", 0.05)

    async def main() -> None:
        editor = Editor()
        await editor.connect()
        editor._answer = lambda message: None  # type: ignore[method-assign]
        await editor.initialize()
        await editor.notification("r1/status", lambda params: params["phase"] == "ready")
        await editor.leave()

    asyncio.run(main())


def test_the_engine_is_replaced_only_when_its_options_change() -> None:
    made: list[EngineOptions] = []

    def factory(options: EngineOptions) -> ScriptedEngine:
        made.append(options)
        return ScriptedEngine({})

    async def main() -> None:
        editor = Editor(options={"model": "a"})
        await editor.connect()
        editor.wire = create_server(factory, outbox=editor.wire.outbox)
        await editor.initialize()
        await editor.notification("r1/status", lambda params: params["phase"] == "ready")
        for change in ({"completion": {"maxTokens": 5}}, {"model": "b"}, {"model": "b"}):
            editor.notify("workspace/didChangeConfiguration", settings={"r1": change})
        await editor.until(lambda: len(made) == 2)
        await editor.leave()

    asyncio.run(main())
    assert [options.model for options in made] == ["a", "b"]


def test_loading_is_shown_as_progress_and_status() -> None:
    async def main() -> None:
        async with Editor(engine=ScriptedEngine({"load_s": 0.2}), preset="vscode") as editor:
            begin = await editor.notification("$/progress", lambda params: params["value"]["kind"] == "begin")
            assert begin["value"]["title"] == "Loading the model"
            await editor.notification("r1/status", lambda params: params["phase"] == EnginePhase.READY)
            end = await editor.notification("$/progress", lambda params: params["value"]["kind"] == "end")
            assert end["token"] == begin["token"]

    asyncio.run(main())


def test_a_model_that_cannot_be_loaded_is_said_once() -> None:
    async def main() -> None:
        async with Editor(engine=ScriptedEngine({"fail": "there is no such file"})) as editor:
            said = await editor.notification("window/showMessage")
            assert "there is no such file" in said["message"]

    asyncio.run(main())


def test_the_users_cancel_stops_the_work() -> None:
    async def work(session: Session) -> str:
        try:
            async with session.progress("Fixing", cancellable=True) as bar:
                bar.report("thinking", 0.5)
                await asyncio.sleep(60)
        except Stopped:
            return "stopped"
        return "done"

    async def main() -> None:
        async with Editor(preset="vscode") as editor:
            task = asyncio.ensure_future(work(session_of(editor)))
            report = await editor.notification("$/progress", lambda params: params["value"].get("percentage") == 50)
            editor.notify("window/workDoneProgress/cancel", token=report["token"])
            editor.notify("window/workDoneProgress/cancel", token="never")
            assert await task == "stopped"

    asyncio.run(main())


@pytest.mark.parametrize("preset", ["vscode", "bare"])
def test_work_goes_on_without_a_progress_bar(preset: str) -> None:
    async def main() -> None:
        async with Editor(preset=preset) as editor:
            del editor.answer["window/workDoneProgress/create"]
            async with session_of(editor).progress("Fixing") as bar:
                bar.report("thinking", 0.5)

    asyncio.run(main())


def test_background_work_that_fails_is_logged_without_the_text_it_was_about(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        raise ValueError("secret text")

    async def main() -> None:
        async with Editor() as editor:
            await asyncio.wait({session_of(editor).spawn(work(), "reading file:///proj/secret.py")})

    caplog.set_level(logging.INFO)
    asyncio.run(main())
    assert "background work 'reading' failed: ValueError" in caplog.text
    assert "secret" not in caplog.text


def test_workspace_folders() -> None:
    async def main() -> None:
        async with Editor() as editor:
            event = {"added": [{"uri": "file:///b", "name": "b"}], "removed": []}
            editor.notify("workspace/didChangeWorkspaceFolders", event=event)
            await editor.request("r1/none")
            assert session_of(editor).folders == ["file:///b"]
            event = {"added": [], "removed": [{"uri": "file:///b", "name": "b"}]}
            editor.notify("workspace/didChangeWorkspaceFolders", event=event)
            await editor.request("r1/none")
            assert session_of(editor).folders == []

    asyncio.run(main())


def test_an_interruption_that_comes_too_late_to_be_felt() -> None:
    async def main() -> None:
        block = Interruptible(Superseded())
        with pytest.raises(Superseded):
            async with block:
                block.interrupt()
        block.interrupt()
        await asyncio.sleep(0)  # nothing is left of the cancellation
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    asyncio.run(main())


def test_a_cancellation_from_elsewhere_passes_through_an_interruption() -> None:
    async def main() -> None:
        async def work() -> None:
            async with Interruptible(Superseded()) as block:
                asyncio.get_running_loop().call_soon(block.interrupt)
                await asyncio.sleep(60)

        task = asyncio.ensure_future(work())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_those_who_wait_for_one_tree_share_its_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    slices: list[int] = []
    turn = 0

    def slow(_self: TreeSession, _budget_s: float) -> None:
        slices.append(turn)

    async def story() -> None:
        nonlocal turn
        monkeypatch.setattr(TreeSession, "advance", slow)
        texts = Texts("utf-16")
        texts.open({"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "x = 1\n"})
        snapshot = texts.snapshot("file:///a.py")
        assert snapshot is not None
        waiting = [asyncio.create_task(texts.parsed(snapshot)) for _ in range(5)]
        for _ in range(4):
            turn += 1
            await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(story())
    assert slices
    assert len(set(slices)) == len(slices), "more than one slice in one turn of the loop"
