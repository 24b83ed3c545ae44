"""Grammars, parsers and queries: loaded on first use, kept for the life of the process.

A grammar that is missing or does not load is no error: its language has no trees then, and every question about one
goes without an answer. Queries are never freed: some versions of tree-sitter corrupt memory when they are.
"""

import importlib
import logging
import warnings
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import tree_sitter

from ast_tools.languages import LANGUAGES, Language

log = logging.getLogger(__name__)

Captures = dict[str, list[tree_sitter.Node]]

MATCH_LIMIT = 4096
"""Query states in flight; above it tree-sitter drops matches instead of taking quadratic time."""


@cache
def grammar(name: str) -> tree_sitter.Language | None:
    """The compiled grammar of the language with this name; None, said once, when it is missing or does not load."""
    module, _, function = LANGUAGES[name].grammar.partition(":")
    try:
        known = tree_sitter.Language(getattr(importlib.import_module(module), function)())
        tree_sitter.Parser(known)  # which refuses another version's grammar; `Language` does not
    except (ImportError, AttributeError, ValueError, TypeError, OSError, SystemError) as exc:
        log.warning("No syntax for %s: its grammar (%s) does not load: %s", name, module, exc)
        return None
    return known


@cache
def query(name: str, kind: str) -> tree_sitter.Query | None:
    """The language's own query of one kind ("functions", "definitions", ...), its folders joined.

    "; replaces" on a file's first line says that it stands alone. None where the language has none of this kind, or
    its grammar is another version than the one the query was written for.
    """
    root = files("ast_tools") / "queries"
    sources: list[str] = []
    for folder in LANGUAGES[name].queries:
        path = root / folder / f"{kind}.scm"
        source = path.read_text("utf-8") if path.is_file() else ""
        sources = [source] if source.startswith("; replaces") else [*sources, source]
    return compiled(name, "\n".join(sources))


@cache
def compiled(name: str, source: str) -> tree_sitter.Query | None:
    """A query of the language; None when it is empty or the grammar does not know its nodes."""
    known = grammar(name)
    if known is None or not source.strip():
        return None
    try:
        return tree_sitter.Query(known, source)
    except tree_sitter.QueryError as exc:
        log.warning("A question about %s has no answers: %s", name, exc)
        return None


KINDS = ("scopes", "definitions", "imports", "calls", "functions", "params", "parts", "references", "names", "blocks")


def warm(language: Language) -> Iterator[None]:
    """Compiles the language's grammar and queries, one at each step: a large grammar's take some 0.1 s each.

    For idle moments; whoever asks first pays otherwise.
    """
    for kind in KINDS:
        query(language.name, kind)
        yield


def parser(name: str, budget_s: float) -> tree_sitter.Parser | None:
    """A parser of its own for the caller; every parse of it stops after `budget_s`. None without a grammar.

    `timeout_micros` is deprecated, but the `progress_callback` that replaces it crashes in this version.
    """
    known = grammar(name)
    if known is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return tree_sitter.Parser(known, timeout_micros=max(1, int(budget_s * 1e6)))


def set_budget(works: tree_sitter.Parser, budget_s: float) -> None:
    """From now on every parse of this parser, and one that was interrupted, stops after `budget_s`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        works.timeout_micros = max(1, int(budget_s * 1e6))  # type: ignore[misc]  # only the stub says read-only


QUERY_BUDGET_S = 0.3
"""A query takes quadratic time in the children of one node: 30,000 brackets in a row would take seconds."""


_NOT_UTF8 = (UnicodeDecodeError, SystemError)
"""What a query raises whose predicate looks at such bytes; the latter when it has looked at others since."""


def matches(name: str, kind: str, node: tree_sitter.Node, span: tuple[int, int] | None = None) -> list[Captures]:
    """All matches of one of the language's queries in a node, in the order of the text, as far as the budget goes."""
    asked = query(name, kind)
    if asked is None:
        return []
    try:
        return [captures for _, captures in _cursor(asked, span).matches(node)]
    except _NOT_UTF8:
        log.debug("No %s in a text that is not UTF-8", kind)
        return []


def captures(name: str, source: str, node: tree_sitter.Node, span: tuple[int, int] | None = None) -> Captures:
    """All captures of a query given as text, by their names."""
    return _captures(compiled(name, source), node, span)


def captured(name: str, kind: str, node: tree_sitter.Node) -> Captures:
    """All captures of one of the language's queries in a node, by their names: faster than their matches."""
    return _captures(query(name, kind), node, None)


def _captures(asked: tree_sitter.Query | None, node: tree_sitter.Node, span: tuple[int, int] | None) -> Captures:
    try:
        return _cursor(asked, span).captures(node) if asked is not None else {}
    except _NOT_UTF8:
        return {}


def _cursor(asked: tree_sitter.Query, span: tuple[int, int] | None) -> tree_sitter.QueryCursor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        cursor = tree_sitter.QueryCursor(asked, match_limit=MATCH_LIMIT, timeout_micros=int(QUERY_BUDGET_S * 1e6))
    if span is not None:
        cursor.set_byte_range(*span)
    return cursor
