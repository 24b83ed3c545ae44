"""What speaks for and against an edit of brackets, as names of features: what stands around it, how the text is laid
out, what the pair would hold, and how the same text writes such things elsewhere.

Every feature is a short string; its weight was learnt (see `weights`). `k` is the kind of edit and the bracket.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ast_tools.lexer import Token
from bench.trial.fixes import Fix, Words
from bench.trial.site import EDGE, Frame, Site

MOST_CALLS = 12
"""Calls of one name in the text whose arguments are counted."""
LONGEST_CALL = 400
_CALL_PARTS = re.compile(rb"[()\[\]{},;]|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an insertion goes: the texts and classes of the two tokens on each side, and what is between."""

    words: tuple[bytes, bytes]
    classes: tuple[str, str, str, str]
    between: bytes

    @property
    def newline(self) -> bool:
        """Whether a line ends there."""
        return b"\n" in self.between

    @property
    def space(self) -> str:
        """`n` a line end, `g` nothing, `s` one space, `d` more."""
        if self.newline:
            return "n"
        return "gsd"[min(len(self.between), 2)]


class Evidence:
    """Finds the features of the edits of one site. Mutable: counts are kept."""

    def __init__(self, site: Site, words: Words) -> None:
        self.site, self.words, self.text = site, words, site.text
        self._classes: dict[int, str] = {}
        self._counts: dict[bytes, int] = {}
        self._calls: dict[bytes, frozenset[int]] = {}

    def of(self, fixes: Sequence[Fix]) -> list[list[str]]:
        """The features of each edit of a site (all of them, because their order among themselves is evidence)."""
        totals: dict[tuple[str, bytes], int] = {}
        for fix in fixes:
            if not fix.split:
                totals[fix.kind, fix.bracket] = totals.get((fix.kind, fix.bracket), 0) + 1
        seen: dict[tuple[str, bytes], int] = {}
        result = []
        for fix in fixes:
            key = fix.kind, fix.bracket
            seen[key] = seen.get(key, 0) + (not fix.split)
            order = seen[key], totals.get(key, 1) - seen[key]
            features = self._insertion if fix.kind in ("close", "open") else self._change
            result.append(features(fix, order))
        return result

    # -- classes and counts ------------------------------------------------------------------------------------------

    def _class(self, index: int) -> str:
        found = self._classes.get(index)
        if found is None:
            if 0 <= index < len(self.site.tokens):
                token = self.site.tokens[index]
                found = self._shape(token.kind, token.text)
            else:
                found = "^" if index < 0 else "$"
            self._classes[index] = found
        return found

    def _shape(self, kind: str, text: bytes) -> str:
        """Keywords and punctuation as they are; names by how they are written; numbers and strings alike."""
        if kind != "word" or text in self.words.keywords:
            return {"number": "0", "string": "'"}.get(kind) or text.decode("latin-1")
        if text[:1].isupper():
            return "NAME" if text.isupper() and len(text) > 1 else "Name"
        return "_name" if text[:1] == b"_" else "name"

    def _often(self, literal: bytes, but: int = 0) -> str:
        """How often the text holds something, `but` times left out."""
        found = self._counts.get(literal)
        if found is None:
            found = self._counts[literal] = self.text.count(literal)
        return _bucket(found - but)

    # -- insertions --------------------------------------------------------------------------------------------------

    def _insertion(self, fix: Fix, order: tuple[int, int]) -> list[str]:
        k = fix.kind[0] + fix.bracket.decode()
        place = self._place(fix)
        keys = [*_neighbours(k, place), *self._elsewhere(k, fix.bracket, place)]
        keys += [f"{k}{place.space}r{min(order[1], 4)}", f"{k}{place.space}q{min(order[0], 4)}"]
        keys += self._pair(k, fix, place)
        if fix.split:
            keys += self._glued(k, fix, place)
        elif place.newline:
            keys += self._layout(k, fix, place)
        return keys

    def _place(self, fix: Fix) -> Place:
        site, gap = self.site, fix.gap
        before, behind = site.token(gap - 1), site.token(gap)
        one, two = self._class(gap - 1), self._class(gap)
        if not fix.split:
            between = self.text[before.end : behind.start] if behind is not EDGE else b"\n"
            return Place((before.text, behind.text), (self._class(gap - 2), one, two, self._class(gap + 1)), between)
        head, tail = before.text[: fix.split], before.text[fix.split :]
        shapes = self._shape(before.kind, head), self._shape("number" if tail[:1].isdigit() else "word", tail)
        return Place((head, tail), (self._class(gap - 2), *shapes, two), b"")

    def _elsewhere(self, k: str, bracket: bytes, place: Place) -> Iterator[str]:
        """How often the text holds what would stand there, and what stands there now."""
        first, second = place.words
        one = self._often(first + bracket)
        yield f"{k}s{one}"
        if place.newline:
            now = self._often(first + b"\n", 1)
            yield f"{k}un{now}"
            yield f"{k}vn{one}{now}"
            return
        now = self._often(first + place.between + second, 1)
        then = self._often(first + bracket + place.between + second)
        two = self._often(bracket + place.between + second)
        yield from (f"{k}t{two}", f"{k}u{now}", f"{k}v{one}{two}{now}", f"{k}w{then}{now}")

    def _glued(self, k: str, fix: Fix, place: Place) -> list[str]:
        """Whether two words that may have been glued are known, and the whole is not."""
        whole = self.site.tokens[fix.gap - 1].text
        head, tail = place.words
        other = _bucket(len(re.findall(rb"\b" + re.escape(whole) + rb"\b", self.text)) - 1)
        called = self._often(head + fix.bracket)
        known = f"{self._known(head)}/{self._known(tail)}"
        sizes = f"{min(len(head), 5)}/{min(len(tail), 5)}"
        return [f"{k}G", f"{k}Gf{other}", f"{k}Gc{called}", f"{k}G{known}", f"{k}Gl{sizes}", f"{k}Gcf{called}{other}"]

    def _known(self, word: bytes) -> str:
        flags = ("w", word in self.words.used), ("k", word in self.words.common), ("d", word.isdigit())
        return "".join(flag for flag, is_so in flags if is_so)

    def _pair(self, k: str, fix: Fix, place: Place) -> list[str]:
        """What the pair would hold, what owns it, and what would be left for the brackets around it."""
        site, gap, partner = self.site, fix.gap, fix.partner
        closes = fix.kind == "close"
        inside = (site.left[gap] if closes else site.right[gap]).frames
        around = (site.right[gap] if closes else site.left[gap]).frames
        frame, before, behind = inside[-1], place.classes[1], place.classes[2]
        owner = self._class(partner - 1) if closes else before
        edges = (self._class(partner + 1), before) if closes else (behind, self._class(partner - 1))
        same = self._same_line(site.token(partner), site.token(gap - 1 if closes else gap))
        size, commas = _bucket(abs(gap - partner) - 1), min(frame.commas, 4)
        keys = [
            f"{k}O{owner}", f"{k}c{commas}", f"{k}f{frame.holds}", f"{k}z{size}{'=' if same else '/'}",
            f"{k}Oc{owner} {commas}", f"{k}Of{owner} {frame.holds}", f"{k}Oz{owner} {size}",
            f"{k}Ob{owner} {behind}{'n' if place.newline else ''}", f"{k}i{edges[0]} {edges[1]}",
        ]  # fmt: skip
        keys += self._around(k, owner, inside, around)
        if closes and owner.endswith("ame"):
            keys += self._arity(k, fix, inside, around)
        return keys

    def _around(self, k: str, owner: str, inside: Sequence[Frame], around: Sequence[Frame]) -> Iterator[str]:
        if not around:
            yield f"{k}x-"
            return
        outer = around[-1]
        yield f"{k}x{outer.opener.decode()}{outer.holds}"
        if len(inside) > 1:
            host = self._class(inside[-2].index - 1)
            yield f"{k}y{host} {min(inside[-2].commas + outer.commas, 4)}"
            yield f"{k}yo{host} {owner}"

    def _arity(self, k: str, fix: Fix, inside: Sequence[Frame], around: Sequence[Frame]) -> Iterator[str]:
        """Whether the callee, and the one around it, are called with as many arguments elsewhere."""
        callee = self.site.token(fix.partner - 1)
        mine = 0 if fix.partner + 1 == fix.gap else inside[-1].commas + 1
        fits = self._fits(callee, mine)
        yield f"{k}a{fits}"
        yield f"{k}wa{callee.text.decode('latin-1')} {mine}"
        host = self.site.token(inside[-2].index - 1) if len(inside) > 1 and around else EDGE
        if host.kind == "word":
            outer = self._fits(host, inside[-2].commas + around[-1].commas + 1)
            yield f"{k}a{fits}{outer}"
            yield f"{k}ha{outer}"

    def _fits(self, callee: Token, arguments: int) -> str:
        seen = self._calls.get(callee.text)
        if seen is None:
            seen = self._calls[callee.text] = frozenset(_called_with(self.text, callee))
        return "?" if not seen else "+" if arguments in seen else "-"

    def _layout(self, k: str, fix: Fix, place: Place) -> list[str]:
        """How deep the lines are on both sides of a line end, compared with the partner's."""
        site, (_, before, behind, _) = self.site, place.classes
        here = site.line(site.token(fix.gap - 1))[1]
        following = site.token(fix.gap)
        next_line = site.line(following)[1] if following is not EDGE else 0
        partner, step = site.token(fix.partner), _sign(next_line - here)
        own = site.line(partner)[1]
        if fix.kind == "close":
            hangs = "-" if site.rest_of_line(partner) else "h"
            out, inside = _sign(next_line - own), _sign(here - own)
            return [
                f"{k}l{step}{hangs}{out}{inside}", f"{k}lb{hangs}{out} {behind}", f"{k}la{hangs}{out}{inside} {before}",
            ]  # fmt: skip
        first = "1" if site.leads(partner) else "-"
        out, inside = _sign(here - own), _sign(next_line - own)
        return [f"{k}l{step}{first}{out}{inside}", f"{k}la{step}{first}{out} {before}"]

    # -- deletions and replacements ----------------------------------------------------------------------------------

    def _change(self, fix: Fix, order: tuple[int, int]) -> list[str]:
        site, index = self.site, fix.gap
        token, before, behind = site.tokens[index], site.token(index - 1), site.token(index + 1)
        k = fix.kind[0] + token.text.decode() + (fix.bracket.decode() if fix.kind == "swap" else "")
        a2, a, b, b2 = (self._class(index + step) for step in (-2, -1, 1, 2))
        alone = site.leads(token) and not site.rest_of_line(token)
        ka = k + ("1" if alone else "-")
        keys = [
            k, ka, ka + ("s" if site.suspected(token) else "-"), f"{k}A{a}", f"{k}B{b}", f"{ka}AB{a} {b}",
            f"{k}2A{a2} {a}", f"{k}2B{b} {b2}", f"{ka}r{min(order[1], 3)}", f"{ka}q{min(order[0], 3)}",
        ]  # fmt: skip
        lead = self.text[before.end : token.start] if before is not EDGE else b""
        rest = self.text[token.end : behind.start] if behind is not EDGE else b""
        if b"\n" not in lead + rest:
            new = fix.bracket if fix.kind == "swap" else b""
            now = self._often(before.text + lead + token.text + rest + behind.text, 1)
            keys.append(f"{k}t{now}{self._often(before.text + lead + new + rest + behind.text)}")
        else:
            keys.append(f"{k}tn" + ("n" if b"\n" in lead else self._often(before.text + lead + token.text, 1)))
        if fix.kind == "swap":
            same = self._same_line(token, site.token(fix.partner))
            keys += [f"{k}O{self._class(fix.partner - 1)}", f"{k}{'=' if same else '/'}"]
        return keys

    def _same_line(self, one: Token, other: Token) -> bool:
        first, last = sorted((one.start, other.start))
        return self.text.find(b"\n", first, last) < 0


def _neighbours(k: str, place: Place) -> list[str]:
    a2, a, b, b2 = place.classes
    ks = k + place.space
    keys = [
        k, ks, f"{k}A{a}", f"{k}B{b}", f"{ks}AB{a} {b}", f"{ks}2A{a2} {a}", f"{ks}2B{b} {b2}", f"{k}3{a2} {a} {b}",
    ]  # fmt: skip
    for side, name, word in (("A", a, place.words[0]), ("B", b, place.words[1])):
        if name.endswith("ame"):
            keys.append(f"{k}W{side}{word.decode('latin-1')}")
    return keys


def _called_with(text: bytes, callee: Token) -> Iterator[int]:
    """With how many arguments a name is called elsewhere in a text."""
    literal, at = callee.text + b"(", 0
    for _ in range(MOST_CALLS):
        at = text.find(literal, at)
        if at < 0:
            return
        whole = at == 0 or not (text[at - 1 : at].isalnum() or text[at - 1] == ord("_"))
        if whole and at != callee.start:
            count = _arguments(text, at + len(literal))
            if count is not None:
                yield count
        at += len(literal)


def _arguments(text: bytes, start: int) -> int | None:
    """How many arguments stand in the parentheses that open before `start`; None where they do not end nearby."""
    depth = commas = 0
    for match in _CALL_PARTS.finditer(text, start, start + LONGEST_CALL):
        mark = match.group()
        if mark in (b"(", b"[", b"{"):
            depth += 1
        elif mark in (b")", b"]", b"}"):
            if depth == 0:
                inside = text[start : match.start()].strip()
                return commas + (bool(inside) and not inside.endswith(b",")) if mark == b")" else None
            depth -= 1
        elif mark == b";":
            return None
        elif mark == b"," and depth == 0:
            commas += 1
    return None


def _bucket(count: int) -> str:
    return "0" if count <= 0 else "1" if count == 1 else "2" if count < 4 else "3" if count < 10 else "4"


def _sign(number: int) -> str:
    return "<" if number < 0 else ">" if number > 0 else "="
