"""Edit the selection as a sentence says ("handle the empty list"), in any natural language."""

from collections.abc import Iterator

from ast_tools import Edit
from r1_lsp.features.actions.candidates import checked_edits, first_that_stands
from r1_lsp.features.actions.offer import REWRITE, Action, Offer, Place, Task
from r1_lsp.features.actions.prompt import edit_question
from r1_lsp.features.actions.region import region_around, selected
from r1_lsp.features.ask import Answer
from r1_lsp.features.checkers import Subject, baseline, checkers_of
from r1_lsp.features.errors import Refused

_MOST_BYTES = 8000
_MOST_SENTENCE = 2000


def _applies(place: Place) -> Iterator[Offer]:
    """Only where the editor can ask for the sentence, and something is selected."""
    if place.edit_command and place.end > place.start and place.snapshot.language is not None:
        yield Offer(title="Edit selection...", command=(place.edit_command, ()), start=place.start)


async def edited(task: Task) -> tuple[Edit, ...]:
    """The edits of [task.start, task.end) that do what task.sentence says. Raises Refused, EngineError."""
    tree, language = task.snapshot.tree, task.snapshot.language
    if not task.sentence.strip():
        raise Refused("Say in a sentence what should change.")
    if len(task.sentence) > _MOST_SENTENCE:
        raise Refused("The sentence is too long.")
    if tree is None or language is None:
        raise Refused("The file could not be parsed, so no change could be checked.")
    lines = task.snapshot.lines
    empty = task.end <= task.start
    region = region_around(tree, lines, task.start, task.end) if empty else selected(lines, task.start, task.end)
    if region.end - region.start > _MOST_BYTES:
        raise Refused("The selection is too long for the model.")
    subject = Subject(text=task.snapshot.text, language=language, path=task.snapshot.path, root=task.root)
    before = await baseline(checkers_of(language, {}), subject, None)
    question = edit_question(tree, task.sentence, region, task.settings.fix.think_tokens, f"edit {task.snapshot.uri}")

    async def judge(answer: Answer) -> tuple[Edit, ...]:
        return await checked_edits(answer, task, region, before, subject, may_delete=True)

    return await first_that_stands(task, question, judge)


EDIT_SELECTION = Action(name="editSelection", kind=REWRITE, applies=_applies)
