"""A model's new lines -> the smallest edits of the file, or the reason to turn them down before any check."""

import difflib
import re
import textwrap

from ast_tools import Edit
from ast_tools.lines import Lines
from r1_lsp.features.actions.region import Region
from r1_lsp.features.docstring.manner import line_end
from r1_lsp.features.errors import Unfit
from r1_lsp.features.plain_text import hostile

_SUPPRESSION = re.compile(
    r"#\s*(?:noqa|type:\s*ignore|pyright:|pylint:|ruff:|nosec|mypy:)|@ts-(?:ignore|expect-error|nocheck)"
    r"|eslint-disable|biome-ignore|prettier-ignore",
    re.IGNORECASE,
)

_WORD = re.compile(rb"[\w$\x80-\xff]")


def edits_for(region: Region, code: str, *, may_delete: bool) -> tuple[Edit, ...]:
    """The edits that put `code` in place of a region's lines. Raises Unfit.

    `may_delete`: code that says nothing any more is an answer too (an unused import).
    """
    old = region.text
    if what := hostile(code, known=old):
        raise Unfit(f"the model's answer held {what}")
    rows = _own_rows(region, code.split("\n"))
    new = _indented(rows, region)
    if not may_delete and len(_said(new)) < len(_said(old)) / 4:
        raise Unfit("the model only took the code away")
    if len(_SUPPRESSION.findall(new)) > len(_SUPPRESSION.findall(old)):
        raise Unfit("the model only silenced the checker")
    edits = minimal(region, new)
    if not edits:
        raise Unfit("the model changed nothing")
    return edits


def minimal(region: Region, new: str) -> tuple[Edit, ...]:
    """The hunks between the region's lines and `new`, each without the characters both have in common."""
    eol = line_end(region.lines.text).encode()
    old_rows = [region.lines.line(number) for number in range(region.first, region.last + 1)]
    new_rows = [row.encode("utf-8") for row in new.split("\n")] if new else []
    matcher = difflib.SequenceMatcher(None, old_rows, new_rows, autojunk=False)
    edits = []
    for what, first, last, since, until in matcher.get_opcodes():
        if what == "replace":
            start, end = region.lines.start(region.first + first), region.lines.end(region.first + last - 1)
            edits.append(_trimmed(region.lines.text, start, end, eol.join(new_rows[since:until])))
        elif what == "insert":
            edits.append(_inserted(region, first, eol.join(new_rows[since:until]), eol))
        elif what == "delete":
            edits.append(_deleted(region.lines, region.first + first, region.first + last))
    return tuple(edits)


def _own_rows(region: Region, rows: list[str]) -> list[str]:
    """Only the region's own lines of an answer that repeats what stands around it, or Unfit if it changes that."""
    while rows and not rows[0].strip():
        rows = rows[1:]
    above = [region.lines.line(number).decode("utf-8", "replace") for number in range(region.first)]
    bare = [row.strip() for row in above[-40:]]
    head = rows[0].strip() if rows else ""
    if len(head) < 4 or head not in bare or head == _first_said(region):
        return _without_tail(region, rows)
    begin = region.first - (len(bare) - max(at for at, row in enumerate(bare) if row == head))
    context = [row.strip() for row in above[begin:]]
    if [row.strip() for row in rows[: len(context)]] != context:
        raise Unfit("the model changed lines outside the error")
    return _without_tail(region, rows[len(context) :])


def _without_tail(region: Region, rows: list[str]) -> list[str]:
    """Drops lines at the end that repeat what follows the region: they are there already."""
    following = range(region.last + 1, min(region.lines.count, region.last + 41))
    below = [region.lines.line(at).decode("utf-8", "replace").strip() for at in following]
    below = [row for row in below if row]
    said = [at for at, row in enumerate(rows) if row.strip()]
    for count in range(min(len(below), len(said)), 1, -1):
        if [rows[at].strip() for at in said[-count:]] == below[:count] and not _ends_with(region, below[:count]):
            return rows[: said[-count]]
    return rows


def _ends_with(region: Region, rows: list[str]) -> bool:
    return [row.strip() for row in region.rows if row.strip()][-len(rows) :] == rows


def _first_said(region: Region) -> str:
    return next((row.strip() for row in region.rows if row.strip()), "")


def _indented(rows: list[str], region: Region) -> str:
    """At the region's own depth, with its own kind of white space."""
    code = textwrap.dedent("\n".join(row.rstrip() for row in rows)).strip("\n")
    tabs = "\t" in region.margin or re.search(r"^\t", region.text, re.MULTILINE)
    made = []
    for row in code.split("\n"):
        depth = len(row) - len(row.lstrip(" "))
        lead = "\t" * (depth // 4) + " " * (depth % 4) if tabs else row[:depth]
        made.append(region.margin + lead + row[depth:] if row else "")
    return "\n".join(made) if code else ""


def _said(text: str) -> str:
    return "".join(text.split())


def _trimmed(text: bytes, start: int, end: int, new: bytes) -> Edit:
    """Without what old and new begin and end with; never inside a word, a character or a line end."""
    old = text[start:end]
    most = min(len(old), len(new))
    head = next((at for at in range(most) if old[at] != new[at]), most)
    while head and (_inside(old, head) or _inside(new, head) or _in_word(old, new, head, head)):
        head -= 1
    most -= head
    tail = next((at for at in range(most) if old[-1 - at] != new[-1 - at]), most)
    while tail and (
        _inside(old, len(old) - tail)
        or _inside(new, len(new) - tail)
        or _in_word(old, new, len(old) - tail, len(new) - tail)
    ):
        tail -= 1
    return Edit(start + head, end - tail, new[head : len(new) - tail])


def _inside(text: bytes, at: int) -> bool:
    """Whether an offset cuts a character or a \\r\\n."""
    return 0 < at < len(text) and (text[at] & 0xC0 == 0x80 or text[at - 1 : at + 1] == b"\r\n")


def _in_word(old: bytes, new: bytes, at: int, new_at: int) -> bool:
    """Whether an offset cuts a word of the old text or of the new."""
    return any(_WORD.match(text, place - 1) and _WORD.match(text, place) for text, place in ((old, at), (new, new_at)))


def _inserted(region: Region, row: int, new: bytes, eol: bytes) -> Edit:
    number = region.first + row
    if number > region.last:
        return Edit(region.end, region.end, eol + new)
    at = region.lines.start(number)
    return Edit(at, at, new + eol)


def _deleted(lines: Lines, first: int, last: int) -> Edit:
    """Lines [first, last) with their line ends; at the end of the text, with the line end before them."""
    if last < lines.count:
        return Edit(lines.start(first), lines.start(last), b"")
    start = lines.end(first - 1) if first else 0
    return Edit(start, len(lines.text), b"")
