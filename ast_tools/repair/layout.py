"""Where brackets do not agree with the layout, from marks alone.

A block is trusted when its closer begins a line that is as deep as the one its opener's statement begins with. An
opener dies at the first line that leaves it without closing it; a closer that has no opener left is an orphan. Both
are suspects. (Ideas: rustc's `lexer/diagnostics.rs`, Carbon's `mismatched_brackets.md`, clangd's `Bracket.cpp`.)
"""

import re
from bisect import bisect_left
from dataclasses import dataclass, field

from ast_tools.languages import Language
from ast_tools.repair.scan import Mark

OPENERS, CLOSERS = b"([{", b")]}"
PARTNERS = {ord(")"): ord("("), ord("]"): ord("["), ord("}"): ord("{")}
BRACE = ord("{")
LOOK_BACK = 400
"""Marks, or open brackets, that are looked at for one decision; hostile texts would take quadratic time."""

MAX_SUSPECTS = 64
"""More are no slip but another language, or a file that is being written from scratch."""
_WORD = re.compile(rb"\w+")
_LABEL = re.compile(rb"(?:case\b|default\b|(?:public|private|protected|signals|slots)\b|[A-Za-z_]\w*\s*:(?![:=]))")
"""What may stand as far out as the line that opens the block it is in."""
_GOES_ON = b",([=+-*/&|?.\\<%^"
_GOES_ON_WORDS = (b" and", b" or", b" not", b" in", b" is", b" else", b" if")
_GOES_ON_FIRST = b")]}.?:+-*/&|=<>,\"'{"
"""What a line ends with, or the next begins with, where a statement goes on."""


@dataclass(slots=True)
class Frame:
    """An open bracket: its offset, its byte, where its line begins, how deep its statement is, its line's number.

    `flat`: a brace whose inside is no deeper, as in many namespaces.
    """

    at: int
    byte: int
    line: int
    indent: int
    number: int
    flat: bool = False


@dataclass(frozen=True, slots=True)
class Suspect:
    """A bracket without its other half, and how deep its statement is.

    `limit`: for an opener the offset before which it should be closed, for a closer that of the bracket around it,
    behind which its opener must stand (0 where there is none).
    """

    at: int
    byte: int
    limit: int
    indent: int

    @property
    def opens(self) -> bool:
        """Whether it is an opener."""
        return self.byte in OPENERS


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass finds: suspects in order, and trusted blocks over several lines (opener, closer)."""

    suspects: list[Suspect] = field(default_factory=list)
    blocks: list[tuple[int, int]] = field(default_factory=list)


def survey(language: Language, text: bytes, marks: list[Mark]) -> Survey:
    """The suspects and the trusted blocks of a text."""
    return _Pass(language, text, marks).run()


def line_start(text: bytes, at: int) -> int:
    """Where the line of an offset begins."""
    return max(text.rfind(b"\n", 0, at), text.rfind(b"\r", 0, at)) + 1


def code_of_line(language: Language, text: bytes, at: int) -> bytes:
    """The line from `at` on, a comment at its end left out."""
    end = text.find(b"\n", at)
    line = text[at : end if end >= 0 else len(text)]
    comment = line.find(language.line_comment.encode())
    return (line if comment < 0 else line[:comment]).rstrip()


def begins(language: Language, text: bytes, marks: list[Mark], index: int, *, block: bool = False) -> bool:
    """Whether a statement begins with the line that `marks[index]` begins; `block`: one that may own a brace."""
    at, braces = marks[index][0], not language.indent_based
    if text[at] in _GOES_ON_FIRST or (block and braces and _LABEL.match(text, at)):
        return False
    word = _WORD.match(text, at)
    if word is not None and word.group().decode("latin-1") in language.continuation_words:
        return False
    before = index - 1
    while before >= 0 and marks[before][1] > 0:
        before -= 1
    return before < 0 or _ended(language, text, marks[before], marks[index], block=block and braces)


def _ended(language: Language, text: bytes, before: Mark, mark: Mark, *, block: bool) -> bool:
    """Whether a statement ends with the line at `before`, of which the next is at `mark`."""
    last = code_of_line(language, text, before[0])
    if not last or last[-1] in b"{:;":
        return True
    if last[-1] in _GOES_ON or last.endswith(_GOES_ON_WORDS) or (block and last[-1] not in b"})"):
        return False
    return mark[1] >= before[1] or last[-1] in b"}"


class _Pass:
    """One pass from left to right with a stack of open brackets."""

    def __init__(self, language: Language, text: bytes, marks: list[Mark]) -> None:
        self.language, self.text, self.marks = language, text, marks
        self.comment = language.line_comment.encode()
        self.found = Survey()
        self.stack: list[Frame] = []
        self.line, self.width, self.before, self.number = 0, 0, 0, 0
        """Of the line that is read: its first visible byte, its columns of white space, those of the line before, its
        number."""
        self.indent = 0
        """How deep the statement is that the line belongs to, as far as brackets tell."""

    def run(self) -> Survey:
        stack, text = self.stack, self.text
        for at, code in self.marks:
            if code <= 0:
                if self._lost():
                    break
                self.line, self.before, self.width, self.number = at, self.width, -code, self.number + 1
                self.indent = -code
                if stack and -code <= stack[-1].indent and text[at] not in CLOSERS:
                    self._outside(at)
            elif code in OPENERS:
                stack.append(Frame(at, code, self.line, self.indent, self.number))
            elif stack and stack[-1].byte == PARTNERS[code] and self._answers(at):
                self._close(at)
            else:
                self._stray(at, code)
        if not self._lost():
            self._die_above(max(len(stack) - MAX_SUSPECTS, 0), len(text))
        self.found.suspects.sort(key=lambda suspect: suspect.at)
        return self.found

    def _lost(self) -> bool:
        """Whether there are more suspects than are looked at, even if half of them should answer each other."""
        return len(self.found.suspects) > 2 * MAX_SUSPECTS

    def _close(self, at: int) -> None:
        top = self.stack.pop()
        self.indent = min(self.indent, top.indent)
        if at == self.line and not top.flat:
            self.found.blocks.append((top.at, at))

    def _die_above(self, depth: int, limit: int) -> None:
        """The open brackets from `depth` on are suspects."""
        for frame in self.stack[depth:]:
            self.found.suspects.append(Suspect(frame.at, frame.byte, limit, frame.indent))
        del self.stack[depth:]

    def _answers(self, at: int) -> bool:
        """Whether nothing in the layout speaks against the closer at `at` answering the innermost opener."""
        top = self.stack[-1]
        if at == self.line:
            return top.indent == self.width and not (top.flat and self._ends_body(at))
        return top.byte != BRACE or top.number == self.number or not self._hangs(top)

    def _ends_body(self, at: int) -> bool:
        """Whether the lines before a closer are the deeper body of something without a brace, not a wrapped line."""
        if self.before <= self.width:
            return False
        last = bisect_left(self.marks, (at, -1 << 62)) - 1
        for index in range(last, max(last - LOOK_BACK, 0) - 1, -1):
            start, code = self.marks[index]
            if code <= 0 and -code <= self.width:
                line = code_of_line(self.language, self.text, start)
                return bool(line) and line[-1] not in _GOES_ON
        return False

    def _hangs(self, frame: Frame) -> bool:
        """Whether nothing follows a bracket on its line."""
        rest = self.text[frame.at + 1 : self.text.find(b"\n", frame.at)].strip()
        return not rest or rest.startswith(self.comment)

    def _outside(self, at: int) -> None:
        """A line begins at `at` that is no deeper than the innermost open bracket's."""
        if not self.language.indent_based and _LABEL.match(self.text, at):
            return
        stack = self.stack
        while stack and stack[-1].indent >= self.width and not self._lost():
            top = stack[-1]
            if top.indent == self.width and (top.flat or self._flat(top, at)):
                top.flat = True
                return
            if not self._moves_out(len(stack) - 1):
                self._die_above(len(stack) - 1, at)

    def _flat(self, frame: Frame, at: int) -> bool:
        """Whether a line as deep as that of an open bracket is the first inside: a namespace, or a brace below."""
        if self.text[at] == BRACE:
            return True
        first = self.number == frame.number + 1
        return frame.byte == BRACE and frame.indent == 0 and first and self._hangs(frame)

    def _moves_out(self, depth: int) -> bool:
        """Takes an open bracket to be as deep as where its statement begins; whether that is less deep."""
        frame, parent = self.stack[depth], self.stack[depth - 1].at if depth else -1
        index = min(bisect_left(self.marks, (frame.line, -1 << 62)), len(self.marks) - 1)
        indent, last = frame.indent, max(index - LOOK_BACK, -1)
        while index > last:
            at, code = self.marks[index]
            if at <= parent:
                break
            if code <= 0 and at <= frame.line:
                indent = min(indent, -code)
                if begins(self.language, self.text, self.marks, index, block=frame.byte == BRACE):
                    break
            index -= 1
        moved, frame.indent = indent != frame.indent, indent
        return moved

    def _stray(self, at: int, code: int) -> None:
        """A closer that does not simply answer the innermost opener."""
        depth = self._opener_of(code, first=at == self.line)
        if depth < 0:
            outer = self.stack[-1].at if self.stack else 0
            self.found.suspects.append(Suspect(at, code, outer, self.width))
            return
        self._die_above(depth + 1, at)
        self._close(at)

    def _opener_of(self, code: int, *, first: bool) -> int:
        """How deep the opener is that a closer answers, if it begins its line (`first`) or not; -1 if none does."""
        stack, want = self.stack, PARTNERS[code]
        top = stack[-1] if stack else None
        if top is None:
            return -1
        if top.byte == want and (top.flat or not first):
            return self._misplaced(top, code) if first else -1
        for depth in range(len(stack) - 1, max(len(stack) - LOOK_BACK, 0) - 1, -1):
            frame = stack[depth]
            if not first and frame.number != self.number and self._hangs(frame):
                return -1
            if frame.byte == want and (not first or self._aligned(depth)):
                return depth
        return self._misplaced(top, code) if first and top.byte == want else -1

    def _misplaced(self, top: Frame, code: int) -> int:
        """A closer that begins a line of another depth than its opener's: only a brace that is deeper is an orphan."""
        answers = code != ord("}") or self.width < top.indent
        return len(self.stack) - 1 if answers else -1

    def _aligned(self, depth: int) -> bool:
        """Whether an open bracket's line, or the beginning of its statement, is as deep as this line."""
        frame = self.stack[depth]
        if frame.indent > self.width and frame.byte == BRACE:
            self._moves_out(depth)
        return frame.indent == self.width
