"""Our own diagnostics: what is reported at which level, pushed or pulled, and what a saved file is told by checkers."""

import asyncio
import sys
from dataclasses import replace
from typing import Any

import pytest

from ast_tools.lines import Lines
from ast_tools.stepping import Stepwise
from engine.scripted import ScriptedEngine
from r1_lsp.features.checkers import Finding
from r1_lsp.features.diagnostics import syntax_findings
from r1_lsp.features.repairing import NOTHING, Broken, Repairs, in_thread
from r1_lsp.snapshot import MAX_PARSED_BYTES
from tests.features.change import snapshot_of
from tests.support.lsp import Editor

URI = "file:///proj/a.py"
SURE = "total = sorted(names\n\n\ndef f():\n    return 1\n"
UNSURE = "x = )) 1 +\n"
CHECKER = [
    sys.executable,
    "-I",
    "-c",
    "import sys; [print(f'-:{n}:1: W1 ugly') for n, row in enumerate(sys.stdin, 1) if 'ugly' in row]",
]


def found_in(text: str, level: Any) -> tuple[Finding, ...]:
    snapshot = snapshot_of(text.encode(), "a.py")
    return syntax_findings(snapshot.text, asyncio.run(Repairs(in_thread).of(snapshot)), level)


@pytest.mark.parametrize(
    ("text", "level", "n"),
    [(SURE, "sure", 1), (SURE, "off", 0), (UNSURE, "sure", 0), (UNSURE, "off", 0), ("x = 1\n", "all", 0)],
)
def test_levels(text: str, level: Any, n: int) -> None:
    found = found_in(text, level)
    assert len(found) == n, found


def test_an_error_is_named_as_its_repairs_name_it_also_where_none_is_sure() -> None:
    text = "é = '😀'\nresult = a + b * (\n"
    [found] = found_in(text, "all")
    assert found.message == "`(` opened on line 2 is never closed."
    assert text.encode()[found.start : found.end] == b"("


def test_all_reports_every_error_once() -> None:
    for text in (SURE, UNSURE):
        found = found_in(text, "all")
        assert found
        assert len({(finding.start, finding.end) for finding in found}) == len(found)


def test_pushed_with_the_version_and_taken_back() -> None:
    async def story() -> None:
        async with Editor(engine=ScriptedEngine({}), preset="helix") as editor:
            editor.open(URI, "é = '😀'\n" + SURE)
            shown = await editor.notification("textDocument/publishDiagnostics", lambda p: p["diagnostics"])
            [diagnostic] = shown["diagnostics"]
            assert (shown["uri"], shown["version"]) == (URI, 1)
            assert (diagnostic["source"], diagnostic["code"], diagnostic["severity"]) == ("r1", "syntax", 1)
            editor.buffers[URI].caret = editor.buffers[URI].text.index("names\n") + 5
            editor.type(")")
            shown = await editor.notification("textDocument/publishDiagnostics", lambda p: p.get("version") == 2)
            assert shown["diagnostics"] == []

    asyncio.run(story())


def test_the_diagnostic_leads_to_its_repair() -> None:
    async def story() -> None:
        async with Editor(engine=ScriptedEngine({}), preset="helix") as editor:
            editor.open(URI, SURE)
            shown = await editor.notification("textDocument/publishDiagnostics", lambda p: p["diagnostics"])
            [diagnostic] = shown["diagnostics"]
            reply = await editor.request(
                "textDocument/codeAction",
                textDocument={"uri": URI},
                range=diagnostic["range"],
                context={"diagnostics": [diagnostic]},
            )
            first = reply.result[0]
            assert (first["isPreferred"], first["diagnostics"]) == (True, [diagnostic])
            [change] = first["edit"]["documentChanges"]
            assert [edit["newText"] for edit in change["edits"]] == [")"]

    asyncio.run(story())


@pytest.fixture
def astray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every parse on the loop goes astray: no open document gets a tree."""
    monkeypatch.setattr(Stepwise, "run", lambda self, until: None)
    monkeypatch.setattr(Stepwise, "slow", True)


def test_a_text_whose_parse_was_given_up_is_searched_when_it_rests(astray: None) -> None:
    async def story() -> None:
        async with Editor(engine=ScriptedEngine({}), preset="helix") as editor:
            editor.open(URI, "é = '😀'\n" + SURE)
            shown = await editor.notification("textDocument/publishDiagnostics", lambda p: p["diagnostics"])
            [diagnostic] = shown["diagnostics"]
            assert diagnostic["message"] == "`(` opened on line 2 is never closed."
            reply = await editor.request(
                "textDocument/codeAction",
                textDocument={"uri": URI},
                range=diagnostic["range"],
                context={"diagnostics": [diagnostic]},
            )
            assert reply.result[0]["isPreferred"]
            editor.buffers[URI].caret = editor.buffers[URI].text.index("names\n") + 5
            editor.type(")")
            shown = await editor.notification("textDocument/publishDiagnostics", lambda p: p.get("version") == 2)
            assert shown["diagnostics"] == []

    asyncio.run(story())


def test_a_document_too_long_for_a_tree_is_not_searched() -> None:
    async def nobody(language: str, text: bytes, near: int, sound: bytes | None = None) -> Broken:
        raise AssertionError

    long = replace(snapshot_of(b"x = (\n", "a.py"), tree=None, lines=Lines(b"x = (\n" + b"#" * MAX_PARSED_BYTES))
    assert asyncio.run(Repairs(nobody).of(long)) == NOTHING
    assert asyncio.run(Repairs(nobody).whole(long)) == NOTHING


async def pull(editor: Editor, previous: str | None = None) -> dict[str, Any]:
    more = {} if previous is None else {"previousResultId": previous}
    reply = await editor.request("textDocument/diagnostic", textDocument={"uri": URI}, **more)
    assert reply.error is None, reply.error
    return dict(reply.result)


def test_pulled_once_and_unchanged_after() -> None:
    async def story() -> None:
        async with Editor(engine=ScriptedEngine({}), preset="vscode") as editor:
            editor.open(URI, SURE)
            first = await pull(editor)
            assert (first["kind"], len(first["items"])) == ("full", 1)
            again = await pull(editor, first["resultId"])
            assert again == {"kind": "unchanged", "resultId": first["resultId"]}
            editor.buffers[URI].caret = editor.buffers[URI].text.index("names\n") + 5
            editor.type(")")
            assert (await pull(editor, first["resultId"]))["items"] == []
            await asyncio.sleep(0.5)
            pushed = [m for m in editor.notifications if m["method"] == "textDocument/publishDiagnostics"]
            assert pushed == []

    asyncio.run(story())


def test_an_unknown_document_has_no_diagnostics() -> None:
    async def story() -> None:
        async with Editor(engine=ScriptedEngine({}), preset="vscode") as editor:
            assert (await pull(editor))["items"] == []

    asyncio.run(story())


def test_what_only_the_compiler_refuses_is_said_on_save_where_everything_is_reported() -> None:
    async def story() -> None:
        options = {"diagnostics": {"level": "all"}}
        async with Editor(engine=ScriptedEngine({}), preset="helix", options=options) as editor:
            editor.open(URI, "def f(x):\nreturn x$0\n")
            editor.notify("textDocument/didSave", textDocument={"uri": URI})
            shown = await editor.notification("textDocument/publishDiagnostics", lambda p: p["diagnostics"])
            [diagnostic] = shown["diagnostics"]
            assert diagnostic["message"].startswith("expected an indented block")
            assert diagnostic["range"]["start"]["line"] == 1

    asyncio.run(story())


def test_a_configured_checker_speaks_on_save_until_the_text_changes() -> None:
    async def story() -> None:
        options = {"fix": {"checkers": {"python": [CHECKER]}}}
        async with Editor(engine=ScriptedEngine({}), preset="helix", options=options) as editor:
            editor.open(URI, "é = 1\nugly = 2$0\n")
            editor.notify("textDocument/didSave", textDocument={"uri": URI})
            shown = await editor.notification("textDocument/publishDiagnostics", lambda p: p["diagnostics"])
            [diagnostic] = shown["diagnostics"]
            assert (diagnostic["message"], diagnostic["code"], diagnostic["severity"]) == ("W1 ugly", "W1", 2)
            assert diagnostic["range"]["start"] == {"line": 1, "character": 0}
            editor.type("3")
            shown = await editor.notification("textDocument/publishDiagnostics", lambda p: p.get("version") == 2)
            assert shown["diagnostics"] == []

    asyncio.run(story())


def test_a_slow_answer_about_an_older_save_does_not_replace_a_newer_one() -> None:
    slow = "import sys, time; t = sys.stdin.read(); time.sleep('ugly = 20' not in t); print('-:2:1: W1 ugly')"

    async def story() -> None:
        options = {"fix": {"checkers": {"python": [[sys.executable, "-I", "-c", slow]]}}}
        async with Editor(engine=ScriptedEngine({}), preset="vscode", options=options) as editor:
            editor.open(URI, "é = 1\nugly = 2$0\n")
            editor.notify("textDocument/didSave", textDocument={"uri": URI})
            assert (await pull(editor))["items"] == []
            editor.type("0")
            editor.notify("textDocument/didSave", textDocument={"uri": URI})
            async with asyncio.timeout(10):
                while not (await pull(editor))["items"]:
                    await asyncio.sleep(0.02)
                await asyncio.sleep(1.5)
            assert len((await pull(editor))["items"]) == 1

    asyncio.run(story())


def test_python_compiler_speaks_on_save_where_everything_is_wanted() -> None:
    async def story() -> None:
        options = {"diagnostics": {"level": "all"}}
        async with Editor(engine=ScriptedEngine({}), preset="helix", options=options) as editor:
            editor.open(URI, "return 1\n")
            editor.notify("textDocument/didSave", textDocument={"uri": URI})
            shown = await editor.notification("textDocument/publishDiagnostics", lambda p: p["diagnostics"])
            assert [found["message"] for found in shown["diagnostics"]] == ["'return' outside function"]

    asyncio.run(story())


def test_a_closed_document_loses_its_diagnostics() -> None:
    async def story() -> None:
        async with Editor(engine=ScriptedEngine({}), preset="helix") as editor:
            editor.open(URI, SURE)
            await editor.notification("textDocument/publishDiagnostics", lambda p: p["diagnostics"])
            editor.close()
            shown = await editor.notification("textDocument/publishDiagnostics")
            assert (shown["uri"], shown["diagnostics"]) == (URI, [])

    asyncio.run(story())


MACROS = (
    '#include "list.h"\n\nLIB_EXPORT void one(int two);\n\n'
    "/* é😀 */ static int add(struct node *all)\n{\n    int total = 0;\n"
    "    LIST_FOREACH(node, all, next) {\n        total += g(node->value);\n    }\n    PY_BEGIN_ALL\n"
    "    total = h(total);\n    PY_END_ALL\n    return total;\n}\n"
)
"""The grammar of C trips over it and a compiler does not."""
C_URI = "file:///proj/a.c"


async def shown_after(editor: Editor, old: str, new: str) -> list[tuple[int, str]]:
    """(line, message) of what is shown once a part of the document is replaced."""
    at = editor.buffers[C_URI].text.index(old)
    editor.replace(at, at + len(old), new)
    version = editor.buffers[C_URI].version
    shown = await editor.notification("textDocument/publishDiagnostics", lambda p: p.get("version") == version)
    return [(found["range"]["start"]["line"], found["message"]) for found in shown["diagnostics"]]


@pytest.mark.parametrize("level", ["sure", "all"])
def test_what_only_the_grammar_trips_over_is_not_shown_and_what_is_typed_is(level: str) -> None:
    async def story() -> None:
        options = {"diagnostics": {"level": level}}
        async with Editor(engine=ScriptedEngine({}), preset="helix", options=options) as editor:
            editor.open(C_URI, MACROS, "c")
            shown = await editor.notification("textDocument/publishDiagnostics")
            assert shown["diagnostics"] == []
            [(line, message)] = await shown_after(editor, "h(total);", "h(total;")
            assert MACROS.split("\n")[line].strip() == "total = h(total);"
            assert message == f"`(` opened on line {line + 1} is never closed."
            assert await shown_after(editor, "h(total;", "h(total);") == []

    asyncio.run(story())


def test_against_a_sound_text_any_new_error_counts() -> None:
    broken = MACROS.replace("h(total)", "h(total total)").encode()
    assert asyncio.run(in_thread("c", MACROS.encode(), 0)).sound
    assert asyncio.run(in_thread("c", broken, 0)).sound
    [found] = asyncio.run(in_thread("c", broken, 0, MACROS.encode())).problems
    assert broken[found.start : found.end] == b"total"


def test_a_closed_document_is_forgotten() -> None:
    async def story() -> None:
        repairs = Repairs(in_thread)
        broken = MACROS.replace("h(total)", "h(total total)")
        assert (await repairs.of(snapshot_of(MACROS.encode(), "a.c"))).sound
        assert (await repairs.of(snapshot_of(broken.encode(), "a.c"))).problems
        uri = snapshot_of(b"", "a.c").uri
        repairs.document_changed(uri)
        repairs.document_closed(uri)
        assert not (await repairs.of(snapshot_of(broken.encode(), "a.c"))).problems

    asyncio.run(story())
