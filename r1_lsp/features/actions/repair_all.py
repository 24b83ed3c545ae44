"""All sure repairs of a file at once: for the menu where there are several, and for editors that fix on save."""

from collections.abc import Iterator

from r1_lsp.features.actions.offer import FIX_ALL, Action, Offer, Place


def _applies(place: Place) -> Iterator[Offer]:
    """What is not sure is never among them."""
    number = len(place.whole.repairs)
    if place.whole.together:
        title = "Repair the syntax error" if number == 1 else f"Repair all {number} syntax errors with a sure repair"
        yield Offer(title=title, edits=place.whole.together, start=place.whole.repairs[0].start)


REPAIR_ALL = Action(name="repairAll", kind=FIX_ALL, applies=_applies)
