"""Kotlin."""

from ast_tools.languages.record import Language, Lexis, Quote, words

STATEMENT_WORDS = words(
    "break class continue do else for fun if import interface object package return throw try val var"
)
BLOCK_WORDS = words("if else for while do try catch finally when class object interface fun init")

KOTLIN = Language(
    name="kotlin",
    lsp_ids=frozenset({"kotlin"}),
    extensions=frozenset({".kt", ".kts"}),
    grammar="tree_sitter_kotlin:language",
    queries=("kotlin",),
    lexis=Lexis(
        strings=(
            Quote('"""', r'"""(?!")', lines=True, escape="", hole=r"\$\{"),
            Quote('"', '"', hole=r"\$\{"),
            Quote("'", "'"),
        ),
        marks=(("word", r"`[^`\r\n]*`"),),
        nested_comments=True,
    ),
    line_comment="//",
    block_comment=("/*", "*/"),
    indent_based=False,
    indent="    ",
    block_opener="{",
    docstring="before",
    doc_comments=("/**",),
    attribute_marks=("@",),
    bodies=frozenset({"source_file", "block", "class_body", "enum_class_body", "lambda_literal", "when_expression"}),
    identifiers=frozenset({"identifier"}),
    strings=frozenset({"string_literal", "multiline_string_literal", "character_literal"}),
    comments=frozenset({"line_comment", "block_comment"}),
    string_holes=frozenset({"interpolation"}),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else", "catch", "finally"}),
    keywords=STATEMENT_WORDS
    | BLOCK_WORDS
    | words(
        "abstract annotation as by companion const constructor crossinline data enum expect actual external false",
        "final get in infix inline inner internal is lateinit noinline null open operator out override private",
        "protected public reified sealed set super suspend tailrec this true typealias typeof vararg where value",
    ),
    builtins=words(
        "Any Array Boolean Byte Char Double Float Int List Long Map MutableList MutableMap Nothing Pair Set Short",
        "String Unit Exception IllegalArgumentException IllegalStateException listOf mutableListOf mapOf setOf",
        "println print require check error let run apply also with it map filter forEach joinToString lazy",
    ),
)  # fmt: skip
