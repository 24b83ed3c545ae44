"""Edits of two brackets at once: another kind for a pair, a pair that lacks or is too much."""

from collections.abc import Iterator, Sequence

from ast_tools.edits import Edit
from ast_tools.lexer import PARTNER, Token
from ast_tools.repair.reading import Change, New, Reading, kind_of
from ast_tools.repair.token_edits import deleted, inserted, replaced
from ast_tools.repair.vocabulary import DEEPER, SAME, SHALLOWER, indentation

Changes = tuple[Change, ...]
MAX_ENDS = 6
ABOVE = 40
"""Tokens further above than other edits go, where the header of a block may lack its brace."""
MAX_BLOCK = 300
"""Tokens of a block that lacks its braces."""
_HEADERS = frozenset((b")", b"else", b"do", b"try"))
"""What a header ends in whose block may lack its braces."""


def pair_edits(reading: Reading, low: int, high: int) -> Iterator[Changes]:
    """Edits of brackets that are a pair in tokens [low, high), and new pairs."""
    for opener, closer in matched(reading.found, low, high):
        kind = reading.found[opener].text
        yield _both(reading, opener, closer, None)
        for other in (b"(", b"[", b"{"):
            if other != kind:
                yield _both(reading, opener, closer, other)
    for number in range(low, high):
        yield from _wrapped(reading, number, high)
    if reading.language.needs_semicolons and reading.language.block_opener == "{":
        for gap in range(max(low - ABOVE, 1), high):
            yield from _block(reading, gap)
    yield from _closed(reading, low, high)


def matched(found: Sequence[Token], low: int, high: int) -> list[tuple[int, int]]:
    """The pairs of brackets that both stand in tokens [low, high)."""
    stack: list[int] = []
    result = []
    for number in range(low, min(high, len(found))):
        token = found[number]
        if token.kind == "open":
            stack.append(number)
        elif token.kind == "close" and stack and found[stack[-1]].text == PARTNER[token.text]:
            result.append((stack.pop(), number))
    return result


def _both(reading: Reading, opener: int, closer: int, kind: bytes | None) -> Changes:
    old = reading.found[opener].text.decode()
    if kind is None:
        edits = [deleted(reading, at, at + 1) for at in (opener, closer)]
        return tuple(
            Change(at, at + 1, (), f"delete pair {old}", edit) for at, edit in zip((opener, closer), edits, strict=True)
        )
    name = f"replace pair {old} {kind.decode()}"
    return (
        replaced(reading, opener, opener + 1, kind, name),
        replaced(reading, closer, closer + 1, PARTNER[kind], name),
    )


def _wrapped(reading: Reading, number: int, high: int) -> Iterator[Changes]:
    """`if a > b {`, `print x`: what follows a word on its line belongs into parentheses."""
    found, start = reading.found, number + 1
    word = found[number]
    if word.kind != "word" or start >= len(found) or reading.steps[start] != SAME:
        return
    if found[start].text == b"(" and word.text not in reading.keywords:
        return
    opened = _bracket(reading, start, b"(", f"wrap after {reading.label(word.text, word.kind)}")
    for end in _ends(reading, start, high):
        yield opened, _bracket(reading, end, b")", f"wrap before {_following(reading, end)}")


def _bracket(reading: Reading, gap: int, mark: bytes, label: str) -> Change:
    return Change(gap, gap, (New(kind_of(mark), mark, SAME),), label, inserted(reading, gap, mark))


def _following(reading: Reading, gap: int) -> str:
    if gap >= len(reading.found) or reading.steps[gap] != SAME:
        return "line end"
    return reading.label(reading.found[gap].text, reading.found[gap].kind)


def _ends(reading: Reading, start: int, high: int) -> Iterator[int]:
    """Gaps where something that begins before `start` can end: before closers, braces, `;`, at the end of the line."""
    depth, given = 0, 0
    for gap in range(start, min(high + 1, len(reading.found) + 1)):
        ends_line = gap == len(reading.found) or reading.steps[gap] != SAME
        text = reading.found[gap].text if gap < len(reading.found) else b""
        if gap > start and depth == 0 and (ends_line or text in (b")", b"{", b";", b":", b",")):
            yield gap
            given += 1
        if ends_line or given >= MAX_ENDS or (depth == 0 and text in (b")", b"{", b";")):
            return
        kind = reading.found[gap].kind
        depth += (kind == "open") - (kind == "close")


def _block(reading: Reading, gap: int) -> Iterator[Changes]:
    """Braces around the lines that are indented deeper than the header that ends at a gap, two or more statements."""
    found, language = reading.found, reading.language
    if reading.steps[gap] != DEEPER or found[gap - 1].text not in _HEADERS or found[gap].kind in ("open", "close"):
        return
    own = indentation(reading.text, found[gap - 1].start)
    first = indentation(reading.text, found[gap].start)
    end, statements = gap, 0
    while end < len(found) and end - gap < MAX_BLOCK:
        begins = reading.text.find(b"\n", found[end - 1].end, found[end].start) >= 0
        width = indentation(reading.text, found[end].start) if begins else first
        if width <= own:
            break
        goes_on = found[end].text.decode("utf-8", "replace") in language.continuation_words
        statements += begins and width == first and not goes_on
        end += 1
    if statements < 2 or end == len(found) or end - gap == MAX_BLOCK:
        return
    lead = reading.text[: found[gap - 1].start].rpartition(b"\n")[2]
    lead = lead[: len(lead) - len(lead.lstrip())]
    opened = Change(gap, gap, (New("open", b"{", SAME),), "wrap { block", inserted(reading, gap, b"{"))
    at = found[end - 1].end
    closed = New("close", b"}", SHALLOWER)
    yield opened, Change(end, end, (closed,), "wrap } block", Edit(at, at, b"\n" + lead + b"}"))


def _closed(reading: Reading, low: int, high: int) -> Iterator[Changes]:
    """All brackets that a statement leaves open are closed at once, at the end of a line or of the statement."""
    found, stack = reading.found, list[bytes]()
    for gap in range(low, min(high, len(found) - 1) + 1):
        token = found[gap]
        if stack and b"{" not in stack and (reading.steps[gap] != SAME or token.text in (b";", b":", b"{")):
            yield from _all_closed(reading, gap, [PARTNER[opener] for opener in reversed(stack)])
        if token.kind == "open":
            stack.append(token.text)
        elif token.kind == "close" and stack and stack[-1] == PARTNER[token.text]:
            stack.pop()
        elif token.text in (b";", b"}", b"{"):
            stack.clear()
    if stack and b"{" not in stack and high >= len(found):
        yield from _all_closed(reading, len(found), [PARTNER[opener] for opener in reversed(stack)])


def _all_closed(reading: Reading, gap: int, closers: Sequence[bytes]) -> Iterator[Changes]:
    """One closer alone is tried elsewhere; with a semicolon it is not."""
    endings = [(b";",)] if reading.language.needs_semicolons else []
    for marks in ([*closers], *([*closers, *ending] for ending in endings)):
        if len(marks) > 1:
            new = tuple(New(kind_of(mark), mark, SAME) for mark in marks)
            at = reading.found[gap - 1].end
            yield (Change(gap, gap, new, f"close {len(closers)}", Edit(at, at, b"".join(marks))),)
