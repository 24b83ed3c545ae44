"""What speaks for and against an edit of brackets, as names of features: what stands around it, how the text is laid
out, what the pair would hold, and how the same text writes such things elsewhere.

Every feature is a short string; its weight was learnt (see `weights`). `k` is the kind of edit and the bracket.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ast_tools.lexer import PARTNER, Token
from ast_tools.repair.elsewhere import Elsewhere, steps
from ast_tools.repair.fixes import Fix, Words
from ast_tools.repair.site import EDGE, Frame, Site

_MEMBERS = (b".", b"?.", b"::", b"->", b"!.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an insertion goes: the texts and classes of the two tokens on each side, and what is between.

    `newline`: a line ends there. `space`: `n` a line end, `N` one with blanks before it, `g` nothing, `s` one space,
    `d` more.
    """

    words: tuple[bytes, bytes]
    classes: tuple[str, str, str, str]
    between: bytes
    newline: bool
    space: str


class Evidence:
    """Finds the features of the edits of one site. Mutable: counts are kept."""

    def __init__(self, site: Site, words: Words) -> None:
        self.site, self.words, self.text = site, words, site.text
        self.elsewhere = Elsewhere(site.text, site.region.start, site.region.end)
        self._classes: dict[int, str] = {}
        self._places: dict[tuple[int, int], Place] = {}

    def near(self, fixes: Sequence[Fix]) -> list[list[str]]:
        """What can be seen of each edit of a site from its surroundings.

        Of all of them at once, because their order among themselves is evidence.
        """
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

    # -- insertions --------------------------------------------------------------------------------------------------

    def far(self, fix: Fix) -> list[str]:
        """What the rest of the text says of an insertion; it takes longer to find."""
        if fix.kind not in ("close", "open"):
            return []
        k, place = fix.kind[0] + fix.bracket.decode(), self._place(fix)
        keys = [*self._elsewhere(k, fix.bracket, place), *self._arity(k, fix, place)]
        if fix.split:
            return [*keys, *self._glued(k, fix, place)]
        keys += self._wider(k, fix, place)
        prefixed = self._prefixed(fix) if place.space == "g" else ""
        return [*keys, f"{k}Gp{prefixed}"] if prefixed else keys

    def _insertion(self, fix: Fix, order: tuple[int, int]) -> list[str]:
        k, place = fix.kind[0] + fix.bracket.decode(), self._place(fix)
        keys = _neighbours(k, place)
        keys += [f"{k}{place.space}r{min(order[1], 4)}", f"{k}{place.space}q{min(order[0], 4)}"]
        keys += self._pair(k, fix, place)
        keys += self._chain(k, fix, place)
        return [*keys, *self._layout(k, fix, place)] if place.newline and not fix.split else keys

    def _place(self, fix: Fix) -> Place:
        found = self._places.get((fix.gap, fix.split))
        if found is None:
            found = self._places[fix.gap, fix.split] = self._parted(fix) if fix.split else self._between(fix.gap)
        return found

    def _between(self, gap: int) -> Place:
        before, behind = self.site.token(gap - 1), self.site.token(gap)
        between = self.text[before.end : behind.start] if behind is not EDGE else b"\n"
        classes = self._class(gap - 2), self._class(gap - 1), self._class(gap), self._class(gap + 1)
        newline = b"\n" in between
        if newline:
            blank = between.startswith((b" ", b"\t")) and between.lstrip(b" \t")[:1] in b"\r\n"
            return Place((before.text, behind.text), classes, between, newline, "N" if blank else "n")
        return Place((before.text, behind.text), classes, between, newline, "gsd"[min(len(between), 2)])

    def _parted(self, fix: Fix) -> Place:
        """Inside the word before the gap."""
        token = self.site.token(fix.gap - 1)
        head, tail = token.text[: fix.split], token.text[fix.split :]
        shapes = self._shape(token.kind, head), self._shape("number" if tail[:1].isdigit() else "word", tail)
        classes = self._class(fix.gap - 2), *shapes, self._class(fix.gap)
        return Place((head, tail), classes, b"", newline=False, space="g")

    def _elsewhere(self, k: str, bracket: bytes, place: Place) -> Iterator[str]:
        """How often the text holds what would stand there, and what stands there now."""
        first, second = place.words
        one = self.elsewhere.often(first + bracket)
        yield f"{k}s{one}"
        if place.newline:
            now = self.elsewhere.often(first + b"\n", 1)
            yield f"{k}un{now}"
            yield f"{k}vn{one}{now}"
            return
        now = self.elsewhere.often(first + place.between + second, 1)
        then = self.elsewhere.often(first + bracket + place.between + second)
        two = self.elsewhere.often(bracket + place.between + second)
        yield from (f"{k}t{two}", f"{k}u{now}", f"{k}v{one}{two}{now}", f"{k}w{then}{now}")

    def _wider(self, k: str, fix: Fix, place: Place) -> Iterator[str]:
        """The same with one token more on each side, where they are on the line."""
        site, gap = self.site, fix.gap
        before, behind, further = site.token(gap - 1), site.token(gap - 2), site.token(gap + 1)
        if gap > 1:
            one = self.text[behind.start : before.end]
            if b"\n" not in one:
                yield f"{k}X{self.elsewhere.often(one + fix.bracket)}{self.elsewhere.often(one, 1)}"
        if not place.newline and gap + 1 < len(site.tokens):
            two = place.between + self.text[site.tokens[gap].start : further.end]
            if b"\n" not in two:
                yield f"{k}Y{self.elsewhere.often(fix.bracket + two)}{self.elsewhere.often(before.text + two, 1)}"

    def _chain(self, k: str, fix: Fix, place: Place) -> Iterator[str]:
        """What is called on what the pair gives, or on what it would hold; what its line begins with."""
        site, gap = self.site, fix.gap
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

    def _glued(self, k: str, fix: Fix, place: Place) -> Iterator[str]:
        """Whether two words that may have been glued are known, and the whole is not; for all brackets too."""
        token = self.site.tokens[fix.gap - 1]
        head, tail = place.words
        used = self.words.used
        other, called = steps(used[token.text] - 1), self.elsewhere.often(head + fix.bracket)
        known = f"{self._known(head)}/{self._known(tail)}"
        cased = head[-1:].islower() and tail[:1].isupper()
        joint = ("_" if head.endswith(b"_") or tail.startswith(b"_") else "") + ("A" if cased else "")
        cast = "=" if fix.kind == "close" and fix.partner == fix.gap - 2 else ""
        for each in (k, fix.kind[0]):
            yield from (
                f"{each}G{joint}", f"{each}Gf{other}", f"{each}Gc{called}", f"{each}Gk{known}{cast}",
                f"{each}Gl{min(len(head), 5)}/{min(len(tail), 5)}", f"{each}Gcf{called}{other}",
                f"{each}Gn{steps(used[head])}{steps(used[tail])}", f"{each}Gw{self._known(token.text)}{other}",
                f"{each}Gd{self.words.longest(token, fix.split)}", f"{each}Gp{self._prefixed(fix)}",
            )  # fmt: skip

    def _prefixed(self, fix: Fix) -> str:
        """Whether a string follows on what may be its prefix, or the end of the name before it."""
        token, behind = self.site.token(fix.gap - 1), self.site.token(fix.gap)
        if behind.kind != "string" or behind.start != token.end or token.kind != "word":
            return ""
        at = fix.split or len(token.text)
        return "s" + steps(self.words.used[token.text] - 1) + self._known(token.text[:at]) + f"{len(token.text) - at}"

    def _known(self, word: bytes) -> str:
        flags = ("w", self.words.used[word] > 0), ("k", word in self.words.common), ("d", word.isdigit())
        return "".join(flag for flag, is_so in flags if is_so)

    def _frames(self, fix: Fix) -> tuple[Sequence[Frame], Sequence[Frame], int]:
        """The frames that the pair would end or begin, those on its other side, and the index of the opener around."""
        closes = fix.kind == "close"
        inside = (self.site.left[fix.gap] if closes else self.site.right[fix.gap]).frames
        around = (self.site.right[fix.gap] if closes else self.site.left[fix.gap]).frames
        host = (inside[-2].index if closes else around[-1].index) if len(inside) > 1 and around else -1
        return inside, around, host

    def _pair(self, k: str, fix: Fix, place: Place) -> list[str]:
        """What the pair would hold, what owns it, and what would be left for the brackets around it."""
        site, gap, partner, closes = self.site, fix.gap, fix.partner, fix.kind == "close"
        inside, around, host = self._frames(fix)
        frame, before, behind = inside[-1], place.classes[1], place.classes[2]
        owner = self._class(partner - 1) if closes else before
        edges = (self._class(partner + 1), before) if closes else (behind, self._class(partner - 1))
        same = self._same_line(site.token(partner), site.token(gap - 1 if closes else gap))
        size, commas = steps(abs(gap - partner) - 1), min(frame.commas, 4)
        return [
            f"{k}O{owner}", f"{k}c{commas}", f"{k}f{frame.holds}", f"{k}z{size}{'=' if same else '/'}",
            f"{k}Oc{owner} {commas}", f"{k}Of{owner} {frame.holds}", f"{k}Oz{owner} {size}",
            f"{k}Ob{owner} {behind}{'n' if place.newline else ''}", f"{k}i{edges[0]} {edges[1]}",
            *self._around(k, owner, inside, around, host),
        ]  # fmt: skip

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

    def _arity(self, k: str, fix: Fix, place: Place) -> Iterator[str]:
        """Whether the callee, and the one around it, are called with as many arguments elsewhere."""
        closes = fix.kind == "close"
        owner = self._class(fix.partner - 1) if closes else place.classes[1]
        if not owner.endswith("ame"):
            return
        inside, around, host = self._frames(fix)
        callee = self.site.token(fix.partner - 1 if closes else fix.gap - 1)
        name = callee.text[: fix.split] if fix.split and not closes else callee.text
        empty = fix.partner + 1 == fix.gap if closes else fix.gap == fix.partner
        mine = 0 if empty else inside[-1].commas + 1
        opener = PARTNER[fix.bracket] if closes else fix.bracket
        fits = self.elsewhere.fits(name, opener, callee.start, mine)
        yield f"{k}a{fits}"
        yield f"{k}wa{name.decode('latin-1')} {mine}"
        outer = self.site.token(host - 1)
        if host > 0 and outer.kind == "word":
            total = inside[-2].commas + around[-1].commas + 1
            also = self.elsewhere.fits(outer.text, self.site.tokens[host].text, outer.start, total)
            yield from (f"{k}a{fits}{also}", f"{k}ha{also}", f"{k}hw{outer.text.decode('latin-1')} {total}")

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
            now = self.elsewhere.often(before.text + lead + token.text + rest + behind.text, 1)
            keys.append(f"{k}t{now}{self.elsewhere.often(before.text + lead + new + rest + behind.text)}")
        else:
            keys.append(f"{k}tn" + ("n" if b"\n" in lead else self.elsewhere.often(before.text + lead + token.text, 1)))
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


def _sign(number: int) -> str:
    return "<" if number < 0 else ">" if number > 0 else "="
