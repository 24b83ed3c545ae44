"""Makes model text fit the tree: cut, overlap, close, indent, judge.

A completion is pasted into the enclosing statements and judged there, never by newline alone: a single line ends at the
first line end where the statement is whole, several lines end where their block does.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ast_tools.languages import Language
from ast_tools.lexer import PARTNER, Token, tokens, unmatched
from ast_tools.region import Region, region
from ast_tools.scopes import Place, place
from ast_tools.spot import Spot, spot, width
from ast_tools.tree import SyntaxTree

REASONS: dict[str, str] = {
    "complete": "The statement is complete.",
    "block_end": "The block is complete.",
    "closer": "The bracket that comes next already stands after the cursor.",
    "surplus": "The bracket that comes next would close nothing.",
    "suffix": "The lines that come next already stand after the cursor.",
    "loop": "The model began to repeat itself.",
    "limit": "The text is as long as a suggestion may be.",
    "blank": "The model wrote nothing but white space.",
    "nothing_new": "What the model wrote already stands after the cursor.",
    "adds_errors": "The file would have more syntax errors than before.",
    "leaves_block": "The lines below the cursor would have become part of something else.",
}
"""Every reason code, with its sentence."""

SINGLE_LINES = 8
"""A single-line completion may run on over this many lines to reach the end of its statement."""
BLOCK_LINES = 60
MAX_CHARS = 6_000
MAX_LINE = 5_000
"""Characters; around a longer line (generated, minified) a completion is judged as text only."""
FINISH_BUDGET_S = 0.1


@dataclass(frozen=True, slots=True)
class CutResult:
    """`text`: what there is to show; `done`: stop the model; `reason`: why it stopped or was rejected, of REASONS."""

    text: str
    done: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class _Fit:
    """A candidate in its final form and what the tree says of it."""

    text: str
    errors: int
    clean: bool
    whole: bool

    @property
    def rank(self) -> tuple[bool, bool, int]:
        """Smaller is better."""
        return (not self.whole, not self.clean, self.errors)


class Cutter:
    """Judges one completion while it streams. Mutable, for one stream, in one thread.

    Without a language, or where the text is too much for the parser, only the rules that need no tree hold.
    """

    def __init__(
        self, tree: SyntaxTree | None, language: Language | None, text: bytes, offset: int, *, multiline: bool
    ) -> None:
        self._spot = spot(language, text, offset)
        if len(self._spot.before) + len(self._spot.after) > MAX_LINE:
            language = tree = None
        self._language = language
        self._region = region(tree, language, text, offset)
        self._place = place(tree, text, offset)
        self._prose = self._place in (Place.COMMENT, Place.STRING)
        self._multiline = multiline and not self._prose and not _has_body(self._spot)
        sides = _sides(language, self._region)
        self._closable = _closable(sides)
        self._floor = self._errors_before()
        self._least = -1 if self._prose else _goes_on(self._spot, sides, language)
        self._left = False
        self._free_closers = _free_closers(sides)
        self._raw = ""
        self._lines_seen = 0
        self._end: int | None = None
        self._reason: str | None = None
        self._best: _Fit | None = None

    def _errors_before(self) -> int:
        return self._region.tree.n_errors if self._region.tree is not None else 0

    def feed(self, piece: str) -> CutResult:
        """Takes the next piece of model text; `done` says that whatever comes next would be cut off."""
        if self._reason is None:
            first = len(self._raw)
            self._raw = (self._raw + piece).replace("\r\n", "\n")
            self._watch(piece, first)
        shown = self._raw if self._end is None else self._raw[: self._end]
        return CutResult(shown, self._reason is not None, self._reason)

    def _stop(self, reason: str, end: int) -> None:
        self._reason, self._end = reason, end

    def _watch(self, piece: str, first: int) -> None:
        """Looks for a reason to stop, in the order of the text."""
        if any(mark in ")]}\"'`" for mark in piece) and (surplus := self._surplus()) is not None:
            return self._stop(*surplus)
        at = self._raw.find("\n", max(0, first - 1))
        while at >= 0 and self._reason is None:
            if at >= first or self._raw[at] == "\n":
                self._line_ended(at)
            at = self._raw.find("\n", at + 1)
        if self._reason is not None:
            return None
        if self._multiline and self._raw.count("\n"):
            start = self._raw.rfind("\n") + 1
            if self._outside(self._raw[start:], partial=True):
                return self._stop("block_end", start)
        if (repeat := _loop(self._raw)) is not None:
            return self._stop("loop", repeat)
        if len(self._raw) > MAX_CHARS:
            return self._stop("limit", len(self._raw))
        return None

    def _surplus(self) -> tuple[str, int] | None:
        """Where the completion writes a closer that stands after the caret already, or that closes nothing."""
        here = self._spot
        if not here.inserts_above:
            end = _closer_after(self._language, self._raw, here.after, in_string=self._place is Place.STRING)
            if end is not None:
                return "closer", end
        if self._language is None or self._closable is None or self._prose:
            return None
        data = self._raw.encode("utf-8", "replace")
        closers, _ = unmatched(tokens(self._language, data))
        for number, closer in enumerate(closers):
            if number >= len(self._closable.openers) or self._closable.openers[number] != PARTNER[closer.text]:
                end = len(data[: closer.start].decode("utf-8", "replace"))
                return ("closer" if self._closable.closed_below else "surplus"), end
        return None

    def _line_ended(self, at: int) -> None:
        """A line of the completion ends at `at`."""
        done = self._raw[:at]
        if not done.strip():
            if done.count("\n") >= 3:
                self._stop("blank", at)
            return
        if at < self._lines_seen:
            return
        self._lines_seen = at + 1
        if self._multiline:
            self._block_line_ended(done)
        elif self._single_is_whole(done):
            self._stop("complete", at)
        elif done.strip().count("\n") + 1 >= SINGLE_LINES:
            self._stop("limit", at)

    def _single_is_whole(self, done: str) -> bool:
        if self._prose or self._region.tree is None or (self._spot.after.strip() and not self._spot.inserts_above):
            return True
        fit = self._fit(done)
        if fit.whole:
            self._best = fit
            return True
        # Around a place that was broken before, the tree cannot say more; brackets can.
        return not fit.clean and fit.errors <= self._floor > 0 and self._balanced(done)

    def _balanced(self, done: str) -> bool:
        if self._language is None:
            return True
        return not _stands_open(self._language, self._spot.before + done)

    def _block_line_ended(self, done: str) -> None:
        start = done.rfind("\n") + 1
        line = done[start:]
        if not line.strip():
            if self._paragraph_ends(done):
                self._stop("block_end", len(done.rstrip()))
            return
        first = not done[:start].strip()
        if not first and self._outside(line, partial=False):
            self._stop("block_end", start)
        elif self._repeats_next(done[:start], line, first=first):
            self._stop("suffix", start)
        elif self._closes_block(done):
            self._stop("block_end", len(done))
        elif done.count("\n") >= BLOCK_LINES:
            self._stop("limit", len(done))

    def _paragraph_ends(self, done: str) -> bool:
        """At the left margin no line is less indented, so a blank line ends the unit."""
        if done.endswith("\n\n"):
            return True
        return self._threshold(done) < 0 and self._balanced(done)

    def _threshold(self, done: str) -> int:
        """A line of at most this width is outside the unit; -1 when no line can be."""
        here = self._spot
        if not here.blank_before:
            return width(here.before)
        first = next(line for line in done.split("\n") if line.strip())
        own = width(here.before + first) if done.startswith(first) else width(first)
        return own - 1

    def _outside(self, line: str, *, partial: bool) -> bool:
        """Whether a line of the completion (not its first) belongs to what follows the unit."""
        match = _WORD_DONE.match(line) if partial else _WORD.match(line)
        head = self._raw[: self._raw.rfind(line)] if line else self._raw
        if match is None or not head.strip() or width(line) > self._threshold(head):
            return False
        if match.group(1) in self._continuation_words() or match.group(1) in _CLOSERS:
            return False
        return self._balanced_above(head)

    def _continuation_words(self) -> frozenset[str]:
        return self._language.continuation_words if self._language is not None else frozenset()

    def _balanced_above(self, head: str) -> bool:
        """Brackets that count for layout only in languages with significant indentation."""
        if self._language is None or not self._language.indent_based:
            return self._language is None or self._spot.blank_before or self._balanced(head)
        return self._balanced(head)

    def _repeats_next(self, done: str, line: str, *, first: bool) -> bool:
        following = self._spot.next_lines
        if not following or not any(mark.isalnum() for mark in line):
            return False
        shown = (self._spot.before + line if first and not done else line).rstrip()
        if shown == following[0] and (len(shown.strip()) >= 6 or len(following) == 1):
            return not first or shown != (self._spot.before + self._spot.after).rstrip() or self._spot.inserts_above
        return False

    def _closes_block(self, done: str) -> bool:
        if self._language is None or self._language.indent_based:
            return False
        closers, _ = unmatched(tokens(self._language, done.encode("utf-8", "replace")))
        return bool(closers) and done.rstrip(";,) \t").endswith(("}", "]", ")"))

    def finish(self, *, unfinished: bool = False) -> CutResult:
        """The text to insert at the offset; empty, with a reason, when it is rejected.

        `unfinished`: the model was stopped in mid-sentence, so that of several lines the last does not count.
        """
        raw = self._meant(unfinished=unfinished)
        done = self._reason is not None
        if self._reason == "loop" and not raw.strip():
            return CutResult("", done, "loop")
        if not raw.strip():
            blank = "nothing_new" if self._reason in ("closer", "suffix") else "blank"
            return CutResult("", done, blank)
        fit = self._best if self._best is not None else self._choose(raw)
        if fit is None:
            return CutResult("", done, "leaves_block" if self._left else "adds_errors")
        if not fit.text.strip():
            return CutResult("", done, "nothing_new")
        text = fit.text.replace("\n", self._spot.eol)
        return CutResult(text, done, self._reason)

    def _meant(self, *, unfinished: bool) -> str:
        """The model's text up to its end, without what it only repeated or did not finish."""
        if unfinished and self._reason is None and (repeat := _loop(self._raw, shortest=8)) is not None:
            self._stop("loop", repeat)
        raw = self._raw if self._end is None else self._raw[: self._end]
        if self._reason == "loop":
            return _said_once(self._without_loop(raw))
        whole_lines = raw.rpartition("\n")[0]
        dropped = unfinished and self._reason is None and self._multiline and whole_lines.strip()
        return whole_lines if dropped else raw

    def _without_loop(self, raw: str) -> str:
        """Without the last line where it ends inside a comment or a string: said once, that is no sentence either."""
        head, _, line = raw.rpartition("\n")
        if self._prose:
            return head
        if self._language is None:
            return raw
        data = raw.encode("utf-8", "replace")
        last = next(iter(tokens(self._language, data)[-1:]), None)
        inside = last is not None and last.kind in ("comment", "unclosed") and line.strip()
        return head if inside else raw

    def _choose(self, raw: str) -> _Fit | None:
        """The first cut, in the order of the mode, that is clean here; else that adds no errors; else nothing."""
        deadline = time.perf_counter() + FINISH_BUDGET_S
        fallback: _Fit | None = None
        for cut in self._cuts(raw):
            fit = self._fit(cut, closing=True)
            if fit.whole:
                return fit
            if fit.errors <= self._floor and (fallback is None or fit.rank < fallback.rank):
                fallback = fit
            if time.perf_counter() > deadline:
                break
        return fallback

    def _cuts(self, raw: str) -> Iterator[str]:
        """Ends of lines: the nearest first for a single line, the furthest first for a block."""
        ends = [match.start() for match in re.finditer(r"\n|\Z", raw) if raw[: match.start()].strip()]
        if self._prose or (self._region.tree is None and not self._multiline):
            ends = ends[:1]
        if self._spot.after.strip() and not self._spot.inserts_above and not self._multiline:
            ends = ends[:1]
        seen: set[str] = set()
        for end in ends[::-1] if self._multiline else ends[:SINGLE_LINES]:
            cut = raw[:end].rstrip()
            if cut not in seen:
                seen.add(cut)
                yield cut

    def _fit(self, cut: str, *, closing: bool = False) -> _Fit:
        """The best form of one cut: fewest errors, then the earlier variant."""
        best: _Fit | None = None
        for text in self._variants(cut, closing=closing):
            fit = self._judged(text)
            leaving = self._leaves(text)
            if leaving is not None:
                self._left = True
                # It means another place, not only other columns.
                if leaving == 0 and (_opens(text.partition("\n")[0], self._language) or (fit.whole and not fit.errors)):
                    return replace(fit, errors=self._floor + 1, clean=False, whole=False)
                continue
            if fit.whole:
                return fit
            if best is None or fit.rank < best.rank:
                best = fit
        return best if best is not None else _Fit(cut, self._floor + 1, clean=False, whole=False)

    def _leaves(self, text: str) -> int | None:
        """The first line of a completion that ends the block which goes on below the caret; None: no line does."""
        if self._least <= 0 or self._language is None:
            return None
        lines = text.split("\n")
        for number, line in enumerate(lines):
            shown = line if number else self._spot.before + line
            word = _WORD.match(shown)
            if word is None or width(shown) >= self._least or (number == 0 and not self._spot.blank_before):
                continue
            if word.group(1) in self._continuation_words() or shown.lstrip().startswith(self._language.line_comment):
                continue
            head = "\n".join([self._spot.before + lines[0], *lines[1:]][:number])
            if _stands_open(self._language, head):
                continue
            return number
        return None

    def _variants(self, cut: str, *, closing: bool) -> Iterator[str]:
        here, language = self._spot, self._language
        if self._prose:
            yield _without_overlap(cut, here)
            return
        base = _hung(styled(_first_indent(cut, here, language), here), here, language)
        yield from dict.fromkeys((_without_repeated_lines(_without_overlap(base, here), here), base))
        if language is None:
            return
        if language.indent_based and here.blank_before:
            yield from (_without_repeated_lines(text, here) for text in _indented(base, here, language))
        if closing:
            yield from _closed(base, here, language)

    def _opens_for_good(self, new: bytes) -> bool:
        """Whether text opens a bracket that neither it nor, as far as is free, the text after the caret closes."""
        if self._language is None or self._prose:
            return False
        opened = Counter(token.text for token in unmatched(tokens(self._language, new))[1])
        return any(count > max(0, self._free_closers[mark]) for mark, count in opened.items())

    def _judged(self, text: str) -> _Fit:
        here = self._spot
        if here.inserts_above and text.strip():
            text = text.rstrip() + "\n" + here.before
        new = text.encode("utf-8", "replace")
        tree = self._region.with_text(new)
        if self._region.tree is None:
            return _Fit(text, 0, clean=True, whole=True)
        # Among errors that were there before, the tree may not show one more; brackets do.
        if tree is None or (self._floor and self._opens_for_good(new)):
            return _Fit(text, self._floor + 1, clean=False, whole=False)
        clean = tree.n_errors <= self._floor and _clean_around(tree, self._region, len(new), here)
        accepts = tree.language.accepts
        whole = clean and (accepts is None or tree.n_errors > 0 or accepts(tree.text))
        return _Fit(text, tree.n_errors, clean=clean, whole=whole)


_WORD = re.compile(r"[ \t]*(\w+|\S)")
_WORD_DONE = re.compile(r"[ \t]*(\w+(?=\W)|[^\w\s])")
_CLOSERS = frozenset(")]}")


@dataclass(frozen=True, slots=True)
class _Closable:
    """The brackets open at the caret that nothing after it closes, innermost first."""

    openers: tuple[bytes, ...]
    closed_below: bool


@dataclass(frozen=True, slots=True)
class _Sides:
    """Both sides of the caret as brackets see them: what stays open before it, what closes after it; read once."""

    openers: list[Token]
    closers: list[Token]
    hidden: bool
    """A string is open before the caret."""


def _sides(language: Language | None, around: Region) -> _Sides | None:
    if language is None:
        return None
    before = tokens(language, around.before)
    openers, closers = unmatched(before)[1], unmatched(tokens(language, around.after))[0]
    return _Sides(openers, closers, any(token.kind == "unclosed" for token in before))


def _closable(sides: _Sides | None) -> _Closable | None:
    """None where an open string hides the brackets."""
    if sides is None or sides.hidden:
        return None
    count = max(0, len(sides.openers) - len(sides.closers))
    return _Closable(tuple(opener.text for opener in sides.openers[::-1][:count]), bool(sides.closers))


def _free_closers(sides: _Sides | None) -> Counter[bytes]:
    """How many brackets of each kind (named by the opening one) stand closed after the caret and not opened before."""
    free: Counter[bytes] = Counter()
    if sides is not None:
        free.update(PARTNER[token.text] for token in sides.closers)
        free.subtract(token.text for token in sides.openers)
    return free


def _goes_on(here: Spot, sides: _Sides | None, language: Language | None) -> int:
    """The width of the block that is open above the caret and goes on below it; -1 where none surely does.

    Only for languages in which indentation counts.
    """
    if sides is None or language is None or not language.indent_based or not here.above:
        return -1
    below = next((line for line in here.next_lines if not line.lstrip().startswith(language.line_comment)), "")
    if not below or (sides.openers and sides.closers):
        return -1
    return width(below) if width(below) <= width(here.above) or _opens(here.above, language) else -1


def _stands_open(language: Language, head: str) -> bool:
    """Whether a text ends inside brackets or a string, where indentation means nothing."""
    data = head.encode("utf-8", "replace") + b"\n"
    found = tokens(language, data)
    return bool(unmatched(found)[1]) or any(token.kind == "unclosed" and token.end == len(data) for token in found)


def _has_body(here: Spot) -> bool:
    """Whether the caret stands in a line, a header most likely, whose block is there already."""
    below = next((line for line in here.following if line.strip()), "")
    return not here.blank_before and width(below) > width(here.before)


def _clean_around(tree: SyntaxTree, around: Region, length: int, here: Spot) -> bool:
    """Whether no error touches the lines of the completion."""
    at = len(around.before)
    start, end = at - len(here.before.encode()), at + length + len(here.after.encode())
    return not any(error.start_byte <= end and error.end_byte >= start for error in tree.errors)


def _closer_after(language: Language | None, raw: str, after: str, *, in_string: bool) -> int | None:
    """Where the completion writes the bracket or quote that already stands after the caret."""
    next_mark = after.lstrip()[:1]
    if in_string:
        at = raw.find(next_mark) if next_mark and next_mark in "\"'`" else -1
        return at if at >= 0 and raw[max(0, at - 1) : at] != "\\" else None
    if next_mark not in _CLOSERS or not next_mark:
        return None
    data = raw.encode("utf-8", "replace")
    closers = unmatched(tokens(language, data))[0] if language is not None else _plain_unmatched(data)
    if closers and closers[0].text == next_mark.encode():
        return len(data[: closers[0].start].decode("utf-8", "replace"))
    return None


def _plain_unmatched(data: bytes) -> list[Token]:
    found = [
        Token("open" if mark.group() in b"([{" else "close", mark.start(), mark.end(), mark.group())
        for mark in re.finditer(rb"[()\[\]{}]", data)
    ]
    return unmatched(found)[0]


def _loop(raw: str, shortest: int = 40) -> int | None:
    """The end of the first repetition when the text says something four times, in `shortest` characters or more."""
    for period in range(2, min(len(raw) // 4, 120) + 1):
        unit = raw[-period:]
        if raw[-2 * period : -period] != unit or period * 4 < shortest or not unit.strip():
            continue
        if raw.endswith(unit * 4) and len(set(unit)) > 1:
            step = (unit + unit).find(unit, 1)
            start = len(raw) - 4 * period
            while start and raw[start - 1] == raw[start - 1 + step]:
                start -= 1
            return start + step
    return None


def _said_once(raw: str) -> str:
    """Without last lines that only repeat the line before them."""
    lines = raw.rstrip().split("\n")
    while len(lines) > 1 and lines[-1].strip() and lines[-2].strip().endswith(lines[-1].strip()):
        lines.pop()
    return "\n".join(lines)


def _without_overlap(text: str, here: Spot) -> str:
    """Without the longest end of the text that the rest of the caret's line already is."""
    rest = here.after.rstrip()
    if not rest.strip() or here.inserts_above:
        return text
    stripped = rest.lstrip()
    if len(stripped) >= 2 and stripped in text and text.rstrip().endswith(stripped):
        return text.rstrip()[: -len(stripped)]
    for length in range(min(len(stripped), len(text)), 0, -1):
        head = stripped[:length]
        # Part of a word is no overlap; what ends before a closer is whole.
        whole = stripped[length : length + 1] in _CLOSERS | {""} or not any(mark.isalnum() for mark in head)
        if whole and text.endswith(head):
            return text[:-length]
    return text


def _without_repeated_lines(text: str, here: Spot) -> str:
    """Without the longest run of last lines that the next lines of the file already are."""
    lines, following = text.rstrip().split("\n"), here.next_lines
    shown = [here.before + lines[0], *lines[1:]]
    for first in range(len(lines)):
        tail = [line.rstrip() for line in shown[first:] if line.strip()]
        if tail and shown[first].strip() and tuple(tail) == following[: len(tail)]:
            return "\n".join(lines[:first]).rstrip()
    return text


def _first_indent(text: str, here: Spot, language: Language | None) -> str:
    """The first line without the white space that already stands before the caret."""
    if not here.blank_before:
        return text.lstrip(" \t") if here.before[-1:] in (" ", "\t") else text
    own = text[: len(text) - len(text.lstrip(" \t"))]
    if not own or not here.before or width(here.before) == 0:
        return text
    limit = width(here.above) + (len(here.unit.expandtabs(8)) if _opens(here.above, language) else 0)
    if width(here.before) + width(own + "x") > limit and width(here.before) <= limit:
        return text.lstrip(" \t")
    return text


def _hung(text: str, here: Spot, language: Language | None) -> str:
    """Where a model counts columns from the caret instead of the margin: its later lines moved to the caret's column.

    Only for languages in which indentation means nothing; it shows by a last closer left of the caret's line.
    """
    head, *rest = text.split("\n")
    if language is None or language.indent_based or not here.blank_before or not rest:
        return text
    least = min((width(line) for line in rest if line.strip()), default=0)
    if least >= width(here.before) or not rest[-1].lstrip().startswith(("}", ")", "]")):
        return text
    if any(unmatched(tokens(language, text.encode("utf-8", "replace")))):
        return text
    return "\n".join([head, *(here.before + line if line.strip() else line for line in rest)])


def _opens(line: str, language: Language | None) -> bool:
    return language is not None and line.rstrip().endswith(language.block_opener)


def styled(text: str, here: Spot) -> str:
    """The text with the file's kind of indentation (tabs or spaces); its depth stays as the model chose it."""
    head, *rest = text.split("\n")
    lines = rest if not here.blank_before or here.before else [head, *rest]
    if here.unit == "\t" and any(line.startswith("  ") for line in lines):
        unit = min((len(s) for s in (_lead(line) for line in lines) if s and "\t" not in s), default=4)
        unit = unit if unit in (2, 3, 4, 8) else 4
        lines = [_lead(line).replace(" " * unit, "\t") + line.lstrip(" \t") for line in lines]
    elif here.unit != "\t" and any(line.startswith("\t") for line in lines):
        lines = [_lead(line).replace("\t", here.unit) + line.lstrip(" \t") for line in lines]
    return "\n".join([head, *lines] if len(lines) == len(rest) else lines)


def _lead(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _indented(text: str, here: Spot, language: Language) -> Iterator[str]:
    """The text moved as a whole, and with only its later lines moved to the caret's column."""
    for wanted in _wanted_indents(text, here, language):
        yield _shifted(text, here, wanted)
    head, *rest = text.split("\n")
    if here.before and rest:
        yield "\n".join([head, *(here.before + line if line.strip() else line for line in rest)])


def _wanted_indents(text: str, here: Spot, language: Language) -> Iterator[str]:
    """Where the line above, then where the line below, wants the text to stand."""
    yield _lead(here.above) + (here.unit if _opens(here.above, language) else "")
    below = next(iter(here.next_lines), None)
    if below is not None:
        yield _lead(below).removesuffix(here.unit) if _opens(text, language) else _lead(below)


def _shifted(text: str, here: Spot, wanted: str) -> str:
    """All lines moved alike, so that the first is indented as wanted."""
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if here.before and first == 0:
        return text
    own = _lead(lines[first])
    moved = []
    for line in lines:
        if not line.strip():
            moved.append("")
        elif line.startswith(own):
            moved.append(wanted + line[len(own) :])
        else:
            moved.append(wanted + line.lstrip(" \t"))
    return "\n".join(moved)


def _closed(text: str, here: Spot, language: Language) -> Iterator[str]:
    """The text with what it opened, then also with what its line had opened, closed at the end."""
    for lead in ("", here.before):
        data = (lead + text).encode("utf-8", "replace")
        found = tokens(language, data)
        _, openers = unmatched(found)
        if not openers or (openers[-1].text == b"(" and text.rstrip().endswith((":", "=", "."))):
            continue
        closing = ""
        for opener in reversed(openers):
            mark = {"(": ")", "[": "]", "{": "}"}[opener.text.decode()]
            breaks = not data[opener.end :].split(b"\n", 1)[0].strip() or b"\n" in data[opener.end :]
            line = data[data.rfind(b"\n", 0, opener.start) + 1 : opener.start].decode("utf-8", "replace")
            indent = here.indent if b"\n" not in data[: opener.start] else _lead(line)
            closing += f"\n{indent}{mark}" if breaks and mark == "}" else mark
        yield text.rstrip() + closing
