"""Names around a place in several languages: what is known there, what stands there, what is called there."""

import pytest

from ast_tools import (
    LANGUAGES,
    SyntaxTree,
    block_at,
    call_at,
    called,
    declaration_of,
    enclosing,
    function_at,
    names_in_scope,
    parse,
    references,
    same_except_docstrings,
    statement_around,
    symbol_at,
    wants_multiline,
)
from tests.support.fixture import cursor, selection


def tree_at(name: str, marked: str) -> tuple[SyntaxTree, int]:
    text, offset = cursor(marked)
    tree = parse(LANGUAGES[name], text, 2.0)
    assert tree is not None
    return tree, offset


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        (
            "python",
            "import os as é\ndef f(a, *b):\n    c = [d for d in a]\n    $0\n    e = 1\ndef g(): h = 1\n",
            "c b a f é g",
        ),
        ("python", "x = 1\nclass A:\n    y = 2\n    def m(self, x):\n        $0pass\n", "x self m y A"),
        ("javascript", "let x = 'é';\nfunction f(a) { { let b; } for (const c of a) { $0 } }\nlet y;\n", "c a f x"),
        ("typescript", "enum É { A }\nclass C { k: É; m(p?: number) { $0 } }\ninterface I {}\n", "p m k C É I"),
        (
            "java",
            "class É { int k; void f(int a) { int b; for (int c : x) { $0 } int d; } void g() {} }",
            "c b a f k g É",
        ),
        ("c", "#define É 1\nint g;\nint f(int a) { char *b; { int c; } $0 }\nstatic int h;\n", "b a f g É"),
        (
            "cpp",
            "namespace n { template <class É> struct S { int k; void f(int a) { auto g = [&](int b) { $0 }; } }; }",
            "b g a f k S É n",
        ),
        (
            "go",
            'package p\nimport é "x"\nvar v = 1\nfunc f(a int) { b := 2; if c := a; c > b { $0 } }\n',
            "c b a f v é",
        ),
        (
            "rust",
            "use x::É;\nfn f(a: u8) { let b = 1; match a { Some(c) => { $0 } } let d = 2; }\nstruct S;\n",
            "c b a f É S",
        ),
        ("csharp", "class É { int k; void F(int a) { var b = 1; foreach (var c in x) { $0 } } }", "c b a F k É"),
        ("ruby", "É = 1\ndef f(a, b: 1)\n  c = 2\n  a.each { |d| $0 }\nend\n", "d c b a f É"),
        ("php", "<?php\nclass É { function f($a) { $b = 1; $g = function ($c) { $0 }; } }\n", "$c $g $b $a f É"),
        ("bash", "É=1\nf() { local a=2; for b in c; do $0\n done; }\n", "b a f É"),
        ("scala", "object É { val k = 1; def f(a: Int) = { val b = 2; x.map { c => $0c } } }", "c b a f k É"),
        (
            "kotlin",
            "class É(val k: Int) {\n  fun f(a: Int) {\n    val b = 2\n    x.map { c -> $0 }\n  }\n}\n",
            "c b a f k É",
        ),
        ("swift", "class É { var k = 1; func f(_ a: Int) { let b = 2; for c in x { $0 } } }", "c b a f k É"),
        ("lua", "local x = 'é'\nlocal function f(a) local b = 1; for c, d in pairs(a) do $0 end end\n", "d c b a f x"),
        ("zig", "const É = 1;\nfn f(a: u8) void { const b = 2; for (x) |c| { $0 } }\n", "c b a f"),
    ],
)
def test_names_known_at_a_place(name: str, marked: str, wanted: str) -> None:
    tree, offset = tree_at(name, marked)
    assert [one.name for one in names_in_scope(tree, offset)] == wanted.split()


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        ("python", "é = 1\nprint(len$0(é))\n", ("call", "len", False, None)),
        ("python", "def f(é=1):\n    return é$0\n", ("name", "é", False, 6)),
        ("python", "x.y.$0zé(1)\n", ("call", "zé", False, None)),
        ("typescript", "interface É {}\nlet a: $0É;\n", ("type", "É", False, 10)),
        ("go", "type T struct { É int }\nfunc f(t T) { t.$0É = 1 }\n", ("member", "É", False, None)),
        ("rust", "fn f($0é: u8) {}\n", ("parameter", "é", True, 5)),
        ("java", "class A { int é; int f() { return é$0; } }", ("name", "é", False, 14)),
        ("ruby", "def f(x)\n  g$0(x)\nend\n", ("call", "g", False, None)),
        ("lua", "local é = 1\nprint(é$0)\n", ("name", "é", False, 6)),
        ("c", "int f(void) { return 1$0 + 2; }", None),
        ("json", '{"a": $0true}', None),
    ],
)
def test_the_symbol_at_a_place(name: str, marked: str, wanted: tuple[str, str, bool, int | None] | None) -> None:
    tree, offset = tree_at(name, marked)
    found = symbol_at(tree, offset)
    if found is None or wanted is None:
        assert found is wanted
        return
    declared = declaration_of(tree, offset)
    assert (found.kind, found.name, found.declared, declared.start if declared else None) == wanted


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        ("python", "def é(a, b=1): ...\nx = é(1, $0)\n", "def é(a, b=1):"),
        ("python", "class A:\n    def __init__(self, é): ...\nA($0)\n", "def __init__(self, é):"),
        ("python", "class A: é = 1\nA($0)\n", "class A:"),
        ("python", "print($0)\n", None),
        ("javascript", "const f = (a, é) => a;\nx.f(1, $0);\n", "const f = (a, é) =>"),
        ("typescript", "class A { constructor(private é: number) {} }\nnew A($0);\n", "constructor(private é: number)"),
        ("java", "class A { A(int é) {} void f() { new A($0); } }", "A(int é)"),
        ("c", "static int é(char *s);\nint main(void) { return é($0); }\n", "static int é(char *s);"),
        ("cpp", "namespace n { int f(int é) { return é; } }\nint x = n::f($0);\n", "int f(int é)"),
        ("go", "func (t *T) É(a int) {}\nfunc f(t *T) { t.É($0) }\n", "func (t *T) É(a int)"),
        ("rust", "impl T { fn é(&self, a: u8) {} }\nfn f(t: T) { t.é($0) }\n", "fn é(&self, a: u8)"),
        ("csharp", "class A { void É(int a) { this.É($0); } }", "void É(int a)"),
        ("ruby", "class A\n  def initialize(b)\n    1\n  end\nend\nA.new($0)\n", None),
        ("php", "<?php function é($a, $b) {}\né(1, $0);\n", "function é($a, $b)"),
        ("scala", "def f(é: Int): Int = 1\nval x = f($0)\n", "def f(é: Int): Int ="),
        ("kotlin", "fun f(é: Int) = 1\nval x = f($0)\n", "fun f(é: Int)"),
        ("swift", "func f(_ é: Int) {}\nf($0)\n", "func f(_ é: Int)"),
        ("lua", "local M = {}\nfunction M.f(a, b) end\nM.f(1, $0)\n", "function M.f(a, b)"),
        ("zig", 'fn f(a: u8) void {}\ntest "é" { f(1$0); }\n', "fn f(a: u8) void"),
    ],
)
def test_the_signature_at_a_call(name: str, marked: str, wanted: str | None) -> None:
    tree, offset = tree_at(name, marked)
    call = call_at(tree, offset)
    assert call is not None
    found = called(tree, call)
    assert (tree.text[slice(*found.signature)].decode() if found else None) == wanted


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        ("java", "class É { void f(int a)\n  { if (a) { $0 } } }", ["class É", "void f(int a)"]),
        ("rust", "impl<T> É<T> for S { fn f(&self) { let c = || { $0 }; } }", ["impl<T> É<T> for S", "fn f(&self)"]),
        ("go", "func (é *T) F() error { $0 }", ["func (é *T) F() error"]),
        ("cpp", "namespace é { struct S { int f() const { $0 } }; }", ["namespace é", "struct S", "int f() const"]),
        ("csharp", "namespace É { class C : D { int P { get { $0 } } } }", ["namespace É", "class C : D", "int P"]),
        (
            "ruby",
            "module M\n  class C < D\n    def self.f(a)\n      $0\n    end\n  end\nend\n",
            ["module M", "class C < D", "def self.f(a)"],
        ),
        (
            "php",
            "<?php namespace É; class C { public function f(): int { $0 } }",
            ["class C", "public function f(): int"],
        ),
        ("kotlin", "class É {\n  companion object { fun f() { $0 } }\n}\n", ["class É", "fun f()"]),
        ("swift", "extension É { init() { $0 } }", ["extension É", "init()"]),
        ("scala", "trait É { object O { def f[A](a: A) = { $0 } } }", ["trait É", "object O", "def f[A](a: A) ="]),
        ("lua", "function É.f() $0 end", ["function É.f()"]),
        ("lua", "function e.f(a)\n  x() $0\nend", ["function e.f(a)"]),
        ("zig", "const S = struct { fn f(é: u8) void { $0 } };", ["const S =", "fn f(é: u8) void"]),
    ],
)
def test_headers_of_the_scopes_around_a_place(name: str, marked: str, wanted: list[str]) -> None:
    tree, offset = tree_at(name, marked)
    assert [tree.text[slice(*scope.header)].decode() for scope in enclosing(tree, offset)] == wanted


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        ("java", "class A { void f() { int é = 1;\n g($0h$0(é), 2); } }", "g(h(é), 2);"),
        ("c", "int f(void) {\n  int é = 1;\n  x = $0y$0 + é;\n}\n", "x = y + é;"),
        ("go", "package p\nfunc f() {\n\té := 1\n\tx.y($0é$0)\n}\n", "x.y(é)"),
        ("rust", "fn f() {\n  let é = g($0h$0);\n  1\n}\n", "let é = g(h);"),
        ("csharp", "class A { int $0É$0 = 1; int b; }", "int É = 1;"),
        ("ruby", "def f\n  é = 1\n  x.each do |y|\n    g($0y$0)\n  end\nend\n", "g(y)"),
        ("php", "<?php\nfunction f() {\n  $é = 1;\n  g($0$é$0);\n}\n", "g($é);"),
        ("kotlin", "fun f() {\n  val é = 1\n  g($0é$0)\n}\n", "g(é)"),
        ("swift", "func f() {\n  let é = 1\n  g($0é$0)\n}\n", "g(é)"),
        ("scala", "object O {\n  val é = 1\n  def f = { g($0é$0); h }\n}\n", "g(é)"),
        ("lua", "local a = 1\nif b then\n  g($0a$0)\nend\n", "g(a)"),
        ("zig", "fn f() void {\n  const é = 1;\n  g($0é$0);\n}\n", "g(é);"),
        ("bash", "é=1\nif true; then\n  g $0x$0 y\nfi\n", "g x y"),
        ("json", '{"é": 1,\n "b": [$02$0, 3]}', "2"),
        ("css", "a { color: é; top: $01px$0 }", "top: 1px"),
    ],
)
def test_the_smallest_statement_around_an_error(name: str, marked: str, wanted: str) -> None:
    text, start, end = selection(marked.replace("$é", "\0é").replace("$0\0", "$0\\$").replace("\0", "\\$"))
    text = text.replace(b"\\$", b"$")
    tree = parse(LANGUAGES[name], text)
    assert tree is not None
    shift = marked.count("$é", 0, marked.index("$0"))
    found = statement_around(tree, start - shift, end - shift)
    assert text[slice(*found)].decode().strip() == wanted


@pytest.mark.parametrize(
    ("name", "before", "after", "same"),
    [
        ("java", "class A { int f() { return 1; } }", "class A { /** É. */ int f() { return 1; /* x */ } }", True),
        ("java", "class A { int f() { return 1; } }", "class A { int f() { return 2; } }", False),
        ("go", "package p\nfunc f() {}\n", "package p\n\n// F tut é.\nfunc f() {} // x\n", True),
        ("rust", "fn f() {}\n", "/// É.\n/// Mehr.\nfn f() { /* x /* y */ */ }\n", True),
        ("rust", "fn f() {}\n", "#[é]\nfn f() {}\n", False),
        ("csharp", "class A { void F() {} }", "class A { /// <summary>É</summary>\n void F() {} }", True),
        ("ruby", "def f\n  1\nend\n", "# É.\ndef f\n  1 # x\nend\n", True),
        ("php", "<?php\nfunction f() {}\n", "<?php\n/** É. */\nfunction f() {}\n", True),
        ("kotlin", "fun f() {}\n", "/** É. */\nfun f() {}\n", True),
        ("lua", "local a = 'é'\n", "--- É\nlocal a = 'é' -- x\n", True),
        ("lua", "local a = 'é'\n", "local a = 'e'\n", False),
        ("yaml", "a: 1\n", "# é\na: 1\n", True),
    ],
)
def test_the_same_tree_apart_from_comments(name: str, before: str, after: str, *, same: bool) -> None:
    assert same_except_docstrings(LANGUAGES[name], before.encode(), after.encode()) is same


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        ("java", "class A {\n  void é() {\n    $0\n  }\n}\n", True),
        ("go", "func f() {\n\t$0\n}\n", True),
        ("rust", "fn f() {\n    é($0);\n}\n", False),
        ("ruby", "class A\n  def é(a)\n    $0\n  end\nend\n", True),
        ("ruby", "x.each do |é|\n  $0\nend\n", True),
        ("ruby", "def f\n  é\n  $0\nend\n", False),
        ("ruby", "x = é if y\n$0\n", False),
        ("lua", "for é = 1, 2 do\n  $0\nend\n", True),
        ("lua", "local function f(a)\n  $0\nend\n", True),
        ("lua", "local x = 1\n$0\n", False),
        ("bash", "if true; then\n  $0\nfi\n", True),
        ("bash", "f() {\n  $0\n}\n", True),
        ("bash", "echo é\n$0\n", False),
        ("python", "if é:\n    $0\n", True),
    ],
)
def test_where_a_block_is_due(name: str, marked: str, *, wanted: bool) -> None:
    tree, offset = tree_at(name, marked)
    assert wants_multiline(tree, tree.text, offset) is wanted


def test_the_block_around_a_place() -> None:
    tree, offset = tree_at("go", "func é(a int) {\n\tif a > 1 {\n\t\t$0b()\n\t}\n}\n")
    block = block_at(tree, offset)
    assert block is not None
    assert (block.kind, tree.text[block.start : block.start + 1]) == ("branch", b"{")
    assert tree.text[block.owner :].startswith(b"if a > 1")


def test_references_of_a_range_are_those_of_the_whole() -> None:
    tree, _ = tree_at("java", "class A { int f(B é) { return é.g(h) + 1; } int k() { return f(null); } }$0")
    whole = references(tree)
    middle = tree.text.index(b"int k")
    assert [one for one in references(tree, (middle, len(tree.text))) if one.start >= middle] == [
        one for one in whole if one.start >= middle
    ]


@pytest.mark.parametrize(
    ("name", "marked", "wanted"),
    [
        (
            "java",
            "class A {\n  /** É. */\n  int f(int a, String... b) throws E { return$0 1; }\n}\n",
            ("f", "a b", "int", ("E",), "É."),
        ),
        (
            "go",
            "// F tut é.\nfunc (t *T) F(a, b int) (int, error) { re$0turn 1, nil }\n",
            ("F", "a b", "(int, error)", (), "F tut é."),
        ),
        ("rust", "/// É.\n#[x]\npub fn f(&self, mut a: u8) -> u8 { $0a }\n", ("f", "a", "u8", (), "É.")),
        (
            "csharp",
            "class A {\n  /// <summary>É</summary>\n  int F(int a = 1) { $0throw new E(); }\n}\n",
            ("F", "a", "int", ("E",), "<summary>É</summary>"),
        ),
        ("ruby", "# É.\ndef f(a, b: 1)\n  raise$0 E\nend\n", ("f", "a b", None, ("E",), "É.")),
        ("kotlin", '/** É. */\nfun f(a: Int = 1): String { th$0row E("x") }\n', ("f", "a", "String", ("E",), "É.")),
        ("lua", "--- É.\nlocal function f(a, ...)\n  retu$0rn a\nend\n", ("f", "a ...", None, (), "É.")),
        ("zig", "/// É.\nfn f(a: u8) !void { re$0turn error.B; }\n", ("f", "a", "!void", ("error.B",), "É.")),
    ],
)
def test_what_a_function_takes_returns_and_raises(
    name: str, marked: str, wanted: tuple[str, str, str | None, tuple[str, ...], str]
) -> None:
    found = function_at(*tree_at(name, marked))
    assert found is not None
    params = " ".join(param.name for param in found.params)
    assert (found.name, params, found.returns, found.raises, found.docstring_text) == wanted
