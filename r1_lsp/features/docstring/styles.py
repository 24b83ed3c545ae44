"""Styles of docstrings as data: how each is recognised, read and written. A new style is one more record in STYLES."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["param", "returns", "yields", "raises"]
KINDS: tuple[Kind, ...] = ("param", "returns", "yields", "raises")
"""In the order in which every style writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One style.

    `mark` is found in docstrings of this style and of no other. Styles with sections have `titles` (every title a
    section of a kind may have; the first is written) and `heading`, the lines that open one. `entry` holds the lines
    of one entry, with the fields {name}, {text}, {type}, {typed} (" : int" or "") and {braced} ("{int} " or ""); a
    line that comes out empty is left out. `found` recognises the first line of an entry, with the group "name"
    (or none for returns), in the text of a line as it stands behind `gutter`.
    """

    name: str
    languages: frozenset[str]
    mark: re.Pattern[str]
    entry: Mapping[Kind, tuple[str, ...]]
    found: Mapping[Kind, re.Pattern[str]]
    titles: Mapping[Kind, tuple[str, ...]]
    heading: tuple[str, ...] = ()
    inset: str = ""
    """How much deeper than its heading an entry stands."""
    stars: bool = False
    """Whether *args is written with its star."""
    unknown_type: str = ""
    unknown_result: str = ""
    """The type of what is returned or yielded, where the code has none and the style wants one."""
    named_result: str = "{type}"
    """How an unknown type is written for what is returned under one name."""
    returns_and_yields: bool = True
    """Whether one docstring may have both."""
    rest_type: str = "{type}"
    promised_type: str = "{type}"
    """What an asynchronous function returns, where the code has no type for it."""
    optional: str = "{name}"
    """How a parameter that may be left out is named."""
    parts: bool = False
    """Whether the properties of a destructured parameter are documented one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around the text of a docstring. `quoted`: the delimiter is the file's own kind of string quote."""

    opening: str
    gutter: str
    closing: str
    quoted: bool
    one_line_room: str = ""
    above: bool = False
    """Stands above the function, not inside its body."""


_PYTHON = frozenset({"python"})
_JAVASCRIPT = frozenset({"javascript"})
_TYPESCRIPT = frozenset({"typescript", "tsx"})

_TITLES: Mapping[Kind, tuple[str, ...]] = {
    "param": ("Args", "Arguments", "Parameters", "Params", "Other Parameters", "Keyword Args", "Keyword Arguments"),
    "returns": ("Returns", "Return"),
    "yields": ("Yields", "Yield"),
    "raises": ("Raises", "Throws", "Exceptions"),
}

GOOGLE = Style(
    name="google",
    languages=_PYTHON,
    mark=re.compile(r"^[ \t]*(?:Args|Arguments|Returns|Yields|Raises|Keyword Args):[ \t]*$", re.MULTILINE),
    titles=_TITLES,
    heading=("{title}:",),
    inset="    ",
    stars=True,
    entry={"param": ("{name}: {text}",), "returns": ("{text}",), "yields": ("{text}",), "raises": ("{name}: {text}",)},
    found={
        "param": re.compile(r"(?P<name>\*{0,2}\w+)[ \t]*(?:\([^)]*\))?[ \t]*:"),
        "returns": re.compile(r"\S"),
        "yields": re.compile(r"\S"),
        "raises": re.compile(r"(?P<name>[\w.]+)[ \t]*:"),
    },
)

NUMPY = Style(
    name="numpy",
    languages=_PYTHON,
    mark=re.compile(r"^[ \t]*(?:Parameters|Returns|Yields|Raises)[ \t]*\r?\n[ \t]*-{3,}[ \t]*$", re.MULTILINE),
    titles={**_TITLES, "param": ("Parameters", "Other Parameters", "Args", "Arguments")},
    heading=("{title}", "{rule}"),
    stars=True,
    unknown_result="Any",  # numpydoc wants a type always, and takes the first line for it
    named_result="{name} : {type}",
    returns_and_yields=False,  # numpydoc raises an error where both sections stand
    entry={
        "param": ("{name}{typed}", "    {text}"),
        "returns": ("{type}", "    {text}"),
        "yields": ("{type}", "    {text}"),
        "raises": ("{name}", "    {text}"),
    },
    found={
        "param": re.compile(r"(?P<name>\*{0,2}\w+(?:[ \t]*,[ \t]*\*{0,2}\w+)*)[ \t]*(?::.*)?$"),
        "returns": re.compile(r"\S"),
        "yields": re.compile(r"\S"),
        "raises": re.compile(r"(?P<name>[\w.]+)[ \t]*:?[ \t]*$"),
    },
)

SPHINX = Style(
    name="sphinx",
    languages=_PYTHON,
    mark=re.compile(r"^[ \t]*:(?:param|returns?|raises?|rtype|type|yields?)\b[^:\n]*:", re.MULTILINE),
    titles={},
    entry={
        "param": (":param {name}: {text}",),
        "returns": (":returns: {text}",),
        "yields": (":yields: {text}",),
        "raises": (":raises {name}: {text}",),
    },
    found={
        "param": re.compile(
            r":(?:param|parameter|arg|argument|key|keyword)[ \t]+(?:[^:]*[ \t])?(?P<name>\\?\*{0,2}\w+):"
        ),
        "returns": re.compile(r":(?:returns?|rtype):"),
        "yields": re.compile(r":yields?:"),
        "raises": re.compile(r":(?:raises?|except|exception)[ \t]+(?P<name>[\w.]+):"),
    },
)

_JSDOC_MARK = re.compile(r"^[ \t]*(?:/\*)?\*+[ \t]*@(?:param|returns?|throws|yields)\b", re.MULTILINE)
_JSDOC_FOUND: Mapping[Kind, re.Pattern[str]] = {
    "param": re.compile(r"@(?:param|arg|argument)\s+(?:\{.*?\}\s*)?\[?(?P<name>[\w$.]+)"),
    "returns": re.compile(r"@returns?\b"),
    "yields": re.compile(r"@yields?\b"),
    "raises": re.compile(r"@(?:throws|exception)\s+(?:\{(?P<name>[^}]*)\})?"),
}

JSDOC = Style(
    name="jsdoc",
    languages=_JAVASCRIPT,
    mark=_JSDOC_MARK,
    titles={},
    entry={
        "param": ("@param {braced}{name} - {text}",),
        "returns": ("@returns {braced}{text}",),
        "yields": ("@yields {braced}{text}",),
        "raises": ("@throws {{{name}}} {text}",),
    },
    found=_JSDOC_FOUND,
    unknown_type="*",
    unknown_result="*",
    rest_type="...{type}",
    promised_type="Promise<{type}>",
    optional="[{name}]",
    parts=True,
)

TSDOC = Style(
    name="jsdoc",
    languages=_TYPESCRIPT,
    mark=_JSDOC_MARK,
    titles={},
    entry={
        "param": ("@param {name} - {text}",),
        "returns": ("@returns {text}",),
        "yields": ("@yields {text}",),
        "raises": ("@throws {{{name}}} {text}",),
    },
    found=_JSDOC_FOUND,
)

STYLES: tuple[Style, ...] = (GOOGLE, NUMPY, SPHINX, JSDOC, TSDOC)
"""The first style of a language is what its files get when neither the file nor the settings say."""

_INSIDE = Frame(opening='"""', gutter="", closing='"""', quoted=True)
_ABOVE = Frame(opening="/**", gutter=" * ", closing=" */", quoted=False, one_line_room=" ", above=True)
FRAMES: Mapping[str, Frame] = {
    **dict.fromkeys(_PYTHON, _INSIDE),
    **dict.fromkeys(_JAVASCRIPT | _TYPESCRIPT, _ABOVE),
}


def style_for(language: str, docstrings: Iterable[str], wanted: str) -> Style | None:
    """The style of a file: what most of its docstrings have, else the setting, else the language's first; or None.

    A setting other than "auto" wins over the file when the language knows that style.
    """
    known = [style for style in STYLES if language in style.languages]
    if not known:
        return None
    for style in known:
        if style.name == wanted:
            return style
    seen = Counter(style.name for text in docstrings for style in known if style.mark.search(text))
    return max(known, key=lambda style: (seen[style.name], -known.index(style)))


def style_of(language: str, docstring: str) -> Style | None:
    """The style one docstring is written in, or None when nothing in it tells."""
    return next((style for style in STYLES if language in style.languages and style.mark.search(docstring)), None)
