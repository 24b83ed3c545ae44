"""A parse that others wait for, taken step by step."""

import math
import time
from collections import deque
from dataclasses import dataclass

import tree_sitter

from ast_tools.grammar import parser, set_budget

STEP_S = 1e-6
"""A parser's time limit that is over when the parser first looks at the clock: after a hundred of its actions."""
WINDOW = 8
SLOW = 14
"""How many times longer than usual WINDOW steps take where a recovery from an error gets out of hand.

Of 115,000 marks typed into files of 10,000 lines, 23 led to steps of 10 to 50 ms, which nothing can interrupt, and all
had gone so slowly before. So had 0.5 % that got through, most of them in the time of three to ten whole parses.
"""


@dataclass(frozen=True, slots=True)
class Pace:
    """How parses of a text go while nothing is wrong with it: seconds of processor time that a step takes.

    `even`: no steps are much slower than others, as those are that end a list of 100,000 items.
    """

    step_s: float
    even: bool

    @property
    def limit_s(self) -> float:
        """What WINDOW steps, the longest left out, may take before they are too slow."""
        return (WINDOW - 1) * SLOW * self.step_s if self.even else math.inf


class Stepwise:
    """One parse of one text. Mutable, for one thread.

    It begins in one go, because where a parse of a broken text is interrupted it may recover in another way, and most
    are done with that. One that goes on does so in single steps: only they tell that the next will take long.
    """

    def __init__(self, name: str, text: bytes, old: tree_sitter.Tree | None, pace: Pace | None) -> None:
        """`name` of a language, `old`: the tree of the text before, its edits marked, `pace`: the usual one."""
        self._parser = parser(name, STEP_S)
        self._text, self._old = text, old
        self._limit_s = pace.limit_s if pace is not None else math.inf
        self._recent = deque((0.0,) * WINDOW, WINDOW)
        self._recent_s, self._slowest_s = 0.0, 0.0
        self._begun, self._steps, self._spent_s = False, 0, 0.0
        self.longest_s = 0.0
        """The most that a step took."""

    @property
    def possible(self) -> bool:
        """Whether there is a grammar."""
        return self._parser is not None

    @property
    def slow(self) -> bool:
        """Whether it goes so slowly that the next step may take long."""
        return self._slowest_s > self._limit_s

    def pace(self, before: Pace | None) -> Pace | None:
        """The usual pace, if this was a parse of a clean text; that of a few steps tells nothing."""
        if self._steps < WINDOW:
            return before
        step_s = self._spent_s / self._steps
        if before is None:
            return Pace(step_s, even=self._slowest_s <= Pace(step_s, even=True).limit_s)
        return Pace((step_s + before.step_s) / 2, before.even)

    def run(self, until: float) -> tree_sitter.Tree | None:
        """Goes on until a point in this thread's processor time, at least one step; the tree when it is done.

        Ends before that where it has become `slow`.
        """
        if self._parser is None:
            return None
        now = time.thread_time()
        if not self._begun:
            self._begun = True
            return self._in_one_go(self._parser, until - now)
        while True:
            raw = self._go_on(self._parser)
            if raw is not None:
                return raw
            began, now = now, time.thread_time()
            self._count(now - began)
            if now >= until or self.slow:
                return None

    def _in_one_go(self, works: tree_sitter.Parser, budget_s: float) -> tree_sitter.Tree | None:
        set_budget(works, budget_s)
        began = time.thread_time()
        raw = self._go_on(works)
        self.longest_s = time.thread_time() - began - budget_s
        set_budget(works, STEP_S)
        return raw

    def _go_on(self, works: tree_sitter.Parser) -> tree_sitter.Tree | None:
        """As far as the parser's time limit lets it."""
        try:
            return works.parse(self._text, self._old) if self._old else works.parse(self._text)
        except ValueError:
            return None

    def _count(self, took_s: float) -> None:
        self._steps += 1
        self._spent_s += took_s
        self._recent_s += took_s - self._recent[0]
        self._recent.append(took_s)
        self.longest_s = max(self.longest_s, took_s)
        if self._recent_s > self._slowest_s:
            # A long string is one step, and says nothing of the next.
            self._slowest_s = max(self._slowest_s, self._recent_s - max(self._recent))
