"""Trees in step with a text. A tree is immutable and belongs to the thread that made it."""

import time
from dataclasses import dataclass
from functools import cached_property

import tree_sitter

from ast_tools.edits import Edit, apply
from ast_tools.grammar import parser
from ast_tools.languages import Language, language_in
from ast_tools.stepping import Pace, Stepwise

PARSE_BUDGET_S = 0.2
SLICE_S = 0.005
SESSION_BUDGET_S = 2.0
"""What one text may cost a session: a clean 10 MB file takes about one second, some 15 bytes take more than 20."""


OVERRUN = 2.0
"""A grammar that takes this many times its slice works in steps that no time limit interrupts, and would go on so."""
LONG = 100_000
"""Bytes; in a longer text a template string left open costs steps of up to 40 ms, some fifty of them."""


@dataclass(frozen=True, eq=False)
class SyntaxTree:
    """The result of a parse: the text and its tree. Broken code is in it as data."""

    language: Language
    text: bytes
    raw: tree_sitter.Tree

    @property
    def root(self) -> tree_sitter.Node:
        """The root node."""
        return self.raw.root_node

    @cached_property
    def errors(self) -> tuple[tree_sitter.Node, ...]:
        """All nodes that stand for an error or for something missing, in the order of the text; nested ones too."""
        return tuple(_errors(self.root))

    @property
    def has_error(self) -> bool:
        """Whether the grammar sees any error; costs nothing, unlike counting them."""
        return self.root.has_error

    @property
    def n_errors(self) -> int:
        """How many errors the grammar sees; only differences between two texts mean something."""
        return len(self.errors)

    def __repr__(self) -> str:
        return f"SyntaxTree({self.language.name}, {len(self.text)} bytes, has_error={self.root.has_error})"


def _errors(root: tree_sitter.Node) -> list[tree_sitter.Node]:
    """A walk with a cursor (trees can be deep) that enters only what contains an error."""
    found: list[tree_sitter.Node] = []
    cursor, entered = root.walk(), True
    while True:
        node = cursor.node
        if node is not None and entered and (node.is_error or node.is_missing):
            found.append(node)
        if entered and node is not None and node.has_error and cursor.goto_first_child():
            continue
        if cursor.goto_next_sibling():
            entered = True
            continue
        if not cursor.goto_parent():
            return found
        entered = False


def parse(language: Language, text: bytes, budget_s: float = PARSE_BUDGET_S) -> SyntaxTree | None:
    """The tree of a text, or None when the budget (seconds of this thread's processor time) is spent, or when the
    language's grammar is missing. Never raises.

    Parses in slices, because the grammar holds the interpreter lock while it works.
    """
    language = language_in(language, text)
    raw = _in_slices(language, text, None, budget_s)
    return SyntaxTree(language, text, raw) if raw is not None else None


def reparse(before: SyntaxTree, edits: tuple[Edit, ...], budget_s: float = PARSE_BUDGET_S) -> SyntaxTree | None:
    """The tree after edits (which must not overlap), reusing what they leave alone; None when the budget is spent."""
    raw, text = before.raw.copy(), apply(before.text, edits)
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        mark_edit(raw, before.text, edit.start, edit.end, edit.new)
    after = _in_slices(before.language, text, raw, budget_s)
    return SyntaxTree(before.language, text, after) if after is not None else None


def _in_slices(
    language: Language, text: bytes, old: tree_sitter.Tree | None, budget_s: float
) -> tree_sitter.Tree | None:
    works = parser(language.name, min(budget_s, SLICE_S))
    started = time.thread_time()
    while works is not None:
        try:
            return works.parse(text, old) if old is not None else works.parse(text)
        except ValueError:
            if time.thread_time() - started >= budget_s:
                break
    return None


def mark_edit(raw: tree_sitter.Tree, text: bytes, start: int, old_end: int, new: bytes) -> None:
    """Tells a tree of `text` that [start, old_end) became `new`."""
    row, column = _point(text, start)
    raw.edit(
        start_byte=start,
        old_end_byte=old_end,
        new_end_byte=start + len(new),
        start_point=(row, column),
        old_end_point=_advanced(row, column, text[start:old_end]),
        new_end_point=_advanced(row, column, new),
    )


def _point(text: bytes, offset: int) -> tuple[int, int]:
    return text.count(b"\n", 0, offset), offset - (text.rfind(b"\n", 0, offset) + 1)


def _advanced(row: int, column: int, piece: bytes) -> tuple[int, int]:
    newlines = piece.count(b"\n")
    return (row + newlines, len(piece) - piece.rfind(b"\n") - 1) if newlines else (row, column + len(piece))


class TreeSession:
    """The tree of one open document, kept in step by edits and parsed in slices.

    Mutable; owned by the session and used in the event-loop thread only. After `edit`, call `advance` until it
    returns a tree or `gave_up` is true; when the text rests, `renew` until it says that the tree is whole.
    """

    def __init__(self, language: Language, text: bytes) -> None:
        self.language = language
        self.text = text
        self.tree: SyntaxTree | None = None
        self.gave_up = False
        self.whole = False
        """Whether the tree is what a parse of the whole text gives."""
        self._marks: int | None = None
        self._insists = False
        self._old: tree_sitter.Tree | None = None
        self._parse: Stepwise | None = None
        self._spent_s = 0.0
        self._pace: Pace | None = None
        self._retired: list[tree_sitter.Tree | Stepwise] = []
        """What is still to be freed: a long text's tree takes some milliseconds, as much as a slice."""

    def edit(self, start: int, old_end: int, new_text: bytes, text: bytes) -> None:
        """The document changed: [start, old_end) became `new_text`, and the whole is now `text`."""
        if self._old is not None:
            mark_edit(self._old, self.text, start, old_end, new_text)
        self._changed(text)

    def replace(self, text: bytes) -> None:
        """The whole document was replaced."""
        self._retire(self._old)
        self._old = None
        self._changed(text)

    def _changed(self, text: bytes) -> None:
        self.text = text
        self.tree = None
        self.gave_up = self.whole = self._insists = False
        self._spent_s = 0.0
        # A parser that ran out of time would go on with the old text and return a tree of it.
        self._retire(self._parse)
        self._parse = None

    def advance(self, budget_s: float = SLICE_S) -> SyntaxTree | None:
        """Parses for at most `budget_s` seconds; the tree of the current text, or None: call again.

        Gives up for good (until the text changes) after SESSION_BUDGET_S in total, when the grammar does not stop
        where it should or is about to, and at once where a template string is open in a long text.
        """
        if self.tree is None and self._parse is None and not self._insists:
            self.gave_up = self.gave_up or self._swallows_the_rest()
        if self.tree is not None or self.gave_up:
            return self.tree
        self._slice(self._old, budget_s)
        return self.tree

    def renew(self, budget_s: float = SLICE_S) -> bool:
        """Parses the whole text again where its tree was made by edits and is broken, for at most `budget_s` seconds.

        There tree-sitter's incremental parse may end in another tree than a whole one. True: the tree is whole, or
        cannot be made so within SESSION_BUDGET_S; False: call again. The tree in use stays until the new one is done;
        what is out of use is freed.
        A text that only seemed to leave a template open gets its tree now.
        """
        if self.tree is None and (self._insists or (self.gave_up and not self._spent_s)):
            self._insists, self.gave_up = True, False
            return self.advance(budget_s) is not None or self.gave_up
        if self.tree is None or self.whole or self.gave_up:
            return not self._retired or self._free(time.thread_time() + budget_s)
        half = time.thread_time() + budget_s / 2
        # What it takes the place of is freed in a turn of its own if this one was long, but not at the next key.
        return self._slice(None, budget_s) and self._free(half)

    def _slice(self, old: tree_sitter.Tree | None, budget_s: float) -> bool:
        """Goes on with the parse, or begins it; whether it came to an end, with a tree or without one."""
        started = time.thread_time()
        until = started + budget_s
        if not self._free(until):
            return False
        if self._parse is None:
            self._parse = Stepwise(self.language.name, self.text, old, self._pace)
        raw = self._parse.run(until)
        if raw is not None:
            self._take(raw, self._parse, whole=old is None or not raw.root_node.has_error)
            return True
        self._spent_s += time.thread_time() - started
        overran = self._parse.longest_s > OVERRUN * SLICE_S and self._spent_s > OVERRUN * SLICE_S * 4
        self.gave_up = not self._parse.possible or self._parse.slow or overran or self._spent_s >= SESSION_BUDGET_S
        return self.gave_up

    def _free(self, until: float) -> bool:
        """Frees what is out of use, one thing after another; whether that is done, and time left."""
        while self._retired and time.thread_time() < until:
            self._retired.pop()
        return not self._retired and time.thread_time() < until

    def _retire(self, used: tree_sitter.Tree | Stepwise | None) -> None:
        if used is not None:
            self._retired.append(used)

    def _swallows_the_rest(self) -> bool:
        """Whether a long text has one template mark more or less than when it was last clean."""
        if self._marks is None or len(self.text) < LONG:
            return False
        return (self._count_marks() - self._marks) % 2 == 1

    def _count_marks(self) -> int:
        return sum(self.text.count(mark) for mark in self.language.lexis.template_marks)

    def _take(self, raw: tree_sitter.Tree, done: Stepwise, *, whole: bool) -> None:
        self._retire(self._old)
        # `edit` marks the tree it reuses, so the session keeps a copy apart from the one it hands out.
        self._old, self._parse = raw.copy(), None
        if not raw.root_node.has_error:
            self._marks, self._pace = self._count_marks(), done.pace(self._pace)
        self.whole = whole
        self.tree = SyntaxTree(self.language, self.text, raw)
