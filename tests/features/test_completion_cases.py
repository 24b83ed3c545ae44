"""Golden cases of inline completion: what the model reads, what it says, what the user gets.

Sections: the file with `$0`; `model` (what it says; `---` alone on a line separates candidates); optionally `settings`
and `info` (JSON), `ask` ("invoked"); expected: `prompt`, and `want`, where the suggestion stands in ⟦ ⟧ and what it
takes the place of in ⟪ ⟫.
"""

import asyncio
import json
from dataclasses import replace

import pytest

from engine.scripted import render
from r1_lsp.config import parse_settings
from r1_lsp.features.completion import Ask, Outcome
from r1_lsp.snapshot import Snapshot
from tests.features.desk import Table, snapshot_of
from tests.support.cases import Case, case_id, cases
from tests.support.fixture import cursor


@pytest.mark.parametrize("case", cases("completion"), ids=case_id)
def test_completion(case: Case) -> None:
    asyncio.run(_run(case))


async def _run(case: Case) -> None:
    name, marked = case.input()
    text, offset = cursor(marked)
    snapshot = snapshot_of(text, name)
    settings, complaints = parse_settings(json.loads(case.get("settings", "{}")))
    assert not complaints
    settings = replace(settings, completion=replace(settings.completion, debounce_ms=0))
    said = [reply.removesuffix("\n") for reply in case["model"].split("---\n")]
    table = Table({"info": json.loads(case.get("info", "{}")), "default": {"reply": said}}, settings)
    outcome = await table.ask(snapshot, offset, Ask(invoked="invoked" in case.get("ask", "")))
    case.check("prompt", _shown_prompt(table))
    case.check("want", _wanted(snapshot, outcome))
    await table.close()


def _shown_prompt(table: Table) -> str:
    if not table.engine.requests:
        return "(the model was not asked)"
    return render(table.engine.requests[0].prompt)


def _wanted(snapshot: Snapshot, outcome: Outcome) -> str:
    if not outcome.suggestions:
        return f"silent: {outcome.reason}" + (f" ({outcome.detail})" if outcome.detail else "")
    shown = []
    for one in outcome.suggestions:
        before, old, after = snapshot.text[: one.start], snapshot.text[one.start : one.end], snapshot.text[one.end :]
        taken = f"⟪{old.decode()}⟫" if old else ""
        shown.append(f"{before.decode()}⟦{one.new}⟧{taken}{after.decode()}")
    return "\n---\n".join(shown)
