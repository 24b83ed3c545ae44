"""TypeScript and its dialect with JSX: JavaScript's record with what types add."""

from dataclasses import replace

from ast_tools.languages.javascript import BODIES, IDENTIFIERS, JAVASCRIPT, KEYWORDS, LEXIS, STATEMENT_WORDS, STRINGS
from ast_tools.languages.record import words

TYPESCRIPT = replace(
    JAVASCRIPT,
    name="typescript",
    lsp_ids=frozenset({"typescript"}),
    extensions=frozenset({".ts", ".mts", ".cts"}),
    grammar="tree_sitter_typescript:language_typescript",
    queries=("javascript", "typescript"),
    bodies=BODIES | {"interface_body", "object_type", "enum_body"},
    identifiers=IDENTIFIERS | {"type_identifier"},
    strings=STRINGS | {"template_literal_type"},
    statement_words=STATEMENT_WORDS | {"interface", "enum", "namespace"},
    keywords=KEYWORDS | words("abstract as declare enum implements interface keyof namespace readonly type"),
)

TSX = replace(
    TYPESCRIPT,
    name="tsx",
    # The text between tags may hold any bracket or quote.
    lexis=replace(LEXIS, exact=False),
    lsp_ids=frozenset({"typescriptreact"}),
    extensions=frozenset({".tsx"}),
    grammar="tree_sitter_typescript:language_tsx",
)
