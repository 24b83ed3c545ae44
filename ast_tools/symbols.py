"""Names in a file: definitions, imports, what the surroundings of a place mention, the call around an offset."""

from dataclasses import dataclass

from ast_tools.tree import SyntaxTree


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A function, class, method or variable that the file defines. `signature` is the range of its header."""

    kind: str
    name: str
    start: int
    end: int
    signature: tuple[int, int]
    docstring: str | None
    container: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The call an offset stands in: callee as written, index of the argument, its name if it is given by name."""

    name: str
    start: int
    end: int
    arguments: tuple[int, int]
    index: int
    keyword: str | None


def definitions(tree: SyntaxTree) -> tuple[Definition, ...]:
    """What the file defines, in the order of the text."""
    raise NotImplementedError


def imports(tree: SyntaxTree) -> tuple[tuple[int, int], ...]:
    """The ranges of the import statements."""
    raise NotImplementedError


def mentioned(tree: SyntaxTree, offset: int, lines_before: int = 5, lines_after: int = 3) -> tuple[str, ...]:
    """Identifiers on the lines around an offset, nearest first, each once."""
    raise NotImplementedError


def call_at(tree: SyntaxTree, offset: int) -> Call | None:
    """The innermost call whose parentheses are around an offset."""
    raise NotImplementedError
