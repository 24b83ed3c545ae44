"""Errors that are only the grammar's are told from real ones."""

import pytest

from ast_tools import LANGUAGES, mend, parse
from ast_tools.readings import READINGS, readings
from ast_tools.slips import is_slip

CLEAN = {
    "a macro before a declaration": ("c", "LIB_EXPORT void one(int two);\n"),
    "attributes on a line of their own": ("c", "int one(const char *two)\n    __attribute__ ((nonnull));\n"),
    "a macro as a loop": ("c", "void f(void)\n{\n    LIST_FOREACH(one, &all, next) {\n        g(one);\n    }\n}\n"),
    "a loop in small letters": ("c", "void f(void)\n{\n    a = 1;\n    each(one, all) {\n        g(one);\n    }\n}\n"),
    "a macro without a semicolon": ("c", "void f(void)\n{\n    Py_BEGIN_ALL\n    g();\n    Py_END_ALL\n}\n"),
    "a directive inside a list": ("c", "int a[] = {\n    1,\n#ifdef TWO\n    2,\n#endif\n    3\n};\n"),
    "two heads of one block": ("c", "void f(int a)\n{\n#ifdef X\nif (a) {\n#else\nif (!a) {\n#endif\ng();\n}\n}\n"),
    "a type as an argument": ("c", "void f(va_list a)\n{\n    char *b = va_arg(a, char *);\n    g(b);\n}\n"),
    "a header of C++": ("c", "namespace one {\nclass two : public three {\n public:\n  explicit two(int a);\n};\n}\n"),
    "braces as a default": ("cpp", "void f(const Options &one = {});\n"),
    "variance": ("typescript", "interface One<in out A, out B> {\n  two: A\n}\n"),
    "overloads": ("typescript", "interface One {\n  (n: number): <A>(a: A) => B<A>\n  <A>(a: A, n: number): B<A>\n}\n"),
}  # fmt: skip
BROKEN = {
    "a semicolon": ("c", "LIB_EXPORT void one(int two);\nint f(void)\n{\n    int a = 1\n    return a;\n}\n"),
    "a bracket": ("c", "LIB_EXPORT void one(int two);\nint f(void)\n{\n    return g(1;\n}\n"),
    "a keyword": (
        "c",
        "LIB_EXPORT void one(int two);\nint f(int a)\n{\n    if (a)\n        a--;\n    esle\n        a++;\n}\n",
    ),
    "a comma": ("c", "LIB_EXPORT void one(int two);\nint f(int a)\n{\n    return g(a a);\n}\n"),
    "a quote": ("c", 'LIB_EXPORT void one(int two);\nint f(int a)\n{\n    return g("a);\n}\n'),
    "a type parameter": ("typescript", "interface One<in out A> {\n  two: A\n}\nconst a = [1, 2;\n"),
}


@pytest.mark.parametrize("what", CLEAN)
def test_what_the_grammar_alone_trips_over_is_not_reported(what: str) -> None:
    name, text = CLEAN[what]
    mended = mend(LANGUAGES[name], text.encode())
    assert mended is not None
    assert mended.faults == ()


def test_most_of_these_do_trip_the_grammar() -> None:
    trees = [parse(LANGUAGES[name], text.encode()) for name, text in CLEAN.values()]
    assert sum(tree is not None and tree.has_error for tree in trees) >= len(CLEAN) - 2


@pytest.mark.parametrize("what", BROKEN)
def test_a_real_error_is_reported_beside_them(what: str) -> None:
    name, text = BROKEN[what]
    mended = mend(LANGUAGES[name], text.encode())
    assert mended is not None
    assert mended.faults


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("text", ["", "(", "#if 1\n", "A(B(", "é(😀) {", "\x00", "A A A A A(A) {", "<in out", "a\n<b"])
def test_readings_are_as_long_as_the_text(name: str, text: str) -> None:
    raw = text.encode()
    assert all(len(reading) == len(raw) for _, reading in readings(LANGUAGES[name], raw))


@pytest.mark.parametrize(
    ("word", "expected"),
    [("whiel", True), ("retrun", True), ("fro", True), ("els", True), ("elsee", True), ("wjile", True),
     ("while", False), ("each", False), ("uwsgi_foreach", False), ("", False), ("x", False)],
)  # fmt: skip
def test_a_slip_is_one_letter_away_from_a_keyword(word: str, expected: bool) -> None:
    assert is_slip(LANGUAGES["c"], word.encode()) is expected
