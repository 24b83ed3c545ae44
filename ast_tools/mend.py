"""Everything that is wrong with a text and what can be done about it, several errors at once.

Rounds: look for repairs, make all sure ones together, look again, until there is none. From there on the first choice
of each unsure repair is made, as a trial, so that what stands behind it is found too.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ast_tools.baseline import Verdict, parse_as_written
from ast_tools.edits import Edit, apply, composed, moved, origin
from ast_tools.languages import Language
from ast_tools.lexer import Token, tokens, unmatched
from ast_tools.lines import Lines
from ast_tools.repair import Repair, repairs
from ast_tools.syntax import Problem, problems, refusal, said_of
from ast_tools.tree import SyntaxTree, parse

MAX_ROUNDS = 50
"""A text with more broken places than this is not a slip away from being right."""
MAX_CHOICES = 3
PARSE_BUDGET_S = 5.0
MEND_BUDGET_S = 8.0
SEARCH_BUDGET_S = 2.0
"""Seconds of this thread's processor time: for one parse, for all rounds, and for one search among them."""

_SHOWN = 20
_LINE = re.compile(r"\bline (\d{1,9})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One error: the bytes [start, end) it is reported at, a sentence, and what can be done about it, best first.

    `sure`: the one choice may be made unasked. `refused`: the grammar finds nothing, the language's own parser does.
    Offsets, those of the choices too, are of the text as it was given.
    """

    start: int
    end: int
    message: str
    choices: tuple[Repair, ...] = ()
    sure: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What was found in a text. `sure` are the edits of all sure repairs; `guessed` those and the first choices.

    Both are edits of the text as it was given and can be made at once.
    """

    faults: tuple[Fault, ...] = ()
    sure: tuple[Edit, ...] = ()
    guessed: tuple[Edit, ...] = ()


def mend(
    language: Language,
    text: bytes,
    *,
    guess: bool = True,
    budget_s: float = MEND_BUDGET_S,
    parse_budget_s: float = PARSE_BUDGET_S,
) -> Mended | None:
    """What is wrong with a text and how to mend it; None when it is not parsed in time. Never raises.

    Where the language has a parser of its own that takes the text, no other is asked, and errors that are only the
    grammar's are left out (ast_tools.baseline). `guess`: try what is not sure; else all that is not is left, without
    choices.
    """
    if language.accepts is not None and language.accepts(text):
        return Mended()
    tree = parse_as_written(language, text, parse_budget_s)
    if tree is None:
        return None
    deadline = time.thread_time() + budget_s
    work = _Work(given=Lines(text), tree=tree, deadline=deadline, parse_budget_s=parse_budget_s)
    if not work.left():
        return Mended()
    work.read_plainly()
    while work.make_the_sure():
        pass
    sure = work.edits
    while guess and work.try_the_first():
        pass
    found = [*work.faults, *(work.fault(problem) for problem in work.left())]
    faults = sorted(dict.fromkeys(found), key=lambda fault: (fault.start, fault.end))
    return Mended(faults=tuple(faults), sure=sure, guessed=work.edits)


def _left(tree: SyntaxTree) -> tuple[Problem, ...]:
    """What the grammar finds or, where it finds nothing, the language's own parser."""
    found = problems(tree)
    if found:
        return found if not tree.language.loose else _unclosed(tree)
    stopped = refusal(tree)
    return (stopped,) if stopped is not None else ()


def _unclosed(tree: SyntaxTree) -> tuple[Problem, ...]:
    """Brackets without their other half, strings and comments without an end: what needs no grammar to be wrong."""
    found = tokens(tree.language, tree.text)
    closers, openers = unmatched(found)
    said = [(token, f"`{_shown(token)}` closes nothing.") for token in closers]
    said += [(token, f"`{_shown(token)}` is never closed.") for token in openers]
    said += [(token, f"What begins with `{_shown(token)}` never ends.") for token in found if token.kind == "unclosed"]
    return tuple(
        Problem(start=token.start, end=min(token.end, token.start + _SHOWN), message=message, kind="unexpected")
        for token, message in sorted(said, key=lambda pair: pair[0].start)
    )


def _shown(token: Token) -> str:
    return token.text[:_SHOWN].decode("utf-8", "replace").split("\n")[0].strip()


@dataclass(slots=True, kw_only=True)
class _Work:
    """A text being mended: its tree by now and the edits that led here from the text as it was given."""

    given: Lines
    tree: SyntaxTree
    deadline: float
    parse_budget_s: float
    edits: tuple[Edit, ...] = ()
    faults: list[Fault] = field(default_factory=list)
    _rounds: int = 0
    _seen: set[int] = field(default_factory=set)
    _found: tuple[Repair, ...] | None = None
    _verdict: Verdict | None = None

    def read_plainly(self) -> None:
        """Goes on in the reading of the text where the grammar trips over least, if what is wrong shows there too."""
        plain = Verdict(self._judged().plain)
        if plain.of(_left(plain.tree)):
            self.tree, self._verdict = plain.tree, plain

    def left(self) -> tuple[Problem, ...]:
        """What is wrong with the text as it is by now, apart from what only the grammar trips over."""
        return self._judged().of(_left(self.tree))

    def _judged(self) -> Verdict:
        if self._verdict is None or self._verdict.tree is not self.tree:
            self._verdict = Verdict(self.tree)
        return self._verdict

    def make_the_sure(self) -> bool:
        """One round: all sure repairs that leave each other alone. False when there is none, or no time."""
        chosen = _apart([repair for repair in self._search() if repair.sure])
        if not chosen:
            return False
        faults = [self._fault((repair,), sure=True) for repair in chosen]
        if not self._make(tuple(edit for repair in chosen for edit in repair.edits)):
            return False
        self.faults += faults
        return True

    def try_the_first(self) -> bool:
        """One round: the first repair there is, whether or not it is sure. False when there is none, or no time."""
        found = self._search()
        if not found:
            return False
        before = replace(self)
        if not self._make(found[0].edits):
            return False
        again = {repair.edits for repair in self._search()}
        choices = found[:1]
        # What is found again belongs to another error; in the list those of one error stand together.
        for other in found[1:MAX_CHOICES]:
            if other.sure or _after(other.edits, found[0].edits) in again:
                break
            choices += (other,)
        self.faults.append(before._fault(choices, sure=False))
        return True

    def fault(self, problem: Problem) -> Fault:
        """A problem of the text as it is by now, placed in the text as it was given."""
        start, end = origin(self.edits, problem.start), origin(self.edits, problem.end)
        refused = not self.tree.has_error
        message = said_of(self.given.text, start, max(start, end), problem.message)
        return Fault(start=start, end=max(start, end), message=self._said(message), refused=refused)

    def _fault(self, choices: tuple[Repair, ...], *, sure: bool) -> Fault:
        placed = tuple(_back(replace(choice, reason=self._said(choice.reason)), self.edits) for choice in choices)
        return Fault(start=placed[0].start, end=placed[0].end, message=placed[0].reason, choices=placed, sure=sure)

    def _said(self, words: str) -> str:
        """Words about the text as it is by now, with their lines counted in the text as it was given."""
        if not self.edits or _LINE.search(words) is None:
            return words
        now = Lines(self.tree.text)

        def counted(found: re.Match[str]) -> str:
            line = max(min(int(found[1]), now.count) - 1, 0)
            return f"line {self.given.line_at(origin(self.edits, now.start(line))) + 1}"

        return _LINE.sub(counted, words)

    def _search(self) -> tuple[Repair, ...]:
        if self._found is None:
            left = self.deadline - time.thread_time()
            found = repairs(self.tree, budget_s=min(left, SEARCH_BUDGET_S)) if left > 0 else ()
            # One error at a time: whoever mends a whole text comes to the others by themselves.
            self._found = tuple(one for one in found if not one.joint and self._judged().holds(one.start))
        return self._found

    def _make(self, edits: tuple[Edit, ...]) -> bool:
        """Makes edits of the text as it is by now, unless that leads where we have been, or nowhere in time."""
        self._rounds += 1
        self._seen.add(hash(self.tree.text))
        text = apply(self.tree.text, edits)
        if self._rounds > MAX_ROUNDS or hash(text) in self._seen or time.thread_time() > self.deadline:
            return False
        tree = parse(self.tree.language, text, self.parse_budget_s)
        if tree is None:
            return False
        self.tree, self.edits, self._found = tree, composed(self.edits, edits), None
        return True


def _apart(found: Sequence[Repair]) -> list[Repair]:
    """Those that overlap none before them."""
    chosen: list[Repair] = []
    for repair in found:
        taken = [edit for other in chosen for edit in other.edits]
        if not any(_overlap(one, other) for one in repair.edits for other in taken):
            chosen.append(repair)
    return chosen


def _overlap(one: Edit, other: Edit) -> bool:
    return one == other or (one.start < other.end and other.start < one.end)


def _back(repair: Repair, edits: tuple[Edit, ...]) -> Repair:
    """A repair of the text after `edits`, placed in the text before them."""
    if not edits:
        return repair
    placed = tuple(Edit(origin(edits, edit.start), origin(edits, edit.end), edit.new) for edit in repair.edits)
    return replace(repair, edits=placed, start=origin(edits, repair.start), end=origin(edits, repair.end))


def _after(edits: tuple[Edit, ...], first: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Edits as they would read once others were made."""
    return tuple(Edit(moved(first, edit.start), moved(first, edit.end), edit.new) for edit in edits)
