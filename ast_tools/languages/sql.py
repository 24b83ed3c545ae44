"""SQL, in the dialect of PostgreSQL first."""

from ast_tools.languages.record import DATA_CLAIMS, NOTHING, Language, Lexis, Quote, Words, words

SQL = Language(
    name="sql",
    lsp_ids=frozenset({"sql"}),
    extensions=frozenset({".sql"}),
    grammar="tree_sitter_sql:language",
    queries=("sql",),
    lexis=Lexis(
        strings=(
            Quote(r"\$(?P<tag>[A-Za-z_]*)\$", r"\$(?P=tag)\$", lines=True, escape=""),
            Quote("[eE]'", "'", lines=True, escape=r"\\(?s:.)|''"),
            Quote("'", "'", lines=True, escape="''"),
            Quote('"', '"', lines=True, escape='""'),
            Quote("`", "`"),
        ),
    ),
    claims=DATA_CLAIMS,
    loose=True,
    line_comment="--",
    block_comment=("/*", "*/"),
    indent_based=False,
    block_opener="(",
    docstring="before",
    bodies=frozenset({"program", "column_definitions", "block"}),
    identifiers=frozenset({"identifier"}),
    strings=frozenset({"literal"}),
    comments=frozenset({"comment", "marginalia"}),
    string_holes=NOTHING,
    statement_words=NOTHING,
    block_words=NOTHING,
    continuation_words=NOTHING,
    pairs=(Words(openers=frozenset({"case"}), closer="end"),),
    keywords=words(
        "select from where group by order having insert into values update set delete create table view index",
        "join left right inner outer on and or not null is in like between as distinct union all case when then",
        "else end primary key foreign references default constraint unique with limit offset returning",
    ),
    builtins=words("count sum min max avg coalesce now lower upper length cast id name created_at updated_at"),
)
