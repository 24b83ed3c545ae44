"""The tokens of a text as a grammar's reader sees them: operators whole, words by class, line ends as marks."""

import re
from collections.abc import Iterable
from functools import cache

from ast_tools.grammar import grammar
from ast_tools.languages import Language
from ast_tools.lexer import Token

_LEAD = re.compile(rb"[ \t\f]*")
SAME, NEXT, DEEPER, SHALLOWER = range(4)
"""How a token stands to the one before: on its line, or on a later one that is indented as much, more or less."""


@cache
def operators(language: Language) -> frozenset[bytes]:
    """The operators of more than one character that the grammar knows."""
    return frozenset(
        text for text in _literals(language) if len(text) > 1 and not any(c.isalnum() for c in text.decode())
    )


@cache
def keywords(language: Language) -> frozenset[bytes]:
    """The words that the grammar knows, and those the record names."""
    found = {text for text in _literals(language) if text.isalpha() and text.isascii()}
    return frozenset(found | {word.encode() for word in language.keywords})


@cache
def often_lost(language: Language) -> frozenset[bytes]:
    """Marks and words that are lost most often: punctuation, and what opens and closes blocks."""
    blocks = {word for pair in language.pairs for word in (pair.closer, pair.swallowed[1], *_THEN)} - {""}
    known = keywords(language)
    return _OFTEN | {word.encode() for word in blocks if word.encode() in known}


_OFTEN = frozenset(b"; , ) ( } { : ]".split())
_THEN = ("then",)


@cache
def _literals(language: Language) -> frozenset[bytes]:
    known = grammar(language.name)
    if known is None:
        return frozenset()
    kinds = range(known.node_kind_count)
    names = (known.node_kind_for_id(kind) for kind in kinds if not known.node_kind_is_named(kind))
    return frozenset(
        name.encode() for name in names if name and " " not in name and '"' not in name and "'" not in name
    )


def whole(language: Language, found: Iterable[Token]) -> list[Token]:
    """The tokens that count (no comments, no line ends), with operators joined that the scanner takes apart."""
    known, result = operators(language), list[Token]()
    for token in found:
        if token.kind in ("comment", "newline"):
            continue
        last = result[-1] if result else None
        if token.kind == "op" and last is not None and last.kind == "op" and last.end == token.start:
            joined = last.text + token.text
            if joined in known:
                result[-1] = Token("op", last.start, token.end, joined)
                continue
        result.append(token)
    return result


def step(text: bytes, before: Token | None, token: Token) -> int:
    """How `token` stands to the token before it."""
    if before is None:
        return NEXT
    if text.find(b"\n", before.end, token.start) < 0:
        return SAME
    difference = indentation(text, token.start) - indentation(text, before.start)
    return DEEPER if difference > 0 else SHALLOWER if difference < 0 else NEXT


def indentation(text: bytes, offset: int) -> int:
    """Columns that the line of an offset is indented."""
    start = text.rfind(b"\n", 0, offset) + 1
    lead = _LEAD.match(text, start, offset)
    return len(lead.group().expandtabs(8)) if lead is not None else 0


def spelling(token: Token) -> bytes:
    """What stands for a token in statistics: punctuation and words themselves, literals by their kind."""
    if token.kind == "string":
        return b"<char>" if token.text.startswith(b"'") else b"<string>"
    if token.kind in ("number", "unclosed"):
        return b"<" + token.kind.encode() + b">"
    return token.text


def name_class(text: bytes) -> bytes:
    """The class of a name that statistics do not know by itself, by how it is written."""
    bare = text.strip(b"_")
    if len(bare) > 1 and bare.isupper():
        return b"<NAME>"
    return b"<Name>" if bare[:1].isupper() else b"<name>"
