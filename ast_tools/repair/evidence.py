"""What speaks for and against an edit of brackets, as names of features: what stands around it, how the text is laid
out, what the pair would hold, and how the same text writes such things elsewhere.

Every feature is a short string; its weight was learnt (see `weights`). `k` is the kind of edit and the bracket.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ast_tools.lexer import PARTNER, Token
from ast_tools.repair.fixes import Fix, Words
from ast_tools.repair.site import EDGE, Frame, Site

MOST_CALLS = 12
"""Calls of one name in the text whose arguments are counted."""
LONGEST_CALL = 400
_MEMBERS = (b".", b"?.", b"::", b"->", b"!.")
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
        """`n` a line end, `N` one with blanks before it, `g` nothing, `s` one space, `d` more."""
        if self.newline:
            return "N" if self.between.startswith((b" ", b"\t")) and self.between.lstrip(b" \t")[:1] in b"\r\n" else "n"
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
        keys += self._chain(k, fix, place)
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

    def _wider(self, k: str, fix: Fix, place: Place) -> Iterator[str]:
        """The same with one token more on each side, where they are on the line."""
        site, gap = self.site, fix.gap
        before, behind, further = site.token(gap - 1), site.token(gap - 2), site.token(gap + 1)
        if gap > 1 and not fix.split:
            one = self.text[behind.start : before.end]
            if b"\n" not in one:
                yield f"{k}X{self._often(one + fix.bracket)}{self._often(one, 1)}"
        if not place.newline and not fix.split and gap + 1 < len(site.tokens):
            two = place.between + self.text[site.tokens[gap].start : further.end]
            if b"\n" not in two:
                yield f"{k}Y{self._often(fix.bracket + two)}{self._often(before.text + two, 1)}"

    def _chain(self, k: str, fix: Fix, place: Place) -> Iterator[str]:
        """What is called on what the pair gives, or on what it would hold; what its line begins with."""
        site, gap = self.site, fix.gap
        yield from self._wider(k, fix, place)
        behind = site.token(gap)
        if behind.text in _MEMBERS and not fix.split:
            yield f"{k}W.{site.token(gap + 1).text.decode('latin-1')}"
        opener = site.openers.get(gap - 1) if not fix.split else None
        if opener is not None and fix.kind == "close":
            dot = "." if site.token(opener - 2).text in _MEMBERS else ""
            yield f"{k}E{dot}{site.token(opener - 1).text.decode('latin-1')}"
        if gap:
            first = self._class(site.first_of_line[gap - 1])
            yield f"{k}L{first}"
            yield f"{k}{place.space}LB{first} {place.classes[2]}"

    def _glued(self, k: str, fix: Fix, place: Place) -> list[str]:
        """Whether two words that may have been glued are known, and the whole is not."""
        whole = self.site.tokens[fix.gap - 1].text
        head, tail = place.words
        used = self.words.used
        other, called = _bucket(used[whole] - 1), self._often(head + fix.bracket)
        known = f"{self._known(head)}/{self._known(tail)}"
        sizes = f"{min(len(head), 5)}/{min(len(tail), 5)}"
        joint = ("_" if head.endswith(b"_") or tail.startswith(b"_") else "") + (
            "A" if head[-1:].islower() and tail[:1].isupper() else ""
        )
        return [
            f"{k}G{joint}", f"{k}Gf{other}", f"{k}Gc{called}", f"{k}Gk{known}", f"{k}Gl{sizes}",
            f"{k}Gcf{called}{other}", f"{k}Gn{_bucket(used[head])}{_bucket(used[tail])}",
            f"{k}Gw{self._known(whole)}{other}",
        ]  # fmt: skip

    def _known(self, word: bytes) -> str:
        flags = ("w", self.words.used[word] > 0), ("k", word in self.words.common), ("d", word.isdigit())
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
        host = (inside[-2].index if closes else around[-1].index) if len(inside) > 1 and around else -1
        keys += self._around(k, owner, inside, around, host)
        if owner.endswith("ame"):
            empty = partner + 1 == gap if closes else gap == partner
            mine = 0 if empty else frame.commas + 1
            keys += self._arity(k, fix, mine, (inside, around), host)
        return keys

    def _around(self, k: str, owner: str, inside: Sequence[Frame], around: Sequence[Frame], host: int) -> Iterator[str]:
        if not around:
            yield f"{k}x-"
            return
        outer = around[-1]
        yield f"{k}x{outer.opener.decode()}{outer.holds}"
        if len(inside) > 1:
            name = self._class(host - 1)
            yield f"{k}y{name} {min(inside[-2].commas + outer.commas, 4)}"
            yield f"{k}yo{name} {owner}"

    def _arity(
        self, k: str, fix: Fix, mine: int, frames: tuple[Sequence[Frame], Sequence[Frame]], host: int
    ) -> Iterator[str]:
        """Whether the callee, and the one around it, are called with as many arguments elsewhere."""
        closes = fix.kind == "close"
        callee = self.site.token(fix.partner - 1 if closes else fix.gap - 1)
        name = callee.text[: fix.split] if fix.split and not closes else callee.text
        fits = self._fits(name, fix.bracket if not closes else PARTNER[fix.bracket], callee.start, mine)
        yield f"{k}a{fits}"
        yield f"{k}wa{name.decode('latin-1')} {mine}"
        outer = self.site.token(host - 1)
        if host > 0 and outer.kind == "word":
            inside, around = frames
            total = inside[-2].commas + around[-1].commas + 1
            also = self._fits(outer.text, self.site.tokens[host].text, outer.start, total)
            yield f"{k}a{fits}{also}"
            yield f"{k}ha{also}"
            yield f"{k}hw{outer.text.decode('latin-1')} {total}"

    def _fits(self, name: bytes, opener: bytes, but: int, arguments: int) -> str:
        literal = name + opener
        seen = self._calls.get(literal)
        if seen is None:
            seen = self._calls[literal] = frozenset(_called_with(self.text, literal, but))
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


def _called_with(text: bytes, literal: bytes, but: int) -> Iterator[int]:
    """How many arguments follow a name and its bracket elsewhere in a text, not at the offset `but`."""
    at = 0
    for _ in range(MOST_CALLS):
        at = text.find(literal, at)
        if at < 0:
            return
        whole = at == 0 or not (text[at - 1 : at].isalnum() or text[at - 1] == ord("_"))
        if whole and at != but:
            count = _arguments(text, at + len(literal))
            if count is not None:
                yield count
        at += len(literal)


def _arguments(text: bytes, start: int) -> int | None:
    """How many arguments stand in the brackets that open before `start`; None where they do not end nearby."""
    depth = commas = 0
    for match in _CALL_PARTS.finditer(text, start, start + LONGEST_CALL):
        mark = match.group()
        if mark in (b"(", b"[", b"{"):
            depth += 1
        elif mark in (b")", b"]", b"}"):
            if depth == 0:
                inside = text[start : match.start()].strip()
                same = PARTNER[mark] == text[start - 1 : start]
                return commas + (bool(inside) and not inside.endswith(b",")) if same else None
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
