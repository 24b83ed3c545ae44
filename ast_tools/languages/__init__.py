"""LANGUAGES: one record per language, one file per family of records."""

import re
from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

from ast_tools.languages.bash import BASH
from ast_tools.languages.c import CPP, C
from ast_tools.languages.csharp import CSHARP
from ast_tools.languages.css import CSS
from ast_tools.languages.go import GO
from ast_tools.languages.html import HTML
from ast_tools.languages.java import JAVA
from ast_tools.languages.javascript import JAVASCRIPT
from ast_tools.languages.json import JSON
from ast_tools.languages.kotlin import KOTLIN
from ast_tools.languages.lua import LUA
from ast_tools.languages.php import PHP, PHP_ONLY
from ast_tools.languages.python import PYTHON
from ast_tools.languages.record import Language, Lexis
from ast_tools.languages.ruby import RUBY
from ast_tools.languages.rust import RUST
from ast_tools.languages.scala import SCALA
from ast_tools.languages.sql import SQL
from ast_tools.languages.swift import SWIFT
from ast_tools.languages.toml import TOML
from ast_tools.languages.typescript import TSX, TYPESCRIPT
from ast_tools.languages.yaml import YAML
from ast_tools.languages.zig import ZIG

__all__ = ["LANGUAGES", "Language", "Lexis", "language_in", "language_of"]

_ALL = (
    PYTHON, JAVASCRIPT, TYPESCRIPT, TSX, JAVA, C, CPP, GO, RUST, CSHARP, RUBY, PHP, PHP_ONLY, BASH, SCALA, KOTLIN,
    SWIFT, LUA, ZIG, JSON, YAML, TOML, HTML, CSS, SQL,
)  # fmt: skip
LANGUAGES: Mapping[str, Language] = MappingProxyType({language.name: language for language in _ALL})


def language_of(lsp_id: str | None, path: str | None) -> Language | None:
    """The language an editor names (LSP languageId), else the one its file name says; None when unknown."""
    name, suffix = (PurePath(path).name, PurePath(path).suffix.lower()) if path else ("", "")
    for language in LANGUAGES.values():
        if lsp_id in language.lsp_ids:
            return language
    for language in LANGUAGES.values():
        if suffix in language.extensions or name in language.filenames:
            return language
    return None


def language_in(language: Language, text: bytes) -> Language:
    """The language of a text that may be a part of a file: PHP without `<?php` is code alone."""
    if language.piece is None or language.lexis.outside is None:
        return language
    whole = re.search(language.lexis.outside[0].encode(), text) is not None
    return language if whole else LANGUAGES[language.piece]
