"""Drops from a completion what the text after the caret already has."""

from ast_tools.completion.said import Said
from ast_tools.completion.site import CLOSERS, Site
from ast_tools.completion.spot import Spot

TELLING = 6
"""Characters of a line from which on meeting it again is no accident."""
TELLING_PAIR = 24
"""The same of two lines, in whatever columns."""


def without_rest_of_line(text: str, here: Spot) -> str:
    """Without the longest end of the text that the rest of the caret's line already is."""
    rest = here.after.strip()
    if not rest or here.inserts_above:
        return text
    if len(rest) >= 2 and text.rstrip().endswith(rest):
        return text.rstrip()[: -len(rest)]
    for length in range(min(len(rest), len(text)), 0, -1):
        head = rest[:length]
        # Part of a word is no overlap; what ends before a closer is whole.
        whole = rest[length : length + 1] in CLOSERS | {""} or not any(mark.isalnum() for mark in head)
        if whole and text.endswith(head):
            return text[:-length]
    return text


def without_next_lines(text: str, here: Spot) -> str:
    """Without the longest run of last lines that the next lines of the file already are."""
    lines, following = text.rstrip().split("\n"), here.next_lines
    shown = [here.before + lines[0], *lines[1:]]
    for first in range(len(lines)):
        tail = [line.rstrip() for line in shown[first:] if line.strip()]
        if tail and shown[first].strip() and tuple(tail) == following[: len(tail)]:
            return "\n".join(lines[:first]).rstrip()
    return text


def next_lines_begin(here: Site, said: Said) -> int | None:
    """Where the last line or the last two begin, if they are the next lines of the file; None if they are not.

    One line must be the same with its indentation, and not be the first of a block that the completion opened: two
    branches often begin alike. For two lines in a row indentation does not matter, if they do not begin a branch.
    """
    spot, following = here.spot, here.spot.next_lines
    if not following or not said.lines:
        return None
    start, last = said.lines[-1]
    if len(said.lines) > 1 and len(following) > 1:
        (first_start, first), pair = said.lines[-2], following[:2]
        pair_bare = [line.strip() for line in pair]
        same = [first.strip(), last.strip()] == pair_bare and _tells("".join(pair_bare), TELLING_PAIR)
        if same and not here.continues(first):
            return first_start
    shown = (spot.before + last if start == 0 else last).rstrip()
    if shown != following[0] or not (_tells(shown) or (len(following) == 1 and any(map(str.isalnum, shown)))):
        return None
    if start == 0 and not spot.inserts_above and shown == (spot.before + spot.after).rstrip():
        return None
    return None if len(said.lines) > 1 and here.opens(said.lines[-2][1]) else start


def _tells(line: str, least: int = TELLING) -> bool:
    return len(line.strip()) >= least and any(map(str.isalnum, line))
