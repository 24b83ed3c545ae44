"""How a docstring is to be written in one place: the file's style, quotes, line ends and habits."""

from dataclasses import dataclass

from ast_tools import Function, SyntaxTree, functions
from r1_lsp.features.docstring.styles import FRAMES, Frame, Style, style_for, style_of

_TRIVIAL_LINES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a docstring is written in one place of one file. `eol` is the file's line end, `quote` its string quotes."""

    style: Style
    frame: Frame
    indent: str
    quote: str
    eol: str
    one_line: bool


def manner(tree: SyntaxTree, function: Function, wanted: str) -> Manner | None:
    """None for a language without docstrings of ours. `wanted` is the setting: "auto" follows the file."""
    language = tree.language.name
    others = [source(tree.text, other) for other in functions(tree)]
    own = style_of(language, source(tree.text, function)) if function.docstring else None
    style = own or style_for(language, others, wanted)
    if style is None:
        return None
    return Manner(
        style=style,
        frame=FRAMES[language],
        indent=function.doc_indent.decode("utf-8", "replace"),
        quote=_quote(others),
        eol=line_end(tree.text),
        one_line=_trivial(tree, function) and _keeps_to_one_line(tree, function),
    )


def source(text: bytes, function: Function) -> str:
    """The docstring as it stands in the file, delimiters included, or "" where there is none."""
    start, end = function.docstring or (0, 0)
    return text[start:end].decode("utf-8", "replace")


def line_end(text: bytes) -> str:
    """The first line end of a text; "\\n" when it has none."""
    at = min((at for at in (text.find(b"\n"), text.find(b"\r")) if at >= 0), default=-1)
    if at < 0 or text[at : at + 1] == b"\n":
        return "\n"
    return "\r\n" if text[at + 1 : at + 2] == b"\n" else "\r"


def _quote(docstrings: list[str]) -> str:
    single = sum(text.lstrip("rRuU").startswith("'''") for text in docstrings)
    double = sum(text.lstrip("rRuU").startswith('"""') for text in docstrings)
    return "'''" if single > double else '"""'


def _trivial(tree: SyntaxTree, function: Function) -> bool:
    start, end = function.body or (function.end, function.end)
    if function.docstring and function.docstring[0] >= start:
        start = function.docstring[1]
    return tree.text[start:end].strip(b" \t\r\n{}").count(b"\n") < _TRIVIAL_LINES


def _keeps_to_one_line(tree: SyntaxTree, function: Function) -> bool:
    """Whether most other small functions with parameters have a docstring of one line in this file."""
    small = [
        source(tree.text, other)
        for other in functions(tree)
        if other.start != function.start and other.docstring and other.params and _trivial(tree, other)
    ]
    return sum("\n" not in text for text in small) > len(small) / 2
