"""PHP, in pages and alone: a text without `<?php` is a piece of one."""

from dataclasses import replace

from ast_tools.languages.record import Heredoc, Language, Lexis, Quote, words

STATEMENT_WORDS = words(
    "break case continue declare do echo for foreach global goto if namespace return switch throw try use while",
)
BLOCK_WORDS = words(
    "if else elseif for foreach while do try catch finally switch match function class interface trait enum",
)

PHP = Language(
    name="php",
    lsp_ids=frozenset({"php"}),
    extensions=frozenset({".php", ".phtml", ".php5", ".inc"}),
    grammar="tree_sitter_php:language_php",
    piece="php_only",
    queries=("php",),
    lexis=Lexis(
        strings=(
            Quote('[bB]?"', '"', lines=True, hole=r"\{(?=\$)|\$\{"),
            Quote("[bB]?'", "'", lines=True),
            Quote("`", "`", lines=True),
        ),
        marks=(("op", r"\#(?=\[)"),),
        heredocs=(Heredoc(r"""<<<[ \t]*(?P<q>["']?)(?P<tag>[A-Za-z_]\w*)(?P=q)""", r"^[ \t]*(?P=tag)\b"),),
        comment=r"(?://|\#(?!\[))(?:(?!\?>)[^\r\n])*",
        outside=(r"<\?(?:php\b|=)", r"\?>"),
    ),
    line_comment="//",
    block_comment=("/*", "*/"),
    indent_based=False,
    indent="    ",
    block_opener="{",
    needs_semicolons=True,
    docstring="before",
    constructors=frozenset({"__construct"}),
    doc_comments=("/**",),
    bodies=frozenset({
        "program", "compound_statement", "declaration_list", "enum_declaration_list", "switch_block", "colon_block",
        "case_statement", "default_statement", "match_block", "property_hook_list",
    }),
    identifiers=frozenset({"name", "variable_name"}),
    strings=frozenset({"string", "encapsed_string", "heredoc", "nowdoc", "shell_command_expression"}),
    comments=frozenset({"comment"}),
    string_holes=frozenset(),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else", "elseif", "catch", "finally"}),
    keywords=STATEMENT_WORDS
    | BLOCK_WORDS
    | words(
        "abstract and array as callable clone const default die empty endforeach endif endwhile eval exit extends",
        "false final fn implements include include_once instanceof insteadof int isset list new null or parent",
        "print private protected public readonly require require_once self static string true unset var void",
        "yield bool float mixed",
    ),
    builtins=words(
        "$this count strlen str_replace sprintf printf implode explode in_array array_map array_filter",
        "array_merge array_keys array_values is_array is_string json_encode json_decode var_dump Exception",
        "InvalidArgumentException RuntimeException Closure DateTime __construct",
    ),
    unread=frozenset({"text", "text_interpolation"}),
)  # fmt: skip

PHP_ONLY = replace(
    PHP,
    name="php_only",
    lsp_ids=frozenset(),
    extensions=frozenset(),
    grammar="tree_sitter_php:language_php_only",
    piece=None,
    unread=frozenset(),
)
