"""Docstrings: golden cases of the prompt, the model's phrases and the file afterwards."""

import pytest

from r1_lsp.features.actions import written
from r1_lsp.settings import DocstringSettings, Settings
from tests.features.change import run, snapshot_of
from tests.support.cases import Case, case_id, cases
from tests.support.fixture import cursor


@pytest.mark.parametrize("case", cases("docstring"), ids=case_id)
def test_docstring(case: Case) -> None:
    name, marked = case.input()
    text, offset = cursor(marked.replace("<CR>", "\r"))
    style = case.get("style", "auto").strip()
    settings = Settings(docstring=DocstringSettings(style=style))  # type: ignore[arg-type]
    case.check(
        "want", run(case, written, snapshot=snapshot_of(text, name), start=offset, end=offset, settings=settings)
    )
