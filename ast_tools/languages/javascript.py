"""JavaScript, with JSX."""

from ast_tools.languages.record import Language, Lexis, Quote, words

REGEX = Quote(r"/(?![*/])", r"/\w*", escape=r"\\[^\r\n]|\[(?:\\[^\r\n]|[^\]\\\r\n])*\]", due=True)
LEXIS = Lexis(
    strings=(Quote('"', '"'), Quote("'", "'"), Quote("`", "`", lines=True, hole=r"\$\{"), REGEX),
    operand_after=words("return typeof instanceof in of new delete void throw case do else yield await default"),
)
STATEMENT_WORDS = words(
    "break case catch const continue debugger do export finally let return switch throw try var while"
)
BLOCK_WORDS = words("if else for while do try catch finally switch function class")
KEYWORDS = (
    STATEMENT_WORDS
    | BLOCK_WORDS
    | words("async await delete extends import in instanceof new of super this typeof void with yield")
)
BUILTINS = words(
    "Array Boolean Buffer Date Error JSON Map Math Number Object Promise RegExp Set String Symbol TypeError console",
    "document exports module parseInt process require setTimeout undefined window",
)
BODIES = frozenset({"program", "statement_block", "class_body", "switch_body", "class_static_block"})
IDENTIFIERS = frozenset(
    {
        "identifier",
        "property_identifier",
        "shorthand_property_identifier",
        "shorthand_property_identifier_pattern",
        "private_property_identifier",
    }
)
STRINGS = frozenset({"string", "template_string", "regex"})
COMMENTS = frozenset({"comment", "html_comment", "hash_bang_line"})

JAVASCRIPT = Language(
    name="javascript",
    lsp_ids=frozenset({"javascript", "javascriptreact"}),
    extensions=frozenset({".js", ".jsx", ".mjs", ".cjs"}),
    grammar="tree_sitter_javascript:language",
    queries=("javascript", "untyped"),
    lexis=LEXIS,
    line_comment="//",
    block_comment=("/*", "*/"),
    indent_based=False,
    block_opener="{",
    docstring="before",
    doc_comments=("/**",),
    attribute_marks=("@",),
    constructors=frozenset({"constructor"}),
    bodies=BODIES,
    identifiers=IDENTIFIERS,
    strings=STRINGS,
    comments=COMMENTS,
    string_holes=frozenset({"template_substitution"}),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else", "catch", "finally"}),
    keywords=KEYWORDS,
    builtins=BUILTINS,
)
