"""What a function takes, returns and raises, and where its documentation stands: everything a docstring must name."""

from dataclasses import dataclass
from typing import Literal

from ast_tools.languages import Language
from ast_tools.tree import SyntaxTree

ParamKind = Literal["positional_only", "positional", "rest", "keyword_only", "keyword_rest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A parameter. `name` has no stars or dots; a destructured one is named by its pattern. Texts as written."""

    name: str
    annotation: str | None = None
    default: str | None = None
    kind: ParamKind = "positional"
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function with a name. Offsets are bytes; texts are as written in the file.

    `start` is where the definition begins, decorators and `export` included; `header` the range from its keyword or
    name up to the body. `docstring` is the range of the existing documentation, delimiters included.
    A new one goes to `docstring_insert`, on lines indented by `doc_indent`; where `one_line` is true the body stands
    on the header's line and must first be moved to a line of its own. `raises` names exceptions raised in the body
    itself, each once, re-raises left out. A receiver (self, cls, this) is not in `params`.
    """

    name: str
    kind: str
    start: int
    end: int
    header: tuple[int, int]
    body: tuple[int, int] | None
    params: tuple[Param, ...]
    returns: str | None
    returns_value: bool
    yields: bool
    raises: tuple[str, ...]
    is_async: bool
    is_method: bool
    container: str | None
    decorators: tuple[str, ...]
    docstring: tuple[int, int] | None
    docstring_text: str | None
    docstring_insert: int
    doc_indent: bytes
    indent: bytes
    body_indent: bytes
    one_line: bool


def functions(tree: SyntaxTree) -> tuple[Function, ...]:
    """All functions with a name, in the order of the text."""
    raise NotImplementedError


def function_at(tree: SyntaxTree, offset: int) -> Function | None:
    """The innermost function with a name around an offset (its header, decorators and documentation included)."""
    raise NotImplementedError


def same_except_docstrings(language: Language, before: bytes, after: bytes) -> bool:
    """Whether two texts have the same tree apart from documentation and comments."""
    raise NotImplementedError
