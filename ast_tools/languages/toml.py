"""TOML."""

from ast_tools.languages.record import DATA_CLAIMS, NOTHING, Language, Lexis, Quote, words

TOML = Language(
    name="toml",
    lsp_ids=frozenset({"toml"}),
    extensions=frozenset({".toml"}),
    filenames=frozenset({"Cargo.lock", "poetry.lock", "uv.lock"}),
    grammar="tree_sitter_toml:language",
    queries=("toml",),
    lexis=Lexis(
        strings=(
            Quote('"""', r'"""(?!")', lines=True),
            Quote("'''", r"'''(?!')", lines=True, escape=""),
            Quote('"', '"'),
            Quote("'", "'", escape=""),
        ),
    ),
    claims=DATA_CLAIMS,
    line_comment="#",
    block_comment=None,
    indent_based=False,
    block_opener="[",
    docstring="before",
    bodies=frozenset({"document", "table", "table_array_element", "array", "inline_table"}),
    identifiers=frozenset({"bare_key"}),
    strings=frozenset({"string", "quoted_key"}),
    comments=frozenset({"comment"}),
    string_holes=NOTHING,
    statement_words=NOTHING,
    block_words=NOTHING,
    continuation_words=NOTHING,
    keywords=words("true false"),
)
