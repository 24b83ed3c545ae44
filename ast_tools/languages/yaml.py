"""YAML: what is a bracket depends on what a value begins with, so a tree knows better than a scanner."""

from ast_tools.languages.record import DATA_CLAIMS, NOTHING, Language, Lexis, Quote, words

YAML = Language(
    name="yaml",
    lsp_ids=frozenset({"yaml"}),
    extensions=frozenset({".yaml", ".yml"}),
    grammar="tree_sitter_yaml:language",
    queries=("yaml",),
    lexis=Lexis(
        strings=(Quote('"', '"', lines=True), Quote("'", "'", lines=True, escape="''")),
        # A plain value may hold quotes and brackets, if it does not begin with one.
        marks=(
            ("word", r"(?<=[:-] )[^\s\[\]{},#&*!|>'\"%@`?-][^\r\n\[\]{},]*?(?=:?[ \t]*$|: | \#)"),
            ("word", r"[A-Za-z_\x80-\xff](?:[\w\x80-\xff ./-]|'(?=\w))*"),
        ),
        comment=r"(?<![^\s])\#[^\r\n]*",
        exact=False,
    ),
    claims=DATA_CLAIMS,
    line_comment="#",
    block_comment=None,
    indent_based=True,
    block_opener=":",
    docstring="before",
    bodies=frozenset({"document", "block_mapping", "block_sequence", "flow_mapping", "flow_sequence"}),
    identifiers=NOTHING,
    strings=frozenset({"double_quote_scalar", "single_quote_scalar", "block_scalar"}),
    comments=frozenset({"comment"}),
    string_holes=NOTHING,
    statement_words=NOTHING,
    block_words=NOTHING,
    continuation_words=NOTHING,
    keywords=words("true false null yes no on off"),
)
