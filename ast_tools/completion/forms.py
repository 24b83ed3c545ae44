"""From a cut of the model's text to the forms in which it may go into the file."""

from collections.abc import Callable, Iterable, Iterator

from ast_tools.completion.closing import closed
from ast_tools.completion.indent import hung, joined, leaving_line, moved, nested, stands, styled
from ast_tools.completion.overlap import without_next_lines, without_rest_of_line
from ast_tools.completion.site import Site
from ast_tools.completion.verdict import Fit, judged

Forms = Callable[[str, Site], Iterable[str]]


def as_said(cut: str, here: Site) -> Iterator[str]:
    """As the model wrote it, in the file's style; first without what stands after the caret.

    A text whose first line cannot stand in its column is also moved.
    """
    if here.prose:
        yield without_rest_of_line(cut, here.spot)
        return
    base = _styled(cut, here)
    yield from (_new(base, here), base)
    if not stands(base, here):
        yield from (_new(text, here) for text in moved(base, here))


def only_closed(cut: str, here: Site) -> Iterator[str]:
    """With what it opened closed."""
    if not here.prose and here.language is not None:
        yield from closed(_styled(cut, here), here)


def also_closed(cut: str, here: Site) -> Iterator[str]:
    """As said, then closed."""
    yield from as_said(cut, here)
    yield from only_closed(cut, here)


def in_other_columns(cut: str, here: Site) -> Iterator[str]:
    """Moved, where it could have stood as it was but nothing came of it."""
    base = _styled(cut, here)
    if here.indents and not here.prose and stands(base, here):
        yield from (_new(text, here) for text in moved(base, here))


def _styled(cut: str, here: Site) -> str:
    return nested(hung(styled(joined(cut, here), here), here), here)


def _new(text: str, here: Site) -> str:
    return without_next_lines(without_rest_of_line(text, here.spot), here.spot)


def fitted(cut: str, here: Site, forms: Forms) -> Fit:
    """The first form that is whole, else the one with the fewest errors; one that leaves the block only if all do."""
    best: Fit | None = None
    for text in dict.fromkeys(forms(cut, here)):
        fit = judged(text, here)
        if (fit.leaves and _means_elsewhere(fit, here)) or (fit.whole and fit.fits):
            return fit
        if best is None or fit.order < best.order:
            best = fit
    return best or Fit(text=cut)


def _means_elsewhere(fit: Fit, here: Site) -> bool:
    """Whether a text that leaves the block was meant for another place, not only written in other columns."""
    if leaving_line(fit.text, here) != 0:
        return False
    return here.opens(fit.text.partition("\n")[0]) or (fit.whole and fit.added <= 0)
