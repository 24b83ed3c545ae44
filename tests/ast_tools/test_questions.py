"""Questions about a place: what it stands in, in which scopes, calls, statements, among which names."""

import pytest

from ast_tools import (
    LANGUAGES,
    Place,
    SyntaxTree,
    call_at,
    definitions,
    enclosing,
    imports,
    language_of,
    mentioned,
    parse,
    place,
    same_except_docstrings,
    statement_around,
    wants_multiline,
    warm,
)
from ast_tools.grammar import KINDS
from tests.support.fixture import cursor, selection


def tree_at(name: str, marked: str) -> tuple[SyntaxTree, int]:
    text, offset = cursor(marked)
    tree = parse(LANGUAGES[name], text)
    assert tree is not None
    return tree, offset


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_query_of_every_language_compiles(name: str) -> None:
    assert len(list(warm(LANGUAGES[name]))) == len(KINDS)


@pytest.mark.parametrize(
    ("lsp_id", "path", "name"),
    [
        ("python", None, "python"),
        ("typescriptreact", "a.txt", "tsx"),
        (None, "/x/a.MJS", "javascript"),
        ("plaintext", "a.ts", "typescript"),
        (None, "Makefile", None),
        ("", None, None),
    ],
)
def test_language_of(lsp_id: str | None, path: str | None, name: str | None) -> None:
    found = language_of(lsp_id, path)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        ("python", "x = $0", Place.CODE),
        ("python", "é = 'a$0b'", Place.STRING),
        ("python", "x = 'ab'$0", Place.CODE),
        ("python", "x = $0'ab'", Place.CODE),
        ("python", "# a comment$0\nx", Place.COMMENT),
        ("python", "x = f'{a$0}'", Place.CODE),
        ("python", "na$0me = 1", Place.INSIDE_WORD),
        ("javascript", "/* a */$0 b", Place.CODE),
        ("javascript", "/* a $0*/ b", Place.COMMENT),
        ("javascript", "x = `a${b$0}`", Place.CODE),
        ("javascript", "x = `a$0${b}`", Place.STRING),
        ("tsx", "const a = <b>c$0</b>", Place.CODE),
    ],
)
def test_place(name: str, marked: str, wanted: Place) -> None:
    tree, offset = tree_at(name, marked)
    assert place(tree, tree.text, offset) is wanted


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        ("python", "def f():\n    $0", True),
        ("python", "class A:$0", True),
        ("python", 'def f():\n    """é"""\n    $0\n\nx = 1\n', True),
        ("python", "def f(\n    a,\n):\n    $0", True),
        ("python", "if x:\n    $0\n    y()\n", False),
        ("python", "x = {1:\n    $0", False),
        ("python", "x = 1\n$0", False),
        ("python", "'''\nif x:\n    $0\n'''", False),
        ("javascript", "function f() {\n  $0\n}", True),
        ("javascript", "const f = () => {$0}", True),
        ("javascript", "if (x) {\n  $0\n  y();\n}", False),
        ("javascript", "const s = `${$0}`;", False),
    ],
)
def test_wants_multiline(name: str, marked: str, *, wanted: bool) -> None:
    tree, offset = tree_at(name, marked)
    assert wants_multiline(tree, tree.text, offset) is wanted


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        ("python", "class A:\n    def m(self):\n        x = 1\n        $0\n", ["class A", "function m"]),
        ("python", "class A:\n    def m(self):\n        x = 1\n    $0\n", ["class A"]),
        ("python", "def f(): pass\n$0", []),
        ("javascript", "class A { m() { $0 } }", ["class A", "method m"]),
        ("javascript", "const f = (a) => { g($0) };", ["function f"]),
        ("typescript", "namespace N { function f(): void { $0 } }", ["namespace N", "function f"]),
    ],
)
def test_enclosing(name: str, marked: str, wanted: list[str]) -> None:
    tree, offset = tree_at(name, marked)
    assert [f"{scope.kind} {scope.name}" for scope in enclosing(tree, offset)] == wanted


def test_a_header_ends_before_its_comment() -> None:
    tree, offset = tree_at("python", "def f(a):  # why\n    return $0a\n")
    [scope] = enclosing(tree, offset)
    assert tree.text[slice(*scope.header)] == b"def f(a):"


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        ("python", "foo(1, k=$0x)", ("foo", 1, "k")),
        ("python", "a.b(c(1, 2), $0)", ("a.b", 1, None)),
        ("python", "a.b(c(1, $02))", ("c", 1, None)),
        ("python", "foo()$0", None),
        ("javascript", "new Foo(a, [b, $0c])", ("Foo", 1, None)),
    ],
)
def test_call_at(name: str, marked: str, wanted: tuple[str, int, str | None] | None) -> None:
    found = call_at(*tree_at(name, marked))
    assert (found and (found.name, found.index, found.keyword)) == wanted


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        ("python", "def f():\n    x = foo(\n        $0a$0,\n    )\n    y()\n", "x = foo(\n        a,\n    )"),
        ("python", "x = 1\n$0y = (\n$0", "y = (\n"),
        ("typescript", "interface I { a: $0string$0; b: number }", "a: string"),
        ("javascript", "f(function () { $0g$0(); });", "g();"),
    ],
)
def test_statement_around(name: str, marked: str, wanted: str) -> None:
    text, start, end = selection(marked)
    tree = parse(LANGUAGES[name], text)
    assert tree is not None
    found = statement_around(tree, start, end)
    assert text[slice(*found)].decode().rstrip() == wanted.rstrip()


def test_definitions_and_imports() -> None:
    source = "import os\nfrom a import (\n    b,\n)\nX: int = 3\nclass A(B):\n    z = 1\n    @d\n    def m(self):\n"
    tree, _ = tree_at("python", source + '        """Doc."""\n        def inner(): ...$0\n')
    found = [(one.kind, one.name, one.container, one.docstring) for one in definitions(tree)]
    assert found == [
        ("variable", "X", None, None),
        ("class", "A", None, None),
        ("field", "z", "A", None),
        ("method", "m", "A", "Doc."),
        ("function", "inner", "m", None),
    ]
    assert [tree.text[start:end] for start, end in imports(tree)] == [b"import os", b"from a import (\n    b,\n)"]


def test_definitions_of_typescript() -> None:
    source = "import a from 'b';\nconst fs = require('fs');\nexport const f = (x: A) => x;\nenum E { A }\n"
    tree, _ = tree_at("typescript", source + "abstract class C { private n: number = 3; abstract g(): string; }$0")
    found = [(one.kind, one.name, one.container) for one in definitions(tree)]
    assert found == [
        ("variable", "fs", None),
        ("function", "f", None),
        ("enum", "E", None),
        ("class", "C", None),
        ("field", "n", "C"),
        ("method", "g", "C"),
    ]
    assert len(imports(tree)) == 2


def test_mentioned_names_come_nearest_first() -> None:
    tree, offset = tree_at("python", "far = 1\n\n\n\n\n\n\nnear(x, 'str', ü)  # note\ny = $0z\n")
    assert mentioned(tree, offset) == ("z", "y", "ü", "x", "near")


def test_mentioned_names_from_a_gap_on_that_the_grammar_counts() -> None:
    """Go's grammar has nodes for line ends; tree-sitter finds no child of the file from some of them on."""
    source = "package p\n\n" + "func f() int {\n\treturn 1\n}\n\n" * 8 + "\nfunc g() {\n\terr := é(1)\n\tx := $0\n}\n"
    tree, offset = tree_at("go", source)
    for lines in range(30):
        assert ("é" in mentioned(tree, offset, lines, 0)) == (lines > 0)


@pytest.mark.parametrize(
    ("name", "before", "after", "same"),
    [
        ("python", "def f():\n    return 1\n", 'def f():\n    """Ä."""\n    # c\n    return 1\n', True),
        ("python", "def f(): return 1\n", 'def f():\n    """A."""\n    return 1\n', True),
        ("python", "def f():\n    return 1\n", "def f():\n    return 2\n", False),
        ("python", "if x:\n    a\n    b\n", "if x:\n    a\nb\n", False),
        ("python", "x = 'a'\n", "x = 'b'\n", False),
        ("javascript", "f(1);\n", "/** D. */\nf(1);\n", True),
        ("javascript", "f(1);\n", "f(1, 2);\n", False),
    ],
)
def test_same_except_docstrings(name: str, before: str, after: str, *, same: bool) -> None:
    assert same_except_docstrings(LANGUAGES[name], before.encode(), after.encode()) is same
