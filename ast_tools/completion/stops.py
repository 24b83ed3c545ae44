"""When to stop a model: rules that look at what it has said so far, each with its reason. None: let it go on."""

import re
from dataclasses import dataclass

from ast_tools.completion.brackets import Brackets
from ast_tools.completion.indent import CASES, counts_from_caret, joined, lead, styled
from ast_tools.completion.overlap import next_lines_begin
from ast_tools.completion.said import Said
from ast_tools.completion.site import CLOSERS, Site
from ast_tools.completion.spot import first_word, is_word_done, width
from ast_tools.lexer import PARTNER
from ast_tools.scopes import Place
from ast_tools.wordpairs import unmatched_words

SINGLE_LINES = 8
"""A single-line completion may run on over this many lines to reach the end of its statement."""
BLOCK_LINES = 60
BLANK_LINES = 3
MAX_CHARS = 6_000
LOOP_TIMES, LOOP_PERIOD, LOOP_CHARS = 4, 120, 40
"""Said this many times, with at most this many characters, in this many together: a loop."""
RUN = 120
"""One character this many times is no rule under a heading any more."""
JUMPS = frozenset({"return", "break", "continue", "raise", "throw"})
"""What follows in the same block is never reached."""
_QUOTES = frozenset("\"'`")
_LABEL = re.compile(r"\s*\w[\w ]*:\s*")
MARKS = CLOSERS | _QUOTES


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the model is stopped, and where its text ends (characters)."""

    reason: str
    end: int


def at_closer(here: Site, said: Said) -> Stop | None:
    """Where the completion writes a bracket or quote that stands after the caret already, or that closes nothing."""
    next_mark = "" if here.spot.inserts_above else here.spot.after.lstrip()[:1]
    if here.place is Place.STRING:
        at = said.text.find(next_mark) if next_mark in _QUOTES else -1
        return Stop("closer", at) if at >= 0 and said.text[max(0, at - 1) : at] != "\\" else None
    lone = said.brackets.lone
    if lone and lone[0].text.decode() == next_mark:
        return Stop("closer", said.characters(lone[0].start))
    if not lone or here.language is None or here.prose or here.around.hidden:
        return None
    closable = here.around.closable
    for number, closer in enumerate(lone):
        if number >= len(closable) or closable[number] != PARTNER[closer.text]:
            return Stop("closer" if here.around.closed else "surplus", said.characters(closer.start))
    return None


def at_closing_word(here: Site, said: Said) -> Stop | None:
    """Where a line of the completion begins with a word like `end` that it did not open.

    The line is taken in where it closes what is open at the caret, and left out where that is closed already.
    """
    language, word = here.language, first_word(said.line)
    if language is None or here.prose or word not in here.closing_words:
        return None
    lone = unmatched_words(language, said.tokens)[0]
    if not lone:
        return None
    if lone[0].text in here.around.closable_words:
        return Stop("block_end", len(said.text) - 1)
    return Stop("closer" if here.around.closed_words else "surplus", said.characters(lone[0].start))


def at_nothing(said: Said) -> Stop | None:
    """Blank lines and no text."""
    blank = not said.text.strip() and said.text.count("\n") > BLANK_LINES
    return Stop("blank", len(said.text) - 1) if blank else None


def at_line_limit(said: Said, lines: int) -> Stop | None:
    """As many lines as there may be."""
    return Stop("limit", len(said.text) - 1) if said.text.strip().count("\n") + 1 >= lines else None


def at_length_limit(said: Said) -> Stop | None:
    """As much text as there may be."""
    return Stop("limit", len(said.text)) if len(said.text) > MAX_CHARS else None


def at_loop(text: str, shortest: int = LOOP_CHARS) -> Stop | None:
    """The end of the first repetition, when the text says something four times, in `shortest` characters or more."""
    if len(text) > RUN and text.endswith(text[-1] * RUN):
        return Stop("loop", len(text) - RUN + 1)
    for period in range(max(2, -(-shortest // LOOP_TIMES)), min(len(text) // LOOP_TIMES, LOOP_PERIOD) + 1):
        if text[-1 - period] != text[-1]:
            continue
        unit = text[-period:]
        if text.endswith(unit * LOOP_TIMES) and unit.strip() and len(set(unit)) > 1:
            step = (unit + unit).find(unit, 1)
            start = len(text) - LOOP_TIMES * period
            while start and text[start - 1] == text[start - 1 + step]:
                start -= 1
            return Stop("loop", start + step)
    return None


def at_block_line(here: Site, said: Said) -> Stop | None:
    """Whether a block has ended with the line that has just ended."""
    if not said.line.strip():
        blank_twice = said.text.strip() and said.text.endswith("\n\n\n")
        return Stop("block_end", len(said.text.rstrip())) if blank_twice else None
    if (stop := at_outside(here, said, ended=True) or at_closing_word(here, said)) is not None:
        return stop
    if (start := next_lines_begin(here, said)) is not None:
        return Stop("suffix", start)
    if _closes_block(here, said):
        return Stop("block_end", len(said.text) - 1)
    return at_line_limit(said, BLOCK_LINES)


def at_outside(here: Site, said: Said, *, ended: bool) -> Stop | None:
    """Whether the last line, ended or just begun, belongs to what follows the unit."""
    line = said.line
    if not said.head.strip() or not (is_word_done(line) or (ended and line.strip())):
        return None
    if here.language is not None and line.lstrip().startswith("```"):
        return Stop("block_end", len(said.head.rstrip()))
    if not _is_less_indented(here, said) and not _begins_next(here, said):
        return None
    if here.continues(line) or first_word(line) in here.closing_words or not _may_be_outside(here, line, ended=ended):
        return None
    return Stop("block_end", said.line_start) if is_balanced(here, said.head_brackets) else None


def _may_be_outside(here: Site, line: str, *, ended: bool) -> bool:
    """In languages with braces, some lines inside a block stand left of it: those of a preprocessor, and labels."""
    if here.language is None or here.indents:
        return True
    if here.is_directive(line):
        return False
    if not here.around.open or first_word(line) in CASES:
        return True
    return ended and _LABEL.fullmatch(line) is None


def _is_less_indented(here: Site, said: Said) -> bool:
    """Whether the last line stands left of the first."""
    spot = here.spot
    least = _own_width(here, said) if spot.blank_before else width(spot.before) + 1
    if width(said.line) >= least:
        return False
    if ("\t" in lead(said.line)) != ("\t" in spot.indent) and width(_styled_line(said, here)) >= least:
        return False
    return not counts_from_caret(said.text, here) or width(said.line) + width(spot.before) < least


def _styled_line(said: Said, here: Site) -> str:
    """The last line with the file's kind of indentation."""
    return styled(said.head + said.line, here).rpartition("\n")[2]


def _own_width(here: Site, said: Said) -> int:
    start, first = said.lines[0]
    return width(here.spot.before + joined(first, here) if start == 0 else first)


def _begins_next(here: Site, said: Said) -> bool:
    """Whether the last line begins something new: after a blank line the next definition; after a jump dead code."""
    own = _own_width(here, said)
    if width(said.line) > own:
        return False
    ended = said.lines[-2 if said.text.endswith("\n") else -1][1]
    language = here.language
    if language is not None and width(ended) <= own and first_word(ended) in JUMPS & language.keywords:
        return True
    return said.head.endswith("\n\n") and not here.starts_block and here.among_members(own)


def is_balanced(here: Site, found: Brackets) -> bool:
    """Whether a text leaves no bracket or string open, neither one of its own nor one that the caret's line opened."""
    if here.language is None:
        return True
    return not found.open and not found.inside and len(found.lone) >= here.around.own


def _closes_block(here: Site, said: Said) -> bool:
    """Whether the text has closed the block around the caret, where nothing after the caret does."""
    if here.language is None or here.indents or not said.line.rstrip(";,) \t").endswith(("}", "]", ")")):
        return False
    return bool(said.brackets.lone)
