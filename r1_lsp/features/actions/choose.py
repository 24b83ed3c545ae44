"""Where the tree has several repairs and is sure of none, the model may say which one makes the likeliest text."""

from collections.abc import Iterator

from ast_tools import Edit
from r1_lsp.features.actions.offer import QUICK_FIX, Action, Offer, Place, Task
from r1_lsp.features.actions.repair import report_of, shown_repairs
from r1_lsp.features.errors import Refused
from r1_lsp.features.tie_break import likeliest


def _applies(place: Place) -> Iterator[Offer]:
    """Beside the repairs themselves; the model is not asked before it is taken, and what it says is never preferred."""
    repairs = shown_repairs(place)
    if place.can_resolve and len(repairs) > 1 and not any(repair.sure for repair in repairs):
        yield Offer(
            title=f"Let the model choose among {len(repairs)} repairs",
            choices=tuple(repair.edits for repair in repairs),
            report=report_of(repairs[0], place),
            start=repairs[0].start,
            by_model=True,
        )


async def _compute(task: Task) -> tuple[Edit, ...]:
    """The edits of the likeliest. Raises Refused, EngineError."""
    if not task.choices:
        raise Refused("There are no repairs to choose among.")
    session = f"choose {task.snapshot.uri}"
    order = await likeliest(task.engine, task.snapshot.lines, task.choices, session=session, heard=task.heard)
    return task.choices[order[0]]


CHOOSE = Action(name="choose", kind=QUICK_FIX, applies=_applies, compute=_compute)
