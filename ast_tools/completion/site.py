"""Everything that is known of a caret before a model says a word there; made once, shared by all candidates."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from ast_tools.completion.brackets import ASIDE, Around, around
from ast_tools.completion.region import Region, region
from ast_tools.completion.spot import Spot, first_word, spot, width, width_at
from ast_tools.languages import Language
from ast_tools.lexer import tokens
from ast_tools.scopes import Place, enclosing, place
from ast_tools.tree import SyntaxTree
from ast_tools.wordpairs import unmatched_words

MAX_LINE = 5_000
"""Characters; around a longer line (generated, minified) a completion is judged as text only."""
CLOSERS = frozenset(")]}")
_PROSE = frozenset({Place.COMMENT, Place.STRING})
_LABELS = re.compile(r"(?:\n[ \t]*\w[\w ]*:[ \t]*)+\Z")
_CALLABLES = frozenset({"function", "method", "macro"})


@dataclass(frozen=True, eq=False)
class Site:
    """A caret: its line and its neighbours (`spot`), the code to judge in (`region`), and what kind of place it is.

    Without a language, or where the text is too much for the parser, only the rules that need no tree hold.
    """

    language: Language | None
    spot: Spot
    region: Region
    place: Place

    @property
    def prose(self) -> bool:
        """Whether the caret stands in a comment or a string, where no code is due."""
        return self.place in _PROSE

    @property
    def indents(self) -> bool:
        """Whether indentation means something here."""
        return self.language is not None and self.language.indent_based

    @property
    def before_rest(self) -> bool:
        """Whether text stands after the caret on its line that will stay behind the completion."""
        return bool(self.spot.after.strip()) and not self.spot.inserts_above

    @cached_property
    def floor(self) -> int:
        """The errors that were there before."""
        return self.region.tree.n_errors if self.region.tree is not None else 0

    @cached_property
    def accepted(self) -> bool:
        """Whether the second opinion, where the language has one, took the text as it was."""
        tree = self.region.tree
        if tree is None or self.floor:
            return False
        return tree.language.accepts is None or tree.language.accepts(tree.text)

    @cached_property
    def opinion(self) -> Callable[[bytes], bool] | None:
        """The second opinion; None also where it stops before the caret's line, so that it never sees what is added."""
        tree, language = self.region.tree, self.language
        if tree is None or language is None or language.locate is None:
            return language.accepts if language is not None else None
        stop = None if self.accepted else language.locate(tree.text)
        line_start = self.region.before.rfind(b"\n") + 1
        return None if stop is not None and stop[1] < line_start else language.accepts

    @cached_property
    def around(self) -> Around:
        """The brackets on both sides; none without a language."""
        if self.language is None:
            return Around()
        return around(self.language, self.region.before, self.region.after)

    @cached_property
    def columns(self) -> "Columns":
        """What may stand where, by indentation."""
        return _columns(self)

    def among_members(self, column: int) -> bool:
        """Whether what begins in a column of the caret's line stands between definitions: in a class or in none."""
        if column == 0:
            return self.language is None or self.indents or not self.around.open
        tree, before = self.region.tree, self.region.before
        if tree is None:
            return False
        scopes = enclosing(tree, len(before.rstrip()) if self.indents else len(before))
        if self.indents:
            scopes = tuple(scope for scope in scopes if width_at(before, scope.start) < column)
        return bool(scopes) and scopes[-1].kind not in _CALLABLES

    def opens(self, text: str) -> bool:
        """Whether the last line of a text is the header of a block, which must follow."""
        language, line = self.language, text.rstrip().rpartition("\n")[2]
        if language is None or not (language.pairs or language.block_opener in line):
            return False
        found = [token for token in tokens(language, line.encode("utf-8", "replace")) if token.kind not in ASIDE]
        if not found:
            return False
        if language.pairs:
            branch = first_word(line) in language.continuation_words - self.closing_words
            return branch or bool(unmatched_words(language, found)[1]) or found[-1].text == b"{"
        begins = language.block_words | CLOSERS if self.indents and language.block_words else {first_word(line)}
        return found[-1].text.decode("utf-8", "replace") == language.block_opener and first_word(line) in begins

    @cached_property
    def closing_words(self) -> frozenset[str]:
        """Words that close blocks."""
        return frozenset(pair.closer for pair in self.language.pairs) if self.language is not None else frozenset()

    def continues(self, line: str) -> bool:
        """Whether a line goes on with the statement above: it begins with a closing bracket, or a word like `else`."""
        word = first_word(line)
        return word in CLOSERS or (self.language is not None and word in self.language.continuation_words)

    def is_directive(self, line: str) -> bool:
        """Whether a line is for a preprocessor."""
        directives = self.language.lexis.directives if self.language is not None else None
        return directives is not None and re.match(rf"[ \t]*{directives.mark}", line) is not None

    @property
    def line_below(self) -> str:
        """The next line of code."""
        comment = self.language.line_comment if self.language is not None else "\n"
        return next((line for line in self.spot.next_lines if not line.lstrip().startswith(comment)), "")

    @property
    def starts_block(self) -> bool:
        """Whether the header of a block stands right above the caret's line, labels aside."""
        above = self.code_above if self.indents else _LABELS.sub("", self.code_above)
        return self.spot.blank_before and self.opens(above)

    @cached_property
    def code_above(self) -> str:
        """The last code above the caret's line, up to its end."""
        around = self.around
        end = around.code_end if around.statements else 0
        return self.region.before[around.statements[-1] : end].decode("utf-8", "replace") if end else self.spot.above

    def without_rest(self, length: int) -> "Site":
        """The same caret without the next `length` bytes, which must be on its line."""
        left = self.region.without_after(length)
        after = self.spot.after.encode("utf-8", "replace")[length:].decode("utf-8", "replace")
        return Site(
            language=self.language,
            spot=replace(self.spot, after=after),
            region=left,
            place=place(left.tree, left.before + left.after, len(left.before)),
        )


def site(tree: SyntaxTree | None, language: Language | None, text: bytes, offset: int) -> Site:
    """The caret at `offset`."""
    here = spot(language, text, offset)
    if len(here.before) + len(here.after) > MAX_LINE:
        language = tree = None
    stands_in = place(tree, text, offset)
    in_code = stands_in not in _PROSE
    return Site(
        language=language,
        spot=here,
        region=region(tree, language, text, offset, in_code=in_code),
        place=stands_in,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The blocks around a caret, by their indentation. Only for languages in which indentation counts.

    `due`: the header right above has this width and its block is still to come; -1 without. `body`: the width of that
    block, as far as it stands below; -1 without. `above`: the widths of the statements above, up to the margin.
    `outer`: a line of this width or less would end the block that goes on below the caret; -1 where none surely does.
    `lead`: the indentation of the statement right above.
    """

    due: int = -1
    body: int = -1
    above: frozenset[int] = frozenset()
    outer: int = -1
    lead: str = ""

    def take(self, column: int, *, header: bool) -> bool:
        """Whether a statement can begin in a column; as the header of what is below, it may stand left of that."""
        if self.due >= 0:
            return column > self.due and (self.body < 0 or column == self.body or (header and column < self.body))
        return not self.above or column in self.above


def _columns(here: Site) -> Columns:
    statements, before = here.around.statements, here.region.before
    if here.language is None or not here.indents or not statements:
        return Columns()
    last, widths = statements[-1], [width_at(before, start) for start in reversed(statements)]
    due, below = widths[0] if here.starts_block else -1, here.line_below
    return Columns(
        due=due,
        body=width(below) if below and not here.around.closed and 0 <= due < width(below) else -1,
        above=frozenset(column for column in widths if column <= widths[0]),
        outer=_outer(here, widths, below),
        lead=before[before.rfind(b"\n", 0, last) + 1 : last].decode("utf-8", "replace"),
    )


def _outer(here: Site, widths: list[int], below: str) -> int:
    """The width of the header whose block goes on below the caret; `widths` are those above, the nearest first."""
    if not below or here.around.closed:
        return -1
    if width(below) > widths[0] and not here.starts_block:
        return -1
    return next((column for column in widths if column < width(below)), -1)
