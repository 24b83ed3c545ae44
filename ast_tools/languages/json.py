"""JSON, with comments where somebody writes them."""

from ast_tools.languages.record import DATA_CLAIMS, NOTHING, Language, Lexis, Quote, words

JSON = Language(
    name="json",
    lsp_ids=frozenset({"json", "jsonc"}),
    extensions=frozenset({".json", ".jsonc", ".jsonl", ".geojson", ".webmanifest"}),
    grammar="tree_sitter_json:language",
    queries=("json",),
    lexis=Lexis(strings=(Quote('"', '"'),)),
    claims=DATA_CLAIMS,
    line_comment="//",
    block_comment=("/*", "*/"),
    indent_based=False,
    block_opener="{",
    docstring="before",
    bodies=frozenset({"document", "object", "array"}),
    identifiers=NOTHING,
    strings=frozenset({"string"}),
    comments=frozenset({"comment"}),
    string_holes=NOTHING,
    statement_words=NOTHING,
    block_words=NOTHING,
    continuation_words=NOTHING,
    keywords=words("true false null"),
)
