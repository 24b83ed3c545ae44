"""Files of every language get completion that knows its syntax; nothing in the server names a language."""

import asyncio

import pytest

from engine.scripted import ScriptedEngine
from tests.support.lsp import Editor

AT_ONCE = {"completion": {"debounceMs": 0}}


@pytest.mark.parametrize(
    ("language", "name", "text", "reply", "wanted"),
    [
        # One line is wanted: the statement ends where the parser says, not where the line does.
        (
            "java",
            "A.java",
            "class A {\n    int f(int é) {\n        return g(é,$0\n    }\n}\n",
            " h(1),\n            2);\n        x();\n",
            " h(1),\n            2);",
        ),
        # A block is wanted, and ends with it.
        (
            "go",
            "a.go",
            "package p\n\nfunc é(a int) int {\n\t$0\n}\n",
            "if a > 1 {\n\t\treturn 2\n\t}\n\treturn a\n}\n\nfunc g() {\n",
            "if a > 1 {\n\t\treturn 2\n\t}\n\treturn a",
        ),
        # What closes a bracket that nobody opened is cut off.
        ("rust", "a.rs", "fn f(é: u8) -> u8 {\n    let x = g($0)\n}\n", "é + 1);\n    x\n}\n", "é + 1);"),
        ("ruby", "a.rb", "def f(é)\n  é.each do |x|\n    $0\n  end\nend\n", "puts x\n  end\nend\n", "puts x"),
        (
            "csharp",
            "a.cs",
            "class A {\n    void É() {\n        Console.$0\n    }\n}\n",
            'WriteLine("é(");\nx();',
            'WriteLine("é(");',
        ),
        ("kotlin", "a.kt", "fun f(é: Int) {\n    println(é$0)\n}\n", ' + "(")\n}\n', ' + "(")'),
    ],
)
def test_completion_knows_the_syntax(language: str, name: str, text: str, reply: str, wanted: str) -> None:
    async def main() -> None:
        engine = ScriptedEngine({"default": {"reply": reply}})
        async with Editor(engine=engine, options=AT_ONCE) as editor:
            editor.open(f"file:///w/{name}", text, language)
            found = [item["insertText"] for item in (await editor.complete()).result]
            assert found == [wanted]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("language", "name", "text"),
    [
        ("java", "A.java", "class A {\n    int f(int é) {\n        return $0;\n    }\n}\n"),
        ("rust", "a.rs", "fn f(é: u8) -> u8 {\n    let x = $0;\n    x\n}\n"),
        ("lua", "a.lua", "local function f(é)\n  return $0\nend\n"),
    ],
)
def test_what_breaks_the_file_is_not_shown(language: str, name: str, text: str) -> None:
    async def main() -> None:
        engine = ScriptedEngine({"default": {"reply": ") ( } {{"}})
        async with Editor(engine=engine, options=AT_ONCE) as editor:
            editor.open(f"file:///w/{name}", text, language)
            assert (await editor.complete()).result == []

    asyncio.run(main())


def test_the_model_reads_what_the_file_defines() -> None:
    """Signatures of far functions that the surroundings mention are in the prompt."""
    far = "// É tut viel.\nfunc hilf(a int, b string) error {\n\treturn nil\n}\n"
    text = "package p\n\n" + far + "\nvar x = 1\n" * 400 + "\nfunc g() {\n\tif hilf(1, $0\n}\n"

    async def main() -> None:
        engine = ScriptedEngine({"default": {"reply": '"é") != nil {'}})
        async with Editor(engine=engine, options=AT_ONCE) as editor:
            editor.open("file:///w/a.go", text, "go")
            await editor.complete()
            [request, *_] = engine.requests
            assert "func hilf(a int, b string) error" in str(request)

    asyncio.run(main())
