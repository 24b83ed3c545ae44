"""The scanner tells brackets that count from those in strings, characters, comments and lines of a preprocessor."""

import time
from itertools import pairwise

import pytest

from ast_tools import LANGUAGES
from ast_tools.lexer import tokens
from ast_tools.wordpairs import unmatched_words


def brackets(name: str, text: str) -> str:
    found = tokens(LANGUAGES[name], text.encode())
    return "".join(token.text.decode() for token in found if token.kind in ("open", "close"))


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("python", "é = f'(' + rb\"[\" + '''{\n(''' # )\n[1]", "[]"),
        ("javascript", "`é${ `b${ '}' /* ` */ }` + {a: /}/} }c(` + x / 2 / (3)", "()"),
        ("javascript", "f(/[/)]/, a / b)", "()"),
        ("typescript", "type A = `${B}(` | ['é']", "[]"),
        ("java", 'char c = \'(\', d = \'\\\'\'; String s = """\n  "é(" \\"""\n""" + "[\\"" /* { */ ; f()', "()"),
        ("c", "char c = '\\'', d = \"é(\\\n[\"; // { \\\n (\nint a[2];", "[]"),
        ("c", "#define A(x) ( \\\n  [ x /* ) */\n#include <it's.h>\n{}", "{}"),
        ("c", '#if A // "\nif (a) {\n#elif B\n#if C\nwhile (b) {\n#endif\n#else\n(\n#endif\n}', "(){}"),
        ("c", "#if 0\ndon't (\n#else\n[\n#endif\n]\n#if 0\n(((\n#elif A\n{\n#else\n(\n#endif\n}", "[]{}"),
        ("c", "x = 1;\n#else\n(\n", "("),
        ("cpp", 'auto s = u8R"é( )" ( )é" + R"([)" + L\'(\' ; int n = 1\'000\'0 + f(0);', "()"),
        ("go", "s := `é(\\` + \"[\\\"\" + string('(') + string('\\'') // {", "()()"),
        ("rust", "fn f<'a>(x: &'a str) -> char { '(' } // '\n'l: loop { b'{'; '\\u{28}'; 'é' }", "(){}{}"),
        ("rust", 'r#"("#; r##"é"#("##; br"\\"; "[\n{\\""; /* ( /* [ */ { */ [1]', "[]"),
    ],
)
def test_brackets_that_count(name: str, text: str, wanted: str) -> None:
    assert brackets(name, text) == wanted


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("python", "x = 'é(\ny = [", "'é("),
        ("python", 'x = """é(\ny = [', '"""é(\ny = ['),
        ("javascript", "x = `${ (\ny", "`${ (\ny"),
        ("rust", "/* /* é */\n(", "/* /* é */\n("),
        ("rust", 'r#"("\n', 'r#"("\n'),
        ("cpp", 'R"d( )"\n(', 'R"d( )"\n('),
        ("java", "char c = 'é;\n(", "'é;"),
    ],
)
def test_a_string_or_comment_without_its_end(name: str, text: str, wanted: str) -> None:
    found = tokens(LANGUAGES[name], text.encode())
    assert [token.text.decode() for token in found if token.kind == "unclosed"] == [wanted]


HOSTILE = (
    "(", "`${", "/*", "#if 0\n", "#else\n", "#if x\n#else\n", 'r#"', "'", '"\\', "\\", "a", 'R"', '"${', '"#{', "\x00",
    " ", "%w{", "<<A ", "<<~A\n", "$(", "case x in ", "--[[", '$"{', "<?php ", "/", '"\\(', '#"', "--[=", "'é",
    "=begin\n", "do ", "end ", "if x\n", "{ ", "\n  ", "''", '""', "$a$", "a: ", "<!--", "=~ ",
)  # fmt: skip


@pytest.mark.parametrize("name", LANGUAGES)
def test_hostile_text_takes_time_in_proportion(name: str) -> None:
    for piece in HOSTILE:
        text = (piece * 10_000)[:10_000].encode()
        started = time.process_time()
        found = tokens(LANGUAGES[name], text)
        unmatched_words(LANGUAGES[name], found)
        assert time.process_time() - started < 0.4, piece
        assert all(one.end <= other.start for one, other in pairwise(found)), piece
