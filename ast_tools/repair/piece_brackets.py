"""Candidates for a bracket that is missing, too much or of the wrong kind in one piece of a text (see `piece_search`).

Every gap where one edit would balance a piece of text is found in one pass from each side; layout, priors and the
file's own habits then say which of them people mean. Nothing here is learnt; the parser checks afterwards.
"""

import math
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from ast_tools.edits import Edit
from ast_tools.lexer import PARTNER, Token
from ast_tools.repair.chunks import Chunk
from ast_tools.repair.found import Candidate

WIDE_MARGIN = 18.0
"""Lead that is wanted where a closer is too much or its opener lost: two stories fit the same text."""
MOST_OPEN, MOST_LINES = 200, 5000
"""Open brackets, and lines behind one, that are looked at for where it should be closed."""


_OPERATORS = frozenset(b"= + - * / % < > <= >= == != && || & | ^ ?? => -> := . ?. ! ~ === !== + += -=".split())
_COMPARISONS = frozenset(b"< > <= >= == != === !== is in not and or && || instanceof if else for as".split())
_RARE_ARGUMENTS = frozenset(b"< > <= >= == != === !== if else".split())
_TAILS = frozenset(b": { ; =>".split())


WEIGHT = 0.7
"""Of the file's habits against layout and priors; chosen on the standard library and npm's own modules."""


class Habits:
    """How often tokens stand next to each other in the file; names count as themselves and as names."""

    def __init__(self, found: tuple[Token, ...]) -> None:
        self.words = {token.text for token in found if token.kind == "word"}
        self._pairs: Counter[tuple[bytes, bytes]] = Counter()
        for one, other in pairwise(found):
            self._pairs[one.text, other.text] += 1
            self._pairs[_class(one), _class(other)] += 1
            self._pairs[one.text, _class(other)] += 1
            self._pairs[_class(one), other.text] += 1

    def gain(self, before: Token | None, new: bytes, after: Token | None) -> float:
        """How much likelier the file is with `new` between two tokens than without."""
        if before is None or after is None:
            return 0.0
        gain = 0.0
        for one in (before.text, _class(before)):
            gain += math.log(self._pairs[one, new] + 0.3)
        for other in (after.text, _class(after)):
            gain += math.log(self._pairs[new, other] + 0.3)
        for one, other in ((before.text, after.text), (_class(before), _class(after))):
            gain -= math.log(self._pairs[one, other] + 0.3)
        return gain * WEIGHT


def _class(token: Token) -> bytes:
    return {"word": b"<name>", "number": b"<number>", "string": b"<string>"}.get(token.kind, token.text)


@dataclass(frozen=True, slots=True)
class _Open:
    """An open bracket, the one around it, and how many there are."""

    token: Token
    below: "_Open | None"
    depth: int


class Brackets:
    """One unbalanced piece and the edits that would balance it."""

    def __init__(self, chunk: Chunk, habits: Habits) -> None:
        self.chunk, self.habits = chunk, habits
        self.found = chunk.significant
        self._ids: dict[tuple[int, bytes], int] = {}
        self._parents: list[tuple[int, bytes]] = [(0, b"")]

    @cached_property
    def _left(self) -> list[int]:
        """The stack before each token, from the left, as far as brackets match; stacks are numbers."""
        stack, result = 0, [0]
        for token in self.found:
            if token.kind == "open":
                stack = self._pushed(stack, token.text)
            elif token.kind == "close":
                parent, top = self._parents[stack]
                if stack == 0 or top != PARTNER[token.text]:
                    break
                stack = parent
            result.append(stack)
        return result

    @cached_property
    def _right(self) -> dict[int, int]:
        """The stack that the tokens from each gap on want, from the right, as far as brackets match."""
        stack, result = 0, {len(self.found): 0}
        for number in range(len(self.found) - 1, -1, -1):
            token = self.found[number]
            if token.kind == "close":
                stack = self._pushed(stack, PARTNER[token.text])
            elif token.kind == "open":
                parent, top = self._parents[stack]
                if stack == 0 or top != token.text:
                    break
                stack = parent
            result[number] = stack
        return result

    def _pushed(self, stack: int, opener: bytes) -> int:
        key = (stack, opener)
        if key not in self._ids:
            self._ids[key] = len(self._parents)
            self._parents.append(key)
        return self._ids[key]

    @property
    def balanced(self) -> bool:
        """Whether nothing is to be done here."""
        return len(self._left) > len(self.found) and self._left[-1] == 0

    def candidates(self, deadline: float) -> Iterator[Candidate]:
        """All single edits that balance the piece, in no order; as far as the thread's processor time goes."""
        openers = self._openers()
        for gap in range(len(self._left)):
            if time.thread_time() > deadline:
                return
            if gap not in self._right:
                continue
            left, right = self._left[gap], self._right[gap]
            parent, top = self._parents[left]
            inner = openers[gap]
            if inner is not None and parent == right:
                yield from self._missing_closer(gap, inner, PARTNER[top])
            wanted, opener = self._parents[right]
            if right and wanted == left:
                yield from self._missing_opener(gap, opener)
        yield from self._single_tokens()

    def _openers(self) -> list["_Open | None"]:
        """The innermost open bracket before each gap, as far as the left scan goes."""
        top: _Open | None = None
        result = [top]
        for token in self.found[: len(self._left) - 1]:
            if token.kind == "open":
                top = _Open(token, top, top.depth + 1 if top is not None else 1)
            elif token.kind == "close" and top is not None:
                top = top.below
            result.append(top)
        return result

    def _single_tokens(self) -> Iterator[Candidate]:
        """Deleting or replacing one bracket."""
        for number, token in enumerate(self.found[: len(self._left)]):
            if token.kind not in ("open", "close") or number + 1 not in self._right:
                continue
            left, right = self._left[number], self._right[number + 1]
            if left == right:
                yield self._extra(number, token)
            parent, top = self._parents[left]
            if token.kind == "close" and left and parent == right and top != PARTNER[token.text]:
                yield self._swapped(number, token, PARTNER[top])
            if token.kind == "open" and right and self._parents[right][0] == left:
                yield self._swapped(number, token, self._parents[right][1])

    def _swapped(self, number: int, token: Token, new: bytes) -> Candidate:
        shown, old = new.decode(), token.text.decode()
        before = self.found[number - 1] if number else None
        after = self.found[number + 1] if number + 1 < len(self.found) else None
        gain = self.habits.gain(before, new, after) - self.habits.gain(before, token.text, after)
        return Candidate(
            edit=Edit(token.start, token.end, new),
            score=20.0 + gain,
            title=f"Replace `{old}` by `{shown}`",
            blames=token,
            reason=f"`{old}` on line {self._line(token)} does not match its other half.",
        )

    def _extra(self, number: int, token: Token) -> Candidate:
        shown = token.text.decode()
        before = self.found[number - 1] if number else None
        after = self.found[number + 1] if number + 1 < len(self.found) else None
        score = -self.habits.gain(before, token.text, after) * 0.5
        alone = self._alone(number)
        score += 6.0 if token.kind == "close" else -10.0
        score += 5.0 if before is not None and token.kind == before.kind == "close" else 0.0
        return Candidate(
            edit=self._line_edit(token) if alone else Edit(token.start, token.end, b""),
            score=score + (2.0 if alone else 0.0),
            title=f"Delete `{shown}`",
            margin=WIDE_MARGIN,
            blames=token,
            reason=f"`{shown}` on line {self._line(token)} "
            + ("closes nothing." if token.kind == "close" else "is never closed."),
        )

    def _alone(self, number: int) -> bool:
        token = self.found[number]
        text = self.chunk.text
        end = text.find(b"\n", token.end)
        return not text[text.rfind(b"\n", 0, token.start) + 1 : token.start].strip() and not (
            text[token.end : end if end >= 0 else len(text)].strip()
        )

    def _line_edit(self, token: Token) -> Edit:
        text = self.chunk.text
        end = text.find(b"\n", token.end)
        start = max(self.chunk.start, text.rfind(b"\n", 0, token.start) + 1)
        return Edit(start, self.chunk.end if end < 0 else min(end + 1, self.chunk.end), b"")

    def _line(self, token: Token) -> int:
        return self.chunk.text.count(b"\n", 0, token.start) + 1

    # -- a closer is missing ---------------------------------------------------------------------------------------

    def _missing_closer(self, gap: int, top: "_Open", closer: bytes) -> Iterator[Candidate]:
        opener = top.token
        before = self.found[gap - 1]
        after = self.found[gap] if gap < len(self.found) else None
        if self._is_past(top.below if opener is before else top, before.start):
            return
        score = self._closer_score(gap, opener, closer, before, after)
        listed = opener.text != b"(" and self.chunk.language.indent_based
        if listed and top.depth == 1 and after is not None and after.text == b",":
            score -= 4.0  # What follows would be a tuple without parentheses.
        reason = f"`{opener.text.decode()}` opened on line {self._line(opener)} is never closed."
        empty = before is opener
        own_line = self._own_line(opener, closer, before, after)
        if own_line is not None:
            yield Candidate(
                edit=own_line,
                score=score + (33.0 if before.text == b"," else 8.0),
                title=f"Insert `{closer.decode()}`",
                blames=opener,
                reason=reason,
                doubtful=empty,
                closes=True,
            )
            if closer == b"}":
                score -= 8.0
        yield Candidate(
            edit=Edit(before.end, before.end, closer),
            score=score,
            title=f"Insert `{closer.decode()}`",
            blames=opener,
            reason=reason,
            doubtful=empty,
            closes=True,
        )

    def _closer_score(self, gap: int, opener: Token, closer: bytes, before: Token, after: Token | None) -> float:
        score = self.habits.gain(before, closer, after)
        same_line = after is not None and self._same_line(before, after)
        score += self._end_of_line_score(gap, closer, before, after)
        if before.text in _OPERATORS or before.text == b"," or (before.kind == "open" and before is not opener):
            score -= 25.0
        if before is opener:
            score -= 6.0 if after is not None and not self._called(opener) else 3.0
        if after is not None and same_line:
            score += self._rest_of_line_score(opener, after)
        if self._same_line(opener, before):
            score += 2.0
        elif closer != b"}" and same_line:
            score -= 4.0
        if before.start > self._first_misaligned:
            score -= 14.0
        return score - self._unlikely_inside(opener, gap)

    def _end_of_line_score(self, gap: int, closer: bytes, before: Token, after: Token | None) -> float:
        """Brackets close at the end of a line, or before the punctuation that ends it."""
        if after is None or not self._same_line(before, after):
            return 6.0
        if after.text in _TAILS and not self._more_tails(gap):
            return 6.0
        return 1.0 if after.text == closer else 0.0

    def _rest_of_line_score(self, opener: Token, after: Token) -> float:
        """What follows a closer on its line is rarely an operand, often a comparison of what a call returns."""
        if after.text in _COMPARISONS:
            return 3.0 if self._called(opener) else 0.0
        if after.kind == "open":
            return -8.0
        return -14.0 if after.kind in ("word", "number", "string") else 0.0

    @cached_property
    def _first_misaligned(self) -> int:
        """Where a closer first stands further left than the line of the opener it would answer: too far already."""
        stack: list[int] = []
        lines = self.chunk.lines
        for token in self.found[: len(self._left) - 1]:
            if token.kind not in ("open", "close"):
                continue
            line = lines[self.chunk.line_of(token.start)]
            if token.kind == "open":
                stack.append(line[1])
            elif line[2].start == token.start and line[1] < stack.pop():
                return token.start - 1
            elif line[2].start != token.start:
                stack.pop()
        return self.chunk.end

    def _unlikely_inside(self, opener: Token, gap: int) -> float:
        """What a pair from the opener to the gap would hold that a pair rarely holds."""
        if not self._called(opener):
            return 6.0 if opener.text == b"(" and self._number(opener) == gap - 2 else 0.0
        depth, penalty = 0, 0.0
        for token in reversed(self.found[max(0, gap - 60) : gap]):
            if token is opener:
                break
            depth += (token.kind == "close") - (token.kind == "open")
            if depth == 0 and token.text in _RARE_ARGUMENTS:
                penalty = 3.0
            if depth == 0 and token.text == b";":
                penalty = 12.0
        return penalty

    def _called(self, opener: Token) -> bool:
        number = self._number(opener)
        before = self.found[number - 1] if number else None
        keywords = self.chunk.language.keywords
        return (
            before is not None
            and opener.text == b"("
            and (before.kind == "word" and before.text.decode("utf-8", "replace") not in keywords)
        )

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {token.start: number for number, token in enumerate(self.found)}

    def _number(self, token: Token) -> int:
        return self._numbers[token.start]

    def _more_tails(self, gap: int) -> bool:
        """Whether the line goes on after its `:`, so that the colon is not the end of a header."""
        nearest = self.found[gap]
        return nearest.text == b":" and gap + 1 < len(self.found) and self._same_line(nearest, self.found[gap + 1])

    def _same_line(self, one: Token, other: Token) -> bool:
        return self.chunk.text.find(b"\n", one.end, other.start) < 0

    def _is_past(self, top: "_Open | None", at: int) -> bool:
        """Whether one of the open brackets should be closed by now."""
        for _ in range(MOST_OPEN):
            if top is None:
                return False
            if self._limit(top.token) < at:
                return True
            top = top.below
        return False

    def _limit(self, opener: Token) -> int:
        """Where the layout says at the latest that the opener is closed: a line not deeper than its own."""
        if opener.start not in self._limits:
            self._limits[opener.start] = self._find_limit(opener)
        return self._limits[opener.start]

    @cached_property
    def _limits(self) -> dict[int, int]:
        return {}

    def _find_limit(self, opener: Token) -> int:
        lines, language = self.chunk.lines, self.chunk.language
        number = self.chunk.line_of(opener.start)
        own = lines[number][1]
        ends = language.statement_words if language.indent_based else frozenset[str]()
        for start, width, first in lines[number + 1 : number + 1 + MOST_LINES]:
            word = first.text.decode("utf-8", "replace")
            if width < own or (width == own and not self._goes_on(first)) or (first.kind == "word" and word in ends):
                return start
        return self.chunk.end

    def _goes_on(self, first: Token) -> bool:
        if first.kind == "close":
            return True
        return first.text in (b"case", b"default") and not self.chunk.language.indent_based

    def _own_line(self, opener: Token, closer: bytes, before: Token, after: Token | None) -> Edit | None:
        """The closer on a line of its own, where the opener ends its line and the next line leaves the block."""
        text = self.chunk.text
        follower = self.found[self._number(opener) + 1] if self._number(opener) + 1 < len(self.found) else None
        if (follower is not None and self._same_line(opener, follower)) or before is opener:
            return None
        if after is not None and self._same_line(before, after):
            return None
        lines = self.chunk.lines
        own = lines[self.chunk.line_of(opener.start)]
        if after is not None and lines[self.chunk.line_of(after.start)][1] > own[1]:
            return None
        end = text.find(b"\n", before.end)
        at = len(text) if end < 0 else end
        at -= text[:at].endswith(b"\r")
        eol = b"\r\n" if b"\r\n" in text[:2000] else b"\n"
        if after is not None and self.chunk.language.comments and at > after.start:
            return None
        return Edit(at, at, eol + text[own[0] : own[2].start] + closer)

    # -- an opener is missing --------------------------------------------------------------------------------------

    def _missing_opener(self, gap: int, opener: bytes) -> Iterator[Candidate]:
        if gap >= len(self.found):
            return
        after = self.found[gap]
        before = self.found[gap - 1] if gap else None
        closer = self._closer_for(gap)
        title = f"Insert `{opener.decode()}`"
        reason = f"`{closer.text.decode()}` on line {self._line(closer)} closes nothing."
        score = self._opener_score(gap, opener, before, after, closer)
        edit = Edit(after.start, after.start, opener)
        if before is not None and not self._same_line(before, after):
            edit = Edit(before.end, before.end, b" " + opener if opener == b"{" else opener)
            score += 3.0
        yield Candidate(
            edit=edit,
            score=score,
            title=title,
            blames=closer,
            reason=reason,
            margin=WIDE_MARGIN,
            # An empty pair is what remains where a name was glued to its first argument.
            doubtful=after is closer,
        )
        if before is not None and before.kind == "word" and len(before.text) > 2:
            yield from self._split(gap, opener, before, title, closer, reason)

    def _opener_score(self, gap: int, opener: bytes, before: Token | None, after: Token, closer: Token) -> float:
        language = self.chunk.language
        score = self.habits.gain(before, opener, after)
        if before is None:
            return score - 4.0
        keyword = before.kind == "word" and before.text.decode("utf-8", "replace") in language.keywords
        same_line = self._same_line(before, after)
        if opener == b"(":
            score += 6.0 if before.kind == "word" and not keyword and after.start == before.end else 0.0
            if before.kind == "word" and not keyword and after.start > before.end:
                score += 4.0 if same_line else -15.0
            score += 3.0 if before.text in (b"if", b"while", b"for", b"switch", b"catch", b"=") else 0.0
        if opener == b"{" and not same_line:
            deeper = self.chunk.lines[self.chunk.line_of(after.start)][1]
            owner = self.chunk.lines[self.chunk.line_of(before.start)]
            aligned = self.chunk.lines[self.chunk.line_of(closer.start)]
            score += 8.0 if deeper > owner[1] and aligned[2].start == closer.start and aligned[1] == owner[1] else -8.0
        if after.text == b"," or (after.text in _OPERATORS and after.text not in (b"-", b"!", b"~", b"*", b"**", b"+")):
            score -= 12.0
        if self._same_line(after, closer):
            score += 4.0
        if after is closer:
            score += 0.0 if before.kind == "word" and not keyword else -6.0
        return score - self._redundant(gap, opener, before, closer)

    def _redundant(self, gap: int, opener: bytes, before: Token, closer: Token) -> float:
        """What speaks against a pair that would only wrap what is whole already: `((x))`, `= (f(x))`."""
        inner = self.found[gap : self._number(closer)]
        if not inner or opener != b"(":
            return 0.0
        if inner[0].kind == "open" and inner[-1].kind == "close":
            return 12.0
        called = before.kind == "word" and before.text.decode("utf-8", "replace") not in self.chunk.language.keywords
        plain = all(
            token.kind in ("word", "number", "string", "open", "close") or token.text == b"." for token in inner
        )
        return 8.0 if plain and not called else 0.0

    def _closer_for(self, gap: int) -> Token:
        """The closer that an opener in the gap would answer."""
        depth = 0
        for token in self.found[gap:]:
            if token.kind == "open":
                depth += 1
            elif token.kind == "close":
                if depth == 0:
                    return token
                depth -= 1
        return self.found[gap]

    def _split(
        self, gap: int, opener: bytes, fused: Token, title: str, closer: Token, reason: str
    ) -> Iterator[Candidate]:
        """The opener inside a name that two known names would form: `printx)` was `print(x)`."""
        for at in range(1, len(fused.text)):
            head, tail = fused.text[:at], fused.text[at:]
            if not self._known(head) or not (self._known(tail) or tail.isdigit()):
                continue
            one = Token("word", fused.start, fused.start + at, head)
            other = Token("word", fused.start + at, fused.end, tail)
            score = self.habits.gain(one, opener, other) + 4.0 + min(len(head), len(tail), 4)
            score += 3.0 if fused.text not in self._other_words(fused) else -6.0
            score += 4.0 if self._same_line(fused, closer) else 0.0
            at_byte = fused.start + at
            yield Candidate(
                edit=Edit(at_byte, at_byte, opener),
                score=score,
                title=title,
                blames=closer,
                reason=reason,
                margin=WIDE_MARGIN,
            )

    def _known(self, name: bytes) -> bool:
        language, word = self.chunk.language, name.decode("utf-8", "replace")
        return name in self.habits.words or word in language.keywords or word in language.builtins

    def _other_words(self, fused: Token) -> set[bytes]:
        return {token.text for token in self.found if token.kind == "word" and token is not fused}
