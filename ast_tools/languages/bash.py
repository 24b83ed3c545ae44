"""Bash and its relatives: words enclose blocks, a closing parenthesis ends the pattern of a case."""

from ast_tools.languages.record import Heredoc, Language, Lexis, Quote, Words, words

STATEMENT_WORDS = words("case do done elif else esac fi for function if in local return select then until while")
BLOCK_WORDS = words("if elif else for while until select case function then do")
_BEFORE = words("do else elif if then until while time")

BASH = Language(
    name="bash",
    lsp_ids=frozenset({"shellscript", "bash", "sh", "zsh"}),
    extensions=frozenset({".sh", ".bash", ".bats", ".zsh", ".ksh", ".ebuild"}),
    filenames=frozenset({".bashrc", ".bash_profile", ".profile", ".zshrc", "PKGBUILD"}),
    grammar="tree_sitter_bash:language",
    queries=("bash",),
    lexis=Lexis(
        strings=(
            Quote(r'\$?"', '"', lines=True, hole=r"\$[({]"),
            Quote(r"\$'", "'", lines=True),
            Quote("'", "'", lines=True, escape=""),
        ),
        marks=(
            ("word", r"(?<==~ )(?![\"'])[^\r\n]{0,300}?(?= \]\])"),
            ("op", r"\\(?:\r\n|(?s:.))"),
            ("op", "<<<"),
            ("word", r"\$[#?!$@*0-9-]"),
            ("word", r"(?<=\$\{)[#!]"),
            ("op", r"\$(?=[({])"),
        ),
        heredocs=(
            Heredoc(r"""<<-[ \t]*\\?(?P<q>["']?)(?P<tag>[A-Za-z_][\w.-]*)(?P=q)""", r"^\t*(?P=tag)(?=\r?$)"),
            Heredoc(r"""<<[ \t]*\\?(?P<q>["']?)(?P<tag>[A-Za-z_][\w.-]*)(?P=q)""", r"^(?P=tag)(?=\r?$)"),
        ),
        comment=r"(?<![^\s;&|()`])\#[^\r\n]*",
        stray=("case", "esac"),
        word=r"[A-Za-z_\x80-\xff][\w\x80-\xff-]*",
    ),
    line_comment="#",
    block_comment=None,
    indent_based=False,
    block_opener="{",
    docstring="before",
    doc_comments=("#",),
    bodies=frozenset({
        "program", "compound_statement", "do_group", "if_statement", "elif_clause", "else_clause", "case_item",
        "subshell", "command_substitution",
    }),
    identifiers=frozenset({"variable_name", "word", "special_variable_name"}),
    strings=frozenset({
        "string", "raw_string", "ansi_c_string", "translated_string", "heredoc_start", "heredoc_body", "heredoc_end",
        "regex",
    }),
    comments=frozenset({"comment"}),
    string_holes=frozenset({"command_substitution", "expansion"}),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"elif", "else", "then", "do", "fi", "done", "esac"}),
    unread=frozenset({"case_item.)"}),
    pairs=(
        Words(openers=frozenset({"if"}), closer="fi", leading=frozenset({"if"}), after=_BEFORE),
        Words(openers=frozenset({"case"}), closer="esac", leading=frozenset({"case"}), after=_BEFORE),
        Words(openers=frozenset({"do"}), closer="done", leading=frozenset({"do"}), after=_BEFORE),
    ),
    keywords=STATEMENT_WORDS | BLOCK_WORDS | words("time coproc declare export readonly typeset unset"),
    builtins=words(
        "echo printf read cd pwd exit set shift source test trap eval exec kill wait grep sed awk cat cut sort",
        "head tail find xargs mkdir rm cp mv ls basename dirname true false",
    ),
)  # fmt: skip
