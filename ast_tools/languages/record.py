"""The shape of a language: everything the rest of `ast_tools` may know about one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal


def words(*lines: str) -> frozenset[str]:
    """The words of some lines."""
    return frozenset(word for line in lines for word in line.split())


NOTHING = frozenset[str]()
DATA_CLAIMS = words("brackets strings comments blocks")
"""What languages of data answer."""
CODE_CLAIMS = DATA_CLAIMS | words("scopes definitions calls references names imports functions tags")
"""What languages of programs answer."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Quote:
    """One way to write a string or character. All are regular expressions over bytes.

    `opening` may name groups that `closing`, `escape` and `hole` repeat: `(?P<tag>#*)"` is closed by `"(?P=tag)`.
    `escape` is what cannot end the string, "" in a raw one. `lines`: it may span lines; else it ends with its line at
    the latest. `hole` opens a place for code inside (it ends in the bracket that opens it); such a string is one token
    with all its holes. `nests` opens a pair inside that the closing must close first. `due`: it stands only where an
    operand is due, elsewhere its first character is an operator.
    """

    opening: str
    closing: str
    lines: bool = False
    escape: str = r"\\(?:\r\n|(?s:.))"
    hole: str = ""
    nests: str = ""
    due: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Heredoc:
    """A string that begins on the line after its `opening`, and ends where a line begins with `closing`."""

    opening: str
    closing: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Words:
    """A pair of words that encloses statements: `openers` wait for `closer`.

    `leading` are openers only where a statement begins (Ruby's `x if y` opens nothing), and that is also `after` these
    words. `swallowed`: (words, opener): the opener that belongs to one of these before it (`while x do`), on the same
    line if `same_line`. `except_` is a regular expression of what looks like an opener and waits for nothing.
    """

    openers: frozenset[str]
    closer: str
    leading: frozenset[str] = NOTHING
    after: frozenset[str] = NOTHING
    swallowed: tuple[frozenset[str], str] = (NOTHING, "")
    same_line: bool = True
    except_: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Lexis:
    """What a scanner without a grammar must know: where brackets do not count.

    `strings`: longer openings first. `marks` are (kind of token, regular expression), tried before all else. `comment`
    is a line comment where its mark alone does not begin one; `nested_comments`: block comments nest.
    `operand_after`: words after which an operand is due (JavaScript's `return /x/`); with `commands` also after a name
    and a blank (Ruby's `puts /x/`). `outside`: code begins after the first and ends at the second expression, what is
    between is no code (PHP). `stray`: between these words a closing parenthesis may stand alone (`case` ... `esac`).
    `exact`: the brackets found are the language's own; where it is false, the leaves of a tree know better.
    """

    strings: tuple[Quote, ...]
    marks: tuple[tuple[str, str], ...] = ()
    heredocs: tuple[Heredoc, ...] = ()
    comment: str = ""
    nested_comments: bool = False
    directives: Directives | None = None
    operand_after: frozenset[str] = frozenset()
    commands: bool = False
    outside: tuple[str, str] | None = None
    stray: tuple[str, str] | None = None
    brackets: bool = True
    exact: bool = True
    number: str = r"\d[\w.]*"
    word: str = r"[A-Za-z_\x80-\xff][\w$\x80-\xff]*"

    @property
    def template_marks(self) -> tuple[bytes, ...]:
        """What both opens and closes a string that may span lines and hold code."""
        return tuple(q.opening.encode() for q in self.strings if q.lines and q.hole and q.opening == q.closing)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Language:
    """One language as data. Node types are those of its tree-sitter grammar.

    `grammar` is "module:function"; `queries` are folders of `ast_tools/queries`, later ones are added to earlier ones.
    `bodies` are the node types whose children are statements (or members). `docstring` says where documentation
    stands: as the first statement inside a body, or as a comment before the definition. `block_opener` ends the
    header of a block, `block_words` begin one. `statement_words` never stand inside an expression,
    `continuation_words` go on with the statement above. `receivers` are names of a method's first parameter that no
    caller passes. `loose`: its grammar stumbles over much that is right; a file is judged by its brackets and strings.
    `utf8_only`: its compiler refuses bytes that are neither UTF-8 nor in a coding the file declares.
    `accepts` is a second opinion on a text the grammar finds clean (a compiler's parser), or None;
    `locate` says where that parser first stops, as (start, end, its words), None where it does not or cannot say.
    `newer` are beginnings of words that it may say only because the text is newer than itself, `out_of_place` of those
    that it says of a sound statement in a wrong place: they mean nothing about a part of a text.
    `line_comment` begins a comment that ends with its line (or, where there is none, any comment). `unread` are node
    types, or fields of them ("type.field"), whose brackets need not match: bodies of macros, branches of a preprocessor
    that are left out. `claims` are the questions it answers. `doc_comments` are beginnings of comments that document
    what follows; lines that begin with one of `attribute_marks` may stand between, and nodes of the types `decorators`.
    `constructors` are the names of what runs where a class is called, besides the class's own. `pairs` are words that
    enclose statements. `piece` is the language of a part of a file, where a part parses otherwise than the whole.
    `indent` is one level of indentation where a file shows none.
    `needs_semicolons`: a line end never ends a statement. `empty_block` is a statement that does nothing. `stubs`
    are (word, header of a block): the header lets a line that begins with the word stand alone ("" where nothing
    does); the word "" is for all indented lines.
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
    loose: bool = False
    utf8_only: bool = False
    accepts: Callable[[bytes], bool] | None = None
    locate: Callable[[bytes], tuple[int, int, str] | None] | None = None
    newer: tuple[str, ...] = ()
    out_of_place: tuple[str, ...] = ()
    unread: frozenset[str] = frozenset()
    claims: frozenset[str] = CODE_CLAIMS
    filenames: frozenset[str] = frozenset()
    doc_comments: tuple[str, ...] = ()
    attribute_marks: tuple[str, ...] = ()
    decorators: frozenset[str] = frozenset({"decorator"})
    constructors: frozenset[str] = NOTHING
    indent: str = "  "
    pairs: tuple[Words, ...] = ()
    piece: str | None = None
    needs_semicolons: bool = False
    empty_block: str = ""
    stubs: tuple[tuple[str, str], ...] = ()
