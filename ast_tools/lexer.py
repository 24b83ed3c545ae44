"""A scanner that needs no tree: brackets, words, strings and comments of a text that may be broken anywhere.

What differs between languages is data (`Language.lexis`). It becomes one regular expression for code and one for the
inside of each string with holes; what a regular expression cannot do (nesting) is counted.
"""

import re
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from typing import Literal, NamedTuple

from ast_tools.languages import Language
from ast_tools.languages.record import Directives, Quote

Kind = Literal["open", "close", "word", "number", "string", "unclosed", "comment", "newline", "op"]

PARTNER = {b"(": b")", b"[": b"]", b"{": b"}", b")": b"(", b"]": b"[", b"}": b"{"}
HOLE_LINES = 50
"""Lines that a hole in a string of one line may span; beyond that the string has no end."""
_WORD = r"[A-Za-z_$@#\x80-\xff][\w$\x80-\xff]*"
_MOST_WORDS = r"[A-Za-z_\x80-\xff][\w$\x80-\xff]*+(?![\"'`#])"
"""Words that cannot be the prefix of a string: asked first, because they are half of all tokens."""
_OP = r"=>|->|:=|\.\.\.|[-+*/%&|^<>=!@:?~]?=|\*\*|//|&&|\|\||\?\?|\?\.|<<|>>|[^\s\w]"
_REGEX = re.compile(rb"/(?![*/])(?:\\[^\r\n]|\[(?:\\[^\r\n]|[^\]\\\r\n])*\]|[^/\\\[\r\n])+/\w*")
_BLANKS = r"[ \t\f\v]*"
_LINE_END = re.compile(rb"[\r\n]")
_SOME_LINES = re.compile(rb"(?:[^\n]*\n){%d}" % HOLE_LINES)
_FIRST_WORD = re.compile(rb"\W*(\w+)")


class Token(NamedTuple):
    """One token, its bytes [start, end). `unclosed` is a string or block comment whose end is missing.

    Lines of a preprocessor, and the branches of its conditions that are not read, count as comments.
    A tuple, because a file has tens of thousands and they cost half as much as frozen records.
    """

    kind: Kind
    start: int
    end: int
    text: bytes


@dataclass(frozen=True, slots=True)
class _Rules:
    """A language's lexis, compiled. `names`: what the groups of `code` stand for, by their numbers."""

    code: re.Pattern[bytes]
    names: tuple[str, ...]
    nesting: re.Pattern[bytes] | None
    quotes: tuple[Quote, ...]
    regex_after: frozenset[bytes] | None
    directives: "_Directives | None"


@dataclass(frozen=True, slots=True)
class _Directives:
    """A preprocessor's lines, compiled. `line` finds them, and passes over strings and comments."""

    line: re.Pattern[bytes]
    never: re.Pattern[bytes]
    opening: frozenset[bytes]
    other: frozenset[bytes]
    closing: frozenset[bytes]


_PLAIN: dict[str, Kind] = {
    "comment": "comment",
    "string": "string",
    "unclosed": "unclosed",
    "open": "open",
    "close": "close",
    "newline": "newline",
    "number": "number",
    "word": "word",
}


_ASIDE = frozenset({"comment", "newline"})
_token = tuple.__new__


@cache
def _rules(language: Language) -> _Rules:
    lexis = language.lexis
    parts = [("word", _MOST_WORDS), *lexis.marks, *_comment_parts(language)]
    if lexis.directives is not None:
        parts.insert(0, ("directive", _directive_line(language, lexis.directives)))
    for number, quote in enumerate(lexis.strings):
        parts += _quote_parts(number, quote)
    parts += [("open", r"[(\[{]"), ("close", r"[)\]}]"), ("newline", r"\r\n|\n|\r")]
    parts += [("number", lexis.number), ("word", _WORD), ("op", _OP)]
    code = _compiled(_BLANKS + "()(?:" + "|".join(f"(?:{pattern})()" for _, pattern in parts) + ")")
    return _Rules(
        code=code,
        names=_names(code, [name for name, _ in parts]),
        nesting=_nesting(language),
        quotes=lexis.strings,
        regex_after=frozenset(w.encode() for w in lexis.regex_after) if lexis.regex_after is not None else None,
        directives=_directives(language, lexis.directives) if lexis.directives is not None else None,
    )


def _names(code: re.Pattern[bytes], parts: list[str]) -> tuple[str, ...]:
    """The name of each group's part. A part ends in an empty group, so that it begins with what tells it from others:
    the engine then passes over it by its first byte. Named groups stand within parts."""
    named = set(code.groupindex.values())
    empty = [number for number in range(2, code.groups + 1) if number not in named]
    names = dict(zip(empty, parts, strict=True))
    return tuple(names.get(number, "") for number in range(code.groups + 1))


def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode("latin-1"), re.MULTILINE)


def _comment_parts(language: Language) -> list[tuple[str, str]]:
    """Line and block comments; where one mark begins with the other, the longer is asked first."""
    block, nested = language.block_comment, language.lexis.nested_comments
    parts = []
    if block is not None:
        start, end = re.escape(block[0]), re.escape(block[1])
        whole = [] if nested else [("comment", f"{start}(?s:.*?){end}")]
        parts += [*whole, ("nested" if nested else "endless", start)]
    if block is None or language.line_comment != block[0]:
        rest = r"(?:\\\r?\n|[^\r\n])*" if language.lexis.comment_continues else r"[^\r\n]*"
        parts.append(("comment", re.escape(language.line_comment) + rest))
    return parts


def _nesting(language: Language) -> re.Pattern[bytes] | None:
    if language.block_comment is None or not language.lexis.nested_comments:
        return None
    start, end = (re.escape(mark) for mark in language.block_comment)
    return _compiled(f"(?P<start>{start})|{end}")


def _quote_parts(number: int, quote: Quote) -> list[tuple[str, str]]:
    """The whole string, and its beginning where the end is missing. Names of groups must differ between strings."""
    tag = f"tag{number}"
    opening = quote.opening.replace("<tag>", f"<{tag}>")
    if quote.hole:
        return [(f"hole{number}", opening)]
    closing = quote.closing.replace("=tag)", f"={tag})")
    whole = opening + _body(replace(quote, closing=closing)) + closing
    again = quote.opening.replace("?P<tag>", "?:")
    return [("string", whole), ("endless", again) if quote.lines else ("unclosed", again + r"[^\r\n]*")]


def _body(quote: Quote) -> str:
    """What may stand between the quotes, in a form that fails in linear time."""
    if len(quote.closing) == 1:
        plain = f"[^{quote.closing}" + ("" if quote.lines else r"\r\n") + (r"\\]*" if quote.escape else "]*")
        return f"{plain}(?:{quote.escape}{plain})*" if quote.escape else plain
    other = f"(?!{quote.closing})" + (r"(?s:.)" if quote.lines else r"[^\r\n]")
    return f"(?:{quote.escape}|{other})*?" if quote.escape else f"(?:{other})*?"


@lru_cache(maxsize=256)
def _inside(quote: Quote, tag: str) -> re.Pattern[bytes]:
    """What matters inside a string with holes: holes before escapes, because a hole may begin with one."""
    parts = [("hole", quote.hole), ("escape", quote.escape), ("closing", quote.closing)]
    parts += [] if quote.lines else [("newline", r"[\r\n]")]
    named = "|".join(f"(?P<{name}>{pattern})" for name, pattern in parts if pattern)
    return _compiled(named.replace("(?P=tag)", re.escape(tag)))


def _directive_line(language: Language, directives: Directives) -> str:
    """A whole line of the preprocessor, with the lines and comments that go on with it."""
    passed = [pattern for _, pattern in _passed(language)]
    passed = [r"\\\r?\n", *passed] if directives.continues else passed
    return rf"{directives.mark}(?:{'|'.join(passed)}|[^\r\n])*"


def _passed(language: Language) -> list[tuple[str, str]]:
    """Comments and strings without holes and tags."""
    quotes = [quote for quote in language.lexis.strings if not quote.hole and "<tag>" not in quote.opening]
    parts = [*_comment_parts(language), *(part for quote in quotes for part in _quote_parts(0, quote))]
    return [(name, pattern) for name, pattern in parts if name in ("comment", "string")]


def _directives(language: Language, directives: Directives) -> _Directives:
    line = rf"^[ \t]*(?P<line>{_directive_line(language, directives)})"
    return _Directives(
        line=_compiled("|".join([line, *(pattern for _, pattern in _passed(language))])),
        never=_compiled(rf"{directives.mark}[ \t]*\w+[ \t]+{directives.never}"),
        opening=frozenset(word.encode() for word in directives.opening),
        other=frozenset(word.encode() for word in directives.other),
        closing=frozenset(word.encode() for word in directives.closing),
    )


def tokens(language: Language, text: bytes, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of [start, end), where `start` stands in code. White space is left out, line ends are not."""
    end = len(text) if end is None else end
    return _Scan(_rules(language), text, end).run(start)


class _Scan:
    """One pass over a text."""

    def __init__(self, rules: _Rules, text: bytes, end: int) -> None:
        self.rules, self.text, self.end = rules, text, end
        self.start = 0
        self.last: tuple[str, bytes] | None = None
        """Kind and text of the last token that is neither comment nor line end, also inside a hole."""

    def run(self, at: int) -> list[Token]:
        self.start = at
        found: list[Token] = []
        # One call of the expression per token, and no other call for most: files have tens of thousands.
        match_at, names, text, end = self.rules.code.match, self.rules.names, self.text, self.end
        while (match := match_at(text, at, end)) is not None:
            name = names[match.lastindex or 0]
            start, at = match.start(1), match.end()
            if name in _PLAIN:
                kind = _PLAIN[name]
            else:
                kind, at = self._special(name, match)
            word = text[start:at]
            if kind not in _ASIDE:
                self.last = (kind, word)
            found.append(_token(Token, (kind, start, at, word)))
        return found

    def _special(self, name: str, match: re.Match[bytes]) -> tuple[Kind, int]:
        """What a regular expression alone cannot end, and operators that may be the beginning of one."""
        if name == "op":
            return self._operator(match)
        if name == "nested":
            return self._nested(match.end())
        if name == "directive":
            return "comment", self._branch_ends.get(match.start(1), match.end())
        if name.startswith("hole"):
            return self._with_holes(int(name.removeprefix("hole")), match)
        return "unclosed", self.end

    def _operator(self, match: re.Match[bytes]) -> tuple[Kind, int]:
        """An operator, or a literal that begins with a slash."""
        if (
            self.rules.regex_after is not None
            and self.text[match.start(1) : match.start(1) + 1] == b"/"
            and self._operand_due()
        ):
            regex = _REGEX.match(self.text, match.start(1), self.end)
            if regex is not None:
                return "string", regex.end()
        return "op", match.end()

    def _operand_due(self) -> bool:
        kind, word = self.last if self.last is not None else ("op", b"")
        return kind in ("open", "op") or (kind == "word" and word in (self.rules.regex_after or ()))

    def _nested(self, at: int) -> tuple[Kind, int]:
        """A block comment that may hold others."""
        depth = 1
        for match in self.rules.nesting.finditer(self.text, at, self.end) if self.rules.nesting else ():
            depth += 1 if match.lastgroup else -1
            if depth == 0:
                return "comment", match.end()
        return "unclosed", self.end

    def _with_holes(self, number: int, match: re.Match[bytes]) -> tuple[Kind, int]:
        """A string with code in its holes."""
        line_end = _LINE_END.search(self.text, match.end(), self.end)
        limit = self.end
        if not self.rules.quotes[number].lines:
            reach = _SOME_LINES.match(self.text, match.end(), self.end)
            limit = reach.end() if reach else self.end
        end = self._string_end(number, match, limit)
        if end is not None:
            return "string", end
        endless = self.rules.quotes[number].lines or line_end is None
        return "unclosed", self.end if endless or line_end is None else line_end.start()

    def _string_end(self, number: int, match: re.Match[bytes], limit: int) -> int | None:
        """Where a string with holes ends. Holes may hold strings with holes, so there is a stack of them.

        `depths`: for each open string how many brackets are open in its hole; 0 where its own text goes on.
        """
        at, insides, depths = match.end(), [self._inside_of(number, match)], [0]
        while insides:
            if depths[-1]:
                within = self._in_hole(at, limit, insides, depths)
                if within is None:
                    return None
                at = within
                continue
            found = insides[-1].search(self.text, at, limit)
            if found is None or found.lastgroup == "newline":
                return None
            at = found.end()
            if found.lastgroup == "closing":
                insides.pop()
                depths.pop()
                self.last = ("string", b"")
            elif found.lastgroup == "hole":
                mark = found.group()
                depths[-1] = len(mark) - len(mark.rstrip(mark[-1:]))
                self.last = ("open", mark)
        return at

    def _in_hole(self, at: int, limit: int, insides: list[re.Pattern[bytes]], depths: list[int]) -> int | None:
        """Reads one token in a hole; None where the code there has no end."""
        match = self.rules.code.match(self.text, at, limit)
        if match is None:
            return None
        name = self.rules.names[match.lastindex or 0]
        if name.startswith("hole"):
            insides.append(self._inside_of(int(name.removeprefix("hole")), match))
            depths.append(0)
            return match.end()
        kind, end = (_PLAIN[name], match.end()) if name in _PLAIN else self._special(name, match)
        if kind == "unclosed":
            return None
        depths[-1] += (kind == "open") - (kind == "close")
        if kind not in _ASIDE:
            self.last = (kind, self.text[match.start(1) : end])
        return end

    def _inside_of(self, number: int, match: re.Match[bytes]) -> re.Pattern[bytes]:
        quote = self.rules.quotes[number]
        tag = match.group(f"tag{number}") if "<tag>" in quote.opening else b""
        return _inside(quote, tag.decode("latin-1"))

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
        self, stack: list[int | None], ends: dict[int, int], match: re.Match[bytes], rules: _Directives
    ) -> None:
        """After a branch that was read all others are passed over; after one that never holds the next is read."""
        start = stack[-1]
        if start is None:
            stack[-1] = match.start("line")
        elif rules.never.match(self.text, start):
            ends[start] = match.end()
            stack[-1] = None


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
