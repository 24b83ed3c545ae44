"""Java."""

from ast_tools.languages.record import Language, Lexis, Quote, words

STATEMENT_WORDS = words("assert break case continue do for if import package return switch throw try while")
BLOCK_WORDS = words("if else for while do try catch finally switch synchronized class interface enum record")

JAVA = Language(
    name="java",
    lsp_ids=frozenset({"java"}),
    extensions=frozenset({".java"}),
    grammar="tree_sitter_java:language",
    queries=("java",),
    lexis=Lexis(strings=(Quote('"""', '"""', lines=True), Quote('"', '"'), Quote("'", "'"))),
    line_comment="//",
    block_comment=("/*", "*/"),
    indent_based=False,
    indent="    ",
    block_opener="{",
    needs_semicolons=True,
    docstring="before",
    doc_comments=("/**",),
    attribute_marks=("@",),
    bodies=frozenset({
        "program", "block", "class_body", "interface_body", "enum_body", "enum_body_declarations",
        "annotation_type_body", "constructor_body", "switch_block", "switch_block_statement_group", "module_body",
    }),
    identifiers=frozenset({"identifier", "type_identifier"}),
    strings=frozenset({"string_literal", "character_literal"}),
    comments=frozenset({"line_comment", "block_comment"}),
    string_holes=frozenset({"string_interpolation"}),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else", "catch", "finally"}),
    keywords=STATEMENT_WORDS
    | BLOCK_WORDS
    | words(
        "abstract boolean byte char const default double extends final float goto implements instanceof int long",
        "native new null permits private protected public sealed short static strictfp super this throws transient",
        "true false var void volatile yield when",
    ),
    builtins=words(
        "String Object Integer Long Double Boolean Character List ArrayList Map HashMap Set HashSet Optional Stream",
        "Collections Arrays Math System Exception RuntimeException IllegalArgumentException IllegalStateException",
        "NullPointerException IOException Override Thread Iterator Iterable StringBuilder Objects Function Supplier",
    ),
)  # fmt: skip
