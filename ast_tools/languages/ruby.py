"""Ruby: words enclose blocks, heredocs begin on the next line, a slash may open a literal after a name."""

from ast_tools.languages.record import Heredoc, Language, Lexis, Quote, Words, words

STATEMENT_WORDS = words(
    "alias begin break case class def ensure module next raise redo require rescue retry return undef unless",
    "until while",
)
BLOCK_WORDS = words("if elsif else unless while until for case when begin rescue ensure class module def do in")
_HOLE = r"\#\{"
_PERCENT = r"%[qQwWiIrsx]?"

RUBY = Language(
    name="ruby",
    lsp_ids=frozenset({"ruby"}),
    extensions=frozenset({".rb", ".rake", ".gemspec", ".ru", ".podspec"}),
    filenames=frozenset({"Gemfile", "Rakefile", "Guardfile", "Podfile", "Vagrantfile", "config.ru"}),
    grammar="tree_sitter_ruby:language",
    queries=("ruby",),
    lexis=Lexis(
        strings=(
            Quote('"', '"', lines=True, hole=_HOLE),
            Quote("'", "'", lines=True),
            Quote("`", "`", lines=True, hole=_HOLE),
            Quote(r"/(?!=[ \t])", r"/\w*", lines=True, hole=_HOLE, due=True),
            Quote(_PERCENT + r"\{", r"\}\w*", lines=True, hole=_HOLE, nests=r"\{", due=True),
            Quote(_PERCENT + r"\(", r"\)\w*", lines=True, hole=_HOLE, nests=r"\(", due=True),
            Quote(_PERCENT + r"\[", r"\]\w*", lines=True, hole=_HOLE, nests=r"\[", due=True),
            Quote(_PERCENT + r"<", r">\w*", lines=True, hole=_HOLE, nests=r"<", due=True),
            Quote(r"%[qQwWiIrsx]?(?P<tag>[!|/^+~,.:;*@-])", r"(?P=tag)", lines=True, hole=_HOLE, due=True),
        ),
        marks=(
            ("comment", r"^=begin\b(?s:.*?)^=end\b[^\r\n]*"),
            ("comment", r"^__END__\r?\n(?s:.*)"),
            ("word", r"\$[^\s\w]"),
            ("word", r":(?:\[\]=?|[+\-*/%<>=!~^&|`]+)(?![\w\"'])"),
            ("word", r"(?<=def )(?:\[\]=?|[+\-*/%<>=!~^&|`]+@?)"),
            ("word", r"(?<=\.)(?:\[\]=?|/|%|`)(?=\()"),
            ("string", r"(?<=[\s(\[,=])\?\\?[^\s\w](?=[\s)\],.;])"),
        ),
        heredocs=(
            Heredoc(r"""<<[~-](?P<q>["'`]?)(?P<tag>[A-Za-z_]\w*)(?P=q)""", r"^[ \t]*(?P=tag)(?=[ \t]*\r?$)"),
            Heredoc(r"""<<(?P<q>["'`]?)(?P<tag>[A-Z_]\w*)(?P=q)""", r"^(?P=tag)(?=\r?$)"),
        ),
        operand_after=words(
            "and begin case do else elsif ensure if in not or puts raise rescue return then unless until when",
            "while yield",
        ),
        commands=True,
        word=r"[A-Za-z_\x80-\xff][\w\x80-\xff]*(?:[?!](?![=~]))?",
    ),
    line_comment="#",
    block_comment=None,
    indent_based=False,
    block_opener="do",
    docstring="before",
    constructors=frozenset({"initialize"}),
    doc_comments=("#",),
    bodies=frozenset({
        "program", "body_statement", "block_body", "begin", "then", "else", "do", "ensure", "rescue",
        "parenthesized_statements", "interpolation",
    }),
    identifiers=frozenset({"identifier", "constant", "instance_variable", "class_variable", "global_variable"}),
    strings=frozenset({
        "string", "regex", "subshell", "string_array", "symbol_array", "heredoc_beginning", "heredoc_body",
        "delimited_symbol", "character", "chained_string", "simple_symbol",
    }),
    comments=frozenset({"comment"}),
    string_holes=frozenset({"interpolation"}),
    statement_words=STATEMENT_WORDS,
    block_words=BLOCK_WORDS,
    continuation_words=frozenset({"else", "elsif", "when", "in", "rescue", "ensure", "end"}),
    pairs=(
        Words(
            openers=words("begin case class def do for if module unless until while"),
            closer="end",
            leading=words("if unless until while"),
            after=words("and begin do else ensure not or then"),
            swallowed=(words("for until while"), "do"),
            except_=r"def\s+[\w.]+[?!]?(?:\([^()]*\))? = ",
        ),
    ),
    keywords=STATEMENT_WORDS
    | BLOCK_WORDS
    | words("__FILE__ __LINE__ and defined? end false nil not or self super then true yield"),
    builtins=words(
        "Array Hash String Integer Float Symbol Struct Class Module Object Kernel Exception StandardError",
        "ArgumentError attr_accessor attr_reader attr_writer include extend private protected public puts print p",
        "raise require require_relative lambda proc loop each map select reject inject reduce new initialize to_s",
        "to_i to_a nil? empty? freeze dup format sprintf File Dir Time Comparable Enumerable",
    ),
)  # fmt: skip
