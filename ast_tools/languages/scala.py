"""Scala, with braces or by indentation."""

from ast_tools.languages.record import Language, Lexis, Quote, words

STATEMENT_WORDS = words("case class def do else export for given if import object package return throw trait try type")
BLOCK_WORDS = words("if else for while do try catch finally match class object trait enum def given extension")

SCALA = Language(
    name="scala",
    lsp_ids=frozenset({"scala"}),
    extensions=frozenset({".scala", ".sc", ".sbt"}),
    grammar="tree_sitter_scala:language",
    queries=("scala",),
    lexis=Lexis(
        strings=(
            Quote(r'[A-Za-z]\w*"""', r'"""(?!")', lines=True, escape="", hole=r"\$\{"),
            Quote('"""', r'"""(?!")', lines=True, escape=""),
            Quote(r'[A-Za-z]\w*"', '"', hole=r"\$\{"),
            Quote('"', '"'),
        ),
        marks=(
            # A character is told from a symbol by its closing quote.
            (
                "string",
                r"'(?:\\(?:u+[0-9A-Fa-f]{4}|[^\r\n])|[^\\'\r\n\x80-\xff]|[\xc0-\xff][\x80-\xbf]*)'",
            ),
            ("word", r"'[A-Za-z_][\w]*"),
            ("word", r"`[^`\r\n]*`"),
        ),
        nested_comments=True,
    ),
    line_comment="//",
    block_comment=("/*", "*/"),
    indent_based=False,
    block_opener="{",
    docstring="before",
    doc_comments=("/**",),
    attribute_marks=("@",),
    bodies=frozenset({
        "compilation_unit", "block", "template_body", "indented_block", "case_block", "indented_cases", "enum_body",
        "with_template_body",
    }),
    identifiers=frozenset({"identifier", "type_identifier", "operator_identifier"}),
    strings=frozenset({"string", "interpolated_string_expression", "character_literal"}),
    comments=frozenset({"comment", "block_comment"}),
    string_holes=frozenset({"interpolation"}),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else", "catch", "finally", "yield", "then"}),
    keywords=STATEMENT_WORDS
    | BLOCK_WORDS
    | words(
        "abstract extends final forSome implicit lazy new null override private protected sealed super this true false",
        "val var with yield then using end inline opaque derives",
    ),
    builtins=words(
        "Any AnyRef Boolean Double Either Int List Long Map None Nothing Nil Option Right Left Seq Set Some",
        "String Unit Vector Array Future Try Success Failure println map flatMap filter foreach foldLeft",
        "getOrElse apply",
    ),
)  # fmt: skip
