"""A scanner that needs no tree: brackets, words, strings and comments of a text that may be broken anywhere."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from ast_tools.languages import Language

Kind = Literal["open", "close", "word", "number", "string", "unclosed", "comment", "newline", "op"]

PARTNER = {b"(": b")", b"[": b"]", b"{": b"}", b")": b"(", b"]": b"[", b"}": b"{"}
_NUMBER = rb"\d[\w.]*"
_WORD = rb"[A-Za-z_$@#\x80-\xff][\w$\x80-\xff]*"
_BEFORE_OPERAND = frozenset(
    b"return typeof instanceof in of new delete void throw case do else yield await default".split()
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token, its bytes [start, end). `unclosed` is a string or block comment whose end is missing."""

    kind: Kind
    start: int
    end: int
    text: bytes


@cache
def _pattern(language: Language) -> re.Pattern[bytes]:
    lexis = language.lexis
    parts = [("comment", re.escape(language.line_comment.encode()) + rb"[^\r\n]*")]
    if language.block_comment is not None:
        start, end = (re.escape(mark.encode()) for mark in language.block_comment)
        parts += [("comment2", start + rb"(?s:.*?)" + end), ("unclosed", start)]
    for number, (opening, closing, spans) in enumerate(lexis.strings):
        if opening == lexis.templates:
            parts.append(("template", re.escape(opening.encode())))
            continue
        start, end = re.escape(opening.encode()), re.escape(closing.encode())
        start = lexis.string_prefix.encode() + start
        inner = rb"(?s:\\.|(?!" + end + rb").)*?" if spans else rb"(?:\\(?s:.)|[^\\\r\n" + end + rb"])*"
        parts += [(f"string{number}", start + inner + end)]
    openings = [re.escape(o.encode()) for o, _, spans in lexis.strings if spans and o != lexis.templates]
    if openings:
        endless = ("endless", lexis.string_prefix.encode() + rb"(?:" + rb"|".join(openings) + rb")")
        # Before the strings of one line: three quotes are not an empty string and a quote.
        parts.insert(next(n for n, (name, _) in enumerate(parts) if name == f"string{len(openings)}"), endless)
    lines = [re.escape(o.encode()) for o, _, spans in lexis.strings if not spans]
    parts.append(("unclosed2", lexis.string_prefix.encode() + rb"(?:" + rb"|".join(lines) + rb")[^\r\n]*"))
    parts += [
        ("open", rb"[(\[{]"),
        ("close", rb"[)\]}]"),
        ("newline", rb"\r\n|\n|\r"),
        ("number", _NUMBER),
        ("word", _WORD),
        ("op", rb"=>|->|:=|\.\.\.|[-+*/%&|^<>=!@:?~]?=|\*\*|//|&&|\|\||\?\?|\?\.|<<|>>|[^\s\w]"),
    ]
    return re.compile(b"|".join(b"(?P<" + name.encode() + b">" + pattern + b")" for name, pattern in parts))


def tokens(language: Language, text: bytes, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens of [start, end), where `start` stands in code. White space is left out, line ends are not."""
    end = len(text) if end is None else end
    return _Scan(language, text, end).run(start)


class _Scan:
    """One pass; holds what decides whether a slash divides."""

    def __init__(self, language: Language, text: bytes, end: int) -> None:
        self.language, self.text, self.end = language, text, end
        self.pattern = _pattern(language)
        self.found: list[Token] = []

    def run(self, at: int) -> list[Token]:
        regexes = self.language.lexis.regexes
        while (match := self.pattern.search(self.text, at, self.end)) is not None:
            name, start, at = match.lastgroup or "op", match.start(), match.end()
            if name == "template":
                name, at = self._template(at)
            elif name in ("endless", "unclosed") and at < self.end:
                name, at = "unclosed", self.end
            elif regexes and name == "op" and self.text[start : start + 1] == b"/" and self._operand_due():
                name, at = self._regex(start, at)
            kind = _KINDS.get(name.rstrip("0123456789"), "op")
            self.found.append(Token(kind, start, at, self.text[start:at]))
        return self.found

    def _operand_due(self) -> bool:
        last = next((token for token in reversed(self.found) if token.kind not in ("comment", "newline")), None)
        if last is None or last.kind in ("open", "op"):
            return True
        return last.kind == "word" and last.text in _BEFORE_OPERAND

    def _regex(self, start: int, at: int) -> tuple[str, int]:
        match = _REGEX.match(self.text, start, self.end)
        return ("string", match.end()) if match else ("op", at)

    def _template(self, at: int) -> tuple[str, int]:
        """The end of a template whose opening ends at `at`; holes may hold strings and templates themselves."""
        depth: list[int] = [0]  # one entry per open template; its value counts the braces open in its hole
        inside = True  # in the text of the innermost template, not in a hole
        for match in _TEMPLATE.finditer(self.text, at, self.end):
            mark = match.group()
            if inside and mark == b"`":
                depth.pop()
                if not depth:
                    return "string", match.end()
                inside = False
            elif inside and mark == b"${":
                depth[-1], inside = 1, False
            elif not inside and mark == b"`":
                depth.append(0)
                inside = True
            elif not inside and mark in (b"{", b"${"):
                depth[-1] += 1
            elif not inside and mark == b"}":
                depth[-1] -= 1
                inside = depth[-1] <= 0
        return "unclosed", self.end


_REGEX = re.compile(rb"/(?![*/])(?:\\[^\r\n]|\[(?:\\[^\r\n]|[^\]\\\r\n])*\]|[^/\\\[\r\n])+/\w*")
_TEMPLATE = re.compile(rb"(?s:\\.)|`|\$\{|\{|\}")
_KINDS: dict[str, Kind] = {
    "comment": "comment",
    "string": "string",
    "unclosed": "unclosed",
    "endless": "unclosed",
    "open": "open",
    "close": "close",
    "newline": "newline",
    "number": "number",
    "word": "word",
}


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
