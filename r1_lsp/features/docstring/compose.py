"""Facts and phrases -> the lines of a new docstring."""

import textwrap
from dataclasses import dataclass

from r1_lsp.features.docstring.existing import indent_of
from r1_lsp.features.docstring.facts import Facts, Named
from r1_lsp.features.docstring.slots import Prose
from r1_lsp.features.docstring.styles import KINDS, Frame, Kind, Style

WIDTH = 88


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to document: what an entry template is filled with."""

    kind: Kind
    name: str
    shown: str
    type: str
    text: str


def new_lines(facts: Facts, prose: Prose, style: Style, indent: str) -> list[str]:
    """The text of a whole docstring, one line each, not indented and without delimiters."""
    width = max(40, WIDTH - len(indent.expandtabs(4)))
    lines = textwrap.wrap(prose.summary, width, break_long_words=False)
    groups = [group(items(kind, facts, prose, style), style, width) for kind in KINDS]
    groups = [lines for lines in groups if lines]
    if not style.heading:
        groups = [[line for lines in groups for line in lines]] if groups else []
    for grouped in groups:
        lines += ["", *grouped]
    return lines


def framed(lines: list[str], frame: Frame, indent: str, quote: str, eol: str) -> str:
    """The docstring with its delimiters; the first line is not indented, the caller stands at its place."""
    opening, closing = (quote, quote) if frame.quoted else (frame.opening, frame.closing)
    if len(lines) == 1:
        return f"{opening}{frame.one_line_room}{lines[0]}{closing}"
    rows = [(indent + frame.gutter + line).rstrip() for line in lines]
    if frame.quoted:
        rows[0] = opening + lines[0]
    else:
        rows.insert(0, opening)
    return eol.join([*rows, indent + closing])


def items(kind: Kind, facts: Facts, prose: Prose, style: Style) -> list[Item]:
    """Everything of one kind that the facts hold, in their order."""
    if kind == "param":
        return [
            Item(kind=kind, name=p.name, shown=_shown(p, style), type=_type(p, style), text=prose.params[p.name])
            for p in facts.params
        ]
    if kind == "raises":
        return [Item(kind=kind, name=name, shown=name, type="", text=prose.raises[name]) for name in facts.raises]
    there, text = (facts.returns, prose.returns) if kind == "returns" else (facts.yields, prose.yields)
    return [Item(kind=kind, name="", shown="", type=_result_type(kind, facts, style), text=text)] if there else []


def _result_type(kind: Kind, facts: Facts, style: Style) -> str:
    known = facts.return_type if kind == "returns" else facts.yield_type
    if known or not style.unknown_result:
        return known
    unknown = style.promised_type.format(type=style.unknown_result) if facts.promises else style.unknown_result
    named = kind == "returns" and facts.returned_name
    return style.named_result.format(name=facts.returned_name, type=unknown) if named else unknown


def _shown(param: Named, style: Style) -> str:
    name = param.stars + param.name if style.stars else param.name
    return style.optional.format(name=name) if param.optional else name


def _type(param: Named, style: Style) -> str:
    found = param.type or (param.guess or style.unknown_type if style.unknown_type else "")
    return style.rest_type.format(type=found) if param.stars and found else found


def tabbed(line: str, indent: str) -> str:
    """With tabs for each four spaces it begins with, where the file indents with tabs."""
    lead = indent_of(line)
    return lead.replace("    ", "\t") + line[len(lead) :] if "\t" in indent else line


def group(found: list[Item], style: Style, width: int) -> list[str]:
    """All entries of one kind under their heading."""
    lines = [line for item in found for line in entry_lines(item, style, width)]
    return [*_heading(found[0].kind, style), *lines] if lines else []


def _heading(kind: Kind, style: Style) -> list[str]:
    if not style.heading:
        return []
    title = style.titles[kind][0]
    return [template.format(title=title, rule="-" * len(title)) for template in style.heading]


def entry_lines(item: Item, style: Style, width: int, inset: str | None = None) -> list[str]:
    """The lines of one entry; `inset` replaces the style's own indentation of entries."""
    inset = style.inset if inset is None else inset
    fields = {
        "name": item.shown,
        "text": item.text,
        "type": item.type,
        "typed": f" : {item.type}" if item.type else "",
        "braced": f"{{{item.type}}} " if item.type else "",
    }
    lines: list[str] = []
    for template in style.entry[item.kind]:
        line = template.format(**fields)
        if line.strip():
            deeper = inset + indent_of(line)
            hanging = deeper if template.strip() == "{text}" else deeper + "    "
            lines += textwrap.wrap(
                line.strip(), width, initial_indent=deeper, subsequent_indent=hanging,
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
    return lines
