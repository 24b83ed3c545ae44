"""Repairs of a region's brackets, likeliest first."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from ast_tools.edits import Edit, apply, moved_behind
from ast_tools.languages import Language
from ast_tools.lexer import PARTNER, Token
from ast_tools.repair.evidence import Evidence
from ast_tools.repair.fixes import Fix, Words, edit_of, fixes
from ast_tools.repair.found import Candidate
from ast_tools.repair.layout import line_start
from ast_tools.repair.regions import Region
from ast_tools.repair.site import EDGE, Site
from ast_tools.repair.weights import table

AT_CARET, ON_LINE = 3.0, 1.0
"""What it adds to a score that the edit is where the user last typed, or on that line. Judged, not learnt."""
MOST_RANKED = 16
"""Candidates of one region that are made; the rest have no share worth counting."""
MOST_WEIGHED = 20
"""Edits of one region for which the whole text is asked."""
_CLOSERS = frozenset((b")", b"]", b"}"))
_WHITE = b" \t\n\r\x0b\f"
LAST = -60.0
"""Score of what is offered only where nothing else is."""


@dataclass(frozen=True, slots=True)
class Option:
    """One edit that balances a region, and the features that say how likely it is."""

    site: Site
    fix: Fix
    edit: Edit
    features: list[str]

    def fills(self, at: int, bracket: bytes) -> bool:
        """Whether it inserts a bracket in the gap between two tokens that holds an offset of the text."""
        fix, site = self.fix, self.site
        if fix.kind not in ("close", "open") or fix.split or fix.bracket != bracket:
            return False
        if at < site.region.start:
            return False
        gap = next((index for index, token in enumerate(site.tokens) if token.start >= at), len(site.tokens))
        if gap and site.tokens[gap - 1].end > at:
            return False
        # Among brackets of its own kind it is the same wherever it stands.
        while fix.kind == "close" and gap < site.count and site.tokens[gap].text == bracket:
            gap += 1
        while fix.kind == "open" and gap and site.tokens[gap - 1].text == bracket:
            gap -= 1
        return gap == fix.gap


def options(language: Language, text: bytes, region: Region, words: Words, most: int | None = None) -> list[Option]:
    """The single edits that balance a region, in the order of their places.

    `most`: of more than that only those that look likely from near, because looking at the rest of the text takes time.
    """
    site = Site(language, text, region)
    found = fixes(site, words)
    evidence = Evidence(site, words)
    features = evidence.near(found)
    chosen = list(range(len(found)))
    if most is not None and len(found) > most:
        weights = table(language)
        scores = [weights.score(keys) for keys in features]
        chosen = sorted(sorted(chosen, key=lambda index: -scores[index])[:most])
    return [
        Option(site, found[index], edit_of(site, found[index]), [*features[index], *evidence.far(found[index])])
        for index in chosen
    ]


def candidates(language: Language, text: bytes, region: Region, words: Words, near: int | None) -> list[Candidate]:
    """The single edits that balance a region; scores are logarithms of probabilities, up to a constant.

    `near`: where the user last typed.
    """
    weights = table(language)
    found = options(language, text, region, words, MOST_WEIGHED)
    scored = [(weights.score(option.features) + _nearness(text, option.edit, near), option) for option in found]
    scored.sort(key=lambda pair: (-pair[0], pair[1].edit.start))
    ranked = [_candidate(option, score) for score, option in islice(_distinct(text, region, scored), MOST_RANKED)]
    return [*ranked, *(_dangling(found[0].site) if found else ())]


def _distinct(text: bytes, region: Region, scored: list[tuple[float, Option]]) -> Iterator[tuple[float, Option]]:
    """Without those that only put white space elsewhere."""
    seen: set[tuple[bytes, bytes]] = set()
    for score, option in scored:
        edit = option.edit
        before = _squeezed(text[region.start : edit.start]) + edit.new.strip()
        key = before, _squeezed(text[edit.end : edit.end + 80])
        if key not in seen:
            seen.add(key)
            yield score, option


def _candidate(option: Option, score: float) -> Candidate:
    site, fix = option.site, option.fix
    blames, title, reason = _said(site, fix)
    return Candidate(
        edit=option.edit,
        score=score,
        title=title,
        blames=blames,
        reason=reason,
        doubtful=_is_unfinished(site, fix) or _is_either(site, fix),
    )


def _is_unfinished(site: Site, fix: Fix) -> bool:
    """Whether a closer makes an empty pair of what is rather being written: `a * (`, or `f(` at the end of a line."""
    if fix.kind != "close" or fix.partner != fix.gap - 1:
        return False
    return site.token(fix.partner - 1).kind != "word" or not site.rest_of_line(site.token(fix.partner))


def _is_either(site: Site, fix: Fix) -> bool:
    """Whether a group, a list or a set may be meant as well: `= [a)`; a call or an index tells by what is before it."""
    if fix.kind != "swap":
        return False
    opener = min(fix.gap, fix.partner)
    return opener >= 0 and site.token(opener - 1).kind not in ("word", "close")


def _nearness(text: bytes, edit: Edit, near: int | None) -> float:
    if near is None:
        return 0.0
    if edit.start - 1 <= near <= edit.end + 1:
        return AT_CARET
    return ON_LINE if line_start(text, near) == line_start(text, edit.start) else 0.0


def _said(site: Site, fix: Fix) -> tuple[Token, str, str]:
    """What a fix blames, what it does, and why."""
    mark, changed = fix.bracket.decode(), site.token(fix.gap)
    if fix.kind == "delete":
        what = "closes nothing" if changed.kind == "close" else "is never closed"
        return changed, f"Delete `{mark}`", f"`{mark}` on line {_line(site, changed)} {what}."
    partner = _partner(site, fix)
    shown, line = partner.text.decode(), _line(site, partner)
    if fix.kind == "swap":
        old = changed.text.decode()
        here = _line(site, changed)
        one, other = (shown, old) if changed.kind == "close" else (old, shown)
        lines = (line, here) if changed.kind == "close" else (here, line)
        reason = f"`{one}` on line {lines[0]} and `{other}` on line {lines[1]} do not match."
        return changed, f"Replace `{old}` by `{mark}`", reason
    if fix.kind == "close":
        return partner, f"Insert `{mark}`", f"`{shown}` opened on line {line} is never closed."
    return partner, f"Insert `{mark}`", f"`{shown}` on line {line} closes nothing."


def _partner(site: Site, fix: Fix) -> Token:
    """The bracket that a fix answers; the first suspect where that is outside the region."""
    if fix.partner >= 0:
        return site.tokens[fix.partner]
    at = site.region.suspects[0].at
    return Token("open" if site.region.suspects[0].opens else "close", at, at + 1, site.text[at : at + 1])


def _line(site: Site, token: Token) -> int:
    return site.text.count(b"\n", 0, token.start) + 1


def _dangling(site: Site) -> Iterator[Candidate]:
    """Deleting an operator and a bracket that end a line: `a + b * (`."""
    for index in range(2, site.count):
        token, before = site.tokens[index], site.tokens[index - 1]
        if token.kind != "open" or before.kind != "op" or site.rest_of_line(token) or not site.suspected(token):
            continue
        start = site.tokens[index - 2].end
        shown = site.text[start : token.end].decode("utf-8", "replace").strip()
        yield Candidate(
            edit=Edit(start, token.end, b""),
            score=LAST,
            title=f"Delete `{shown}`",
            blames=token,
            reason=f"`{token.text.decode()}` opened on line {_line(site, token)} is never closed.",
            doubtful=True,
        )


# -- several suspects in one region ----------------------------------------------------------------------------------

BEAM = {2: 5, 3: 2}
"""How many ways are followed at once, by the number of suspects; one for more."""
MOST_WAYS = 14
"""Ways that are offered in the end."""
AT_ONCE = 3.0
"""What it adds to the score of a way that all its closers stand in one place: one slip, not several. Judged."""


@dataclass(frozen=True, slots=True)
class _Way:
    """Some suspects answered: the text and the region by now, and the edits of the first text that led here."""

    text: bytes
    region: Region
    edits: tuple[Edit, ...]
    score: float
    said: tuple[Candidate, ...]


def several(
    language: Language, text: bytes, region: Region, words: Words, near: int | None, late: Callable[[], bool]
) -> list[Candidate]:
    """Repairs of a region that answer its suspects one by one, openers from the innermost out, then closers.

    Before them, where all is open when the text ends, closing it there, unless that is what they say first. None when
    it becomes `late`.
    """
    suspects = region.suspects
    if len(suspects) < 2:
        return []
    order = [*(s for s in reversed(suspects) if s.opens), *(s for s in suspects if not s.opens)]
    ways = [_Way(text, region, (), 0.0, ())]
    beam = BEAM.get(len(order), 1)
    for suspect in order:
        if late():
            return []
        ways = [further for way in ways for further in _further(language, way, suspect.at, words, near)[:beam]]
        ways = _merged(ways)[: beam if suspect is not order[-1] else MOST_WAYS]
    ways = sorted((_weighed(way) for way in ways if way.edits), key=lambda way: -way.score)
    found = closed_at_end(language, text, region)
    same = [way for way in ways if found and _squeezed(way.text) == _squeezed(apply(text, found[0].edits))]
    if same and same[0] is ways[0]:
        found = []
    return found + [_joined(way) for way in ways if not found or way not in same]


def _weighed(way: _Way) -> _Way:
    """A way whose edits are closers in one place is the likelier for it."""
    at = way.edits[0].start
    together = all(edit.start == edit.end == at and edit.new in _CLOSERS for edit in way.edits)
    return replace(way, score=way.score + AT_ONCE) if together else way


def closed_at_end(language: Language, text: bytes, region: Region) -> list[Candidate]:
    """All that is open when a text ends closed there, if nothing else is wrong."""
    if any(not suspect.opens or suspect.limit < len(text) for suspect in region.suspects):
        return []
    return [_all_closed(language, text, region)] if len(region.suspects) > 1 else []


def breaks_off(text: bytes) -> bool:
    """Whether a text ends within a line: it was cut, or is being written."""
    return not text.endswith((b"\n", b"\r"))


def _merged(ways: Sequence[_Way]) -> list[_Way]:
    """Those that lead to one text as one, white space aside; likeliest first."""
    by_text: dict[bytes, list[_Way]] = {}
    for way in sorted(ways, key=lambda way: -way.score):
        by_text.setdefault(_squeezed(way.text[way.region.start : way.region.end]), []).append(way)
    scores = (math.log(sum(math.exp(way.score - same[0].score) for way in same)) for same in by_text.values())
    merged = [replace(same[0], score=same[0].score + more) for same, more in zip(by_text.values(), scores, strict=True)]
    return sorted(merged, key=lambda way: -way.score)


def _squeezed(text: bytes) -> bytes:
    return text.translate(None, _WHITE)


def _further(language: Language, way: _Way, suspect: int, words: Words, near: int | None) -> list[_Way]:
    """The answers to one suspect, named by its place in the first text, likeliest first."""
    at = moved_behind(way.edits, suspect)
    mine = next((s for s in way.region.suspects if s.at == at), None)
    if mine is None:
        return []
    others = tuple(s for s in way.region.suspects if s is not mine)
    # What the others are to be answered by is not known yet: their brackets would spoil the balance.
    hidden = tuple(sorted((*way.region.hidden, *((s.at, s.at + 1) for s in others))))
    found = candidates(language, way.text, replace(way.region, suspects=(mine,), hidden=hidden), words, near)
    total = math.log(sum(math.exp(c.score - found[0].score) for c in found)) + found[0].score if found else 0.0
    result = []
    for candidate in found:
        edit, edits = candidate.edit, _placed(way.edits, candidate.edit)
        if edits is not None:
            text = way.text[: edit.start] + edit.new + way.text[edit.end :]
            rest = _moved(replace(way.region, suspects=others), edit)
            result.append(_Way(text, rest, edits, way.score + candidate.score - total, (*way.said, candidate)))
    return result


def _moved(region: Region, edit: Edit) -> Region:
    """A region after an edit inside it."""
    shift = len(edit.new) - (edit.end - edit.start)

    def place(offset: int) -> int:
        return offset + shift if offset >= edit.end else offset

    return Region(
        region.start,
        region.end + shift,
        tuple(replace(s, at=place(s.at), limit=place(s.limit)) for s in region.suspects),
        tuple((place(start), place(end)) for start, end in region.hidden),
    )


def _placed(edits: tuple[Edit, ...], edit: Edit) -> tuple[Edit, ...] | None:
    """Edits of the first text with one more of the text after them; None where it changes what they brought."""
    shift = 0
    for number, other in enumerate(edits):
        start = other.start + shift
        if edit.end <= start:
            return (*edits[:number], Edit(edit.start - shift, edit.end - shift, edit.new), *edits[number:])
        if edit.start < start + len(other.new):
            return None
        shift += len(other.new) - (other.end - other.start)
    return (*edits, Edit(edit.start - shift, edit.end - shift, edit.new))


def _joined(way: _Way) -> Candidate:
    first = way.said[0]
    titles = " and ".join(dict.fromkeys(said.title for said in way.said))
    reasons = " ".join(dict.fromkeys(said.reason for said in way.said))
    return Candidate(
        edit=way.edits[0],
        besides=way.edits[1:],
        score=way.score,
        title=titles,
        blames=first.blames,
        reason=reasons,
        doubtful=any(said.doubtful for said in way.said),
    )


def _all_closed(language: Language, text: bytes, region: Region) -> Candidate:
    """All that is open at the end of a text closed there: on lines of their own where the opener ends its line."""
    site = Site(language, text, region)
    openers = {token.start: token for token in site.tokens}
    end = len(text.rstrip())
    new = b""
    for suspect in reversed(region.suspects):
        token = openers.get(suspect.at, EDGE)
        closer = PARTNER[text[suspect.at : suspect.at + 1]]
        alone = token is not EDGE and not site.rest_of_line(token) and suspect.at + 1 < end
        new += (b"\n" + site.line(token)[0] + closer) if alone else closer
    first = region.suspects[-1]
    shown = text[first.at : first.at + 1].decode()
    blames = Token("open", first.at, first.at + 1, text[first.at : first.at + 1])
    line = text.count(b"\n", 0, first.at) + 1
    others = len(region.suspects) - 1
    return Candidate(
        edit=Edit(end, end, new),
        score=0.0,
        title="Close what is open",
        blames=blames,
        reason=f"The text ends while `{shown}` of line {line} and {others} more are open.",
        doubtful=not breaks_off(text),
    )
