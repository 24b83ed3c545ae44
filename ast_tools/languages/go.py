"""Go."""

from ast_tools.languages.record import Language, Lexis, Quote, words

STATEMENT_WORDS = words(
    "break case const continue default defer else fallthrough for go goto if import package return select switch type",
    "var",
)
BLOCK_WORDS = words("if else for switch select func struct interface")

GO = Language(
    name="go",
    lsp_ids=frozenset({"go"}),
    extensions=frozenset({".go"}),
    grammar="tree_sitter_go:language",
    queries=("go",),
    lexis=Lexis(strings=(Quote("`", "`", lines=True, escape=""), Quote('"', '"'), Quote("'", "'"))),
    utf8_only=True,
    line_comment="//",
    block_comment=("/*", "*/"),
    indent_based=False,
    indent="\t",
    block_opener="{",
    docstring="before",
    doc_comments=("//", "/*"),
    bodies=frozenset({
        "source_file", "block", "statement_list", "field_declaration_list", "interface_type", "import_spec_list",
        "var_spec_list", "const_declaration", "expression_switch_statement", "type_switch_statement",
        "select_statement", "expression_case", "default_case", "type_case", "communication_case",
    }),
    identifiers=frozenset({"identifier", "field_identifier", "type_identifier", "package_identifier", "label_name"}),
    strings=frozenset({"interpreted_string_literal", "raw_string_literal", "rune_literal"}),
    comments=frozenset({"comment"}),
    string_holes=frozenset(),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else"}),
    keywords=STATEMENT_WORDS | BLOCK_WORDS | words("chan map range nil true false iota"),
    builtins=words(
        "append cap clear close complex copy delete imag len make max min new panic print println real recover any",
        "bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string uint",
        "uint8 uint16 uint32 uint64 uintptr fmt Printf Println Sprintf Errorf errors strings strconv os io ctx err",
    ),
)  # fmt: skip
