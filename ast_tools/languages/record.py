"""The shape of a language: everything the rest of `ast_tools` may know about one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal


def words(*lines: str) -> frozenset[str]:
    """The words of some lines."""
    return frozenset(word for line in lines for word in line.split())


@dataclass(frozen=True, slots=True)
class Quote:
    """One way to write a string or character. All are regular expressions over bytes.

    `opening` may name a group `tag` that `closing` repeats as `(?P=tag)`. `escape` is what cannot end the string,
    "" in a raw one. `lines`: it may span lines; else it ends with its line at the latest. `hole` opens a place for
    code inside (its last character is the bracket); such a string is one token with all its holes.
    """

    opening: str
    closing: str
    lines: bool = False
    escape: str = r"\\(?:\r\n|(?s:.))"
    hole: str = ""


@dataclass(frozen=True, slots=True)
class Directives:
    """Lines of a preprocessor: they are no code. Of the branches of a condition only one is read.

    `mark` begins such a line. `opening`, `other` and `closing` are the words of a condition; a branch under
    `never` is left out.
    """

    mark: str
    opening: frozenset[str]
    other: frozenset[str]
    closing: frozenset[str]
    never: str = r"0\b"
    continues: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexis:
    """What a scanner without a grammar must know: where brackets do not count.

    `strings`: longer openings first. `marks` are (kind of token, regular expression), tried before all else.
    `regex_after`: `/` may open a literal, behind an operator or one of these words. `nested_comments`: block comments
    nest. `comment_continues`: a backslash at the end of a line comment takes the next line in.
    """

    strings: tuple[Quote, ...]
    marks: tuple[tuple[str, str], ...] = ()
    regex_after: frozenset[str] | None = None
    nested_comments: bool = False
    comment_continues: bool = False
    directives: Directives | None = None
    number: str = r"\d[\w.]*"

    @property
    def template_marks(self) -> tuple[bytes, ...]:
        """What both opens and closes a string that may span lines and hold code."""
        return tuple(q.opening.encode() for q in self.strings if q.lines and q.hole and q.opening == q.closing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One language as data. Node types are those of its tree-sitter grammar.

    `grammar` is "module:function"; `queries` are folders of `ast_tools/queries`, later ones are added to earlier ones.
    `bodies` are the node types whose children are statements (or members). `docstring` says where documentation
    stands: as the first statement inside a body, or as a comment before the definition. `block_opener` ends the
    header of a block, `block_words` begin one. `statement_words` never stand inside an expression,
    `continuation_words` go on with the statement above. `receivers` are names of a method's first parameter that no
    caller passes. `accepts` is a second opinion on a text the grammar finds clean (a compiler's parser), or None;
    `locate` says where that parser first stops, as (start, end, its words), None where it does not or cannot say.
    `newer` are beginnings of words that it may say only because the text is newer than itself.
    `line_comment` begins a comment that ends with its line (or, where there is none, any comment). `unread` are node
    types whose brackets need not match: bodies of macros, branches of a preprocessor that are left out.
    """

    name: str
    lsp_ids: frozenset[str]
    extensions: frozenset[str]
    grammar: str
    queries: tuple[str, ...]
    lexis: Lexis
    line_comment: str
    block_comment: tuple[str, str] | None
    indent_based: bool
    block_opener: str
    docstring: Literal["inside", "before"]
    bodies: frozenset[str]
    identifiers: frozenset[str]
    strings: frozenset[str]
    comments: frozenset[str]
    string_holes: frozenset[str]
    statement_words: frozenset[str]
    block_words: frozenset[str]
    continuation_words: frozenset[str]
    receivers: frozenset[str] = frozenset()
    keywords: frozenset[str] = field(default_factory=frozenset)
    builtins: frozenset[str] = frozenset()
    accepts: Callable[[bytes], bool] | None = None
    locate: Callable[[bytes], tuple[int, int, str] | None] | None = None
    newer: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()
