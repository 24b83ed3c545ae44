"""A scanner that needs no tree: brackets, words, strings and comments of a text that may be broken anywhere.

What differs between languages is data (`Language.lexis`), compiled by `lexis`; what a regular expression cannot do
(nesting) is counted here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from ast_tools.languages import Language
from ast_tools.lexis import Conditions, Rules, compiled, filled, groups, inside, rules

Kind = Literal["open", "close", "word", "number", "string", "unclosed", "comment", "newline", "op"]

PARTNER = {b"(": b")", b"[": b"]", b"{": b"}", b")": b"(", b"]": b"[", b"}": b"{"}
HOLE_LINES = 50
"""Lines that a hole in a string of one line may span; beyond that the string has no end."""
HEREDOC_TRIES = 20
"""Openings of heredocs without an end that are looked into before such marks count as operators."""
_LINE_END = re.compile(rb"[\r\n]")
_SOME_LINES = re.compile(rb"(?:[^\n]*\n){%d}" % HOLE_LINES)
_FIRST_WORD = re.compile(rb"\W*(\w+)")


class Token(NamedTuple):
    """One token, its bytes [start, end). `unclosed` is a string or block comment whose end is missing.

    Lines of a preprocessor, the branches of its conditions that are not read, and what is no code count as comments.
    A tuple, because a file has tens of thousands and they cost half as much as frozen records.
    """

    kind: Kind
    start: int
    end: int
    text: bytes


PLAIN: dict[str, Kind] = {
    "comment": "comment",
    "string": "string",
    "unclosed": "unclosed",
    "open": "open",
    "close": "close",
    "newline": "newline",
    "number": "number",
    "word": "word",
    "op": "op",
}
_ASIDE = frozenset({"comment", "newline"})
_token = tuple.__new__


def tokens(language: Language, text: bytes, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of [start, end), where `start` stands in code. White space is left out, line ends are not."""
    end = len(text) if end is None else end
    return Scanner(rules(language), text, end).run(start)


class Scanner:
    """One pass over a text."""

    def __init__(self, rules: Rules, text: bytes, end: int) -> None:
        self.rules, self.text, self.end = rules, text, end
        self.start = 0
        self.last: tuple[str, bytes] = ("op", b"")
        """Kind and text of the last token that is neither comment nor line end, also inside a hole."""
        self.heredocs: list[re.Pattern[bytes]] = []
        """What ends the heredocs that begin with the next line."""
        self.heredoc_tries = HEREDOC_TRIES
        self.line_end, self.reach = -1, -1
        self.nest: list[bytes] = []
        """Open brackets and words, where a parenthesis may be stray."""

    def run(self, at: int) -> list[Token]:
        self.start = at
        found: list[Token] = []
        if at == 0 and self.rules.enter is not None and self.rules.enter.search(self.text, 0, self.end) is not None:
            at = self._enter(0)
            found.append(Token("comment", 0, at, self.text[:at]))
        # One call of the expression per token, and no other call for most: files have tens of thousands.
        match_at, names, text, end = self.rules.code.match, self.rules.names, self.text, self.end
        while (match := match_at(text, at, end)) is not None:
            name = names[match.lastindex or 0]
            start, at = match.start(1), match.end()
            if name in PLAIN:
                kind = PLAIN[name]
            else:
                kind, at = self._special(name, match)
            word = text[start:at]
            if kind not in _ASIDE:
                self.last = (kind, word)
            found.append(_token(Token, (kind, start, at, word)))
            if name == "line" and self.heredocs:
                start, at = at, self._heredoc_end(at)
                found.append(Token("string", start, at, text[start:at]))
        return found

    def _special(self, name: str, match: re.Match[bytes]) -> tuple[Kind, int]:
        """What a regular expression alone cannot end, or cannot tell."""
        kind = name.rstrip("0123456789")
        number = int(name[len(kind) :] or 0)
        answer = _SPECIAL.get(kind)
        return answer(self, match, number) if answer is not None else ("unclosed", self.end)

    def _line(self, match: re.Match[bytes], _: int) -> tuple[Kind, int]:
        if self.rules.lexis.commands:
            self.last = ("op", b"")
        return "newline", match.end()

    def _directive(self, match: re.Match[bytes], _: int) -> tuple[Kind, int]:
        return "comment", self._branch_ends.get(match.start(1), match.end())

    def _nested(self, match: re.Match[bytes], _: int) -> tuple[Kind, int]:
        """A block comment that may hold others."""
        depth = 1
        for mark in self.rules.nesting.finditer(self.text, match.end(), self.end) if self.rules.nesting else ():
            depth += 1 if mark.lastgroup else -1
            if depth == 0:
                return "comment", mark.end()
        return "unclosed", self.end

    # -- code between other text, and parentheses that stand alone ----------------------------------------------------

    def _leave(self, match: re.Match[bytes], _: int) -> tuple[Kind, int]:
        return "comment", self._enter(match.end())

    def _enter(self, at: int) -> int:
        """Where code begins after `at`."""
        found = self.rules.enter.search(self.text, at, self.end) if self.rules.enter else None
        return found.end() if found is not None else self.end

    def _case(self, match: re.Match[bytes], _: int) -> tuple[Kind, int]:
        self.nest.append(b"case")
        return "word", match.end()

    def _esac(self, match: re.Match[bytes], _: int) -> tuple[Kind, int]:
        while self.nest and self.nest.pop() != b"case":
            pass
        return "word", match.end()

    def _tracked(self, match: re.Match[bytes], _: int) -> tuple[Kind, int]:
        """A bracket where a closing parenthesis may also end the pattern of a case."""
        mark = self.text[match.start(1) : match.end()]
        if mark in b"([{":
            self.nest.append(mark)
            return "open", match.end()
        if self.nest and self.nest[-1] == PARTNER[mark]:
            self.nest.pop()
        elif mark == b")" and self.nest and self.nest[-1] == b"case":
            return "op", match.end()
        return "close", match.end()

    # -- strings ------------------------------------------------------------------------------------------------------

    def _heredoc(self, match: re.Match[bytes], number: int) -> tuple[Kind, int]:
        """The opening of a heredoc, if one of the next lines ends it; else an operator."""
        closing = self.rules.lexis.heredocs[number].closing
        ends = compiled(filled(closing, groups(match, f"h{number}")))
        if self.heredoc_tries <= 0 or ends.search(self.text, match.end(), self.end) is None:
            self.heredoc_tries -= 1
            return self._as_operator(match)
        self.heredocs.append(ends)
        return "string", match.end()

    def _heredoc_end(self, at: int) -> int:
        """Where the heredocs end that begin at `at`."""
        for ends in self.heredocs:
            found = ends.search(self.text, at, self.end)
            at = found.end() if found is not None else self.end
        self.heredocs = []
        return at

    def _due(self, match: re.Match[bytes], _: int) -> tuple[Kind, int]:
        return ("string", match.end()) if self._operand_due(match) else self._as_operator(match)

    def _as_operator(self, match: re.Match[bytes]) -> tuple[Kind, int]:
        operator = self.rules.operator.match(self.text, match.start(1), self.end)
        return "op", operator.end() if operator is not None else match.end()

    def _operand_due(self, match: re.Match[bytes]) -> bool:
        kind, word = self.last
        if kind in ("open", "op"):
            return True
        if kind != "word":
            return False
        after_name = self.rules.lexis.commands and match.start() < match.start(1)
        start = match.start(1) + 1
        return word in self.rules.operand_after or (after_name and self.text[start : start + 1] not in b" =\t\n")

    def _counted(self, match: re.Match[bytes], number: int) -> tuple[Kind, int]:
        """A string with code in its holes, or with pairs inside."""
        quote = self.rules.lexis.strings[number]
        if quote.due and not self._operand_due(match):
            return self._as_operator(match)
        limit = self.end if quote.lines else self._reach(match.end())
        nest = len(self.nest)
        end = self._string_end(number, match, limit)
        if end is not None:
            return "string", end
        del self.nest[nest:]
        return "unclosed", self.end if quote.lines else self.line_end

    def _reach(self, at: int) -> int:
        """How far a string of one line may go on in its holes; the same for all of a line."""
        if at > self.line_end:
            line_end = _LINE_END.search(self.text, at, self.end)
            self.line_end = line_end.start() if line_end is not None else self.end
            reach = _SOME_LINES.match(self.text, at, self.end)
            self.reach = reach.end() if reach is not None else self.end
        return self.reach

    def _string_end(self, number: int, match: re.Match[bytes], limit: int) -> int | None:
        """Where a counted string ends. Holes may hold counted strings, so there is a stack of them."""
        at, stack = match.end(), [self._opened(number, match)]
        while stack:
            if stack[-1].depth:
                within = self._in_hole(at, limit, stack)
                if within is None:
                    return None
                at = within
                continue
            found = stack[-1].inside.search(self.text, at, limit)
            if found is None or found.lastgroup == "newline":
                return None
            at = found.end()
            self._met(found, stack)
        return at

    def _met(self, found: re.Match[bytes], stack: list["_Opened"]) -> None:
        """Something that matters in the innermost string."""
        top = stack[-1]
        if found.lastgroup == "closing" and top.pairs:
            top.pairs -= 1
        elif found.lastgroup == "closing":
            stack.pop()
            self.last = ("string", b"")
        elif found.lastgroup == "nests":
            top.pairs += 1
        elif found.lastgroup == "hole":
            mark = found.group()
            top.depth = len(mark) - len(mark.rstrip(mark[-1:]))
            self.nest += [mark[-1:]] * top.depth if self.rules.lexis.stray is not None else []
            self.last = ("open", mark)

    def _in_hole(self, at: int, limit: int, stack: list["_Opened"]) -> int | None:
        """Reads one token in a hole; None where the code there has no end."""
        match = self.rules.code.match(self.text, at, limit)
        if match is None:
            return None
        name = self.rules.names[match.lastindex or 0]
        if name.startswith("counted"):
            number = int(name.removeprefix("counted"))
            if not self.rules.lexis.strings[number].due or self._operand_due(match):
                stack.append(self._opened(number, match))
                return match.end()
            kind, end = self._as_operator(match)
        else:
            kind, end = (PLAIN[name], match.end()) if name in PLAIN else self._special(name, match)
        if kind == "unclosed":
            return None
        stack[-1].depth += (kind == "open") - (kind == "close")
        if kind not in _ASIDE:
            self.last = (kind, self.text[match.start(1) : end])
        return self._heredoc_end(end) if name == "line" and self.heredocs else end

    def _opened(self, number: int, match: re.Match[bytes]) -> "_Opened":
        return _Opened(inside(self.rules.lexis.strings[number], groups(match, str(number))))

    # -- the preprocessor ---------------------------------------------------------------------------------------------

    @cached_property
    def _branch_ends(self) -> dict[int, int]:
        """For directives that begin a branch that is not read: where the directive ends that ends it."""
        rules, ends = self.rules.directives, dict[int, int]()
        stack: list[int | None] = []  # for each open condition where the branch began that is passed over
        for match in rules.line.finditer(self.text, self.start, self.end) if rules is not None else ():
            if rules is None or match.lastgroup != "line":
                continue
            first = _FIRST_WORD.match(match.group("line"))
            word = first.group(1) if first is not None else b""
            if word in rules.opening:
                stack.append(match.start("line") if rules.never.match(match.group("line")) else None)
            elif word in rules.other and stack:
                self._other_branch(stack, ends, match, rules)
            elif word in rules.closing and stack:
                start = stack.pop()
                if start is not None:
                    ends[start] = match.end()
        return ends

    def _other_branch(
        self, stack: list[int | None], ends: dict[int, int], match: re.Match[bytes], rules: Conditions
    ) -> None:
        """After a branch that was read all others are passed over; after one that never holds the next is read."""
        start = stack[-1]
        if start is None:
            stack[-1] = match.start("line")
        elif rules.never.match(self.text, start):
            ends[start] = match.end()
            stack[-1] = None


@dataclass(slots=True)
class _Opened:
    """A string that is being read. `depth`: brackets open in its hole, 0 where its own text goes on. `pairs`: open
    pairs that its closing must close first."""

    inside: re.Pattern[bytes]
    depth: int = 0
    pairs: int = 0


_SPECIAL: dict[str, Callable[[Scanner, re.Match[bytes], int], tuple[Kind, int]]] = {
    "line": Scanner._line,
    "directive": Scanner._directive,
    "nested": Scanner._nested,
    "leave": Scanner._leave,
    "case": Scanner._case,
    "esac": Scanner._esac,
    "tracked": Scanner._tracked,
    "heredoc": Scanner._heredoc,
    "due": Scanner._due,
    "counted": Scanner._counted,
}
"""How the parts are read that are not simply their expression's match; all others have no end ("endless")."""


def unmatched(found: list[Token]) -> tuple[list[Token], list[Token]]:
    """(closers without an opener, openers without a closer), in the order of the text."""
    closers: list[Token] = []
    stack: list[Token] = []
    for token in found:
        if token.kind == "open":
            stack.append(token)
        elif token.kind == "close":
            if stack and stack[-1].text == PARTNER[token.text]:
                stack.pop()
            else:
                closers.append(token)
    return closers, stack
