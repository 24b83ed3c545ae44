"""Strings and comments that end in the wrong place, or not at all, and text that should have been one."""

import re
from collections.abc import Iterator

from ast_tools.lexer import PARTNER
from ast_tools.repair.reading import FAR, Change, Reading
from ast_tools.repair.vocabulary import SAME

MAX_PLACES = 24
"""Places in one line where a lost quote is put back."""
PLACES_BEFORE = 6
"""The same for strings before the last on a line."""
LONGEST = 60
"""Tokens of a line that should have been a comment."""
REACH = 12
"""Tokens behind a string that may belong into it."""
FORMATTED = re.compile(rb"(?i:\b(?:f|rf|fr)|\$@?)\Z")
"""What stands before the quotes of a string with holes."""
_QUOTE = re.compile(rb"\"+|'+|`+")
_ENDS = re.compile(
    rb"(?<=\S)(?=\s*[)\]},:;%+])|"  # before punctuation
    rb"(?=\s+(?:[=!<>]=|[?&|<>*/+-]|//|#|/\*|(?:in|if|else|for|and|or|not)\b))|"  # operators and comments
    rb"(?=\.\w+\()|(?=\s*\Z)"  # a call of a method, the end of the line
)


def literal_edits(reading: Reading, low: int, high: int) -> Iterator[Change]:
    """Edits of the strings and comments in tokens [low, high)."""
    for number in range(low, high):
        token = reading.found[number]
        if token.kind == "unclosed":
            yield from _ended(reading, number)
        elif token.kind == "string":
            yield from _widened(reading, number)
            yield from _filled(reading, number)
        elif token.text in (b"\\", b"%"):
            yield from _quoted(reading, number)
        if token.text in (b"/", b"\\", b"//", b"*", b"/*"):
            yield from _commented(reading, number)


def _ended(reading: Reading, number: int) -> Iterator[Change]:
    """A string that reaches the end of its line ends before it, or was none; a comment that never ends."""
    text, block = reading.found[number].text, reading.language.block_comment
    if block is not None and text.startswith(block[0].encode()):
        yield from _ended_comment(reading, number, block[0].encode(), block[1].encode())
        return
    quote = _QUOTE.search(text)
    if quote is None:
        return
    mark, start, end = quote.group()[:1], quote.start(), quote.end()
    if len(quote.group()) == 3 and reading.language.indent_based:
        mark = quote.group()
    for at in _places(text, end):
        name = "insert quote" if at < len(text.rstrip(b" \t);,:]}")) else "insert quote at the end"
        yield _again(reading, number, text[:at] + mark + text[at:], name)
    yield _again(reading, number, text[:start] + text[start + len(mark) :], "delete quote")
    if closers := _open_before(reading, number):
        yield _again(reading, number, text.rstrip() + mark + closers, "insert quote and close")
        if not text[end:].strip(b" \t\r;:,"):
            yield _again(
                reading, number, text[:start] + closers + _header_end(reading, number, text[end:]), "close quote"
            )
    yield from _other_quotes(reading, number, mark, start, end)
    yield from _out_of_step(reading, number)


def _places(text: bytes, start: int) -> list[int]:
    """Where a string may end, from an offset in its token on."""
    return [match.start() for match in _ENDS.finditer(text, start)][:MAX_PLACES]


def _open_before(reading: Reading, number: int) -> bytes:
    """What closes the brackets that are open on the line of a token, before it."""
    stack: list[bytes] = []
    first = number
    while first and reading.steps[first] == SAME and number - first < FAR:
        first -= 1
    for token in reading.found[first:number]:
        if token.kind == "open":
            stack.append(PARTNER[token.text])
        elif token.kind == "close" and stack and stack[-1] == token.text:
            stack.pop()
    return b"".join(reversed(stack)) if b"}" not in stack else b""


def _header_end(reading: Reading, number: int, rest: bytes) -> bytes:
    """The rest of a line; where it begins a block, and blocks are indented, with what ends a header."""
    first = number
    while first and reading.steps[first] == SAME and number - first < FAR:
        first -= 1
    language, rest = reading.language, rest.rstrip()
    opener = language.block_opener.encode()
    heads = reading.found[first].text.decode("utf-8", "replace") in language.block_words
    return rest + opener if language.indent_based and heads and not rest.endswith(opener) else rest


def _out_of_step(reading: Reading, number: int) -> Iterator[Change]:
    """A quote is missing or too much in a string before on the line: from there on all are the wrong way round."""
    for first in range(max(number - REACH, 0), number):
        token = reading.found[first]
        if token.kind != "string" or any(reading.steps[at] != SAME for at in range(first + 1, number + 1)):
            continue
        rest = reading.text[token.end : reading.found[number].end]
        mark = token.text[-1:]
        yield reading.reread(first, number + 1, token.text[1:] + rest, "delete quote before")
        for at in _places(token.text[:-1], 1)[:PLACES_BEFORE]:
            yield reading.reread(
                first, number + 1, token.text[:at] + mark + token.text[at:] + rest, "insert quote before"
            )


def _again(reading: Reading, number: int, new: bytes, label: str) -> Change:
    return reading.reread(number, number + 1, new, label)


def _other_quotes(reading: Reading, number: int, mark: bytes, start: int, end: int) -> Iterator[Change]:
    """`'a"`: the quotes differ; `"a "b" c"`: all but the first and the last belong to the text."""
    text = reading.found[number].text
    for other in (b'"', b"'"):
        at = text.find(other, end)
        if other != mark and at >= 0:
            yield _again(reading, number, text[:at] + mark + text[at + 1 :], "replace quote")
            yield _again(reading, number, text[:start] + other + text[end:], "replace quote")
    first = next((at for at in range(max(number - REACH, 0), number) if _joins(reading, at, number, mark)), None)
    if first is not None:
        inner = reading.text[reading.found[first].start + 1 : reading.found[number].start + start]
        new = mark + _escaped(inner, mark) + text[start:]
        yield reading.reread(first, number + 1, new, "escape quotes")


def _joins(reading: Reading, first: int, number: int, mark: bytes) -> bool:
    """Whether token `first` is a string on the line of token `number`, with the same quotes."""
    if reading.found[first].kind != "string":
        return False
    alike = reading.found[first].text.startswith(mark)
    return alike and all(reading.steps[at] == SAME for at in range(first + 1, number + 1))


def _escaped(inner: bytes, mark: bytes) -> bytes:
    return re.sub(rb"(?<!\\)" + re.escape(mark), rb"\\" + mark, inner)


def _ended_comment(reading: Reading, number: int, start: bytes, end: bytes) -> Iterator[Change]:
    text, mark = reading.found[number].text, reading.language.line_comment.encode()
    line = text.find(b"\n")
    line = line if line >= 0 else len(text)
    yield _again(reading, number, text[:line] + b" " + end + text[line:], "close comment")
    yield _again(reading, number, text[len(start) :], "open comment")
    if mark != start:
        yield _again(reading, number, mark + text[len(start) :], "line comment")


def _widened(reading: Reading, number: int) -> Iterator[Change]:
    """What stands behind a string belongs into it; several strings with words between are one."""
    found, token = reading.found, reading.found[number]
    mark, last = token.text[-1:], None
    for end in range(number + 1, min(number + REACH, len(found))):
        if reading.steps[end] != SAME:
            break
        if found[end].kind == "string" and found[end].text[:1] == token.text[:1]:
            last = end
        inside = reading.text[token.end : found[end - 1].end]
        ends = found[end].text in (b",", b")", b";") and end > number + 1
        if ends and mark not in inside and not inside.startswith(b","):
            yield reading.reread(number, end, token.text[:-1] + inside + mark, "widen string")
    if last is not None and token.text[:1] == mark:
        inner = reading.text[token.start + 1 : found[last].end - 1]
        yield reading.reread(number, last + 1, mark + _escaped(inner, mark) + mark, "escape quotes")


def _filled(reading: Reading, number: int) -> Iterator[Change]:
    """A character that is none, or too many, where single quotes hold one."""
    text = reading.found[number].text
    if reading.language.indent_based or not reading.language.needs_semicolons:
        return
    if text == b"''":
        yield _again(reading, number, b"' '", "fill character")
        yield _again(reading, number, rb"'\0'", "fill character 0")
    elif text[:1] == text[-1:] == b"'" and len(text) > 3:
        yield _again(reading, number, text[1:-1], "unquote")


def _quoted(reading: Reading, number: int) -> Iterator[Change]:
    r"""`\0` or `%d` without quotes."""
    found, after = reading.found, number + 1
    if after >= len(found) or found[after].kind not in ("word", "number") or reading.steps[after] != SAME:
        return
    inner = reading.text[found[number].start : found[after].end]
    if found[number].text == b"\\":
        yield reading.reread(number, after + 1, b"'" + inner + b"'", "quote character")
        yield reading.reread(number, after + 1, b'"' + inner + b'"', "quote string")
        return
    end = after + 1
    limit = min(number + REACH, len(found))
    while end < limit and found[end].text not in (b",", b")", b";", b"(") and reading.steps[end] == SAME:
        end += 1
    inner = reading.text[found[number].start : found[end - 1].end]
    if b'"' not in inner:
        yield reading.reread(number, end, b'"' + inner + b'"', "quote string")


def _commented(reading: Reading, number: int) -> Iterator[Change]:
    """A line comment whose mark lacks a character or is another language's."""
    found, mark = reading.found, reading.language.line_comment.encode()
    # Behind a bracket `*` is a product.
    behind = (b";", b"{", b"}") if found[number].text == b"*" else (b";", b"{", b"}", b")")
    if number and reading.steps[number] == SAME and found[number - 1].text not in behind:
        return
    end, limit = number + 1, min(number + LONGEST, len(found))
    while end < limit and reading.steps[end] == SAME:
        end += 1
    line = reading.text[found[number].start : found[end - 1].end]
    bare = line.lstrip(b"/\\*")
    yield reading.reread(number, end, mark + bare, "comment line")
    if bare != line and end > number + 1:
        yield reading.reread(number, end, bare.rstrip(b"*/ "), "open comment")
