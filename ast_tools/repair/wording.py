"""What is said of a repair of a statement: what it does, and why, in one sentence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ast_tools.lexer import Token
from ast_tools.repair.reading import Change, Reading
from ast_tools.repair.vocabulary import SAME

MAX_SHOWN = 30
"""Characters of the text that are shown."""


@dataclass(frozen=True, slots=True)
class Said:
    """`title` says what is done, `reason` why; `blames`: the bytes that are wrong, [start, end)."""

    title: str
    reason: str
    blames: tuple[int, int]


def said(reading: Reading, changes: Sequence[Change], line_of: Callable[[int], int]) -> Said:
    """The words for some changes, in the order of the text. `line_of`: the number of an offset's line, from 1."""
    titles = list(dict.fromkeys(_title(reading, change, line_of) for change in changes))
    first = changes[0]
    title = titles[0] + "".join(f", {other[:1].lower()}{other[1:]}" for other in titles[1:3])
    return Said(title, _reason(reading, first, line_of), _blames(reading, first))


def _title(reading: Reading, change: Change, line_of: Callable[[int], int]) -> str:
    old, new, kind = _old(reading, change), _new(change), change.label.partition(" ")[0]
    if kind == "indent":
        return f"Indent {_lines(change, line_of)} {change.label.partition(' ')[2]}"
    if change.start == change.end:
        return f"Insert `{new}`" if kind != "close" else f"Insert `{new.replace(' ', '')}`"
    if not change.new:
        return f"Delete `{old}`"
    if change.label.startswith("swap"):
        return f"Write `{new}`"
    return _edited(reading, change) or f"Replace `{old}` by `{new}`"


def _edited(reading: Reading, change: Change) -> str:
    """For an edit of a few characters inside a long token, or of a quote: those only."""
    edit = change.edit
    old, new = reading.text[edit.start : edit.end], edit.new
    if len(old) <= MAX_SHOWN and len(new) <= MAX_SHOWN and "quote" not in change.label:
        return ""
    head = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    gone, come = _shown(old[head : len(old) - tail]), _shown(new[head : len(new) - tail])
    if not gone:
        return f"Insert `{come}`"
    return f"Replace `{gone}` by `{come}`" if come else f"Delete `{gone}`"


def _reason(reading: Reading, change: Change, line_of: Callable[[int], int]) -> str:
    kind, _, rest = change.label.partition(" ")
    line = f"line {line_of(_blamed(reading, change).start)}"
    if kind == "indent":
        return f"Line {line_of(change.edit.start)} is not indented as its block asks for."
    if change.label == "insert block":
        return f"The block that {line} opens is empty."
    if rest == "{ block":
        return f"What is indented below {line} is not in braces."
    old, new = _old(reading, change), _new(change)
    token = reading.found[min(change.start, len(reading.found) - 1)]
    if token.kind == "unclosed":
        what = "comment" if "comment" in rest or kind == "line" else "string"
        return f"The {what} that begins on {line} has no end."
    if kind in ("insert", "close"):
        return _missing(reading, change, new.replace(" ", "") if kind == "close" else new, line)
    if kind in _REASONS:
        return _REASONS[kind].format(old=old, new=new, line=line)
    if not change.new:
        return f"`{old}` on {line} does not fit there."
    return f"`{old}` on {line} stands where `{new}` is due."


_REASONS = {
    "respell": "`{old}` on {line} looks like `{new}` misspelt.",
    "split": "`{old}` on {line} is two words in one.",
    "join": "`{old}` on {line} is `{new}` in pieces.",
    "multiply": "A number and a name stand together on {line} without an operator.",
    "translate": "`{old}` on {line} is written `{new}` in this language.",
    "swap": "`{old}` on {line} is in the wrong order.",
    "widen": "What follows the string on {line} does not fit there.",
    "escape": "The string on {line} ends before a quote that belongs to it.",
    "fill": "The character on {line} is empty.",
    "quote": "`{old}` on {line} lacks its quotes.",
    "unquote": "What stands in quotes on {line} is too long for a character.",
    "comment": "`{old}` on {line} does not begin a comment.",
    "wrap": "What follows on {line} must stand in parentheses.",
}


def _missing(reading: Reading, change: Change, new: str, line: str) -> str:
    before = reading.found[change.start - 1] if change.start else None
    ends = change.start >= len(reading.found) or reading.steps[change.start] != SAME
    if before is None:
        return f"`{new}` is missing on {line}."
    if ends:
        return f"{line.capitalize()} ends without `{new}`."
    return f"`{new}` is missing after `{_shown(before.text)}` on {line}."


def _lines(change: Change, line_of: Callable[[int], int]) -> str:
    """The lines that a change moves, as people count them."""
    first = line_of(change.edit.start)
    last = first + change.edit.new.rstrip(b"\n").count(b"\n")
    return f"line {first}" if first == last else f"lines {first} to {last}"


def _blamed(reading: Reading, change: Change) -> Token:
    at = change.start - 1 if change.start == change.end and change.start else change.start
    return reading.found[min(at, len(reading.found) - 1)]


def _blames(reading: Reading, change: Change) -> tuple[int, int]:
    if change.label.startswith("indent"):
        token = reading.found[change.start]
        return token.start, token.end
    if change.start == change.end:
        token = _blamed(reading, change)
        return token.start, token.end
    start, end = reading.found[change.start].start, reading.found[change.end - 1].end
    line_end = reading.text.find(b"\n", start, end)
    return start, end if line_end < 0 else line_end


def _old(reading: Reading, change: Change) -> str:
    if change.start == change.end:
        return ""
    return _shown(reading.text[reading.found[change.start].start : reading.found[change.end - 1].end])


def _new(change: Change) -> str:
    return _shown(change.edit.new if change.end > change.start else b" ".join(new.text for new in change.new))


def _shown(text: bytes) -> str:
    shown = " ".join(text.decode("utf-8", "replace").split())
    return shown if len(shown) <= MAX_SHOWN else shown[: MAX_SHOWN - 1] + "…"
