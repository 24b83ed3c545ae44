"""What is wrong with a text by itself: semicolons that are missing whatever the macros of a text mean."""

import pytest

from ast_tools import LANGUAGES
from ast_tools.layout import Layout
from ast_tools.slips import corrections
from ast_tools.witnesses import doubtful, open_ends

BLOCK = "int f(int a)\n{{\n    {}\n    g(a);\n    return a;\n}}\n"
MISSING = {
    "an assignment": BLOCK.format("a = h(a, 1)"),
    "a declaration": BLOCK.format("int é = 1"),
    "a call": BLOCK.format("h(a)"),
    "a call behind a condition": BLOCK.format("if (a)\n        h(a)"),
    "a jump": "int f(int a)\n{\n    while (a) {\n        a--;\n        break\n    }\n    return a;\n}\n",
    "a result before the brace": "int f(int a)\n{\n    return a + 1\n}\n",
    "a field": "struct one {\n    int two\n    int three;\n};\n",
    "a variable": "static int one = 1\nstatic int two;\n",
    "a prototype": "int one(int a)\nint two(int b);\nint three(int c)\n{\n    return c;\n}\n",
}
NONE = {
    "nothing missing": BLOCK.format("a = 1;"),
    "a line that goes on": BLOCK.format("a = b\n        + 1;"),
    "a string that goes on": BLOCK.format('h("a"\n      "b");'),
    "a macro": BLOCK.format("LIB_BEGIN"),
    "a macro with arguments": BLOCK.format("LIB_BEGIN(a)"),
    "a loop of a macro": BLOCK.format("each(a, b)\n        h(a);"),
    "a macro in small letters": BLOCK.format("begin(a)\n    h(a);\n    begin(b)"),
    "a condition": BLOCK.format("if (a)\n    h(a);"),
    "a condition in two lines": BLOCK.format("if (a &&\n        b)\n        h(a);"),
    "a label": BLOCK.format("one:\n    h(a);"),
    "a list": "int a[] = {\n    one,\n    two\n};\nenum b {\n    THREE,\n    FOUR\n};\n",
    "old parameters": "int f(a, b)\nint a;\nchar *b;\n{\n    return a;\n}\n",
    "a type on a line of its own": "static struct one *\nf(int a)\n{\n    return 0;\n}\n",
    "a type and a name": "static one_t\nf(int a)\n{\n    return 0;\n}\n",
    "a directive between": BLOCK.format("a = 1\n#ifdef B\n    + b\n#endif\n    ;"),
    "an attribute": "int f(int a)\n    LIB_PURE;\nint g(int a);\n",
}


def ends(text: str, name: str = "c") -> list[str]:
    """The lines that lack their semicolon."""
    layout = Layout(LANGUAGES[name], text.encode())
    return [text.encode()[: layout.found[at].end].decode().split("\n")[-1] for at in open_ends(layout)]


@pytest.mark.parametrize("what", MISSING)
def test_a_missing_semicolon_is_seen_in_the_layout(what: str) -> None:
    assert len(ends(MISSING[what])) == 1


@pytest.mark.parametrize("what", NONE)
@pytest.mark.parametrize("name", ["c", "cpp"])
def test_a_line_that_goes_on_or_may_be_a_macro_lacks_none(what: str, name: str) -> None:
    assert ends(NONE[what], name) == []


@pytest.mark.parametrize("text", ["", "}", ")", "{", "a\nb", "(((", "é\n😀", "A B\nC(\n", "{" * 300 + "a\nb"])
def test_any_text_is_looked_at(text: str) -> None:
    ends(text)


def test_a_macro_or_a_directive_in_the_statement_is_a_doubt() -> None:
    text = b"int a;\nLIB_API int b c;\nint d e;\nint f[] = {\n#if 1\n  1\n#endif\n};\n"
    layout = Layout(LANGUAGES["c"], text)
    places = [text.index(b"b c"), text.index(b"d e"), text.index(b"  1") + 2]
    assert [doubtful(layout, at, at + 1) for at in places] == [True, False, True]


@pytest.mark.parametrize(
    ("word", "expected"), [("whiel", ("while",)), ("fro", ("for",)), ("esle", ("else",)), ("while", ()), ("é", ())]
)
def test_a_slip_is_corrected(word: str, expected: tuple[str, ...]) -> None:
    assert corrections(LANGUAGES["c"], word.encode()) == expected
