"""Fix this error: golden cases of what the model is asked and what becomes of its answer."""

import pytest

from r1_lsp.features.actions.edit_selection import edited
from r1_lsp.features.actions.fix import FIX
from tests.features.change import report_of, run, snapshot_of
from tests.support.cases import Case, case_id, cases
from tests.support.fixture import selection


@pytest.mark.parametrize("case", cases("actions"), ids=case_id)
def test_actions(case: Case) -> None:
    name, marked = case.input()
    text, start, end = selection(marked)
    snapshot = snapshot_of(text, name)
    if "sentence" in case:
        said = run(case, edited, snapshot=snapshot, start=start, end=end, sentence=case["sentence"].strip())
    else:
        assert FIX.compute is not None
        report = report_of(case, start, end)
        said = run(case, FIX.compute, snapshot=snapshot, start=start, end=end, report=report)
    case.check("want", said)
