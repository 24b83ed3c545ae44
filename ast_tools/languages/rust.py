"""Rust."""

from ast_tools.languages.record import Language, Lexis, Quote, words

STATEMENT_WORDS = words("let return break continue use pub mod fn struct enum trait impl type static extern")
BLOCK_WORDS = words("if else for while loop match unsafe fn struct enum trait impl mod union")

RUST = Language(
    name="rust",
    lsp_ids=frozenset({"rust"}),
    extensions=frozenset({".rs"}),
    grammar="tree_sitter_rust:language",
    queries=("rust",),
    lexis=Lexis(
        strings=(
            Quote(r'[bc]?r(?P<tag>\#*)"', '"(?P=tag)', lines=True, escape=""),
            Quote('[bc]?"', '"', lines=True),
        ),
        marks=(
            # A character is told from a lifetime by its closing quote.
            (
                "string",
                r"b?'(?:\\(?:u\{[^}'\r\n]*\}|x[^'\r\n]{0,2}|[^\r\n])|[^\\'\r\n\x80-\xff]|[\xc0-\xff][\x80-\xbf]*)'",
            ),
            ("word", r"'[A-Za-z_\x80-\xff][\w\x80-\xff]*"),
            ("word", r"r\#[A-Za-z_\x80-\xff][\w\x80-\xff]*"),
        ),
        nested_comments=True,
    ),
    utf8_only=True,
    line_comment="//",
    block_comment=("/*", "*/"),
    indent_based=False,
    indent="    ",
    block_opener="{",
    needs_semicolons=True,
    docstring="before",
    doc_comments=("///", "/**"),
    attribute_marks=("#[",),
    decorators=frozenset({"attribute_item"}),
    bodies=frozenset({
        "source_file", "block", "declaration_list", "field_declaration_list", "enum_variant_list", "match_block",
        "ordered_field_declaration_list",
    }),
    identifiers=frozenset({
        "identifier", "field_identifier", "type_identifier", "shorthand_field_identifier", "primitive_type",
    }),
    strings=frozenset({"string_literal", "raw_string_literal", "char_literal"}),
    comments=frozenset({"line_comment", "block_comment"}),
    string_holes=frozenset(),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else"}),
    receivers=frozenset({"self"}),
    keywords=STATEMENT_WORDS
    | BLOCK_WORDS
    | words("as async await const crate dyn false in move mut ref self Self super true where yield macro_rules"),
    builtins=words(
        "Vec String Option Some None Result Ok Err Box Rc Arc RefCell Cell HashMap HashSet BTreeMap Default Clone Copy",
        "Debug Display From Into Iterator Sized Send Sync Drop Fn FnMut FnOnce usize isize u8 u16 u32 u64 u128 i8 i16",
        "i32 i64 i128 f32 f64 bool char str println print eprintln format vec panic assert assert_eq write writeln",
        "todo unwrap expect iter map collect into to_string clone len push",
    ),
)  # fmt: skip
