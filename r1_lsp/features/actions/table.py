"""ACTIONS: what can be done at a place. The order of the rows is the order the user sees."""

import logging
from collections.abc import Iterable, Iterator

from r1_lsp.features.actions.choose import CHOOSE
from r1_lsp.features.actions.edit_selection import EDIT_SELECTION
from r1_lsp.features.actions.fix import FIX
from r1_lsp.features.actions.offer import Action, Offer, Place
from r1_lsp.features.actions.repair import REPAIR
from r1_lsp.features.actions.repair_all import REPAIR_ALL
from r1_lsp.features.actions.write_docstring import WRITE_DOCSTRING

_log = logging.getLogger(__name__)

ACTIONS: tuple[Action, ...] = (REPAIR, CHOOSE, REPAIR_ALL, FIX, WRITE_DOCSTRING, EDIT_SELECTION)


def offers(
    place: Place, only: Iterable[str] | None = None, actions: tuple[Action, ...] = ACTIONS
) -> Iterator[tuple[Action, Offer]]:
    """Everything that applies. `only`: kinds the editor wants, see `wanted`.

    A row that fails is logged and does not hide the others; what it said may quote source text and goes to DEBUG.
    """
    kinds = None if only is None else tuple(only)
    for action in actions:
        if not wanted(action.kind, kinds):
            continue
        try:
            yield from [(action, offer) for offer in action.applies(place)]
        except Exception as error:  # noqa: BLE001 - one row must not hide the others
            _log.error("the action %s failed: %s", action.name, type(error).__name__)
            _log.debug("the action %s failed", action.name, exc_info=error)


def wanted(kind: str, only: Iterable[str] | None) -> bool:
    """Whether an editor wants actions of a kind: "refactor" stands for "refactor.rewrite" too, None for all kinds."""
    return only is None or any(_within(kind, one) for one in only)


def action_named(name: object) -> Action | None:
    """The row of that name that can be computed."""
    return next((action for action in ACTIONS if action.name == name and action.compute is not None), None)


def _within(kind: str, wanted: str) -> bool:
    return not wanted or kind == wanted or kind.startswith(wanted + ".")
