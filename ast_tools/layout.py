"""The tokens of a text of a language with braces: how they pair, which begin lines, what the braces hold."""

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Literal

from ast_tools.languages import Language
from ast_tools.lexer import PARTNER, Token, tokens

Role = Literal["block", "members", "list", ""]
"""What braces hold: statements, declarations (of a class, a namespace, `extern "C"`), values; "" where nobody knows."""

STEPS = 200
"""Tokens that are looked at on the way to the beginning or end of one statement."""
_TAB = 8
_HEADS = frozenset(b"if for while switch catch".split())
_BARE_HEADS = frozenset(b"else do try".split())
_BEFORE_BLOCK = frozenset(b"; : else do try const override noexcept volatile mutable".split())
_BEFORE_LIST = frozenset(b"= , ( [ return".split())
_HOLDERS = frozenset(b"struct class union namespace extern".split())
_ENDS = frozenset(b"; { }".split())


class Layout:
    """A text in tokens without comments, directives and line ends."""

    def __init__(self, language: Language, text: bytes, found: list[Token] | None = None) -> None:
        self.language = language
        self.source = text
        self.found: list[Token] = []
        self.fresh: list[bool] = []
        """Whether a token is the first on its line."""
        self.asides: list[Token] = []
        """Comments and directives."""
        self.cut: set[int] = set()
        """Tokens right behind a directive."""
        fresh, cut = True, False
        for token in found if found is not None else tokens(language, text):
            if token.kind == "comment":
                self.asides.append(token)
                cut = cut or token.text.startswith(b"#")
            elif token.kind == "newline":
                fresh = True
            else:
                if cut:
                    self.cut.add(len(self.found))
                self.found.append(token)
                self.fresh.append(fresh)
                fresh = cut = False

    @cached_property
    def starts(self) -> list[int]:
        """Where each token begins."""
        return [token.start for token in self.found]

    @cached_property
    def partner(self) -> dict[int, int]:
        """The closer of each opener that has one."""
        return dict(self._pairs())

    @cached_property
    def opener(self) -> dict[int, int]:
        """The opener of each closer that has one."""
        return {closer: opener for opener, closer in self.partner.items()}

    @cached_property
    def holder(self) -> list[int]:
        """The innermost opener around each token; -1 at the top level."""
        stack: list[int] = []
        result = []
        for number, token in enumerate(self.found):
            if token.kind == "close" and stack:
                stack.pop()
            result.append(stack[-1] if stack else -1)
            if token.kind == "open":
                stack.append(number)
        return result

    @cached_property
    def inside(self) -> list[bytes]:
        """The innermost bracket open around each token; b"" at the top level."""
        return [self.text(number) for number in self.holder]

    def _pairs(self) -> Iterator[tuple[int, int]]:
        stack: list[int] = []
        for number, token in enumerate(self.found):
            if token.kind == "open":
                stack.append(number)
            elif token.kind == "close" and stack and self.found[stack[-1]].text == PARTNER[token.text]:
                yield stack.pop(), number

    def text(self, number: int) -> bytes:
        """A token's text; b"" before the first and after the last."""
        return self.found[number].text if 0 <= number < len(self.found) else b""

    def kind(self, number: int) -> str:
        """A token's kind; "" before the first and after the last."""
        return self.found[number].kind if 0 <= number < len(self.found) else ""

    def ends_line(self, number: int) -> bool:
        """Whether a token is the last on its line."""
        return number + 1 >= len(self.found) or self.fresh[number + 1]

    def is_keyword(self, number: int) -> bool:
        """Whether a token is a word of the language."""
        return self.text(number).decode("utf-8", "replace") in self.language.keywords

    def indent(self, number: int) -> int:
        """How far the line of a token is indented, in columns."""
        line = self.source.rfind(b"\n", 0, self.found[number].start) + 1
        lead = self.source[line : self.found[number].start]
        return len(lead[: len(lead) - len(lead.lstrip(b" \t"))].expandtabs(_TAB))

    @cached_property
    def roles(self) -> dict[int, Role]:
        """What every brace holds."""
        result: dict[int, Role] = {-1: "members"}
        for number, token in enumerate(self.found):
            if token.text == b"{" and token.kind == "open":
                result[number] = self._role(number, result.get(self.holder[number], ""))
        return result

    def _role(self, number: int, around: Role) -> Role:
        before = self.text(number - 1)
        if around == "list" or before in _BEFORE_LIST:
            return "list"
        if before == b")":
            return self._role_behind_parentheses(number - 1)
        if before in _BEFORE_BLOCK or (before in (b"{", b"}") and around == "block"):
            return "block"
        return self._role_by_words(number - 1)

    def _role_behind_parentheses(self, closer: int) -> Role:
        opener = self.opener.get(closer)
        if opener is None:
            return ""
        before = self.text(opener - 1)
        named = self.kind(opener - 1) == "word" and not self.is_keyword(opener - 1)
        if named or before in _HEADS or before in (b"]", b")"):
            return "block"
        return "block" if b"operator" in (before, self.text(opener - 2), self.text(opener - 3)) else "list"

    def _role_by_words(self, last: int) -> Role:
        """By the words of a head, as in `struct one {`."""
        words = []
        for number in range(last, max(last - STEPS, -1), -1):
            if self.text(number) in _ENDS or self.text(number) in (b")", b"="):
                break
            words.append(self.text(number))
        if b"enum" in words:
            return "list"
        return "members" if not _HOLDERS.isdisjoint(words) else ""

    @cached_property
    def bare_calls(self) -> Counter[bytes]:
        """How often each word with arguments ends a line without a semicolon, and a word or a brace follows."""
        return Counter(
            self.text(number)
            for number, closer in self._calls()
            if self.ends_line(closer) and (self.kind(closer + 1) == "word" or self.text(closer + 1) == b"}")
        )

    @cached_property
    def whole_calls(self) -> Counter[bytes]:
        """How often each word with arguments is a statement with its semicolon."""
        return Counter(
            self.text(number)
            for number, closer in self._calls()
            if self.fresh[number] and self.text(closer + 1) == b";" and self.begin(number) == number
        )

    def _calls(self) -> Iterator[tuple[int, int]]:
        for number, token in enumerate(self.found):
            closer = self.partner.get(number + 1) if token.kind == "word" and self.text(number + 1) == b"(" else None
            if closer is not None:
                yield number, closer

    def statement(self, number: int) -> int | None:
        """The first token of the statement that a token belongs to, behind its heads (`if (...)`, `else`).

        The token behind it where that is nothing but heads.
        """
        at = self.begin(number)
        while at is not None and at < number:
            closer = self.partner.get(at + 1)
            if self.text(at) in _HEADS and closer is not None and closer <= number:
                at = closer + 1
            elif self.text(at) in _BARE_HEADS:
                at += 1
            else:
                break
        return at

    def begin(self, number: int) -> int | None:
        """The first token of the statement that a token belongs to; None where it is too far away."""
        at = self.opener.get(number, number)
        for _ in range(STEPS):
            before = self.text(at - 1)
            if at <= 0 or before in _ENDS or (before == b":" and self._is_label(at - 1)):
                return at
            if self.kind(at - 1) == "open":
                return at
            at = self.opener.get(at - 1, at - 1)
        return None

    def _is_label(self, colon: int) -> bool:
        """Whether a colon ends a label: it is no half of `::` and has no question mark before it in its statement."""
        if b":" in (self.text(colon - 1), self.text(colon + 1)):
            return False
        for number in range(colon - 1, max(colon - STEPS, -1), -1):
            if self.text(number) in (b"?", b"case"):
                return self.text(number) == b"case"
            if self.text(number) in _ENDS:
                break
        return True
