"""Every single edit that balances the brackets of a region."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from ast_tools.edits import Edit
from ast_tools.languages import Language
from ast_tools.lexer import PARTNER, Token
from ast_tools.repair.layout import line_start
from ast_tools.repair.scan import width
from ast_tools.repair.site import CONTEXT, EDGE, Site
from ast_tools.repair.weights import table

Kind = Literal["close", "open", "delete", "swap"]

LONGEST_WORD = 80
"""Bytes of a word that may be two; longer ones are data."""
MOST = 240
"""Edits that are looked at in one region: those nearest to its ends."""
_WANTS_MORE = frozenset(b". = == != === !== && || / <= >= += -= := => -> :: ?. ??".split())
"""Nothing closes behind these."""
_WANTS_BEFORE = frozenset(b", . = == != === !== <= >= += -= := => -> / ) ] }".split())
"""No parenthesis opens before these, unless it is empty."""
_BEHIND_BLOCK = frozenset(b") ] } , ; . : else catch finally while until".split())
"""What goes on behind the end of a block on its line."""
_PREFIX = re.compile(rb"[frbuFRBUL]{1,2}")
"""Of a string that the scanner takes for the end of the word before it."""
_ENDED = re.compile(
    rb"^[ \t]*(?P<comment>//+[ \t]*(?:end[ \t]+)?(?:of[ \t]+)?(?:namespace|extern|anonymous)\b)", re.MULTILINE
)
_BRANCH_ENDS = (b"#endif", b"#else", b"#elif")
_WORD = re.compile(rb"[A-Za-z_\x80-\xff][\w\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class Fix:
    """One edit: a missing closer or opener, a bracket too much, or one of the wrong kind.

    `bracket`: what is inserted (or deleted, or put in place of another). `gap`: the index of the token behind the
    place, or of the token that is changed. `split`: where the token before the gap falls in two, if it does.
    `partner`: the index of the bracket that it answers, -1 for one outside the region.
    """

    kind: Kind
    bracket: bytes
    gap: int
    partner: int = -1
    split: int = 0


class Words:
    """The words of a text and of its language, for taking glued ones apart."""

    def __init__(self, language: Language, text: bytes) -> None:
        self.keywords, self.common = _known_words(language)
        self.text = text
        self._splits: dict[tuple[bytes, str, int], list[int]] = {}

    @cached_property
    def used(self) -> Counter[bytes]:
        """All words of the text and how often they occur."""
        return Counter(_WORD.findall(self.text))

    def known(self, word: bytes) -> bool:
        """Whether the text or the language has this word."""
        return word in self.used or word in self.common

    def splits(self, token: Token, behind: Token) -> list[int]:
        """Where a word may be two between which a bracket was lost: `printx`, `rangen1`, `#test`, `printf"..."`."""
        text = token.text
        if token.kind not in ("word", "number") or not 2 <= len(text) <= LONGEST_WORD:
            return []
        prefixes = _prefixes(token, behind)
        key = text, token.kind, len(prefixes)
        if key not in self._splits:
            self._splits[key] = self._found_splits(token, prefixes)
        return self._splits[key]

    def _found_splits(self, token: Token, prefixes: list[int]) -> list[int]:
        text = token.text
        found = {len(text) - size for size in prefixes}
        if text not in self.common:
            once, number = self.used[text] <= 1, token.kind == "number"
            found |= {at for at in range(1, len(text)) if self._splits_at(text, at, once=once, number=number)}
        return sorted(found)

    def _splits_at(self, text: bytes, at: int, *, once: bool, number: bool) -> bool:
        """`once`: the whole word occurs nowhere else in the text, as is to be expected of two that were glued."""
        head, tail = text[:at], text[at:]
        if tail.isdigit():
            return not head[-1:].isdigit()
        one, other = self.known(head), self.known(tail)
        if (one and other) or head == b"#" or (number and head.isdigit() and len(tail) > 2):
            return True
        return once and (other or (one and len(tail) > 2) or (tail[:1].isupper() and head[-1:].islower()))

    def longest(self, token: Token, at: int) -> str:
        """Whether no longer known word begins (`h`) or ends (`t`) a word than those that it falls into."""
        text = token.text
        head = self.known(text[:at]) and not any(self.known(text[:end]) for end in range(at + 1, len(text)))
        tail = self.known(text[at:]) and not any(self.known(text[start:]) for start in range(1, at))
        return ("h" if head else "") + ("t" if tail else "")


@cache
def _known_words(language: Language) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """The keywords of a language, and all words that many of its texts use."""
    keywords = frozenset(word.encode() for word in language.keywords)
    return keywords, keywords | frozenset(word.encode() for word in language.builtins) | table(language).words


def _prefixes(token: Token, behind: Token) -> list[int]:
    """How long the prefix of a string may be that the scanner took for the end of a word: `printf"..."`."""
    if token.kind != "word" or behind.kind != "string" or behind.start != token.end:
        return []
    text = token.text
    return [size for size in (1, 2) if len(text) > size and _PREFIX.fullmatch(text[-size:])]


def fixes(site: Site, words: Words) -> list[Fix]:
    """All single edits that balance a region, in the order of their places; the outermost MOST where there are more."""
    found: list[Fix] = []
    left, right = site.left, site.right
    for gap, before in enumerate(left):
        behind = right.get(gap)
        if behind is not None:
            below, opener = site.below(before.stack)
            if before.stack and below == behind.stack:
                found += _closers(site, words, gap, PARTNER[opener])
            below, opener = site.below(behind.stack)
            if behind.stack and below == before.stack:
                found += _openers(site, words, gap, opener)
        if gap < site.count and gap + 1 in right:
            found += _changes(site, gap)
    return found if len(found) <= MOST else found[: MOST // 2] + found[-MOST // 2 :]


def _closers(site: Site, words: Words, gap: int, closer: bytes) -> Iterator[Fix]:
    partner = site.left[gap].frames[-1].index
    if not gap:
        return
    # Before a closer of the same kind is the same as behind it.
    again = gap < site.count and site.tokens[gap].text == closer
    if not again and _may_close(site, gap, closer, partner):
        yield Fix("close", closer, gap, partner)
    if partner != gap - 1:
        for at in words.splits(site.tokens[gap - 1], site.token(gap)):
            yield Fix("close", closer, gap, partner, at)


def _may_close(site: Site, gap: int, closer: bytes, partner: int) -> bool:
    """Whether a closer could stand in a gap: not behind an operator that wants more, nor inside a line of a block."""
    before, behind = site.tokens[gap - 1], site.token(gap)
    if before.text in _WANTS_MORE:
        return False
    newline = behind is EDGE or b"\n" in site.text[before.end : behind.start]
    if before.text == b"," and not newline:
        return False
    block = closer == b"}" and partner >= 0 and not site.rest_of_line(site.tokens[partner])
    return newline or not block or behind.text in _BEHIND_BLOCK


def _openers(site: Site, words: Words, gap: int, opener: bytes) -> Iterator[Fix]:
    partner = site.right[gap].frames[-1].index
    again = gap and site.tokens[gap - 1].text == opener
    if gap < len(site.tokens) and not again and _may_open(site, gap, opener, partner):
        yield Fix("open", opener, gap, partner)
    if gap:
        for at in words.splits(site.tokens[gap - 1], site.token(gap)):
            yield Fix("open", opener, gap, partner, at)


def _may_open(site: Site, gap: int, opener: bytes, partner: int) -> bool:
    """Whether an opener could stand in a gap: not before an operator that wants an operand, unless it is empty."""
    return opener != b"(" or site.tokens[gap].text not in _WANTS_BEFORE or partner == gap


def _changes(site: Site, index: int) -> Iterator[Fix]:
    """Deleting or replacing the token with this index."""
    token, before, behind = site.tokens[index], site.left[index], site.right[index + 1]
    if token.kind not in ("open", "close"):
        return
    if before.stack == behind.stack:
        if not (index and site.tokens[index - 1].text == token.text):
            yield Fix("delete", token.text, index)
        return
    below, opener = site.below(before.stack)
    if token.kind == "close" and before.stack and below == behind.stack and opener != PARTNER[token.text]:
        yield Fix("swap", PARTNER[opener], index, before.frames[-1].index)
    below, opener = site.below(behind.stack)
    if token.kind == "open" and behind.stack and below == before.stack and opener != token.text:
        yield Fix("swap", opener, index, behind.frames[-1].index)


# -- from a fix to an edit of the text ------------------------------------------------------------------------------


def edit_of(site: Site, fix: Fix) -> Edit:
    """What a fix does to the text."""
    token = site.token(fix.gap)
    if fix.kind == "delete":
        return _deletion(site, token)
    if fix.kind == "swap":
        return Edit(token.start, token.end, fix.bracket)
    if fix.split:
        at = site.tokens[fix.gap - 1].start + fix.split
        return Edit(at, at, fix.bracket)
    return _closer_edit(site, fix) if fix.kind == "close" else _opener_edit(site, fix)


def _deletion(site: Site, token: Token) -> Edit:
    """A bracket that stands alone takes its line with it."""
    start = line_start(site.text, token.start)
    end = site.text.find(b"\n", token.end)
    if site.leads(token) and not site.text[token.end : end if end >= 0 else len(site.text)].strip():
        return Edit(start, end + 1 if end >= 0 else len(site.text), b"")
    return Edit(token.start, token.end, b"")


def _opener_edit(site: Site, fix: Fix) -> Edit:
    """Before the token behind the gap; at the end of the line above where its closer begins a line too."""
    before, behind = site.token(fix.gap - 1), site.token(fix.gap)
    between = site.text[before.end : behind.start]
    if not fix.gap or b"\n" not in between or not site.leads(site.token(fix.partner)):
        return Edit(behind.start, behind.start, fix.bracket)
    blank = between.startswith(b" ")
    at = before.end + blank
    return Edit(at, at, fix.bracket if blank or fix.bracket != b"{" else b" " + fix.bracket)


def _closer_edit(site: Site, fix: Fix) -> Edit:
    """Behind the token before the gap; on a line of its own where the opener ends its line and the next leaves it."""
    named = _named_comment(site, fix) if fix.bracket == b"}" else None
    if named is not None:
        return named
    before, behind = site.tokens[fix.gap - 1], site.token(fix.gap)
    end = behind.start if behind is not EDGE else min(len(site.text), site.region.end + CONTEXT)
    between = site.text[before.end : end]
    opener = site.token(fix.partner)
    if fix.partner < 0 or fix.partner == fix.gap - 1 or site.rest_of_line(opener):
        return Edit(before.end, before.end, fix.bracket)
    if b"\n" not in between and behind is not EDGE:
        return Edit(before.end, before.end, fix.bracket)
    lead, own = site.line(opener)
    if behind is not EDGE and site.line(behind)[1] > own:
        return Edit(before.end, before.end, fix.bracket)
    at = before.end + _comments_inside(between, own)
    return Edit(at, at, _line_end(site.text) + lead + fix.bracket)


def _named_comment(site: Site, fix: Fix) -> Edit | None:
    """Before a comment that says what ended there, and now begins its line: `// namespace a`."""
    first = fix.gap - 1
    while first > 0 and site.tokens[first].text == fix.bracket:
        first -= 1
    behind = site.token(fix.gap)
    end = behind.start if behind is not EDGE else min(len(site.text), site.region.end + CONTEXT)
    found = _ENDED.search(site.text, site.tokens[first].end, end)
    if found is None:
        return None
    at = found.start("comment")
    at -= site.text[at - 1 : at] == b" "
    return Edit(at, at, fix.bracket if site.text[at : at + 1] == b" " else fix.bracket + b" ")


def _comments_inside(between: bytes, own: int) -> int:
    """How far the comments go that stand before a closer: those that are deeper than the line of its opener."""
    first, *lines = between.split(b"\n")
    reached = len(first.rstrip())
    at = len(first)
    for line in lines:
        if line.lstrip().startswith(_BRANCH_ENDS):
            reached = at + 1 + len(line.rstrip())
        elif line.strip():
            if width(line[: len(line) - len(line.lstrip())]) <= own:
                break
            reached = at + 1 + len(line.rstrip())
        at += 1 + len(line)
    return reached


def _line_end(text: bytes) -> bytes:
    end = text.find(b"\n")
    return b"\r\n" if end > 0 and text[end - 1 : end] == b"\r" else b"\n"
