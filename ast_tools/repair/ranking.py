"""Which repair of a statement people mean: a weighted sum of what can be seen of each, learnt from people's repairs."""

import math
import re
from collections.abc import Mapping, Sequence

from ast_tools.repair.literals import FORMATTED
from ast_tools.repair.reading import CHARACTER, Change, Gain, Reading
from ast_tools.repair.statements import Broken
from ast_tools.repair.vocabulary import SAME

Features = list[tuple[str, float]]
_NEAR = 3
CLASS = "class: "
"""What the names of classes of edits begin with."""
STRAY = "a quote that goes before what is neither a name here nor code"
HABIT = "quotes of a kind that the text has more of"
DUE = "an end of a statement before a word of the same line that begins one"
BLOCK = "braces around lines that are indented as a block"
UNWRITTEN = "an assignment goes whose value is still to be written"
HOLE = "the end of a formatted string before a hole"
JUDGED = {STRAY: -4.0, HABIT: 1.5, DUE: 2.5, BLOCK: 1.5, UNWRITTEN: -3.0, HOLE: -2.0}
"""Weights beside the learnt ones. Planted errors have many stray quotes; people lose one, and rarely add one."""


def features(reading: Reading, changes: Sequence[Change], gain: Gain, broken: Broken) -> Features:
    """What can be seen of a repair, by name."""
    taken = sum(change.end - change.start for change in changes)
    given = sum(len(change.new) for change in changes)
    found: Features = [
        (f"changes {_acts(changes)}", 1.0),
        ("given", gain.given / 10),
        ("around", gain.around / 10),
        ("loss", min(gain.total, 0.0) / 10),
        ("worst", gain.worst / 10),
        ("surprise", (gain.worst - gain.worst_before) / 10),
        ("was likely", max(gain.worst_before + 3.0, 0.0)),
        ("n taken", math.log1p(taken)),
        ("n given", given / 5),
        ("taken", -gain.taken / 10 / max(taken, 1)),
    ]
    for change in changes:
        found += _class(change, broken) + _words(reading, change) + _quoted(reading, change) + _judged(reading, change)
    return found


def _acts(changes: Sequence[Change]) -> int:
    """How many slips a repair answers: a pair of brackets, or the same edit in several places, is one."""
    labels = {change.label for change in changes}
    paired = {label.partition(" ")[0] for label in labels} == {"wrap"}
    return 1 if paired or (len(labels) == 1 and (len(changes) > 2 or "pair" in changes[0].label)) else len(changes)


def _words(reading: Reading, change: Change) -> Features:
    """Whether the words of a text that is read anew are known here, and its characters are such."""
    if len(change.new) < 2 and change.start == change.end:
        return []
    kind, _, _ = change.label.partition(" ")
    before = {reading.found[at].text for at in range(change.start, change.end)}
    new = [new for new in change.new if new.text not in before]
    found: Features = []
    words = [one.text for one in new if one.kind == "word" and one.text not in reading.keywords]
    if words:
        unknown = sum(word not in reading.names and word not in reading.counts.symbols for word in words)
        found.append((f"{kind} words known" if not unknown else f"{kind} words unknown", 1.0))
    if any(one.kind == "string" and _is_long(one.text) for one in new) and not reading.language.indent_based:
        found.append(("long character", 1.0))
    return found


def _quoted(reading: Reading, change: Change) -> Features:
    """For a string without an end: what stands in it where it ends with this change, or behind the quote that goes."""
    kind, _, rest = change.label.partition(" ")
    if kind not in ("insert", "delete") or rest not in _QUOTES:
        return []
    text = reading.found[change.start].text
    if kind == "insert":
        text = next((new.text for new in change.new if new.kind == "string"), b"")[:-1]
    quote = _QUOTE.search(text)
    if quote is None:
        return []
    inner = text[quote.end() :]
    inner = inner.rstrip(b" \t);,:]}") if kind == "delete" else inner
    said = _said(reading, inner)
    operand = inner.isdigit() or inner in reading.keywords
    plain = not operand and (said in ("character", "prose") or (said == "word" and inner.isalnum()))
    stray: Features = [(STRAY, 1.0)] if kind == "delete" and plain else []
    return [(f"{kind} {quote.group().decode()} {said}", 1.0), *stray]


def _judged(reading: Reading, change: Change) -> Features:
    """What is certain enough to be judged, and too rare to be learnt."""
    if change.label == "insert ;" and 0 < change.end < len(reading.found):
        if reading.found[change.end - 1].text in reading.keywords or reading.steps[change.end - 1] != SAME:
            return []  # One word alone is no statement.
        begins = reading.found[change.end].text.decode("utf-8", "replace")
        return [(DUE, 1.0)] if begins in reading.language.statement_words else []
    if change.start < change.end and _lacks_value(reading, change.start):
        return [(UNWRITTEN, 1.0)]
    if change.label == "insert quote" and _leaves_hole(reading, change):
        return [(HOLE, 1.0)]
    if change.label == "wrap { block":
        return [(BLOCK, 1.0)]
    if change.label == "replace quote":
        text = next((new.text for new in change.new if new.kind == "string"), b"")
        short, mine = len(text) <= CHARACTER, text[-1:]
        others = [n for (mark, is_short), n in reading.quotes.items() if is_short == short and mark != mine]
        return [(HABIT, 1.0)] if reading.quotes[mine, short] > sum(others) else []
    return []


_ASSIGNS = re.compile(rb"(?:[-+*/%&|^@.:]|<<|>>>?|\*\*|//|\|\||&&|\?\?)=")


def _lacks_value(reading: Reading, number: int) -> bool:
    """Whether a token is an operator like `+=`, and its statement or its line ends behind it."""
    found, after = reading.found, number + 1
    if _ASSIGNS.fullmatch(found[number].text) is None:
        return False
    return after >= len(found) or reading.steps[after] != SAME or found[after].text in (b";", b")", b"}")


def _leaves_hole(reading: Reading, change: Change) -> bool:
    """Whether a string that had no end, and may have holes, is ended before a brace of its line."""
    ended = next((number for number, new in enumerate(change.new) if new.kind == "string"), len(change.new))
    quote = _QUOTE.search(reading.text, change.edit.start, change.edit.end)
    behind = any(new.text == b"{" for new in change.new[ended + 1 :])
    before = reading.text[max(quote.start() - 3, 0) : quote.start()] if quote is not None else b""
    return behind and FORMATTED.search(before) is not None


_QUOTE = re.compile(rb"[\"'`]")
_QUOTES = frozenset({"quote", "quote at the end", "quote and close"})
_CODE = re.compile(rb"[=(+]")


def _said(reading: Reading, inner: bytes) -> str:
    """What kind of text stands in a string."""
    if inner in reading.names:
        return "name"
    if len(inner) < 2 or (len(inner) == 2 and inner.startswith(b"\\")):
        return "character" if inner else "nothing"
    return "prose" if b" " in inner and _CODE.search(inner) is None else "code" if b" " in inner else "word"


def _is_long(text: bytes) -> bool:
    """Whether a text in single quotes is more than one character."""
    inner = text[1:-1]
    return (
        text[:1] == b"'" and len(inner) > (2 if inner[:1] == b"\\" else 1) and inner[:2] not in (b"\\x", b"\\u", b"\\0")
    )


def _class(change: Change, broken: Broken) -> Features:
    kind, _, _ = change.label.partition(" ")
    found: Features = [(kind, 1.0), (f"{CLASS}{change.label}", 1.0), (f"{kind} {_distance(change, broken)}", 1.0)]
    if change.start < broken.start:
        found.append((f"{kind} before", 1.0))
    elif change.start == broken.start:
        found.append((f"{kind} first", 1.0))
    if change.end == broken.end:
        found.append((f"{kind} last", 1.0))
    if change.start <= broken.start and change.end >= broken.end and not change.new:
        found.append(("delete statement", 1.0))
    return found


def _distance(change: Change, broken: Broken) -> str:
    """Where a change stands to the place where the parser stopped, in tokens."""
    if change.start <= broken.mark <= change.end:
        return "at mark"
    away = change.start - broken.mark if change.start > broken.mark else change.end - broken.mark
    return f"at {max(-8, min(8, away)) if abs(away) <= _NEAR else (-8 if away < 0 else 8)}"


def score(found: Features, weights: Mapping[str, float]) -> float:
    """The weighted sum of what was learnt, and of what is judged."""
    return sum((weights.get(name, 0.0) + JUDGED.get(name, 0.0)) * value for name, value in found)
