"""Python."""

import ast
import builtins
import keyword
import threading
import warnings

from ast_tools.languages.record import Language, Lexis, words

_ONE_PARSE = threading.Lock()
"""CPython 3.11 counts the depth of a tree per interpreter, so two parses at once end in a SystemError; and the filter
of warnings is the process's."""


def accepts(text: bytes) -> bool:
    """Whether CPython's own parser takes the text; the grammar also takes Python 2."""
    try:
        with _ONE_PARSE, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text.decode("utf-8", "replace"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


PYTHON = Language(
    name="python",
    lsp_ids=frozenset({"python"}),
    extensions=frozenset({".py", ".pyi", ".pyw"}),
    grammar="tree_sitter_python:language",
    queries=("python",),
    lexis=Lexis(
        strings=(('"""', '"""', True), ("'''", "'''", True), ('"', '"', False), ("'", "'", False)),
        string_prefix="[A-Za-z]{0,2}",
    ),
    line_comment="#",
    block_comment=None,
    indent_based=True,
    block_opener=":",
    docstring="inside",
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
    keywords=frozenset(keyword.kwlist) | {"print", "self"},
    builtins=frozenset(dir(builtins)),
    accepts=accepts,
)
