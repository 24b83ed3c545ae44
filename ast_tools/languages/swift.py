"""Swift."""

from ast_tools.languages.record import Language, Lexis, Quote, words

STATEMENT_WORDS = words(
    "break case class continue default defer do else enum extension fallthrough for func guard if import init let",
    "protocol repeat return struct switch throw typealias var while",
)
BLOCK_WORDS = words(
    "if else for while repeat do catch switch guard func class struct enum protocol extension init deinit get set",
    "defer",
)
_RAW = r"(?P<tag>\#+)"

SWIFT = Language(
    name="swift",
    lsp_ids=frozenset({"swift"}),
    extensions=frozenset({".swift"}),
    grammar="tree_sitter_swift:language",
    queries=("swift",),
    lexis=Lexis(
        strings=(
            Quote(_RAW + '"""', '"""(?P=tag)', lines=True, escape="", hole=r"\\(?P=tag)\("),
            Quote(_RAW + '"', '"(?P=tag)', escape="", hole=r"\\(?P=tag)\("),
            Quote(_RAW + "/", "/(?P=tag)", lines=True, escape=""),
            Quote('"""', '"""', lines=True, hole=r"\\\("),
            Quote('"', '"', hole=r"\\\("),
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
    constructors=frozenset({"init"}),
    doc_comments=("///", "/**"),
    attribute_marks=("@",),
    bodies=frozenset({
        "source_file", "statements", "class_body", "enum_class_body", "protocol_body", "switch_statement",
        "computed_property",
    }),
    identifiers=frozenset({"simple_identifier", "type_identifier", "identifier"}),
    strings=frozenset({"line_string_literal", "multi_line_string_literal", "raw_string_literal", "regex_literal"}),
    comments=frozenset({"comment", "multiline_comment"}),
    string_holes=frozenset({"interpolated_expression", "raw_str_interpolation"}),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else", "catch", "while"}),
    keywords=STATEMENT_WORDS
    | BLOCK_WORDS
    | words(
        "as associatedtype async await convenience dynamic false fileprivate final in indirect inout internal is lazy",
        "mutating nil nonmutating open operator optional override private public required rethrows self Self some any",
        "static subscript super throws true try unowned weak where willSet didSet actor",
    ),
    builtins=words(
        "Any Array Bool Character Dictionary Double Error Float Int Optional Result Set String UInt Void print",
        "map filter reduce forEach count append isEmpty first last URL Data Date Codable Equatable Hashable",
    ),
)  # fmt: skip
