"""What a model has said so far at a caret."""

from dataclasses import replace

from ast_tools.completion.brackets import Brackets, read
from ast_tools.languages import Language
from ast_tools.lexer import Token


class Said:
    """The text so far and its brackets. Mutable; add it line by line at the most, so that each line is read once.

    `line_start` is where the last line begins: the one being said, or the one that a line end has just ended. `lines`
    are those that have ended and are not blank, each with its beginning.
    """

    def __init__(self, language: Language | None) -> None:
        self.text = ""
        self.line_start = 0
        self.lines: list[tuple[int, str]] = []
        self._language = language
        self._data = b""
        self._head_end = 0
        """Bytes of `head`."""
        self._read_to = 0
        self._settled = Brackets()
        """At `_read_to`, which is a line start in code, or the beginning."""
        self._now: Brackets | None = None

    def add(self, part: str) -> None:
        """The next text: without a line end, or with one at its end."""
        if self.text.endswith("\n"):
            self._settle()
        self.text += part
        self._data += part.encode("utf-8", "replace")
        self._now = None
        if part.endswith("\n") and self.line.strip():
            self.lines.append((self.line_start, self.line))

    def _settle(self) -> None:
        self.line_start, self._head_end = len(self.text), len(self._data)
        found = read(self._language, self._data, self._read_to)
        # A string that goes on over the line end is read again with its next line.
        if found and found[-1].kind == "newline":
            self._settled = self._settled.then(found, len(self._data))
            self._read_to = len(self._data)

    @property
    def line(self) -> str:
        """The last line, without its end."""
        return self.text[self.line_start :].removesuffix("\n")

    @property
    def head(self) -> str:
        """All lines before the last."""
        return self.text[: self.line_start]

    @property
    def brackets(self) -> Brackets:
        """The brackets of the whole text."""
        if self._now is None:
            self._now = self._settled.then(read(self._language, self._data, self._read_to), len(self._data))
        return self._now

    @property
    def tokens(self) -> list[Token]:
        """The tokens of the whole text, read anew."""
        return read(self._language, self._data)

    @property
    def head_brackets(self) -> Brackets:
        """The brackets of `head`."""
        return replace(self._settled, inside=self._read_to < self._head_end)

    def characters(self, end: int) -> int:
        """The character at which the byte `end` stands."""
        return len(self._data[:end].decode("utf-8", "replace"))
