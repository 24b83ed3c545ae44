"""Reads a docstring as it stands in a file: which lines say what, so that only those that disagree are touched."""

import re
from dataclasses import dataclass

from r1_lsp.features.docstring.styles import KINDS, Frame, Kind, Style

_DELIMITER = re.compile(r'(?P<opening>[rRuUbB]{0,2}(?:"""|\'\'\'|"|\'))')
_STARS = re.compile(r"[ \t]*\*? ?")
_RULE = re.compile(r"[ \t]*[-=]{3,}[ \t]*$")
_ANY_TITLE = re.compile(r"[ \t]*[A-Z]\w*(?: \w+)?:[ \t]*$")
_TAG = re.compile(r"[ \t]*(?:@\w|:\w[^:]*:)")


@dataclass(frozen=True, slots=True)
class Row:
    """One line: `gutter` is what is put before the text (JSDoc's star), empty in Python."""

    gutter: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A docstring taken apart. `closing` has the white space before it when it stands on a line of its own."""

    opening: str
    rows: tuple[Row, ...]
    closing: str
    closing_alone: bool

    def source(self, eol: str) -> str:
        """The text as it goes back into the file."""
        lines = [row.gutter + row.text for row in self.rows]
        lines[0] = self.opening + lines[0]
        if self.closing_alone:
            lines.append(self.closing)
        else:
            lines[-1] += self.closing
        return eol.join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What documents one thing, in the half-open range of rows [first, last)."""

    kind: Kind
    names: tuple[str, ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section with its heading, in the half-open range of rows [first, last); `inset` is its entries' indentation."""

    kind: Kind
    first: int
    last: int
    inset: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """Where a docstring says what. Styles without headings have no sections."""

    entries: tuple[Entry, ...] = ()
    sections: tuple[Section, ...] = ()

    def of(self, kind: Kind) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.kind == kind)

    def names(self, kind: Kind) -> tuple[str, ...]:
        """Without the stars of *args."""
        return tuple(bare(name) for entry in self.of(kind) for name in entry.names)

    def thrown(self) -> tuple[str, ...]:
        """The exceptions named, with their modules."""
        return tuple(name for entry in self.of("raises") for name in entry.names)


def bare(name: str) -> str:
    """`*args` and `\\*args` are args; `options.deep` of a JSDoc comment belongs to options."""
    return name.lstrip("\\*").partition(".")[0]


def taken_apart(source: str, frame: Frame) -> Written | None:
    """`source` is the docstring with its delimiters. None for what cannot be edited line by line (joined strings)."""
    if frame.above:
        if not (source.startswith(frame.opening) and source.endswith("*/") and len(source) >= 5):
            return None
        opening, closing = frame.opening, "*/"
    else:
        found = _DELIMITER.match(source)
        if not found:
            return None
        opening = found["opening"]
        closing = opening.lstrip("rRuUbB")
        if not source.endswith(closing) or len(source) < len(opening) + len(closing):
            return None
    lines = re.split(r"\r\n|\r|\n", source[len(opening) : len(source) - len(closing)])
    alone = len(lines) > 1 and not lines[-1].strip()
    closing = lines.pop() + closing if alone else closing
    return Written(
        opening=opening,
        rows=tuple(_row(line, number, frame) for number, line in enumerate(lines)),
        closing=closing,
        closing_alone=alone,
    )


def outline(written: Written, style: Style) -> Outline:
    """Entries and sections of a docstring read in one style. Never fails: what is not understood is left alone."""
    texts = [row.text for row in written.rows]
    if not style.heading:
        return Outline(entries=tuple(_tags(texts, style)))
    sections = _sections(texts, style)
    entries = [entry for section in sections for entry in _entries(texts, section, style)]
    return Outline(entries=tuple(entries), sections=tuple(sections))


def _row(line: str, number: int, frame: Frame) -> Row:
    if not frame.gutter or number == 0:
        return Row("", line)
    found = _STARS.match(line)
    cut = found.end() if found else 0
    return Row(line[:cut], line[cut:])


def indent_of(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]


def _sections(texts: list[str], style: Style) -> list[Section]:
    found: list[Section] = []
    ruled = len(style.heading) > 1
    for number, text in enumerate(texts):
        kind = _kind_of_heading(texts, number, style)
        if kind is None:
            continue
        body = number + len(style.heading)
        margin = indent_of(text)
        last = body
        while last < len(texts) and not _ends_section(texts, last, margin, ruled=ruled):
            last += 1
        while last > body and not texts[last - 1].strip():
            last -= 1
        first_text = next((line for line in texts[body:last] if line.strip()), margin + style.inset)
        found.append(Section(kind=kind, first=number, last=last, inset=indent_of(first_text)))
    return found


def _kind_of_heading(texts: list[str], number: int, style: Style) -> Kind | None:
    title = texts[number].strip()
    if len(style.heading) > 1:
        if number + 1 >= len(texts) or not _RULE.match(texts[number + 1]):
            return None
    elif not title.endswith(":"):
        return None
    bare_title = title.removesuffix(":")
    return next((kind for kind in KINDS if bare_title in style.titles[kind]), None)


def _ends_section(texts: list[str], number: int, margin: str, *, ruled: bool) -> bool:
    text = texts[number]
    if not text.strip():
        return False
    if ruled:
        return number + 1 < len(texts) and bool(_RULE.match(texts[number + 1]))
    shallow = len(indent_of(text)) <= len(margin)
    return shallow or bool(_ANY_TITLE.match(text) and len(indent_of(text)) == len(margin))


def _entries(texts: list[str], section: Section, style: Style) -> list[Entry]:
    found: list[Entry] = []
    begin = section.first + len(style.heading)
    for number in range(begin, section.last):
        text = texts[number]
        match = style.found[section.kind].match(text.strip()) if text.strip() else None
        if match is None or indent_of(text) != section.inset:
            continue
        if section.kind in ("returns", "yields") and found:
            break  # whatever follows belongs to the one thing that is returned
        if found:
            found[-1] = _until(found[-1], number, texts)
        found.append(Entry(kind=section.kind, names=_names(match), first=number, last=section.last))
    return found


def _until(entry: Entry, last: int, texts: list[str]) -> Entry:
    while last > entry.first + 1 and not texts[last - 1].strip():
        last -= 1
    return Entry(kind=entry.kind, names=entry.names, first=entry.first, last=last)


def _tags(texts: list[str], style: Style) -> list[Entry]:
    found: list[Entry] = []
    for number, text in enumerate(texts):
        for kind in KINDS:
            match = style.found[kind].match(text.strip())
            if match:
                last = number + 1
                while last < len(texts) and texts[last].strip() and not _TAG.match(texts[last]):
                    last += 1
                found.append(Entry(kind=kind, names=_names(match), first=number, last=last))
                break
    return found


def _names(match: re.Match[str]) -> tuple[str, ...]:
    name = match.groupdict().get("name")
    return tuple(part.strip() for part in name.split(",")) if name else ()
