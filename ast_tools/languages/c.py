"""C and C++: brackets in lines of the preprocessor, and in all but one branch of its conditions, need not match."""

from dataclasses import replace

from ast_tools.languages.record import Directives, Language, Lexis, Quote, words

LEXIS = Lexis(
    strings=(Quote('(?:u8|[uUL])?"', '"'), Quote("(?:u8|[uUL])?'", "'")),
    comment=r"//(?:\\\r?\n|[^\r\n])*",
    directives=Directives(
        mark=r"(?:\#|%:)",
        opening=words("if ifdef ifndef"),
        other=words("else elif elifdef elifndef"),
        closing=words("endif"),
        never=r"\(?[ \t]*0\b(?![ \t]*\|\|)",
    ),
    number=r"\.?\d(?:'?[\w.])*",
)
STATEMENT_WORDS = words("break case continue default do for goto if return switch while typedef")
BLOCK_WORDS = words("if else for while do switch struct union enum")
KEYWORDS = (
    STATEMENT_WORDS
    | BLOCK_WORDS
    | words(
        "auto char const double extern float inline int long register restrict short signed sizeof static unsigned",
        "void volatile _Bool _Atomic _Noreturn _Static_assert bool true false NULL",
    )
)
BUILTINS = words(
    "size_t ssize_t ptrdiff_t uint8_t uint16_t uint32_t uint64_t int8_t int16_t int32_t int64_t uintptr_t FILE stdin",
    "stdout stderr errno printf fprintf snprintf sprintf scanf puts putchar getchar malloc calloc realloc free memcpy",
    "memset memmove memcmp strlen strcmp strncmp strcpy strncpy strcat strchr strrchr strstr strdup exit abort assert",
    "fopen fclose fread fwrite fgets fputs EOF",
)
BODIES = frozenset({"translation_unit", "compound_statement", "field_declaration_list", "enumerator_list"})
IDENTIFIERS = frozenset({"identifier", "field_identifier", "type_identifier", "statement_identifier"})
STRINGS = frozenset({"string_literal", "char_literal", "system_lib_string", "concatenated_string"})
UNREAD = frozenset({
    "preproc_def", "preproc_function_def", "preproc_call", "preproc_include", "preproc_else", "preproc_elif",
    "preproc_elifdef", "preproc_if.condition",
})  # fmt: skip

C = Language(
    name="c",
    lsp_ids=frozenset({"c"}),
    extensions=frozenset({".c", ".h"}),
    grammar="tree_sitter_c:language",
    queries=("c",),
    lexis=LEXIS,
    line_comment="//",
    block_comment=("/*", "*/"),
    indent_based=False,
    indent="    ",
    block_opener="{",
    needs_semicolons=True,
    docstring="before",
    doc_comments=("/**", "///", "/*!", "//!"),
    bodies=BODIES,
    identifiers=IDENTIFIERS,
    strings=STRINGS,
    comments=frozenset({"comment"}),
    string_holes=frozenset(),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else"}),
    keywords=KEYWORDS,
    builtins=BUILTINS,
    unread=UNREAD,
)

CPP = replace(
    C,
    name="cpp",
    attribute_marks=("template", "requires", "[["),
    lsp_ids=frozenset({"cpp"}),
    extensions=frozenset({".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".h++", ".ipp", ".tpp", ".inl", ".cu"}),
    grammar="tree_sitter_cpp:language",
    queries=("c", "cpp"),
    lexis=replace(
        LEXIS,
        strings=(
            Quote(r'(?:u8|[uUL])?R"(?P<tag>[^()\\\s]{0,16})\(', r'\)(?P=tag)"', lines=True, escape=""),
            *LEXIS.strings,
        ),
    ),
    bodies=BODIES | {"declaration_list", "requirement_seq"},
    identifiers=IDENTIFIERS | {"namespace_identifier"},
    strings=STRINGS | {"raw_string_literal"},
    statement_words=STATEMENT_WORDS | words("try throw using namespace template co_return"),
    block_words=BLOCK_WORDS | words("class namespace try catch"),
    continuation_words=frozenset({"else", "catch"}),
    receivers=frozenset(),
    keywords=KEYWORDS
    | words(
        "alignas alignof catch class concept const_cast consteval constexpr co_await co_return co_yield decltype",
        "delete dynamic_cast explicit export final friend mutable namespace new noexcept nullptr operator override",
        "private protected public reinterpret_cast requires static_cast template this throw try typeid typename using",
        "virtual",
    ),
    builtins=BUILTINS
    | words(
        "std string vector map set unordered_map unordered_set pair tuple optional variant unique_ptr shared_ptr",
        "make_unique make_shared move forward cout cerr endl begin end size push_back emplace_back",
    ),
)
