"""Hover: golden cases of what is said where, and what stays unsaid."""

import pytest

from ast_tools import function_at
from r1_lsp.features.hover import Drafts, draft_key, hover
from tests.features.change import snapshot_of
from tests.support.cases import Case, case_id, cases
from tests.support.fixture import cursor


@pytest.mark.parametrize("case", cases("hover"), ids=case_id)
def test_hover(case: Case) -> None:
    name, marked = case.input()
    text, offset = cursor(marked)
    snapshot, drafts = snapshot_of(text, name), Drafts()
    assert snapshot.tree is not None
    if "draft" in case:
        function = function_at(snapshot.tree, offset)
        assert function is not None
        drafts.keep(draft_key(snapshot, function), case["draft"].rstrip("\n"))
    note = hover(snapshot, offset, drafts)
    case.check("want", note.markdown if note else "(nothing)")
    if note:
        case.check("at", text[note.start : note.end].decode())


def test_a_draft_belongs_to_the_text_it_was_made_for() -> None:
    drafts = Drafts()
    before, after = snapshot_of(b"def f(a):\n    return a", "a.py"), snapshot_of(b"def f(b):\n    return b", "a.py")
    assert before.tree is not None
    function = function_at(before.tree, 4)
    assert function is not None
    drafts.keep(draft_key(before, function), "Draft of the old one")
    assert (note := hover(before, 4, drafts)) is not None
    assert "Draft of the old one" in note.markdown
    assert not note.wants_draft
    assert (note := hover(after, 4, drafts)) is not None
    assert "Draft of the old one" not in note.markdown
    assert note.wants_draft


def test_drafts_are_bounded() -> None:
    drafts = Drafts()
    for number in range(1000):
        drafts.keep(("file:///a.py", str(number)), "x")
    assert len(drafts.texts) == 200
    assert ("file:///a.py", "999") in drafts.texts
