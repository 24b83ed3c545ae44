"""Candidates on one line: a string without its end, a block's header without its colon."""

import re
from collections.abc import Container, Iterator
from itertools import islice

from ast_tools.edits import Edit
from ast_tools.lexer import Token, unmatched
from ast_tools.repair.chunks import Chunk
from ast_tools.repair.found import Candidate
from ast_tools.repair.literals import FORMATTED

MOST_STRINGS, MOST_PLACES, MOST_TOKENS = 40, 400, 400
"""Strings without an end in one piece, places for the end of one, tokens of one header; hostile texts have more."""
_TAIL = b")]};:, \t\r\n\f\v"
_INNER = re.compile(rb"[)\]},:;%+]|\s{1,9}[=!<>]=|\s{1,9}[?&|<>*/-]|\.\w{1,99}\(| (?:in|if|else|for|and|or|not)\b")
_QUOTE = re.compile(rb"[\"'`]+")
_NAME = re.compile(rb"(?<![\w.\\%])[A-Za-z_]\w{0,99}+(?!\s{0,9}[=(])")
"""Not those of attributes, keyword arguments and calls: what is so called may be elsewhere."""


def quotes(chunk: Chunk, names: Container[bytes]) -> Iterator[Candidate]:
    """Places for the missing end of every string that reaches the end of its line. `names`: words of the whole text."""
    ends = {token.end for token in chunk.tokens if token.kind == "string"}
    for token in islice((token for token in chunk.tokens if token.kind == "unclosed"), MOST_STRINGS):
        quote = _QUOTE.search(token.text)
        if quote is None or len(quote.group()) > 1 or b"\n" in token.text:
            continue
        line = chunk.text.count(b"\n", 0, token.start) + 1
        # A string that begins where another ended: the quotes of the whole line are out of step.
        doubtful = token.start in ends
        mark = quote.group().decode()
        first = len(token.text.rstrip(_TAIL))
        comment = re.search(rb"\s{1,9}" + re.escape(chunk.language.line_comment.encode()), token.text[quote.end() :])
        inner = {match.start() for match in _INNER.finditer(token.text, quote.end(), first)}
        if comment is not None:
            inner.add(quote.end() + comment.start())
        code_end = quote.end() + comment.start() if comment is not None else first
        prose = _prose_end(chunk, token, quote.end(), code_end, names)
        places = sorted({*inner, *range(first, len(token.text) + 1)})
        for at in places if len(places) <= MOST_PLACES else places[-MOST_PLACES:]:
            if at < quote.end() or (comment is not None and at > quote.end() + comment.start()):
                continue
            yield Candidate(
                edit=Edit(token.start + at, token.start + at, quote.group()),
                score=_place_score(token.text[quote.end() : at], at - first, spills=at < prose),
                doubtful=doubtful,
                title=f"Insert `{mark}`",
                blames=token,
                reason=f"The string that begins on line {line} has no end.",
            )


def _place_score(inside: bytes, after_tail: int, *, spills: bool) -> float:
    """`after_tail`: bytes into the punctuation that ends the line; below zero the string would end before a word.

    `spills`: what it would leave outside is no code.
    """
    if after_tail >= 0:
        return 20.0 - 3.0 * after_tail
    one_word = b" " not in inside and not spills
    return (21.0 if one_word else 15.0) + 0.1 * after_tail


def _prose_end(chunk: Chunk, token: Token, start: int, end: int, names: Container[bytes]) -> int:
    """Up to where bytes [start, end) of a string without an end are no code: `hello, world` where nothing is so called.

    There stand words that neither the language nor the rest of the text has, or the holes of a formatted string.
    """
    language, opened = chunk.language, token.start + start - 1
    formatted = FORMATTED.search(chunk.text[max(opened - 3, 0) : opened]) is not None
    reached = max(token.text.rfind(b"{", start, end), start) if formatted else start
    for found in _NAME.finditer(token.text, start, end):
        word = found.group()
        if word not in names and word.decode() not in language.keywords | language.builtins:
            reached = max(reached, found.end())
    return reached


def colons(chunk: Chunk) -> Iterator[Candidate]:
    """The end of a block's header that lacks its colon, where the next line is indented deeper."""
    language = chunk.language
    if not language.indent_based:
        return
    mark = language.block_opener.encode()
    lines = chunk.lines
    numbers = {token.start: number for number, token in enumerate(chunk.tokens)}
    for number, (_, width, first) in enumerate(lines):
        if first.text.decode("utf-8", "replace") not in language.block_words:
            continue
        header = _header(chunk, numbers[first.start])
        after = max(number, chunk.line_of(header[-1].start)) + 1
        following = lines[after] if after < len(lines) else None
        if header[-1].text == mark or any(token.kind == "unclosed" for token in header):
            continue
        if following is None or following[1] <= width or any(unmatched(header)):
            continue
        word, line = first.text.decode(), chunk.text.count(b"\n", 0, first.start) + 1
        yield Candidate(
            edit=Edit(header[-1].end, header[-1].end, mark),
            score=30.0,
            together=True,
            title=f"Insert `{mark.decode()}`",
            blames=first,
            reason=f"The `{word}` on line {line} ends without `{mark.decode()}`.",
        )


def _header(chunk: Chunk, first: int) -> list[Token]:
    """The tokens of the logical line that begins with the token of this index."""
    depth, found = 0, []
    for token in chunk.tokens[first : first + MOST_TOKENS]:
        if token.kind == "newline" and depth <= 0:
            break
        depth += (token.kind == "open") - (token.kind == "close")
        if token.kind not in ("comment", "newline"):
            found.append(token)
    return found
