"""Python."""

import builtins
import codecs
import keyword
import re
import symtable
import threading
import warnings

from ast_tools.languages.record import Language, Lexis, Quote, words
from ast_tools.lines import Lines

_ONE_PARSE = threading.Lock()
"""CPython 3.11 counts the depth of a tree per interpreter, so two parses at once end in a SystemError; and the filter
of warnings is the process's."""


OUT_OF_PLACE = (
    "'return'",
    "'break' outside",
    "'continue' not",
    "'await' outside",
    "'yield",
    "'async",
    "asynchronous comprehension",
    "import * only",
    "nonlocal declaration",
    "no binding for nonlocal",
    "from __future__",
    "default 'except:'",
)
_CODING = rb"(?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n|\n|\r))?[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)"


def accepts(text: bytes) -> bool:
    """Whether CPython's own parser takes the text, which may be a part of a file; the grammar also takes Python 2."""
    source = _decoded(text)[0]
    if _has_symbols(source):
        return True
    try:
        _compile(source)
    except SyntaxError as error:
        return error.msg.startswith(OUT_OF_PLACE)
    except _REFUSALS:
        return False
    return True


def _has_symbols(source: str) -> bool:
    """Whether the parser takes a text and finds each name's scope: more than is asked, and yet faster than a tree."""
    try:
        with _ONE_PARSE, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            symtable.symtable(source, "<text>", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def locate(text: bytes) -> tuple[int, int, str] | None:
    """Where CPython's own compiler first stops: the bytes [start, end) and its words. None too where it names no place.

    A text in a coding that Python does not know cannot be judged.
    """
    source, coding = _decoded(text)
    try:
        _compile(source)
    except SyntaxError as error:
        if error.lineno is None or coding is None:
            return None
        lines = Lines(text)
        start = _offset(lines, error.lineno, error.offset, coding)
        end = _offset(lines, error.end_lineno or error.lineno, error.end_offset, coding)
        return start, end if end > start else lines.end(lines.line_at(start)), error.msg
    except _REFUSALS:
        return None
    return None


_REFUSALS = (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError)


def _compile(source: str) -> None:
    """Faster than `ast.parse`, which makes objects of the tree; also refuses statements that are out of place."""
    with _ONE_PARSE, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile(source, "", "exec", dont_inherit=True)


def _decoded(text: bytes) -> tuple[str, str | None]:
    """The text and its coding: UTF-8 where it fits (editors turn all into that), else the declared one, if any is."""
    try:
        return text.decode("utf-8").removeprefix("\ufeff"), "utf-8"
    except UnicodeDecodeError:
        declared = re.match(_CODING, text)
        coding = declared.group(1).decode() if declared is not None else "utf-8"
    try:
        return text.decode(coding, "replace"), coding
    except (LookupError, ValueError, AssertionError):
        return text.decode("utf-8", "replace"), None


def _offset(lines: Lines, line: int, column: int | None, coding: str) -> int:
    """The byte offset of a line and a column of characters, both from 1, as errors count them."""
    number = min(line, lines.count) - 1
    shown = lines.line(number)
    skipped = len(codecs.BOM_UTF8) if number == 0 and shown.startswith(codecs.BOM_UTF8) else 0
    before = shown[skipped:].decode(coding, "replace")[: max((column or 1) - 1, 0)]
    return lines.start(number) + min(len(shown), skipped + len(before.encode(coding, "replace")))


PYTHON = Language(
    name="python",
    lsp_ids=frozenset({"python"}),
    extensions=frozenset({".py", ".pyi", ".pyw"}),
    grammar="tree_sitter_python:language",
    queries=("python",),
    lexis=Lexis(
        strings=(
            Quote('[A-Za-z]{0,2}"""', '"""', lines=True),
            Quote("[A-Za-z]{0,2}'''", "'''", lines=True),
            Quote('[A-Za-z]{0,2}"', '"'),
            Quote("[A-Za-z]{0,2}'", "'"),
        ),
    ),
    line_comment="#",
    block_comment=None,
    indent_based=True,
    indent="    ",
    block_opener=":",
    docstring="inside",
    constructors=frozenset({"__init__", "__new__"}),
    bodies=frozenset({"module", "block"}),
    identifiers=frozenset({"identifier"}),
    strings=frozenset({"string", "concatenated_string"}),
    comments=frozenset({"comment"}),
    string_holes=frozenset({"interpolation"}),
    statement_words=words(
        "assert break class continue def del elif except finally global import nonlocal pass raise return try while",
        "with",
    ),
    block_words=words("if elif else for while try except finally with def class async match case"),
    continuation_words=frozenset({"elif", "else", "except", "finally"}),
    receivers=frozenset({"self", "cls", "mcs"}),
    utf8_only=True,
    keywords=frozenset(keyword.kwlist) | {"print", "self"},
    builtins=frozenset(dir(builtins)),
    empty_block="pass",
    stubs=(("", "if 1:"), ("else", "if 1:"), ("elif", "if 1:"), ("except", "try:"), ("finally", "try:"), ("case", "")),
    accepts=accepts,
    locate=locate,
    out_of_place=OUT_OF_PLACE,
    newer=("invalid syntax", "f-string", "unterminated", "expected '('", "multiple exception types must"),
)
