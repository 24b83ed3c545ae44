"""The way of a completion from the model into the file: watched while it streams, then cut, fitted and judged.

A completion is pasted into the enclosing statements and judged there, never by newline alone: a single line ends at the
first line end where the statement is whole, several lines end where their block does.
"""

import copy
import re
from dataclasses import dataclass

from ast_tools.completion import stops
from ast_tools.completion.asides import said_once, without_last_comments, without_preamble
from ast_tools.completion.choice import choose
from ast_tools.completion.forms import as_said, fitted
from ast_tools.completion.said import Said
from ast_tools.completion.site import Site, site
from ast_tools.completion.stops import Stop
from ast_tools.completion.verdict import Fit
from ast_tools.languages import Language
from ast_tools.tree import SyntaxTree

_LINES = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class CutResult:
    """`text`: what there is to show; `done`: stop the model; `reason`: why it stopped or was rejected, of REASONS."""

    text: str
    done: bool
    reason: str | None


class Cutter:
    """Judges one completion while it streams. Mutable, for one stream, in one thread.

    Without a language, or where the text is too much for the parser, only the rules that need no tree hold.
    """

    def __init__(
        self, tree: SyntaxTree | None, language: Language | None, text: bytes, offset: int, *, multiline: bool
    ) -> None:
        self._wants_block = multiline
        self._begin(site(tree, language, text, offset))

    def _begin(self, here: Site) -> None:
        self._here = here
        self._multiline = self._wants_block and not here.prose and not here.spot.has_body
        self._said = Said(here.language)
        self._held = ""
        self._stop: Stop | None = None
        self._best: Fit | None = None

    def again(self, *, without: int = 0) -> "Cutter":
        """A cutter for another completion in the same place; what surrounds it is not read again.

        `without`: bytes after the offset, on its line, that the completion is to take the place of.
        """
        other = copy.copy(self)
        other._begin(self._here.without_rest(without) if without else self._here)
        return other

    def feed(self, piece: str) -> CutResult:
        """Takes the next piece of model text; `done` says that whatever comes next would be cut off."""
        piece = (self._held + piece).replace("\r\n", "\n")
        self._held = "\r" if piece.endswith("\r") else ""
        for part in _LINES.findall(piece.removesuffix("\r")):
            if self._stop is not None:
                break
            self._said.add(part)
            self._stop = self._look(part)
        return CutResult(self._kept, self._stop is not None, self._reason)

    @property
    def _reason(self) -> str | None:
        return self._stop.reason if self._stop is not None else None

    @property
    def _kept(self) -> str:
        return self._said.text if self._stop is None else self._said.text[: self._stop.end]

    def _look(self, part: str) -> Stop | None:
        """The first reason to stop, in the order of the text."""
        here, said = self._here, self._said
        stop = stops.at_outside(here, said, ended=False) if self._multiline else None
        if stop is None and any(mark in stops.MARKS for mark in part):
            stop = stops.at_closer(here, said)
        if stop is None and part.endswith("\n"):
            stop = stops.at_nothing(said) or (self._line_ended() if said.text.strip() else None)
        return stop or stops.at_loop(said.text) or stops.at_length_limit(said)

    def _line_ended(self) -> Stop | None:
        if self._multiline:
            return stops.at_block_line(self._here, self._said)
        if self._is_statement():
            return Stop("complete", len(self._said.text) - 1)
        return stops.at_line_limit(self._said, stops.SINGLE_LINES)

    def _is_statement(self) -> bool:
        """Whether the text is whole at the end of its last line."""
        here, said = self._here, self._said
        if here.prose or here.region.tree is None or here.before_rest:
            return True
        text = without_preamble(said.text, here).rstrip()
        if not said.line.strip() or not text:
            return False
        fit = fitted(text, here, as_said)
        if fit.whole and fit.fits:
            self._best = fit
            return True
        # Around a place that was broken before, the tree cannot say more; brackets can.
        return fit.buried and fit.added <= 0 and stops.is_balanced(here, said.brackets)

    def finish(self, *, unfinished: bool = False) -> CutResult:
        """The text to insert at the offset; empty, with a reason, when it is rejected.

        `unfinished`: the model was stopped in mid-sentence, so that of several lines the last does not count.
        """
        raw = self._meant(unfinished=unfinished)
        done = self._stop is not None
        if not raw.strip():
            return CutResult("", done, self._why_nothing())
        fit = self._best or choose(raw, self._here, multiline=self._multiline)
        if not fit.fits:
            return CutResult("", done, "leaves_block" if fit.leaves else "adds_errors")
        if not fit.text.strip():
            return CutResult("", done, "nothing_new")
        return CutResult(self._here.spot.inserted(fit.text), done, self._reason)

    def _why_nothing(self) -> str:
        """The reason for an empty text."""
        if self._reason == "loop":
            return "loop"
        return "nothing_new" if self._reason in ("closer", "suffix") else "blank"

    def _meant(self, *, unfinished: bool) -> str:
        """The model's text up to its end, without what it only repeated or did not finish."""
        if unfinished and self._stop is None:
            self._stop = stops.at_loop(self._said.text, shortest=8)
        if self._reason == "loop":
            return said_once(self._kept, self._here)
        whole_lines = self._kept.rpartition("\n")[0]
        dropped = unfinished and self._stop is None and self._multiline and whole_lines.strip()
        return without_last_comments(whole_lines, self._here) if dropped else self._kept
