"""Broken files and their repairs: golden cases in tests/cases/repair."""

import difflib

import pytest

from ast_tools import apply, language_of, parse, repairs
from tests.support.cases import Case, case_id, cases


@pytest.mark.parametrize("case", cases("repair"), ids=case_id)
def test_repair(case: Case) -> None:
    name, source = case.input()
    language, text = language_of(None, name), source.encode()
    assert language is not None
    tree = parse(language, text)
    assert tree is not None
    lines = []
    for repair in repairs(tree, budget_s=5.0):
        after = apply(text, repair.edits)
        lines.append(f"{'sure' if repair.sure else 'unsure'}: {repair.title} ({repair.reason})")
        changed = difflib.unified_diff(source.splitlines(), after.decode().splitlines(), lineterm="", n=0)
        lines += [line for line in changed if not line.startswith(("---", "+++", "@@"))]
        assert text[repair.start : repair.end], "a repair blames something"
    case.check("want", "\n".join(lines) or "nothing")
