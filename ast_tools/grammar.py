"""Grammars, parsers and queries: loaded on first use, kept for the life of the process.

Queries are never freed: some versions of tree-sitter corrupt memory when they are.
"""

import importlib
import warnings
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import tree_sitter

from ast_tools.languages import LANGUAGES, Language

Captures = dict[str, list[tree_sitter.Node]]

MATCH_LIMIT = 4096
"""Query states in flight; above it tree-sitter drops matches instead of taking quadratic time."""


@cache
def grammar(name: str) -> tree_sitter.Language:
    """The compiled grammar of the language with this name."""
    module, _, function = LANGUAGES[name].grammar.partition(":")
    return tree_sitter.Language(getattr(importlib.import_module(module), function)())


@cache
def query(name: str, kind: str) -> tree_sitter.Query:
    """The language's own query of one kind ("functions", "definitions", ...), its folders joined.

    "; replaces" on a file's first line says that it stands alone.
    """
    root = files("ast_tools") / "queries"
    sources: list[str] = []
    for folder in LANGUAGES[name].queries:
        path = root / folder / f"{kind}.scm"
        source = path.read_text("utf-8") if path.is_file() else ""
        sources = [source] if source.startswith("; replaces") else [*sources, source]
    return tree_sitter.Query(grammar(name), "\n".join(sources))


KINDS = ("scopes", "definitions", "imports", "calls", "functions", "params", "parts")


def warm(language: Language) -> Iterator[None]:
    """Compiles the language's grammar and queries, one at each step: a large grammar's take some 0.1 s each.

    For idle moments; whoever asks first pays otherwise.
    """
    for kind in KINDS:
        query(language.name, kind)
        yield


def parser(name: str, budget_s: float) -> tree_sitter.Parser:
    """A parser of its own for the caller; every parse of it stops after `budget_s`.

    `timeout_micros` is deprecated, but the `progress_callback` that replaces it crashes in this version.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return tree_sitter.Parser(grammar(name), timeout_micros=max(1, int(budget_s * 1e6)))


QUERY_BUDGET_S = 0.3
"""A query takes quadratic time in the children of one node: 30,000 brackets in a row would take seconds."""


def captures(name: str, kind: str, node: tree_sitter.Node) -> dict[str, list[tree_sitter.Node]]:
    """All captures of one of the language's queries in a node by their names, faster than their matches."""
    return _cursor(name, kind).captures(node)


def matches(name: str, kind: str, node: tree_sitter.Node, span: tuple[int, int] | None = None) -> list[Captures]:
    """All matches of one of the language's queries in a node, in the order of the text, as far as the budget goes."""
    cursor = _cursor(name, kind)
    if span is not None:
        cursor.set_byte_range(*span)
    return [captures for _, captures in cursor.matches(node)]


def _cursor(name: str, kind: str) -> tree_sitter.QueryCursor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return tree_sitter.QueryCursor(
            query(name, kind), match_limit=MATCH_LIMIT, timeout_micros=int(QUERY_BUDGET_S * 1e6)
        )
