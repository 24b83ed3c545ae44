"""What the tree knows of a function, as a docstring has to tell it."""

import re
from dataclasses import dataclass

from ast_tools import Function, Param
from r1_lsp.features.docstring.styles import Style

_LITERAL_TYPES = (
    (re.compile(r"-?[\d.][\w.]*$"), "number"),
    (re.compile(r"(['\"`]).*\1$", re.DOTALL), "string"),
    (re.compile(r"(?:true|false)$"), "boolean"),
    (re.compile(r"\[.*\]$", re.DOTALL), "Array"),
    (re.compile(r"\{.*\}$", re.DOTALL), "Object"),
)
"""What a JavaScript default says of its parameter's type."""


_GENERATOR = re.compile(r"(?:\w+\.)*(?:Async)?(?P<kind>Iterator|Iterable|Generator)\[(?P<inside>.*)\]$")
_STARS = {"rest": "*", "keyword_rest": "**"}
_MAKERS = frozenset({"__init__", "constructor"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A parameter. `name` is bare; `stars` stand before it in the signature; `type` is empty when the code is silent.

    `guess` is the JavaScript type its default value has, if that tells.
    `pattern`: it has no name in the code (`{a, b}`), so documentation may call it as it likes.
    `part_of`: the parameter whose property it is; its `name` then has that name and a dot before its own.
    """

    name: str
    stars: str = ""
    type: str = ""
    guess: str = ""
    pattern: bool = False
    optional: bool = False
    part_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a docstring must name, in the order of the signature."""

    name: str
    params: tuple[Named, ...] = ()
    returns: bool = False
    return_type: str = ""
    returned_name: str = ""
    """The name of what is returned, where it always has the same."""
    yields: bool = False
    yield_type: str = ""
    raises: tuple[str, ...] = ()
    promises: bool = False
    """It is asynchronous: what it returns comes later."""
    owner: str = ""
    """The class whose constructor this is."""
    attribute: bool = False
    """A property: it is read, not called."""


def facts_of(function: Function, style: Style) -> Facts:
    """What a docstring of one style names.

    A generator documents what it yields (and returns, if the style has room for both), a constructor what it takes,
    everything else what it returns too.
    """
    yielded, returned = _result_types(_plain_type(function.returns or ""), yields=function.yields)
    makes = function.name in _MAKERS
    return Facts(
        name=function.name,
        params=_params(function.params, style),
        returns=function.returns_value and not makes and (style.returns_and_yields or not function.yields),
        return_type=returned or function.returned_type or "",
        returned_name=function.returned_name or "",
        yields=function.yields,
        yield_type=yielded,
        raises=function.raises,
        promises=function.is_async and not function.yields,
        owner=(function.container or "") if makes else "",
        attribute=any(name.lstrip("@").partition("(")[0].endswith("property") for name in function.decorators),
    )


def _params(params: tuple[Param, ...], style: Style) -> tuple[Named, ...]:
    taken = {param.name for param in params}
    named: list[Named] = []
    for param in params:
        pattern = not param.name.replace("$", "_").isidentifier()
        name = _free_name(param.name, taken) if pattern else param.name
        taken.add(name)
        named.append(
            Named(
                name=name,
                stars=_STARS.get(param.kind, ""),
                type=_plain_type(param.annotation or ""),
                guess=_guessed(param.name if pattern else param.default or ""),
                pattern=pattern,
                optional=param.optional,
            )
        )
        named += [_part(part, name) for part in param.parts] if style.parts else []
    return tuple(named)


def _part(part: Param, whole: str) -> Named:
    return Named(name=f"{whole}.{part.name}", guess=_guessed(part.default or ""), optional=part.optional, part_of=whole)


def _free_name(pattern: str, taken: set[str]) -> str:
    base = "items" if pattern.startswith("[") else "options"
    return next(name for name in (base, *(f"{base}{number}" for number in range(2, 1000))) if name not in taken)


def _plain_type(annotation: str) -> str:
    """On one line, without the quotes of a forward reference."""
    text = " ".join(annotation.split()).lstrip(":").strip()
    quoted = len(text) > 1 and text[0] in "'\"" and text[0] == text[-1] and text.count(text[0]) == 2
    return text[1:-1] if quoted else text


def _result_types(annotation: str, *, yields: bool) -> tuple[str, str]:
    """(type of what is yielded, of what is returned), from the annotation of the function."""
    if not yields:
        return "", annotation
    found = _GENERATOR.match(annotation)
    if found is None:
        return annotation, ""
    inside = _split(found["inside"])
    return inside[0], inside[2] if found["kind"] == "Generator" and len(inside) == 3 else ""


def _split(arguments: str) -> list[str]:
    """At the commas that stand in no brackets."""
    parts, depth = [""], 0
    for char in arguments:
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def _guessed(default: str) -> str:
    return next((name for pattern, name in _LITERAL_TYPES if pattern.match(default.strip())), "")
