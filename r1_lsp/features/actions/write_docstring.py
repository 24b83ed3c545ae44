"""Write the docstring of a function, or complete the one it has."""

from collections.abc import Iterator

from ast_tools import Edit
from engine.types import Lane
from r1_lsp.features.actions.offer import REWRITE, Action, Offer, Place, Task
from r1_lsp.features.docstring import documentable, draft, lacking, unwritable

WRITE = "Write docstring"
COMPLETE = "Complete docstring"


def _applies(place: Place) -> Iterator[Offer]:
    """On the lines of a function's header."""
    tree = place.snapshot.tree
    function = documentable(tree, place.start) if tree is not None and place.can_resolve else None
    if tree is None or function is None:
        return
    line = place.snapshot.lines.line_at
    if not line(function.start) <= line(place.start) <= line(max(function.header[0], function.header[1] - 1)):
        return
    if unwritable(tree, function):
        return
    if function.docstring is None:
        yield Offer(title=WRITE, start=function.header[0], by_model=True)
    elif lacking(tree, function):
        yield Offer(title=COMPLETE, start=function.header[0], by_model=True)


async def written(task: Task) -> tuple[Edit, ...]:
    """The edit that writes the docstring of the function around task.start. Raises Refused, EngineError."""
    done = await draft(task.snapshot, task.start, task.engine, task.settings, lane=Lane.ACTION, heard=task.heard)
    return (done.edit,)


WRITE_DOCSTRING = Action(name="docstring", kind=REWRITE, applies=_applies, compute=written)
