"""Chooses where to cut what a model said, and the form in which it goes into the file."""

import re
import time
from collections.abc import Iterator

from ast_tools.completion.asides import without_preamble
from ast_tools.completion.forms import Forms, also_closed, as_said, fitted, in_other_columns, only_closed
from ast_tools.completion.indent import heads_below
from ast_tools.completion.site import Site
from ast_tools.completion.stops import SINGLE_LINES
from ast_tools.completion.verdict import Fit

BUDGET_S = 0.1
"""Processor time; what has not been tried by then is not tried."""


def choose(raw: str, here: Site, *, multiline: bool) -> Fit:
    """The first cut, in the order of the mode, that is whole; else the best that adds no errors; else one that does."""
    deadline = time.thread_time() + BUDGET_S
    best, left = Fit(text=raw), False
    tries = _block_tries(raw, here) if multiline else _line_tries(raw, here)
    for fit in _fits(tries, here):
        if fit.whole and fit.fits:
            return fit
        left = left or fit.leaves
        if fit.order < best.order:
            best = fit
        if time.thread_time() > deadline:
            break
    return best if best.fits else Fit(text=raw, leaves=left)


def _fits(tries: Iterator[tuple[Forms, list[str]]], here: Site) -> Iterator[Fit]:
    """Each cut in its forms. Where the parser is stuck on a line, no cut behind that line is tried any more."""
    for forms, cuts in tries:
        lines = 10**9
        for cut in cuts:
            if cut.count("\n") < lines:
                fit = fitted(cut, here, forms)
                lines = fit.stuck or lines
                yield fit


def _block_tries(raw: str, here: Site) -> Iterator[tuple[Forms, list[str]]]:
    """All of it; else, if a header was missing whose block stands below, that header; else the furthest cut first."""
    cuts = _line_ends(raw)[::-1]
    yield also_closed, cuts[:1]
    header = next((cut for cut in reversed(cuts) if heads_below(cut, here)), None)
    if header is not None:
        yield as_said, [header]
    yield also_closed, cuts[1:]
    yield in_other_columns, cuts


def _line_tries(raw: str, here: Site) -> Iterator[tuple[Forms, list[str]]]:
    """The nearest cut first; but where something must be closed, as much of it as there is."""
    cuts = _line_ends(raw)
    if here.prose or here.region.tree is None or here.before_rest:
        cuts = cuts[:1]
    else:
        statements = [without_preamble(cut, here) for cut in cuts[:SINGLE_LINES]]
        cuts = [cut for cut in statements if cut] or cuts[:1]
    yield from ((as_said, cuts), (only_closed, cuts[::-1]), (in_other_columns, cuts))


def _line_ends(raw: str) -> list[str]:
    """The text up to each of its line ends."""
    ends = [match.start() for match in re.finditer(r"\n|\Z", raw) if raw[: match.start()].strip()]
    return list(dict.fromkeys(raw[:end].rstrip() for end in ends))
