"""Brackets and beginnings of lines, and nothing else of a text: one pass with one regular expression.

Reading every token of a file takes longer than parsing it; this takes a part of the time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from ast_tools.languages import Language
from ast_tools.languages.record import Directives
from ast_tools.leaves import read
from ast_tools.lexer import PLAIN, Scanner, Token
from ast_tools.lexis import body, comment_parts, compiled, directive_line, quote_parts, renamed, rules
from ast_tools.tree import SyntaxTree

Mark = tuple[int, int]
"""(offset, byte of a bracket), or (offset of a line's first visible byte, minus the width of its indentation)."""

TAB = 8
_OPTIONAL = re.compile(r"^(?:\[[-A-Za-z]+\](?:\?|\{0,2\})|\(\?:u8\|\[uUL\]\)\?)")
"""What may stand before the quote of a string: it need not be looked for, because what it changes is inside."""
_SEARCHED = re.compile(r"[\"'`/]|[rR](?=\"?\(\?P)")
"""How a string must begin, prefixes aside, to be found by its first byte."""
_WORD_BEFORE = re.compile(rb"[\w$\x80-\xff]+\Z")
_BEHIND_OPERAND = b")]}\"'`"
_LOOK_BACK = 200


@dataclass(frozen=True, slots=True)
class Scan:
    """The marks of a text in order, and where strings and comments begin that have no end.

    One that could go on over lines hides all that follows: there are no marks behind it.
    """

    marks: list[Mark] = field(default_factory=list)
    unclosed: list[int] = field(default_factory=list)


def scan(language: Language, text: bytes, tree: SyntaxTree | None = None) -> Scan:
    """The marks of a text. `tree`: its tree, which knows better where the language's scanner guesses."""
    if _is_plain(language):
        return _Skim(language, text).run_all()
    return _of_tokens(text, read(language, text, tree))


def width(lead: bytes) -> int:
    """Columns of a line's white space."""
    return len(lead.expandtabs(TAB)) if b"\t" in lead else len(lead)


def _of_tokens(text: bytes, found: Sequence[Token]) -> Scan:
    """The same marks from all tokens."""
    result, fresh = Scan(), True
    for token in found:
        if token.kind == "newline":
            fresh = True
            continue
        if fresh and token.kind != "comment":
            start = max(text.rfind(b"\n", 0, token.start), text.rfind(b"\r", 0, token.start)) + 1
            blank = len(text[start : token.start]) - len(text[start : token.start].lstrip())
            result.marks.append((start + blank, -width(text[start : start + blank])))
            fresh = False
        if token.kind in ("open", "close"):
            result.marks.append((token.start, token.text[0]))
        elif token.kind == "unclosed":
            result.unclosed.append(token.start)
    return result


@cache
def _is_plain(language: Language) -> bool:
    """Whether one expression finds all that hides brackets."""
    lexis = language.lexis
    odd = lexis.heredocs or lexis.outside or lexis.stray or lexis.commands
    openings = [_OPTIONAL.sub("", quote.opening) for quote in lexis.strings]
    return not odd and lexis.brackets and lexis.exact and all(_SEARCHED.match(opening) for opening in openings)


@cache
def _stops(language: Language) -> re.Pattern[bytes]:
    """Brackets, line ends, comments and strings; a lone first byte of what a regular expression cannot end.

    Every alternative begins with a byte or a set of bytes, and none is a group: then the search is fast.
    """
    lexis = language.lexis
    quotes = [part for number, quote in enumerate(lexis.strings) for part in quote_parts(number, quote)]
    whole = [pattern for name, pattern in (*comment_parts(language), *quotes) if name in ("comment", "string")]
    digits = [r"'(?<=[0-9A-F]')[0-9A-F]"] if "'" in lexis.number else []
    parts = [r"[(\[{)\]}]", r"[\r\n][ \t\f]*" + _code(language), *digits, *(pattern for _, pattern in lexis.marks)]
    if lexis.directives is not None:
        parts.append(_plain_directive(language, lexis.directives))
    parts += [_OPTIONAL.sub("", pattern) for pattern in whole]
    return compiled("|".join([*parts, "[" + re.escape("".join(sorted(_first_bytes(language)))) + "]"]))


def _code(language: Language) -> str:
    """The place before something visible that is neither a comment that fills its line nor the preprocessor's."""
    not_code = [re.escape(language.line_comment)]
    if language.block_comment is not None:
        start, end = (re.escape(mark) for mark in language.block_comment)
        not_code.append(rf"{start}(?>(?s:.*?){end})[ \t]*(?:[\r\n]|\Z)")
    if language.lexis.directives is not None:
        not_code.append(language.lexis.directives.mark)
    return rf"(?=\S)(?!{'|'.join(not_code)})"


@cache
def _first_line(language: Language) -> re.Pattern[bytes]:
    return compiled(_code(language))


def _plain_directive(language: Language, directives: Directives) -> str:
    """A line of the preprocessor that begins or ends no branch."""
    branches = "|".join(sorted(directives.opening | directives.other | directives.closing))
    return directive_line(language, replace(directives, mark=rf"(?:\#|%:)(?![ \t]*(?:{branches})\b)"))


def _first_bytes(language: Language) -> set[str]:
    """What comments, strings and lines of the preprocessor begin with."""
    found = {mark for quote in language.lexis.strings for mark in "\"'`" if mark in quote.opening}
    found |= {quote.opening[0] for quote in language.lexis.strings if quote.due}
    found |= {language.line_comment[:1], *(mark[:1] for mark in (language.block_comment or ())[:1])}
    return found | ({"#", "%"} if language.lexis.directives is not None else set())


@cache
def _literals(language: Language) -> tuple[re.Pattern[bytes], ...]:
    """Strings that stand only where an operand is due."""
    due = [quote for quote in language.lexis.strings if quote.due]
    return tuple(compiled(renamed(quote.opening + body(quote) + quote.closing, "0")) for quote in due)


class _Skim(Scanner):
    """One pass over a text for its marks."""

    def __init__(self, language: Language, text: bytes) -> None:
        super().__init__(rules(language), text, len(text))
        self.language = language
        self.found = Scan()
        self.comments: dict[int, int] = {}
        """Where comments end, and where those begin."""

    def run_all(self) -> Scan:
        """All marks."""
        at = len(self.text) - len(self.text.lstrip())
        if _first_line(self.language).match(self.text, at) is not None:
            start = max(self.text.rfind(b"\n", 0, at), self.text.rfind(b"\r", 0, at)) + 1
            self.found.marks.append((at, -width(self.text[start:at])))
        while at < self.end:
            at = self._until_special(at)
        return self.found

    def _until_special(self, at: int) -> int:
        """Adds the marks up to something that no expression ends, and says where that ends."""
        text, marks = self.text, self.found.marks
        for match in _stops(self.language).finditer(text, at, self.end):
            start, end = match.span()
            byte = text[start]
            if byte in b"()[]{}":
                marks.append((start, byte))
            elif byte in b"\r\n":
                lead = match.group()
                marks.append((end, start + 1 - end if b"\t" not in lead else -width(lead[1:])))
            elif byte == 0x2F and end - start > 1:
                self.comments[end] = start
            elif end - start == 1:
                special = self._special_at(start)
                if special != end:
                    return special
        return self.end

    def _special_at(self, start: int) -> int:
        """Where that ends which begins at a lone byte."""
        literals = _literals(self.language)
        if literals and self.text[start] == 0x2F:
            return self._literal_end(start, literals)
        match = self.rules.code.match(self.text, start, self.end)
        if match is None:
            return start + 1
        name = self.rules.names[match.lastindex or 0]
        kind, at = (PLAIN[name], match.end()) if name in PLAIN else self._special(name, match)
        if kind == "unclosed":
            self.found.unclosed.append(start)
        return max(at, start + 1)

    def _literal_end(self, start: int, literals: tuple[re.Pattern[bytes], ...]) -> int:
        """Where a literal ends that begins with a slash; behind the slash where it divides."""
        head = self._code_before(start)
        if head:
            word = _WORD_BEFORE.search(head)
            if head[-1] in _BEHIND_OPERAND or (word is not None and word.group() not in self.rules.operand_after):
                return start + 1
        ends = (match.end() for literal in literals if (match := literal.match(self.text, start, self.end)))
        return next(ends, start + 1)

    def _code_before(self, at: int) -> bytes:
        """The end of the code before an offset, comments left out."""
        text = self.text
        while at > 0 and (text[at - 1] in b" \t\r\n\f" or at in self.comments):
            at = self.comments.get(at, at - 1)
        return text[max(0, at - _LOOK_BACK) : at]
