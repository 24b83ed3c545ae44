"""All sure repairs of a file as one action: in the menu where there are several, on save where an editor wants that."""

import asyncio
from typing import Any

import pytest

from engine.scripted import ScriptedEngine
from r1_lsp import ext
from r1_lsp.features.actions import FIX_ALL
from tests.support.lsp import Editor

URI = "file:///proj/a.py"
ONE = "# é😀\ndef f(x):\n    return sorted(x, key=g)\n\n\n"
SURE = ONE.replace("):", ")") + ONE.replace("g)", "g")
UNSURE = "result = a + b * (\n\n\n"


async def asked(editor: Editor, text: str, only: list[str] | None) -> list[dict[str, Any]]:
    """The entries of that kind; on a busy machine the first answer may come before the repairs are found."""
    editor.open(URI, text)
    for _ in range(4):
        if found := await _asked_once(editor, text, only):
            return found
    return []


async def _asked_once(editor: Editor, text: str, only: list[str] | None) -> list[dict[str, Any]]:
    end = {"line": text.count("\n"), "character": 0}
    context = {"diagnostics": [], **({} if only is None else {"only": only})}
    reply = await editor.request(
        "textDocument/codeAction",
        textDocument={"uri": URI},
        range={"start": {"line": 0, "character": 0}, "end": end},
        context=context,
    )
    assert reply.error is None, reply.error
    return [entry for entry in reply.result if entry["kind"] == FIX_ALL]


def mended(text: str, edit: dict[str, Any]) -> str:
    """The text after an edit of lines that are ASCII: there all encodings count alike."""
    [change] = edit["documentChanges"]
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for one in reversed(change["edits"]):
        start, end = (starts[one["range"][side]["line"]] + one["range"][side]["character"] for side in ("start", "end"))
        text = text[:start] + one["newText"] + text[end:]
    return text


def actions(text: str, only: list[str] | None, name: str = "vscode") -> tuple[list[dict[str, Any]], str]:
    """The entries of that kind, and the text after the first."""

    async def story() -> tuple[list[dict[str, Any]], str]:
        async with Editor(engine=ScriptedEngine({}), preset=name) as editor:
            found = await asked(editor, text, only)
            return found, mended(text, found[0]["edit"]) if found else text

    return asyncio.run(story())


def test_the_kind_is_announced_as_it_is_sent() -> None:
    assert ext.FIX_ALL == FIX_ALL

    async def story() -> None:
        async with Editor(engine=ScriptedEngine({}), preset="vscode") as editor:
            assert FIX_ALL in editor.server_capabilities["codeActionProvider"]["codeActionKinds"]

    asyncio.run(story())


@pytest.mark.parametrize("only", [["source.fixAll.r1"], ["source.fixAll"], ["source"], None])
@pytest.mark.parametrize("name", ["vscode", "neovim-0.12", "helix"])
def test_all_sure_repairs_are_made_together(only: list[str] | None, name: str) -> None:
    [entry], after = actions(SURE, only, name)
    assert entry["title"] == "Repair all 2 syntax errors with a sure repair"
    assert after == ONE * 2
    assert "isPreferred" not in entry


@pytest.mark.parametrize("only", [["source.fixAll.r1"], ["source.fixAll"]])
def test_what_is_not_sure_is_never_fixed_on_save(only: list[str]) -> None:
    [_], after = actions(SURE + UNSURE, only)
    assert after == ONE * 2 + UNSURE
    assert actions(UNSURE, only) == ([], UNSURE)
    assert actions(ONE, only) == ([], ONE)


def test_one_error_needs_no_entry_of_its_own_in_the_menu() -> None:
    one = ONE.replace("):", ")")
    assert actions(one, None)[0] == []
    assert actions(one, ["quickfix"])[0] == []
    [entry], after = actions(one, ["source.fixAll"])
    assert (entry["title"], after) == ("Repair the syntax error", ONE)


def test_many_errors_of_one_file_are_all_repaired() -> None:
    [entry], after = actions(SURE * 10, ["source.fixAll.r1"])
    assert "all 20 syntax errors" in entry["title"]
    assert after == ONE * 20
