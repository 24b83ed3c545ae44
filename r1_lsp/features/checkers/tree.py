"""Our own parser as a checker."""

from ast_tools import problems
from r1_lsp.features.checkers.record import Checker, Finding, Findings, Subject
from r1_lsp.features.parsing import parsed

SOURCE = "r1"
SYNTAX = "syntax"
"""The code of our syntax diagnostics."""


async def _ask(subject: Subject) -> Findings:
    tree = await parsed(subject.language, subject.text)
    if tree is None:
        return None
    return tuple(
        Finding(start=found.start, end=found.end, message=found.message, code=SYNTAX, source=SOURCE)
        for found in problems(tree)
    )


TREE = Checker(name="the parser", sources=frozenset({SOURCE}), ask=_ask, by_code=True)
