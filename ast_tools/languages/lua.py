"""Lua: words enclose blocks."""

from ast_tools.languages.record import Language, Lexis, Quote, Words, words

STATEMENT_WORDS = words("break do else elseif end for goto if local repeat return then until while")
BLOCK_WORDS = words("if elseif else for while repeat do function then")

LUA = Language(
    name="lua",
    lsp_ids=frozenset({"lua"}),
    extensions=frozenset({".lua", ".rockspec"}),
    grammar="tree_sitter_lua:language",
    queries=("lua",),
    lexis=Lexis(
        strings=(
            Quote(r"\[(?P<tag>=*)\[", r"\](?P=tag)\]", lines=True, escape=""),
            Quote('"', '"'),
            Quote("'", "'"),
        ),
        marks=(
            ("comment", r"--\[(?P<level>=*)\[(?s:.*?)\](?P=level)\]"),
            ("endless", r"--\[=*\["),
            ("comment", r"\A\#![^\r\n]*"),
        ),
    ),
    line_comment="--",
    block_comment=("--[[", "]]"),
    indent_based=False,
    block_opener="do",
    docstring="before",
    doc_comments=("---", "--[["),
    bodies=frozenset({"chunk", "block", "table_constructor"}),
    identifiers=frozenset({"identifier"}),
    strings=frozenset({"string"}),
    comments=frozenset({"comment", "hash_bang_line"}),
    string_holes=frozenset(),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else", "elseif", "end", "until", "then"}),
    pairs=(
        Words(
            openers=words("do for function if while"),
            closer="end",
            swallowed=(words("for while"), "do"),
            same_line=False,
        ),
        Words(openers=frozenset({"repeat"}), closer="until"),
    ),
    receivers=frozenset({"self"}),
    keywords=STATEMENT_WORDS | BLOCK_WORDS | words("and false in nil not or true"),
    builtins=words(
        "assert error getmetatable ipairs io math next os pairs pcall print rawget rawset require select setmetatable",
        "string table tonumber tostring type unpack insert remove concat format gsub match find sub self",
    ),
)
