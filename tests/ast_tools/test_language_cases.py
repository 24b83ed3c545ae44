"""Every language answers every question it claims to: golden answers about one whole file of each."""

import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from ast_tools import (
    LANGUAGES,
    Language,
    SyntaxTree,
    blocks,
    calls,
    comments,
    definitions,
    functions,
    imports,
    language_of,
    names,
    parse,
    read,
    references,
    scopes,
    strings,
    tags,
)
from ast_tools.grammar import KINDS, compiled, grammar, query
from ast_tools.leaves import leaves
from ast_tools.lexer import tokens, unmatched
from ast_tools.wordpairs import unmatched_words
from tests.support.cases import Case, case_id, cases

CASES = cases("languages")


def sample(case: Case) -> SyntaxTree:
    name, source = case.input()
    language = language_of(None, name)
    assert language is not None
    tree = parse(language, source.encode(), 5.0)
    assert tree is not None
    return tree


def shown(tree: SyntaxTree, start: int, end: int) -> str:
    """A range as `line: its first words`."""
    lines = tree.text[start:end].decode().strip().split("\n")
    more = " ..." if len(lines) > 1 else ""
    return f"{line_of(tree, start)}: {lines[0].strip()[:70]}{more}"


def line_of(tree: SyntaxTree, offset: int) -> int:
    return tree.text.count(b"\n", 0, offset) + 1


def lines_of(tree: SyntaxTree, start: int, end: int) -> str:
    first, last = line_of(tree, start), line_of(tree, end)
    return str(first) if first == last else f"{first}-{last}"


def of_brackets(tree: SyntaxTree) -> Iterator[str]:
    found = read(tree.language, tree.text, tree)
    yield "".join(token.text.decode() for token in found if token.kind in ("open", "close"))


def of_scopes(tree: SyntaxTree) -> Iterator[str]:
    for scope in scopes(tree):
        yield f"{scope.kind} {scope.name} {lines_of(tree, scope.start, scope.end)} | {shown(tree, *scope.header)}"


def of_definitions(tree: SyntaxTree) -> Iterator[str]:
    for one in definitions(tree):
        said = f" | {one.docstring!r}" if one.docstring is not None else ""
        yield f"{one.kind} {one.container or ''}.{one.name} | {shown(tree, *one.signature)}{said}"


def of_calls(tree: SyntaxTree) -> Iterator[str]:
    for call in calls(tree):
        yield f"{call.name} | {shown(tree, *call.arguments)}"


def of_references(tree: SyntaxTree) -> Iterator[str]:
    by_line: dict[int, list[str]] = {}
    for one in references(tree):
        by_line.setdefault(line_of(tree, one.start), []).append(f"{one.kind} {one.name}")
    for line, found in by_line.items():
        yield f"{line}: {', '.join(found)}"


def of_names(tree: SyntaxTree) -> Iterator[str]:
    for name in names(tree):
        yield f"{line_of(tree, name.start)}: {name.kind} {name.name} in {lines_of(tree, *name.known)}"


def of_imports(tree: SyntaxTree) -> Iterator[str]:
    for span in imports(tree):
        yield shown(tree, *span)


def of_blocks(tree: SyntaxTree) -> Iterator[str]:
    for block in blocks(tree):
        yield f"{block.kind} {lines_of(tree, block.start, block.end)} | {shown(tree, block.owner, block.end)}"


def of_comments(tree: SyntaxTree) -> Iterator[str]:
    for span in comments(tree):
        yield shown(tree, *span)


def of_strings(tree: SyntaxTree) -> Iterator[str]:
    for span in strings(tree):
        yield shown(tree, *span)


def of_functions(tree: SyntaxTree) -> Iterator[str]:
    for one in functions(tree):
        params = ", ".join(f"{param.name}: {param.annotation} = {param.default} ({param.kind})" for param in one.params)
        facts = [
            fact
            for fact, holds in (("value", one.returns_value), ("yields", one.yields), ("async", one.is_async))
            if holds
        ]
        facts += [f"raises {raised}" for raised in one.raises]
        yield f"{one.kind} {one.container or ''}.{one.name}({params}) -> {one.returns} [{', '.join(facts)}]"


def of_tags(tree: SyntaxTree) -> Iterator[str]:
    by_line: dict[int, list[str]] = {}
    for tag in tags(tree):
        by_line.setdefault(line_of(tree, tag.start), []).append(f"{tag.role} {tag.kind} {tag.name}")
    for line, found in by_line.items():
        yield f"{line}: {', '.join(found)}"


QUESTIONS: dict[str, Callable[[SyntaxTree], Iterator[str]]] = {
    "brackets": of_brackets,
    "scopes": of_scopes,
    "definitions": of_definitions,
    "calls": of_calls,
    "references": of_references,
    "names": of_names,
    "imports": of_imports,
    "functions": of_functions,
    "tags": of_tags,
    "blocks": of_blocks,
    "comments": of_comments,
    "strings": of_strings,
}


def test_there_is_a_case_for_every_language() -> None:
    known = {sample(case).language.name for case in CASES}
    assert known == {language.name for language in LANGUAGES.values() if language.extensions}


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_a_language_answers_what_it_claims(case: Case) -> None:
    tree = sample(case)
    assert not tree.has_error, str(tree.root)
    assert tree.language.claims <= QUESTIONS.keys()
    for question, answer in QUESTIONS.items():
        if question in tree.language.claims:
            found = "\n".join(answer(tree))
            assert found, question
            case.check(question, found)


@pytest.mark.parametrize("case", [case for case in CASES if sample(case).language.lexis.exact], ids=case_id)
def test_the_scanner_finds_the_brackets_of_the_grammar(case: Case) -> None:
    tree = sample(case)
    found = [(t.start, t.text) for t in tokens(tree.language, tree.text) if t.kind in ("open", "close")]
    wanted = [(t.start, t.text) for t in leaves(tree) if t.kind in ("open", "close")]
    assert found == (wanted if tree.language.lexis.brackets else [])


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_brackets_and_words_of_a_clean_file_match(case: Case) -> None:
    tree = sample(case)
    found = read(tree.language, tree.text, tree)
    assert not any(token.kind == "unclosed" for token in found)
    assert unmatched(found) == ([], [])
    assert unmatched_words(tree.language, found) == ([], [])


NODE_TYPES = ("bodies", "identifiers", "strings", "comments", "string_holes", "unread")


@pytest.mark.parametrize("name", LANGUAGES)
def test_node_types_are_those_of_the_grammar(name: str) -> None:
    language, known = LANGUAGES[name], grammar(name)
    assert known is not None
    for field in NODE_TYPES:
        for path in getattr(language, field):
            kind, _, part = path.partition(".")
            assert known.id_for_node_kind(kind, True), f"{field}: {path}"
            if part:
                assert known.field_id_for_name(part) or known.id_for_node_kind(part, False), f"{field}: {path}"


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_query_compiles_soon_and_every_file_is_one(name: str) -> None:
    compiled.cache_clear()
    query.cache_clear()
    for folder in LANGUAGES[name].queries:
        for path in (Path("ast_tools/queries") / folder).glob("*.scm"):
            assert path.stem in {*KINDS, "tags", "misuses"}, path
            started = time.process_time()
            assert query(name, path.stem) is not None, path
            # Some patterns cost the compiler of queries seconds where a grammar is large.
            assert time.process_time() - started < 1, path


@pytest.mark.parametrize("name", LANGUAGES)
def test_grammars_are_packages_of_their_own(name: str) -> None:
    assert find_spec(LANGUAGES[name].grammar.partition(":")[0]) is not None


def test_languages_differ_in_what_names_them() -> None:
    def once(of: Callable[[Language], frozenset[str]]) -> bool:
        every = [mark for language in LANGUAGES.values() for mark in of(language)]
        return len(every) == len(set(every))

    assert once(lambda language: language.lsp_ids)
    assert once(lambda language: language.extensions)
    assert once(lambda language: language.filenames)
