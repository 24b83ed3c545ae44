"""The converter as a command of the editor: a process of its own, whose lines become progress and one answer."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from r1_lsp.features import conversion
from r1_lsp.features.conversion import ConversionFailed, Converted, Wish
from tests.support.lsp import Editor, Reply

WISH = Wish(source="/models/é", target="/models/é.gguf", type="Q4_K_M")


def program(tmp_path: Path, body: str) -> tuple[str, ...]:
    """A converter of our own: `body` is Python with `say(event)` at hand."""
    script = tmp_path / "converter.py"
    say = "import json, sys, time\ndef say(**event):\n    print(json.dumps(event), flush=True)\n"
    script.write_text(say + body, encoding="utf-8")
    return (sys.executable, "-I", str(script))


async def command(editor: Editor, *arguments: Any) -> Reply:
    return await editor.request("workspace/executeCommand", command="r1.convertModel", arguments=list(arguments))


def test_lines_become_progress_and_the_last_one_the_answer(tmp_path: Path) -> None:
    told: list[tuple[str, float | None]] = []
    converter = program(
        tmp_path,
        "say(event='progress', done=0.25, seconds=2, left=600, at='blk.0.attn_q.weight')\n"
        "print('no JSON')\n"
        "say(event='progress', done=1, seconds=9, left=None, at='output.weight')\n"
        "say(event='done', files=[sys.argv[-1]], size=7)\n",
    )
    converted = asyncio.run(conversion.convert(WISH, lambda text, done: told.append((text, done)), converter))
    assert converted == Converted(files=("/models/é.gguf",), size=7)
    assert told == [("blk.0.attn_q.weight, 10 min left", 0.25), ("output.weight", 1.0)]


def test_paths_are_never_read_as_options(tmp_path: Path) -> None:
    converter = program(tmp_path, "say(event='done', files=sys.argv[1:], size=0)")
    wish = Wish(source="--restart", target="-x", type="--json")
    made = asyncio.run(conversion.convert(wish, lambda text, done: None, converter))
    assert made.files == ("convert", "--json", "--type=--json", "--", "--restart", "-x")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("sys.exit('r1-gguf: there is no config.json in /models/é')", "there is no config.json in /models/é"),
        ("say(event='done', files=[], size=0)\nsys.exit('r1-gguf: and yet')", "and yet"),
        ("pass", "The converter ended without a word."),
        ("sys.stderr.write('x' * 3_000_000)", "The converter ended without a word."),
    ],
)
def test_what_goes_wrong_is_its_last_sentence(tmp_path: Path, body: str, sentence: str) -> None:
    with pytest.raises(ConversionFailed) as failure:
        asyncio.run(conversion.convert(WISH, lambda text, done: None, program(tmp_path, body)))
    assert str(failure.value) == sentence


def test_cancelling_stops_it_as_ctrl_c_does(tmp_path: Path) -> None:
    mark = tmp_path / "stopped"
    converter = program(
        tmp_path,
        f"try:\n    say(event='progress', done=0.1)\n    time.sleep(60)\n"
        f"except KeyboardInterrupt:\n    open({str(mark)!r}, 'w').close()\n",
    )

    async def story() -> None:
        begun = asyncio.Event()
        task = asyncio.create_task(conversion.convert(WISH, lambda text, done: begun.set(), converter))
        await asyncio.wait_for(begun.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(story())
    assert mark.exists()


def test_the_editor_is_told_in_one_sentence_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    async def story() -> None:
        async with Editor(preset="vscode") as editor:
            reply = await command(editor, str(tmp_path), str(tmp_path / "model.gguf"))
            assert reply.code == -32803
            assert reply.error is not None
            assert "config.json" in reply.error["message"]
            assert "\n" not in reply.error["message"]

    asyncio.run(story())


@pytest.mark.parametrize("arguments", [(), ("/models/a",), ("/models/a", 5), ("models/a", "/a.gguf")])
def test_strange_arguments_answer_one_sentence(arguments: tuple[Any, ...]) -> None:
    async def story() -> None:
        async with Editor() as editor:
            reply = await command(editor, *arguments)
            assert reply.error is not None
            assert reply.error["message"].startswith("r1.convertModel wants ")

    asyncio.run(story())


def test_progress_is_shown_in_the_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    converter = program(
        tmp_path, "say(event='progress', done=0.5, left=30, at='output.weight')\nsay(event='done', files=['f'], size=1)"
    )
    monkeypatch.setattr(conversion, "PROGRAM", converter)

    async def story() -> None:
        async with Editor(preset="vscode") as editor:
            reply = await command(editor, "/models/é", "/models/é.gguf", "Q8_0")
            assert reply.result == {"files": ["f"], "size": 1}
            bars = [note["params"]["value"] for note in editor.notifications if note["method"] == "$/progress"]
            assert {"title": "Converting é to Q8_0", "kind": "begin", "cancellable": True} in bars
            assert {"kind": "report", "message": "output.weight, 30 s left", "percentage": 50} in bars

    asyncio.run(story())
