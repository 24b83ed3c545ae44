"""The shape of a language: everything the rest of `ast_tools` may know about one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal


def words(*lines: str) -> frozenset[str]:
    """The words of some lines."""
    return frozenset(word for line in lines for word in line.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexis:
    """What a scanner without a grammar must know: where brackets do not count.

    `strings` are (opening, closing, may span lines); longer openings first. `regexes`: `/` may open a literal.
    `templates`: the string opening whose `${...}` holes hold code, if any.
    """

    strings: tuple[tuple[str, str, bool], ...]
    string_prefix: str = ""
    regexes: bool = False
    templates: str | None = None


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
