"""Edits of single tokens that could repair a statement: insert, delete, replace, swap, join."""

from collections.abc import Iterator, Sequence

from ast_tools.edits import Edit
from ast_tools.lexer import PARTNER, Token
from ast_tools.repair.likelihood import OTHER, moved
from ast_tools.repair.reading import Change, New, Reading, kind_of
from ast_tools.repair.vocabulary import NEXT, SAME
from ast_tools.spelling import word_like

PER_GAP = 6
"""Symbols that are tried in one place, besides the marks that are lost most often."""
MOST_LIKELY = 24
"""Symbols for one place of which it is asked how likely what follows them is."""
INSERTIONS = 70
REPLACEMENTS = 40
"""Likeliest insertions and replacements of tokens in all places that are looked at closely."""
LONGEST = 6
"""Tokens that are deleted at once, shorter than a statement."""
_TIGHT_BEFORE = frozenset(b"; , ) ] . ( [ ++ -- :".split())
_TIGHT_AFTER = frozenset(b"( [ . ! ~ & ++ --".split())


def token_edits(reading: Reading, low: int, high: int) -> Iterator[Change]:
    """Edits of tokens [low, high): the likeliest insertions and replacements, all deletions and swaps of neighbours."""
    gaps = [(*likely, gap) for gap in range(max(low, 1), high + 1) for likely in _fitting(reading, gap, gap)]
    for _, text, gap in sorted(gaps)[:INSERTIONS]:
        yield from _insertions(reading, gap, text)
    places = [
        (*likely, number)
        for number in range(low, high)
        if reading.found[number].kind in ("op", "open", "close")
        for likely in _fitting(reading, number, number + 1)
    ]
    for _, text, number in sorted(places)[:REPLACEMENTS]:
        yield from _replacements(reading, number, text)
    for number in range(low, high):
        yield from _deletions(reading, number, high)
        yield from _neighbours(reading, number)


def _fitting(reading: Reading, gap: int, after: int) -> list[tuple[float, bytes]]:
    """(how much less likely the text gets, symbol) for what may stand between the token before `gap` and `after`."""
    counts, place = reading.counts, reading.places[gap]
    following = reading.symbols[after] if after < len(reading.found) else None
    before = sum(reading.logs[gap : after + 1])
    tried = []
    for text in sorted(reading.often | {counts.spellings[symbol] for symbol in counts.likely(place)}):
        symbol = counts.symbols.get(text, OTHER)
        if following is None or text in reading.often or counts.follows(symbol, following):
            tried.append((counts.log(place, symbol, SAME) - before, text, symbol))
    tried.sort(reverse=True)
    found = []
    for number, (gain, text, symbol) in enumerate(tried):
        if number >= MOST_LIKELY and text not in reading.often:
            continue
        behind = 0.0
        if following is not None:
            next_place = moved(reading.language, place, Token(kind_of(text), 0, 0, text), symbol, SAME)
            behind = counts.log(next_place, following, reading.steps[after])
        found.append((-gain - behind, text))
    found.sort()
    return [entry for number, entry in enumerate(found) if number < PER_GAP or entry[1] in reading.often]


def _insertions(reading: Reading, gap: int, symbol: bytes) -> Iterator[Change]:
    step = reading.steps[gap] if gap < len(reading.found) else NEXT
    for text in _texts(reading, symbol, gap):
        kind = kind_of(text)
        name = reading.label(text, kind) + ("" if step == SAME else " at the end")
        yield Change(gap, gap, (New(kind, text, SAME),), f"insert {name}", inserted(reading, gap, text))
        if step != SAME and text in (b"{", b"}"):
            line = _inserted_line(reading, gap, text)
            yield Change(gap, gap, (New(kind, text, step),), f"insert line {text.decode()}", line)


def inserted(reading: Reading, gap: int, text: bytes) -> Edit:
    """Inserts a token at a gap with the spaces that people write: openers before what follows, others behind."""
    before = reading.found[gap - 1]
    after = reading.found[gap] if gap < len(reading.found) and reading.steps[gap] == SAME else None
    if after is not None and text in (b"(", b"["):
        called = before.kind == "word" and before.text not in reading.keywords
        return Edit(before.end if called else after.start, after.start, text)
    glued = after is not None and before.end == after.start
    tight = text in _TIGHT_BEFORE or before.text in _TIGHT_AFTER or (glued and not word_like(text[:1]))
    spaced = text == b"," or (word_like(text[-1:]) and after is not None and word_like(after.text[:1]))
    return Edit(before.end, before.end, (b"" if tight else b" ") + text + (b" " if glued and spaced else b""))


def _inserted_line(reading: Reading, gap: int, text: bytes) -> Edit:
    line_end = reading.text.find(b"\n", reading.found[gap - 1].end)
    at = line_end if line_end >= 0 else len(reading.text)
    return Edit(at, at, b"\n" + text)


def _texts(reading: Reading, symbol: bytes, gap: int) -> list[bytes]:
    """What a symbol may stand for in this text; nothing where it could be anything."""
    if symbol == b"<number>":
        return [b"0", b"1"]
    if symbol == b"<string>":
        return [b'""']
    if symbol == b"<name>":
        return reading.names_after(gap)
    if symbol.startswith(b"<") and symbol[-1:] == b">" and len(symbol) > 3:
        return []
    if kind_of(symbol) == "word" and symbol not in reading.keywords:
        return [symbol] if symbol in reading.names else []
    return [symbol]


def _deletions(reading: Reading, number: int, high: int) -> Iterator[Change]:
    found = reading.found
    for length in range(1, LONGEST + 1):
        end = number + length
        if end > high or (length > 1 and reading.steps[end - 1] != SAME):
            break
        if length > 1 and not balanced(found[number:end]):
            continue
        first, last = (reading.label(found[at].text, found[at].kind) for at in (number, end - 1))
        name = f"delete {first}" if length == 1 else f"cut {first} {last}"
        yield Change(number, end, (), name, deleted(reading, number, end))


def deleted(reading: Reading, start: int, end: int) -> Edit:
    """Deletes tokens; with the whole lines where nothing else stands on them."""
    text, first, last = reading.text, reading.found[start], reading.found[end - 1]
    line_start, line_end = text.rfind(b"\n", 0, first.start) + 1, text.find(b"\n", last.end)
    line_end = line_end if line_end >= 0 else len(text)
    if not text[line_start : first.start].strip() and not text[last.end : line_end].strip():
        return Edit(line_start, min(line_end + 1, len(text)), b"")
    if text[first.start - 1 : first.start] == b" " and (
        text[last.end : last.end + 1] in (b" ", b"\n", b"\r", b";", b")", b",")
    ):
        return Edit(first.start - 1, last.end, b"")
    glues = word_like(text[first.start - 1 : first.start]) and word_like(text[last.end : last.end + 1])
    return Edit(first.start, last.end, b" " if glues else b"")


def _replacements(reading: Reading, number: int, symbol: bytes) -> Iterator[Change]:
    token, kind = reading.found[number], kind_of(symbol)
    if symbol != token.text and kind in ("op", "open", "close"):
        name = f"replace {reading.label(token.text, token.kind)} {symbol.decode()}"
        yield replaced(reading, number, number + 1, symbol, name)


def replaced(reading: Reading, start: int, end: int, text: bytes, name: str) -> Change:
    """Replaces tokens by one."""
    edit = Edit(reading.found[start].start, reading.found[end - 1].end, text)
    return Change(start, end, (New(kind_of(text), text, reading.steps[start]),), name, edit)


def _neighbours(reading: Reading, number: int) -> Iterator[Change]:
    """Two tokens in the wrong order, or an operator in two pieces."""
    if number + 1 >= len(reading.found):
        return
    one, other = reading.found[number], reading.found[number + 1]
    if one.kind == other.kind == "op":
        for joined in {one.text + other.text, other.text + one.text} & reading.operators:
            yield replaced(reading, number, number + 2, joined, f"join {joined.decode()}")
    if one.text != other.text and reading.steps[number + 1] == SAME and "unclosed" not in (one.kind, other.kind):
        new = (New(other.kind, other.text, reading.steps[number]), New(one.kind, one.text, SAME))
        between = reading.text[one.end : other.start]
        name = f"swap {reading.label(one.text, one.kind)} {reading.label(other.text, other.kind)}"
        yield Change(number, number + 2, new, name, Edit(one.start, other.end, other.text + between + one.text))


def balanced(found: Sequence[Token]) -> bool:
    """Whether every bracket of some tokens finds its other half among them."""
    stack: list[bytes] = []
    for token in found:
        if token.kind == "open":
            stack.append(token.text)
        elif token.kind == "close" and (not stack or stack.pop() != PARTNER[token.text]):
            return False
    return not stack
