"""Repairs of statements that do not parse: edits of a token or two, ranked by what people do, checked by the parser."""

import math
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ast_tools.edits import Edit, apply, composed, origin
from ast_tools.languages import Language
from ast_tools.lexer import Token, tokens
from ast_tools.repair.judging import Checked, StatementFixes, judge_of
from ast_tools.repair.logical_lines import Lines
from ast_tools.repair.reading import FAR, Reading
from ast_tools.repair.repair import Repair
from ast_tools.repair.spans import spans
from ast_tools.repair.statement_candidates import AROUND, WIDEST, Fix, candidates, indented
from ast_tools.repair.statements import Broken
from ast_tools.repair.tables import Table, of_text, table
from ast_tools.repair.vocabulary import whole
from ast_tools.repair.wording import said
from ast_tools.tree import SyntaxTree

BEFORE = 300
"""Tokens before the broken statement that are read, to know where it stands."""
OWN = 20_000
"""Bytes of a text whose tokens are counted where nothing is known of its language."""
MAX_ERRORS = 8
"""Broken statements of one part of a text that are repaired, each after those before it."""
MAX_TOKENS = 5_000
"""Of one part of a text, and of one statement: what is longer was not written by hand, and takes too long."""
MAX_STATEMENT = 500
LONGEST = 3_000
"""Bytes of one token at a broken statement."""


class Scored(NamedTuple):
    """A repair and how much speaks for it, comparable only with others of this kind."""

    repair: Repair
    score: float


def statement_repairs(tree: SyntaxTree, near: int | None, deadline: float, learnt: Table | None = None) -> list[Scored]:
    """Repairs of broken statements, at most CHOICES for each, best first; those nearest to `near` first.

    Where several statements are broken in one part of the text, what mends them all goes first, and nothing is found
    where they cannot all be mended. `learnt` is the
    language's own table where it is None; empty where there is none. `deadline` is in seconds of this thread's
    processor time.
    """
    if learnt is None and not tree.language.loose:
        learnt = table(tree.language) or _own(tree)
    if learnt is None:
        return []
    found: list[Scored] = []
    for span in spans(tree, near):
        if time.thread_time() > deadline:
            break
        found += _repairs_in(tree, span, learnt, deadline)
    return found


def _own(tree: SyntaxTree) -> Table | None:
    """What can be learnt from the text itself, if it is not too long to be counted now."""
    if len(tree.text) > OWN:
        return None
    return of_text(tree.language, tree.text, whole(tree.language, tokens(tree.language, tree.text)))


def _repairs_in(tree: SyntaxTree, span: tuple[int, int], learnt: Table, deadline: float) -> list[Scored]:
    found: list[Scored] = []
    done: tuple[Edit, ...] = ()
    firsts: list[Scored] = []
    errors = statement_fixes(tree, span, learnt, deadline)
    if not errors or not errors[-1].whole:
        return []  # Where not all can be mended, the parser stopped at what may be right.
    for one in errors:
        mine = [
            Scored(repair, fix.score) for fix in one.fixes if (repair := _told(tree.text, one, fix, done)) is not None
        ]
        found += mine
        firsts += mine[:1]
        if one.fixes:
            done = composed(done, one.fixes[0].edits)
    if len(firsts) > 1:
        together = _together([one.repair for one in firsts], done)
        found.insert(0, Scored(together, min(one.score for one in firsts)))
    return found


def _told(text: bytes, one: StatementFixes, fix: Fix, done: Sequence[Edit]) -> Repair | None:
    """A repair as edits of the first `text`, of which `done` made the one it was found in; None where they touch."""
    words = said(one.reading, fix.changes, lambda offset: text.count(b"\n", 0, origin(done, offset)) + 1)
    shift, reached = 0, []
    for edit in done:
        reached.append((edit.start + shift, edit.start + shift + len(edit.new)))
        shift += len(edit.new) - (edit.end - edit.start)
    if any(edit.start < end and start < edit.end for edit in fix.edits for start, end in reached):
        return None
    start = min(origin(done, words.blames[0]), len(text) - 1)
    return Repair(
        edits=tuple(Edit(origin(done, edit.start), origin(done, edit.end), edit.new) for edit in fix.edits),
        title=words.title,
        reason=words.reason,
        start=start,
        end=max(origin(done, words.blames[1]), start + 1),
        sure=fix is one.fixes[0] and one.sure,
    )


def _together(firsts: Sequence[Repair], edits: tuple[Edit, ...]) -> Repair:
    return Repair(
        edits=edits,
        title=f"Repair {len(firsts)} places",
        reason=" ".join(dict.fromkeys(repair.reason for repair in firsts)),
        start=firsts[0].start,
        end=firsts[0].end,
        sure=False,
    )


def statement_fixes(tree: SyntaxTree, span: tuple[int, int], table: Table, deadline: float) -> list[StatementFixes]:
    """Repairs for the broken statements of a piece [start, end) of a text, in the order of the text.

    Each is found in the text as it is after the first repairs of those before. `deadline` is in seconds of this
    thread's processor time.
    """
    found, seen = list[StatementFixes](), {tree.text}
    text, (start, end) = tree.text, span
    hint = next((error.start_byte for error in tree.errors if error.start_byte >= start), start)
    for _ in range(MAX_ERRORS):
        if found and time.thread_time() > deadline:
            break
        one = _first_fixes(tree, text, (start, end), hint, table, deadline)
        if one is None:
            break
        found.append(one)
        if one.whole or not one.fixes:
            break
        grown = len(text)
        text = apply(text, one.fixes[0].edits)
        end += len(text) - grown
        if text in seen:
            break
        seen.add(text)
        hint = max(edit.start for edit in one.fixes[0].edits)
    return found


def _first_fixes(
    tree: SyntaxTree, text: bytes, span: tuple[int, int], hint: int, table: Table, deadline: float
) -> StatementFixes | None:
    read = whole(tree.language, tokens(tree.language, text, *span))
    if not read or len(read) > MAX_TOKENS:
        return None
    judge = judge_of(tree, text, span, read)
    broken = judge.located(hint)
    if broken is None or broken.end - broken.start > MAX_STATEMENT:
        return None
    looked_at = read[max(broken.start - AROUND, 0) : broken.end + WIDEST]
    if any(len(token.text) > LONGEST for token in looked_at):
        return None
    reading = _reading(tree.language, text, read, table, broken)
    simple, double = candidates(reading, broken, table.weights)
    if isinstance(judge, Lines):
        simple = sorted([*indented(judge, broken), *simple], key=lambda fix: -fix.score)
    return Checked(judge, broken, table.trusted, deadline).fixes(reading, simple, double)


def _reading(language: Language, text: bytes, read: Sequence[Token], table: Table, broken: Broken) -> Reading:
    return Reading(language, text, read, table.counts, (broken.start - BEFORE, broken.end + WIDEST + FAR))


def checked_candidates(
    tree: SyntaxTree, table: Table, *, tries: int, most: int
) -> Iterator[tuple[Reading, Broken, Fix]]:
    """The repairs of the first broken statement after which the whole text is clean, for learning weights."""
    language, text = tree.language, tree.text
    read = whole(language, tokens(language, text))
    judge = judge_of(tree, text, (0, len(text)), read)
    broken = judge.located(tree.errors[0].start_byte if tree.errors else 0)
    if broken is None:
        return
    reading = _reading(language, text, read, table, broken)
    checked = Checked(judge, broken, table.trusted, math.inf)
    for fixes in candidates(reading, broken, table.weights):
        for fix in checked.taken(fixes, tries, most):
            if judge.mends_all(fix.changes):
                yield reading, broken, fix
