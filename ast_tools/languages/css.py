"""CSS."""

from ast_tools.languages.record import DATA_CLAIMS, NOTHING, Language, Lexis, Quote

CSS = Language(
    name="css",
    lsp_ids=frozenset({"css"}),
    extensions=frozenset({".css"}),
    grammar="tree_sitter_css:language",
    queries=("css",),
    lexis=Lexis(strings=(Quote('"', '"'), Quote("'", "'")), word=r"[A-Za-z_\x80-\xff-][\w\x80-\xff-]*"),
    claims=DATA_CLAIMS,
    loose=True,
    line_comment="/*",
    block_comment=("/*", "*/"),
    indent_based=False,
    block_opener="{",
    docstring="before",
    bodies=frozenset({"stylesheet", "block", "keyframe_block_list"}),
    identifiers=frozenset({"identifier", "property_name", "class_name", "id_name", "tag_name"}),
    strings=frozenset({"string_value"}),
    comments=frozenset({"comment", "js_comment"}),
    string_holes=NOTHING,
    statement_words=NOTHING,
    block_words=NOTHING,
    continuation_words=NOTHING,
)
