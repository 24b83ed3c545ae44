"""Zig."""

from ast_tools.languages.record import Language, Lexis, Quote, words

STATEMENT_WORDS = words("break comptime const continue defer errdefer pub return suspend test usingnamespace var")
BLOCK_WORDS = words("if else for while switch fn struct enum union opaque comptime test")

ZIG = Language(
    name="zig",
    lsp_ids=frozenset({"zig"}),
    extensions=frozenset({".zig", ".zon"}),
    grammar="tree_sitter_zig:language",
    queries=("zig",),
    lexis=Lexis(
        strings=(Quote('"', '"'), Quote("'", "'")),
        marks=(("string", r"\\\\[^\r\n]*"), ("word", r'@"(?:[^"\\\r\n]|\\.)*"')),
    ),
    line_comment="//",
    block_comment=None,
    indent_based=False,
    indent="    ",
    block_opener="{",
    needs_semicolons=True,
    docstring="before",
    constructors=frozenset({"init"}),
    doc_comments=("///",),
    bodies=frozenset({
        "source_file", "block", "struct_declaration", "enum_declaration", "union_declaration", "opaque_declaration",
        "switch_expression", "error_set_declaration",
    }),
    identifiers=frozenset({"identifier"}),
    strings=frozenset({"string", "multiline_string", "character"}),
    comments=frozenset({"comment"}),
    string_holes=frozenset(),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else"}),
    receivers=frozenset({"self"}),
    keywords=STATEMENT_WORDS
    | BLOCK_WORDS
    | words(
        "addrspace align allowzero and anyframe anytype asm async await callconv catch enum error export extern",
        "false inline linksection noalias noinline nosuspend null or orelse packed resume threadlocal true try",
        "undefined union unreachable volatile",
    ),
    builtins=words(
        "std allocator Allocator self Self u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64 bool void type anyerror",
        "noreturn print expect init deinit append items mem debug testing @import @This @intCast @as @ptrCast",
    ),
)  # fmt: skip
