"""What the model makes of problems that have no repair from the tree, through the server, as an editor would ask.

Its answers are checked there (the file has no new errors, the one in question is gone) and are guesses all the same.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from lsprotocol import types

from ast_tools import LANGUAGES, Edit, moved
from r1_lsp.cli.console import Failure
from r1_lsp.cli.diff import difference
from r1_lsp.cli.session import Editor, OpenFile, session
from r1_lsp.cli.suggestion import Question, Suggestion, Trouble

MOST_PLACES = 3
"""Problems of one file the model is asked about; each may take it minutes."""
USUAL = "default"
_FIX = "fix"
"""What the server calls the action that asks for a change of its own."""
_CODES = {False: "syntax", True: "compile"}
"""What the server calls a problem, by whether only the language's own parser finds it."""


async def suggestions(questions: Sequence[Question], model: str, heard: Callable[[str], None]) -> dict[str, Suggestion]:
    """An answer for each file, by its path. `heard` gets what is being done. Raises Failure when there is no model."""
    arguments = ("--model", model) if model != USUAL else ()
    found: dict[str, Suggestion] = {}
    async with session(Path.cwd(), arguments=arguments, on_status=lambda sentence, _: heard(sentence)) as editor:
        await editor.ready()
        for question in questions:
            heard(f"asking the model about {question.path}")
            found[question.path] = await _asked(editor, question)
    return found


async def _asked(editor: Editor, question: Question) -> Suggestion:
    file = editor.open(Path(question.path), question.text, LANGUAGES[question.language])
    ended: list[Trouble] = []
    refused: list[tuple[Trouble, str]] = []
    edits: tuple[Edit, ...] = ()
    for trouble in question.troubles[:MOST_PLACES]:
        try:
            await _apply_fix(file, trouble, moved(edits, trouble.start), moved(edits, trouble.end))
        except Failure as failure:
            refused.append((trouble, str(failure)))
        else:
            ended.append(trouble)
            edits = (difference(question.text, file.text),)
    return Suggestion(text=file.text, ended=tuple(ended), refused=tuple(refused))


async def _apply_fix(file: OpenFile, trouble: Trouble, start: int, end: int) -> None:
    """Raises Failure with the server's sentence when no answer of the model stands."""
    report = types.Diagnostic(
        range=types.Range(start=file.position(start), end=file.position(end)),
        message=trouble.message,
        source="r1",
        code=_CODES[trouble.refused],
    )
    offered = await file.actions(start, end, [report])
    action = next((one for one in offered if isinstance(one.data, dict) and one.data.get("r1") == _FIX), None)
    if action is None:
        raise Failure("the server has no fix to offer")
    await file.apply(action)
