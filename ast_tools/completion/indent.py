"""Puts a completion into the file's own indentation, and leaves alone what is right as the model wrote it."""

from collections.abc import Callable, Iterator

from ast_tools.completion.brackets import brackets
from ast_tools.completion.site import Site
from ast_tools.completion.spot import first_word, width
from ast_tools.languages import Language
from ast_tools.lexer import tokens

CASES = frozenset({"case", "default"})
"""Labels that begin another block."""


def joined(text: str, here: Site) -> str:
    """The first line without the white space that already stands before the caret."""
    spot = here.spot
    if not spot.blank_before:
        return text.lstrip(" \t") if spot.before[-1:] in (" ", "\t") else text
    own = lead(text)
    if not own or width(spot.before) == 0:
        return text
    limit = width(spot.above) + (len(spot.unit.expandtabs(8)) if here.opens(spot.above) else 0)
    if width(spot.before) + width(own) > limit >= width(spot.before):
        return text.lstrip(" \t")
    return text


def styled(text: str, here: Site) -> str:
    """The text with the file's kind of indentation (tabs or spaces), if it has only one; its depth stays as it is."""
    spot = here.spot
    lines = text.split("\n")
    first = 0 if spot.blank_before and not spot.before else 1
    leads = [lead(line) for line in lines[first:]]
    tabs, spaces = any("\t" in one for one in leads), any(one.startswith("  ") for one in leads)
    near = lead(spot.above) or spot.indent
    as_near = bool(near) and (tabs, spaces) == ("\t" in near, "\t" not in near)
    if not (tabs or spaces) or as_near or not spot.pure:
        return text
    if spot.unit == "\t" and spaces:
        unit = " " * _spaces_per_level(lines, here)
        return _each(lines, first, here, lambda line: lead(line).replace(unit, "\t") + bare(line))
    if spot.unit != "\t" and tabs:
        return _each(lines, first, here, lambda line: lead(line).replace("\t", spot.unit) + bare(line))
    return text


def _spaces_per_level(lines: list[str], here: Site) -> int:
    """How many spaces a model wrote for one level of indentation.

    The second line stands on the level of the first, or one deeper under a header. Levels count from the margin; from
    the first line, where another line stands at the margin itself.
    """
    fixed = _inside_values(here.language, "\n".join(lines))
    head, *rest = [line for number, line in enumerate(lines) if line.strip() and number not in fixed]
    leads = [len(lead(line)) for line in rest] or [0]
    level = here.spot.indent.count("\t") if min(leads) else 0
    level += here.opens(head)
    usual = (2, 3, 4, 8)
    if level and leads[0] % level == 0 and leads[0] // level in usual:
        return leads[0] // level
    least = min((length for length in leads if length), default=4)
    return least if least in usual else 4


def hung(text: str, here: Site) -> str:
    """Where a model counts columns from the caret instead of the margin: its later lines moved to that column."""
    return _from_caret(text, here) if counts_from_caret(text, here) else text


def counts_from_caret(text: str, here: Site) -> bool:
    """Whether the later lines are indented as if the caret stood at the margin.

    It shows where a block that the first line opens is not deeper than that line; where indentation means nothing,
    also by a last closer left of the caret's line.
    """
    spot = here.spot
    head, *rest = text.split("\n")
    rest = [line for line in rest if line.strip()]
    column = width(spot.before)
    if not spot.blank_before or not rest or not column:
        return False
    if here.opens(head) and 0 < width(rest[0]) <= column and not _is_label(rest[0]):
        return True
    if here.language is None or here.indents or min(map(width, rest)) >= column:
        return False
    found = brackets(here.language, text)
    return bare(rest[-1]).startswith(("}", ")", "]")) and not found.lone and not found.open


def nested(text: str, here: Site) -> str:
    """Text at the margin where the caret stands at the margin of a blank line inside a block, moved into the block.

    Only for languages in which that is a matter of taste; in others `stands` and `moved` decide.
    """
    spot = here.spot
    if here.language is None or here.indents or spot.before or not here.around.open:
        return text
    first = next((line for line in text.split("\n") if line.strip() and not here.is_directive(line)), "")
    wanted = lead(spot.above) + (spot.unit if here.opens(spot.above) else "")
    return _shifted(text, here, wanted) if wanted and not lead(first) else text


def _is_label(line: str) -> bool:
    """Whether a line may stand right under the header of its block (`case x:`, `public:`)."""
    return first_word(line) in CASES or line.rstrip().endswith(":")


def stands(text: str, here: Site) -> bool:
    """Whether the first line may stay in its column, as far as the lines around tell."""
    spot = here.spot
    if not here.indents or here.language is None or not spot.blank_before or here.around.open:
        return True
    first = spot.before + next((line for line in text.split("\n") if line.strip()), "")
    if first_word(first) in here.language.continuation_words or bare(first).startswith(here.language.line_comment):
        return True
    header = here.opens(text)
    return here.columns.take(width(first), header=header) and leaving_line(text, here) != 0


def leaving_line(text: str, here: Site) -> int | None:
    """The number of the first line that ends the block which goes on below the caret; None: no line does.

    Only where indentation means something. A header at the end of the text leaves nothing, because what is below
    becomes its block; but a branch (`else`) at the end of more text, where none was missing, takes it from another.
    """
    language = here.language
    if language is None or here.prose or not here.indents:
        return None
    lines = text.rstrip().split("\n")
    shown = [here.spot.before + lines[0], *lines[1:]]
    for number, line in enumerate(shown):
        word = first_word(line)
        if not word or (number == 0 and not here.spot.blank_before) or width(line) > here.columns.outer:
            continue
        if word in language.continuation_words or line.lstrip().startswith(language.line_comment):
            continue
        head = brackets(language, "\n".join([*shown[:number], ""]))
        if not head.open and not head.inside:
            return None if here.opens(lines[-1]) else number
    last = lines[-1]
    branches = len(lines) > 1 and first_word(last) in language.continuation_words and here.opens(last)
    return len(lines) - 1 if branches and width(last) <= here.columns.outer and here.accepted else None


def heads_below(text: str, here: Site) -> bool:
    """Whether a text is a header alone, and the next line of code stands deeper: it is its block."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    column = width(here.spot.before + first) if text.startswith(first) else width(first)
    whole = not brackets(here.language, text).open
    return here.indents and here.spot.blank_before and whole and here.opens(text) and column < width(here.line_below)


def moved(text: str, here: Site) -> Iterator[str]:
    """The text moved as a whole to where the line above, then where the line below wants it; then to the caret."""
    spot, columns = here.spot, here.columns
    if not spot.blank_before or here.language is None:
        return
    yield _shifted(text, here, columns.lead + (spot.unit if columns.due >= 0 else ""))
    below = next(iter(spot.next_lines), None)
    if below is not None:
        yield _shifted(text, here, lead(below).removesuffix(spot.unit) if here.opens(text) else lead(below))
    if spot.before:
        yield _from_caret(text, here)


def _shifted(text: str, here: Site, wanted: str) -> str:
    """All lines moved alike, so that the first is indented as wanted."""
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if here.spot.before and first == 0:
        return text
    own = lead(lines[first])

    def move(line: str) -> str:
        return wanted + (line[len(own) :] if line.startswith(own) else bare(line))

    return _each(lines, 0, here, move)


def _from_caret(text: str, here: Site) -> str:
    return _each(text.split("\n"), 1, here, lambda line: here.spot.before + line)


def _each(lines: list[str], first: int, here: Site, move: Callable[[str], str]) -> str:
    """The lines from `first` on moved; blank ones emptied, and those left alone that are the inside of a value or a
    preprocessor's."""
    fixed = _inside_values(here.language, "\n".join(lines)) if len(lines) > 1 else frozenset[int]()
    moved = [*lines[:first]]
    for number, line in enumerate(lines[first:], first):
        stays = number in fixed or (here.is_directive(line) and not lead(line))
        moved.append(line if stays else move(line) if line.strip() else "")
    return "\n".join(moved)


def _inside_values(language: Language | None, text: str) -> frozenset[int]:
    """The lines that begin inside a string which is part of an expression. A string that begins a line documents."""
    if language is None:
        return frozenset()
    data = text.encode("utf-8", "replace")
    found: set[int] = set()
    begins_line = True
    for token in tokens(language, data):
        if token.kind in ("string", "unclosed") and b"\n" in token.text and not begins_line:
            line = data.count(b"\n", 0, token.start)
            found.update(range(line + 1, line + 1 + token.text.count(b"\n")))
        begins_line = token.kind == "newline"
    return frozenset(found)


def lead(line: str) -> str:
    """The white space a line begins with."""
    return line[: len(line) - len(line.lstrip(" \t"))]


def bare(line: str) -> str:
    """A line without that."""
    return line.lstrip(" \t")
