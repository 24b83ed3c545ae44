"""Misspelt words: keywords and known names a letter or two away, words run together or torn apart."""

import re
from collections.abc import Iterator

from ast_tools.repair.reading import Change, Reading
from ast_tools.spelling import distance, near

ALIASES: dict[bytes, tuple[bytes, ...]] = {
    b"and": (b"&&",),
    b"or": (b"||",),
    b"not": (b"!",),
    b"elif": (b"else if",),
    b"elsif": (b"else if", b"elif"),
    b"elseif": (b"else if", b"elif"),
    b"&&": (b"and",),
    b"||": (b"or",),
    b"function": (b"def", b"func", b"fn"),
    b"func": (b"def", b"function", b"fn"),
    b"fn": (b"def", b"function", b"func"),
    b"def": (b"function", b"func", b"fn"),
    b"null": (b"None", b"nil", b"NULL", b"nullptr"),
    b"nil": (b"None", b"null"),
    b"None": (b"null", b"nil"),
    b"true": (b"True",),
    b"false": (b"False",),
    b"then": (b"{", b":"),
    b"!": (b"not",),
    b"<>": (b"!=",),
    b"===": (b"==",),
    b"!==": (b"!=",),
    b"++": (b"+= 1",),
    b"--": (b"-= 1",),
}
"""What other languages write for it; tried where this language knows the second and not the first."""
MAX_NAMES = 400
"""Names that a word is compared with."""


def word_edits(reading: Reading, low: int, high: int) -> Iterator[Change]:
    """Other spellings of the words in tokens [low, high)."""
    for number in range(low, high):
        token = reading.found[number]
        yield from _translated(reading, number)
        if token.kind == "word" and token.text not in reading.keywords:
            yield from _respelt(reading, number)
            yield from _split(reading, number)
            yield from _joined(reading, number)
        elif token.kind == "number":
            yield from _glued(reading, number)
        elif token.text in (b"else",):
            yield from _continued(reading, number)


def _respelt(reading: Reading, number: int) -> Iterator[Change]:
    token = reading.found[number]
    for text in sorted(reading.keywords):
        if near(token.text, text):
            yield reading.reread(number, number + 1, text, f"respell keyword {_changed(token.text, text)}")
    if reading.names[token.text] > 1 or token.text in reading.counts.symbols:
        return
    known = {name for name, n in reading.names.most_common(MAX_NAMES) if n > 1}
    for text in sorted(known | (reading.counts.symbols.keys() - reading.keywords)):
        if text != token.text and near(token.text, text):
            yield reading.reread(number, number + 1, text, f"respell name {_changed(token.text, text)}")


def _changed(one: bytes, other: bytes) -> str:
    return "case" if one.lower() == other.lower() else str(distance(one, other))


def _split(reading: Reading, number: int) -> Iterator[Change]:
    """`elseif`, `inti`, `returnx`."""
    text = reading.found[number].text
    known = reading.keywords
    for at in range(2, len(text)):
        head, rest = text[:at], text[at:]
        if head in known and (rest in known or rest in reading.names or rest in reading.counts.symbols):
            yield reading.reread(number, number + 1, head + b" " + rest, "split word")


def _joined(reading: Reading, number: int) -> Iterator[Change]:
    """`check prime` where `check_prime` is known."""
    if number + 1 >= len(reading.found) or reading.found[number + 1].kind != "word":
        return
    one, other = reading.found[number].text, reading.found[number + 1].text
    for joined in (one + other, one + b"_" + other, one + other.capitalize()):
        if joined in reading.names or joined in reading.keywords:
            yield reading.reread(number, number + 2, joined, "join words")


def _glued(reading: Reading, number: int) -> Iterator[Change]:
    """`4ac`: a number and the names it was multiplied with."""
    match = re.fullmatch(rb"([\d.]+)([A-Za-z_]\w*)", reading.found[number].text)
    if match is None or b"*" not in reading.counts.symbols:
        return
    figure, word = match.groups()
    parts = [bytes([letter]) for letter in word]
    if all(part in reading.names for part in parts):
        yield reading.reread(number, number + 1, b"*".join([figure, *parts]), "multiply")
    if word in reading.names and len(word) > 1:
        yield reading.reread(number, number + 1, figure + b"*" + word, "multiply")
    yield reading.reread(number, number + 1, figure, "delete suffix")
    yield reading.reread(number, number + 1, word, "delete prefix")


def _continued(reading: Reading, number: int) -> Iterator[Change]:
    """`if else` for `else if`."""
    if number and reading.found[number - 1].text == b"if":
        yield reading.reread(number - 1, number + 1, b"else if", "swap else if")


def _translated(reading: Reading, number: int) -> Iterator[Change]:
    token = reading.found[number]
    if _knows(reading, token.text):
        return
    for text in ALIASES.get(token.text, ()):
        if all(_knows(reading, part) for part in text.split()):
            yield reading.reread(number, number + 1, text, f"translate {token.text.decode()}")


def _knows(reading: Reading, text: bytes) -> bool:
    return text in reading.keywords or text in reading.operators or text in b"{:!"
