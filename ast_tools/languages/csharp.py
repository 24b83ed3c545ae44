"""C#."""

from ast_tools.languages.record import Directives, Language, Lexis, Quote, words

STATEMENT_WORDS = words(
    "break case continue do fixed for foreach goto if lock namespace return switch throw try using while"
)
BLOCK_WORDS = words(
    "if else for foreach while do try catch finally switch lock using namespace class struct interface enum record",
    "unsafe checked get set",
)

CSHARP = Language(
    name="csharp",
    lsp_ids=frozenset({"csharp"}),
    extensions=frozenset({".cs", ".csx"}),
    grammar="tree_sitter_c_sharp:language",
    queries=("csharp",),
    lexis=Lexis(
        strings=(
            Quote(r'\$\$+(?P<tag>"{3,9})(?!")', "(?P=tag)", lines=True, escape="", hole=r"\{\{"),
            Quote(r'\$(?P<tag>"{3,9})(?!")', "(?P=tag)", lines=True, escape="", hole=r"\{"),
            Quote(r'(?P<tag>"{3,9})(?!")', '(?P=tag)(?!")', lines=True, escape=""),
            Quote(r'(?:\$@|@\$)"', '"', lines=True, escape=r'""|\{\{', hole=r"\{(?!\{)"),
            Quote('@"', '"', lines=True, escape='""'),
            Quote(r'\$"', '"', escape=r"\\.|\{\{", hole=r"\{(?!\{)"),
            Quote('"', '"'),
            Quote("'", "'"),
        ),
        directives=Directives(
            mark=r"\#",
            opening=words("if"),
            other=words("else elif"),
            closing=words("endif"),
            never=r"false\b",
            continues=False,
        ),
        number=r"\d[\w.]*",
    ),
    line_comment="//",
    block_comment=("/*", "*/"),
    indent_based=False,
    indent="    ",
    block_opener="{",
    needs_semicolons=True,
    docstring="before",
    doc_comments=("///", "/**"),
    bodies=frozenset({
        "compilation_unit", "block", "declaration_list", "enum_member_declaration_list", "switch_body",
        "switch_section", "accessor_list",
    }),
    identifiers=frozenset({"identifier"}),
    strings=frozenset({
        "string_literal", "verbatim_string_literal", "raw_string_literal", "interpolated_string_expression",
        "character_literal",
    }),
    comments=frozenset({"comment"}),
    string_holes=frozenset({"interpolation"}),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else", "catch", "finally"}),
    keywords=STATEMENT_WORDS
    | BLOCK_WORDS
    | words(
        "abstract as async await base bool byte char const decimal default delegate double event explicit extern false",
        "float implicit in int internal is long new null object operator out override params private protected public",
        "readonly ref required sbyte sealed short sizeof static string this true typeof uint ulong ushort var virtual",
        "void volatile when where with yield init nameof not and or partial",
    ),
    builtins=words(
        "Console WriteLine String List Dictionary IEnumerable Task Exception ArgumentException ArgumentNullException",
        "InvalidOperationException DateTime Guid Math Func Action Object Array Enumerable Select Where ToList ToString",
    ),
    unread=frozenset({
        "preproc_if.condition", "preproc_else", "preproc_elif", "preproc_region", "preproc_endregion", "preproc_error",
        "preproc_warning", "preproc_pragma", "preproc_line", "preproc_define", "preproc_undef", "preproc_nullable",
    }),
)  # fmt: skip
