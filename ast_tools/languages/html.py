"""HTML: its brackets are tags, which a scanner does not know."""

from ast_tools.languages.record import DATA_CLAIMS, NOTHING, Language, Lexis, Quote

HTML = Language(
    name="html",
    lsp_ids=frozenset({"html"}),
    extensions=frozenset({".html", ".htm", ".xhtml"}),
    grammar="tree_sitter_html:language",
    queries=("html",),
    lexis=Lexis(
        strings=(Quote('(?<==)"', '"', lines=True, escape=""), Quote("(?<==)'", "'", lines=True, escape="")),
        brackets=False,
    ),
    claims=DATA_CLAIMS - {"brackets"},
    loose=True,
    line_comment="<!--",
    block_comment=("<!--", "-->"),
    indent_based=False,
    block_opener=">",
    docstring="before",
    bodies=frozenset({"document", "element"}),
    identifiers=frozenset({"tag_name", "attribute_name"}),
    strings=frozenset({"quoted_attribute_value"}),
    comments=frozenset({"comment"}),
    string_holes=NOTHING,
    statement_words=NOTHING,
    block_words=NOTHING,
    continuation_words=NOTHING,
)
