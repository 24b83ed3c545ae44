"""Errors that are only the grammar's are told from real ones."""

import pytest

from ast_tools import LANGUAGES, Mended, apply, mend, parse, parse_as_written
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


MACROS = (
    "LIB_API void one(int two);\nint f(struct a *all)\n{\n    int n = 0;\n"
    "    EACH(a, all, next) {\n        n += g(a);\n    }\n{}\n    return n;\n}\n"
)


@pytest.mark.parametrize(
    ("good", "broken"), [("    n = h(n);", "    n = h(n;"), ("    n = h(n);\n    n++;", "    n = h(n)\n    n++;")]
)
def test_beside_macros_only_what_is_wrong_is_reported_and_mended(good: str, broken: str) -> None:
    before, after = (MACROS.replace("{}", line).encode() for line in (good, broken))
    assert mend(LANGUAGES["c"], before) == Mended()
    mended = mend(LANGUAGES["c"], after)
    assert mended is not None
    assert len(mended.faults) == 1
    # The grammar sees that a semicolon is missing where the next statement begins.
    assert after.count(b"\n", 0, mended.faults[0].start) in (7, 7 + good.count(";") - 1)
    assert apply(after, mended.guessed) in (before, after)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("namespace one {\nclass two : public three {\n public:\n  explicit two(int a);\n};\n}\n", "cpp"),
        ("template <class T>\nT one(T two);\n", "cpp"),
        ("int one(int namespace)\n{\n    namespace = 1\n    return namespace;\n}\n", "c"),
        ("int one(void);\n", "c"),
    ],
)
def test_a_header_is_read_in_the_language_it_is_in(text: str, name: str) -> None:
    tree = parse_as_written(LANGUAGES["c"], text.encode(), 1.0)
    assert tree is not None
    assert tree.language.name == name


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
