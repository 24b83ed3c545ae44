"""LANGUAGES: one record per language, one file per family of records."""

from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

from ast_tools.languages.c import CPP, C
from ast_tools.languages.go import GO
from ast_tools.languages.java import JAVA
from ast_tools.languages.javascript import JAVASCRIPT
from ast_tools.languages.python import PYTHON
from ast_tools.languages.record import Language, Lexis
from ast_tools.languages.rust import RUST
from ast_tools.languages.typescript import TSX, TYPESCRIPT

__all__ = ["LANGUAGES", "Language", "Lexis", "language_of"]

LANGUAGES: Mapping[str, Language] = MappingProxyType(
    {language.name: language for language in (PYTHON, JAVASCRIPT, TYPESCRIPT, TSX, JAVA, C, CPP, GO, RUST)}
)


def language_of(lsp_id: str | None, path: str | None) -> Language | None:
    """The language an editor names (LSP languageId), else the one its file name says; None when unknown."""
    suffix = PurePath(path).suffix.lower() if path else ""
    for language in LANGUAGES.values():
        if lsp_id in language.lsp_ids:
            return language
    for language in LANGUAGES.values():
        if suffix in language.extensions:
            return language
    return None
