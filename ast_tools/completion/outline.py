"""What to leave out of a text by its indentation, where the tree is broken: all but near lines and their headers."""

from collections.abc import Iterator

from ast_tools.languages import Language
from ast_tools.lexer import tokens
from ast_tools.scopes import indent_width

REACH = 8_000
"""Bytes in which the near lines begin and end."""
FAR_LINES = 2_000
"""Lines that are looked through for headers on each side."""
HEADER_LINES = 20
STRING_TRIES = 4
"""Places to begin at that turn out to be inside a string."""
_CLOSING = (b")", b"]", b"}")
Span = tuple[int, int]


def far_lines(language: Language | None, text: bytes, offset: int, window: int, *, in_code: bool) -> list[Span]:
    """The ranges to leave out: all but some lines around the offset, the headers of their blocks, and what closes them.

    `in_code`: the offset stands in no string or comment, so that the near lines neither begin nor end in one.
    """
    lexed = language if in_code else None
    low, high = _begin(lexed, text, offset, window), _end(lexed, text, offset, window)
    kept = [*_headers(language, text, low), (low, high), *_footers(text, high)]
    ends = [0, *(end for _, end in kept)]
    starts = [*(start for start, _ in kept), len(text)]
    return [(end, start) for end, start in zip(ends, starts, strict=True) if end < start]


def _begin(language: Language | None, text: bytes, offset: int, window: int) -> int:
    """The nearest line, but for the window, that is not deeper than any between it and the offset."""
    least, tries = 10**9, 0
    for start, line in _lines_above(text, offset):
        if line.strip() and not line.lstrip().startswith(_CLOSING):
            least = min(least, indent_width(line))
            if offset - start >= window and indent_width(line) == least:
                tries += 1
                if language is None or tries > STRING_TRIES or not _ends_in_string(language, text[start:offset]):
                    return start
        if offset - start > REACH:
            return start
    return 0


def _end(language: Language | None, text: bytes, offset: int, window: int) -> int:
    """The next line outside strings, but for the window, that begins at the margin or before a deeper block ends."""
    near = text[offset : offset + REACH]
    if language is None:
        ends = (start for start, _ in _lines_below(text, offset))
    else:
        ends = (offset + token.end for token in tokens(language, near) if token.kind == "newline")
    last = len(text)
    for end in ends:
        line = text[end : _line_end(text, end)]
        if end - offset >= window and line.strip() and (indent_width(line) == 0 or end - offset > 2 * window):
            return end if not line.lstrip().startswith(_CLOSING) else _line_end(text, end)
        last = end
    return last if len(near) == REACH else len(text)


def _ends_in_string(language: Language, text: bytes) -> bool:
    """Whether a text, read from its beginning, ends in a string of several lines: it began in one, most likely."""
    last = next(iter(tokens(language, text)[-1:]), None)
    return last is not None and last.kind == "unclosed" and b"\n" in last.text


def _headers(language: Language | None, text: bytes, low: int) -> list[Span]:
    """The lines above that are less and less indented, outermost first: the headers of the blocks that `low` is in."""
    least = indent_width(text[low : _line_end(text, low)])
    found: list[Span] = []
    words = language.continuation_words if language is not None else frozenset[str]()
    for number, (start, line) in enumerate(_lines_above(text, low)):
        if least == 0 or number >= FAR_LINES:
            break
        if not line.strip() or line.lstrip().startswith(_CLOSING) or indent_width(line) >= least:
            continue
        if line.split(maxsplit=1)[0].rstrip(b":").decode("utf-8", "replace") not in words:
            least = indent_width(line)
            found.append((start, _header_end(text, start)))
    return found[::-1]


def _header_end(text: bytes, start: int) -> int:
    """The end of the line at `start`, or of the one on which its brackets but a last `{` are closed."""
    end = start
    for _ in range(HEADER_LINES):
        end = _line_end(text, end)
        header = text[start:end].rstrip().removesuffix(b"{")
        if all(header.count(opening) <= header.count(closing) for opening, closing in (b"()", b"[]")):
            return end
    return _line_end(text, start)


def _footers(text: bytes, high: int) -> list[Span]:
    """The lines below that close blocks and are less and less indented."""
    least, found = indent_width(text[high : _line_end(text, high)]), list[Span]()
    for number, (start, line) in enumerate(_lines_below(text, high)):
        if least == 0 or number >= FAR_LINES:
            break
        if line.lstrip().startswith(b"}") and indent_width(line) < least:
            least = indent_width(line)
            found.append((start, start + len(line)))
    return found


def _lines_above(text: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """The lines that begin before an offset's line, nearest first."""
    end = text.rfind(b"\n", 0, offset) + 1
    while end > 0:
        start = text.rfind(b"\n", 0, end - 1) + 1
        yield start, text[start:end]
        end = start


def _lines_below(text: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """The lines that begin at an offset or behind it."""
    start = offset if text[offset - 1 : offset] in (b"\n", b"") else _line_end(text, offset)
    while start < len(text):
        end = _line_end(text, start)
        yield start, text[start:end]
        start = end


def _line_end(text: bytes, offset: int) -> int:
    """Where the next line begins."""
    end = text.find(b"\n", offset)
    return end + 1 if end >= 0 else len(text)
