"""Inline completion as an editor meets it: superseding, cancelling, typing on, encodings, odd texts."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine.scripted import ScriptedEngine
from tests.support.lsp import Editor

URI = "file:///w/a.py"
AT_ONCE = {"completion": {"debounceMs": 0}}


def lsp(
    script: dict[str, Any],
    scenario: Callable[[Editor, ScriptedEngine], Awaitable[None]],
    *,
    preset: str = "vscode",
    options: dict[str, Any] | None = None,
) -> None:
    async def main() -> None:
        engine = ScriptedEngine(script)
        async with Editor(engine=engine, preset=preset, options=AT_ONCE if options is None else options) as editor:
            await scenario(editor, engine)

    asyncio.run(main())


def said(reply: str, **rule: Any) -> dict[str, Any]:
    return {"default": {"reply": reply, **rule}}


async def until(there: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not there():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("preset", ["vscode", "neovim-0.12", "eglot"])
def test_ghost_text_in_every_encoding(preset: str) -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "# é😀\nname = 'é😀'.join(x$0)\n")
        [item] = (await editor.complete()).result
        at = editor.position(editor.buffers[URI].caret)
        assert item["insertText"] == ".keys())"
        assert item["range"] == {"start": at, "end": {**at, "character": at["character"] + 1}}
        assert item["command"]["command"] == "r1.accepted"

    lsp(said(".keys())\nprint(name)"), scenario, preset=preset)


def test_a_newer_request_answers_the_older_with_nothing() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        older = editor.send("textDocument/inlineCompletion", **editor.here(), context={"triggerKind": 2})
        await until(lambda: engine.active == 1)
        editor.type("y + ")
        [item] = (await editor.complete()).result
        assert (await editor.reply(older)).result == []
        assert item["insertText"] == "2"
        assert engine.closed_early == 1

    lsp({"rules": [{"match": r"y \+", "reply": "2"}], **said("1 " * 200, delay_s=0.01)}, scenario)


def test_asking_in_another_document_does_not_stop_the_first() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        first = editor.send("textDocument/inlineCompletion", **editor.here(), context={"triggerKind": 2})
        await until(lambda: engine.active == 1)
        editor.open("file:///w/b.py", "y = ")
        assert [item["insertText"] for item in (await editor.complete()).result] == ["2"]
        assert [item["insertText"] for item in (await editor.reply(first)).result] == ["1 + 1 + 1"]
        assert len({request.session for request in engine.requests}) == 2

    lsp({"rules": [{"match": "y =", "reply": "2\n"}], **said("1 + 1 + 1\n", delay_s=0.05)}, scenario)


def test_a_cancelled_request_is_answered_so_and_the_model_stops() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        request = editor.send("textDocument/inlineCompletion", **editor.here(), context={"triggerKind": 2})
        await until(lambda: engine.active == 1)
        editor.cancel(request)
        assert (await editor.reply(request)).code == -32800
        await until(lambda: engine.active == 0)
        assert (engine.finished, engine.closed_early) == (0, 1)

    lsp(said("1 + " * 200, delay_s=0.01), scenario)


def test_cancelled_before_the_first_text_too() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        request = editor.send("textDocument/inlineCompletion", **editor.here(), context={"triggerKind": 2})
        await until(lambda: engine.active == 1)
        editor.cancel(request)
        assert (await editor.reply(request)).code == -32800
        await until(lambda: engine.active == 0)

    lsp({**said("1"), "prefill_s": 30}, scenario)


def test_a_typed_suggestion_is_answered_in_the_same_tick_without_the_model() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "values = [1]\nx = ")
        await editor.complete()
        for typed in ("le", "n(", "val", "ues"):
            editor.type(typed)
            request = editor.send("textDocument/inlineCompletion", **editor.here(), context={"triggerKind": 2})
            await asyncio.sleep(0)
            [item] = (await editor.reply(request, timeout_s=0.1)).result
            before = editor.buffers[URI].text.rpartition("x = ")[2]
            assert before + item["insertText"] == "len(values) + 1"
        editor.type("", delete=4)
        [item] = (await editor.complete()).result
        assert item["insertText"] == "lues) + 1"
        assert len(engine.requests) == 1

    lsp(said("len(values) + 1\n"), scenario, options={})


def test_a_bracket_closed_by_the_editor_while_typing_is_taken_along() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        await editor.complete()
        editor.type("len()")
        editor.buffers[URI].caret -= 1
        [item] = (await editor.complete()).result
        assert item["insertText"] == "values) + 1"
        assert item["range"]["end"]["character"] - item["range"]["start"]["character"] == 1
        assert len(engine.requests) == 1

    lsp(said("len(values) + 1\n"), scenario)


def test_a_generation_at_work_answers_the_request_that_types_what_it_says() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        older = editor.send("textDocument/inlineCompletion", **editor.here(), context={"triggerKind": 2})
        await until(lambda: engine.active == 1)
        editor.cancel(older)  # as VS Code does at a key
        editor.type("alpha")
        [item] = (await editor.complete()).result
        assert item["insertText"] == " + beta + gamma"
        assert (await editor.reply(older)).code == -32800
        assert len(engine.requests) == 1
        assert engine.closed_early <= 1

    lsp(said("alpha + beta + gamma\n", delay_s=0.01), scenario)


def test_a_generation_that_says_something_else_is_given_up() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        older = editor.send("textDocument/inlineCompletion", **editor.here(), context={"triggerKind": 2})
        await until(lambda: engine.active == 1)
        editor.type("beta")
        [item] = (await editor.complete()).result
        assert item["insertText"] == " - 1"
        assert (await editor.reply(older)).result == []
        assert len(engine.requests) == 2

    rules = [{"match": "x = beta", "reply": " - 1\n"}]
    lsp({"rules": rules, **said("alpha + beta + gamma\n", delay_s=0.01)}, scenario)


def test_the_entry_selected_in_the_menu_is_gone_on_from() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "names = []\nnames.app$0")
        line = {"line": 1}
        chosen = {"start": {**line, "character": 6}, "end": {**line, "character": 9}}
        reply = await editor.complete(selectedCompletionInfo={"range": chosen, "text": "append"})
        [item] = reply.result
        assert (item["insertText"], item["range"]) == ("append('x')", chosen)

    lsp({"rules": [{"match": r"names\.append$", "reply": "('x')\n"}], **said("never")}, scenario)


def test_asked_explicitly_there_are_several() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        items = (await editor.complete(triggerKind=1)).result
        assert [item["insertText"] for item in items] == ["1", "2"]
        assert [request.n for request in engine.requests] == [1, 2]
        assert engine.requests[0].sampling.temperature == 0
        assert engine.requests[1].sampling.temperature > 0
        assert len({item["command"]["arguments"][0] for item in items}) == 2

    rules = [{"match": "", "reply": "1\n", "times": 1}]
    lsp({"rules": rules, "default": {"reply": ["1\n", "2\n"]}}, scenario)


def test_an_undo_and_a_dismissal_are_respected() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        [item] = (await editor.complete()).result
        command = item["command"]
        editor.type(item["insertText"])
        await editor.request("workspace/executeCommand", **{k: command[k] for k in ("command", "arguments")})
        editor.type("", delete=len(item["insertText"]))
        assert (await editor.complete()).result == []
        editor.type("1")
        editor.type("", delete=1)
        editor.type("0 + ")
        [item] = (await editor.complete()).result
        gone = [item["command"]["arguments"][0]]
        await editor.request("workspace/executeCommand", command="r1.dismissed", arguments=gone)
        assert (await editor.complete()).result == []
        assert (await editor.complete(triggerKind=1)).result != []
        why = (await editor.request("workspace/executeCommand", command="r1.why")).result
        assert [one["reason"] for one in why] == ["shown", "dismissed", "shown", "undone", "shown"]
        assert all(one["sentence"] and "text" not in one for one in why)
        status = (await editor.request("workspace/executeCommand", command="r1.status")).result
        assert (status["phase"], status["accepted"], status["dismissed"]) == ("ready", 1, 1)

    lsp(said("len(values)\n"), scenario)


@pytest.mark.parametrize(
    ("command", "arguments"), [("r1.accepted", []), ("r1.dismissed", [3]), ("r1.nothing", []), ("", [])]
)
def test_a_command_that_makes_no_sense_is_one_sentence(command: str, arguments: list[object]) -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        reply = await editor.request("workspace/executeCommand", command=command, arguments=arguments)
        assert reply.error is not None
        assert reply.error["message"].endswith(".")
        assert "\n" not in reply.error["message"]

    lsp(said(""), scenario)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("fn main() {\n    let x = $0\n}\n", "rust"),
        ("a\x00b\x00\nx = $0", "python"),
        ("\x85\x0b\x0c\u2028 = 1\rx = $0", "python"),
        ("Ã©Ã¨ \udcff'\nx = $0".encode("utf-8", "replace").decode(), "python"),
        ("x" * 200_000 + " = $0", "javascript"),
        ("((((((" * 50 + "$0", "python"),
        ("x = $0", ""),
    ],
)
def test_odd_texts_are_answered(text: str, language: str) -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI if language == "python" else "file:///w/a", text, language)
        reply = await editor.complete()
        assert reply.error is None
        assert all("\x00" not in item["insertText"] for item in reply.result)

    lsp(said("4\x002\n"), scenario)


def test_a_document_that_is_not_open_has_no_suggestions() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        reply = await editor.request(
            "textDocument/inlineCompletion",
            textDocument={"uri": "file:///nowhere"},
            position={"line": 0, "character": 0},
            context={"triggerKind": 2},
        )
        assert reply.result == []

    lsp(said("1"), scenario)


def test_off_means_that_no_model_is_started() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        assert (await editor.complete(triggerKind=1)).result == []
        assert engine.requests == []

    lsp(said("1"), scenario, options={"completion": {"suggest": "off"}})


def test_a_model_that_cannot_run_is_a_reason_not_an_error() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        assert (await editor.complete()).result == []
        why = (await editor.request("workspace/executeCommand", command="r1.why")).result
        assert why[0]["reason"] == "engine"
        assert "no such model" in why[0]["sentence"]
        await editor.notification("window/showMessage")

    lsp({"fail": "there is no such model"}, scenario)


def test_a_host_that_dies_is_a_reason_and_the_next_request_is_served() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        assert (await editor.complete()).result == []
        editor.type("y + ")
        assert len((await editor.complete()).result) == 1

    lsp({"rules": [{"match": "", "error": "the host died", "times": 1}], **said("1\n")}, scenario)


@pytest.mark.parametrize("preset", ["helix", "neovim-0.11"])
def test_editors_without_inline_completion_get_one_entry_at_the_end(preset: str) -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "# é😀\nnames.app$0\n")
        result = (await editor.request("textDocument/completion", **editor.here(), context={"triggerKind": 1})).result
        [item] = result["items"]
        assert result["isIncomplete"] is True
        assert item["label"] == "append('é')"
        assert (item["detail"], item.get("preselect", False), item["filterText"]) == ("r1", False, "app")
        assert item["textEdit"]["newText"] == "append('é')"
        assert item["textEdit"]["range"] == {"start": {"line": 1, "character": 6}, "end": {"line": 1, "character": 9}}

    lsp(said("end('é')\n"), scenario, preset=preset)


@pytest.mark.parametrize(
    ("context", "wanted"), [({"triggerKind": 1}, 1), ({"triggerKind": 2, "triggerCharacter": "."}, 0), (None, 0)]
)
def test_on_demand_the_menu_is_asked_by_hand(context: dict[str, Any] | None, wanted: int) -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "names.app$0\n")
        asked = {} if context is None else {"context": context}
        result = (await editor.request("textDocument/completion", **editor.here(), **asked)).result
        assert (len(result["items"]), len(engine.requests)) == (wanted, wanted)

    lsp(said("end(1)\n"), scenario, preset="helix", options={"completion": {"debounceMs": 0, "suggest": "manual"}})


def test_editors_with_inline_completion_do_not_get_it_twice() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        result = (await editor.request("textDocument/completion", **editor.here())).result
        assert result == {"isIncomplete": True, "items": []}

    lsp(said("1"), scenario)


def test_many_overlapping_requests_are_each_answered_once() -> None:
    async def scenario(editor: Editor, engine: ScriptedEngine) -> None:
        editor.open(URI, "x = ")
        requests = []
        for number in range(100):
            editor.type(" +1"[number % 3])
            requests.append(editor.send("textDocument/inlineCompletion", **editor.here(), context={"triggerKind": 2}))
            if number % 4 == 0:
                editor.cancel(requests[-1])
            if number % 7 == 0:
                await asyncio.sleep(0.003)
        replies = [await editor.reply(request) for request in requests]
        assert all(reply.code in (None, -32800) for reply in replies)
        await until(lambda: engine.active == 0)

    lsp(said("alpha + beta\n", delay_s=0.002), scenario)  # the editor checks that each was answered once
