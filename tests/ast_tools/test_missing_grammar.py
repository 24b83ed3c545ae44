"""A grammar that is missing or does not load is no error: the language is known, and has no trees."""

import ctypes
import logging
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from ast_tools import LANGUAGES, TreeSession, read, same_except_docstrings, wants_multiline, warm
from ast_tools import grammar as grammars
from tests.ast_tools.test_any_text import ask_everything

TEXT = b"package p\n\nfunc f(a int) {\n\tg(\"\xc3\xa9(\", `(`, '(')\n}\n"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """Grammars and queries are kept for the life of a process; here they must not be."""
    kept = (grammars.grammar, grammars.query, grammars.compiled)
    for one in kept:
        one.cache_clear()
    yield
    for one in kept:
        one.cache_clear()


def of_another_version() -> object:
    """What a grammar's module gives, of a version that no tree-sitter has."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    _MEMORY[0] = 99
    return new(ctypes.addressof(_MEMORY), b"tree_sitter.Language", None)


_MEMORY = (ctypes.c_uint32 * 256)()


def broken_module(name: str) -> ModuleType | None:
    module = ModuleType("tree_sitter_go")
    if name == "another version":
        module.language = of_another_version  # type: ignore[attr-defined]
    elif name == "not a grammar":
        module.language = lambda: "é"  # type: ignore[attr-defined]
    return module if name != "missing" else None


@pytest.mark.parametrize("how", ["missing", "another version", "not a grammar", "empty"])
def test_a_language_without_its_grammar(
    how: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "tree_sitter_go", broken_module(how))
    language = LANGUAGES["go"]
    session = TreeSession(language, TEXT)
    with caplog.at_level(logging.WARNING):
        assert session.advance() is None
    assert session.gave_up
    assert session.renew()
    assert len(caplog.records) == 1, "it is said once"
    assert list(warm(language))
    assert "".join(t.text.decode() for t in read(language, TEXT, None) if t.kind in ("open", "close")) == "(){()}"
    assert not same_except_docstrings(language, TEXT, TEXT)
    assert wants_multiline(None, b"func f() {\n\t\n}\n", 12, language)
    ask_everything(language, TEXT, 40)


def test_a_grammar_whose_nodes_have_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A query of ours that does not fit it has no answers."""
    import tree_sitter_json

    monkeypatch.setitem(sys.modules, "tree_sitter_go", tree_sitter_json)
    ask_everything(LANGUAGES["go"], TEXT, 40)
