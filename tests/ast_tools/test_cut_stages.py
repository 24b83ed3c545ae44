"""The stages of a completion, each alone: golden cases in tests/cases/cut_stages."""

from collections.abc import Callable, Iterable

import pytest

from ast_tools import language_of, parse
from ast_tools.completion import asides, closing, indent, overlap, verdict
from ast_tools.completion.site import Site, site
from tests.support.cases import Case, case_id, cases
from tests.support.fixture import cursor

STAGES: dict[str, Callable[[str, Site], Iterable[str]]] = {
    "without_rest_of_line": lambda text, here: [overlap.without_rest_of_line(text, here.spot)],
    "without_next_lines": lambda text, here: [overlap.without_next_lines(text, here.spot)],
    "joined": lambda text, here: [indent.joined(text, here)],
    "styled": lambda text, here: [indent.styled(text, here)],
    "hung": lambda text, here: [indent.hung(text, here)],
    "nested": lambda text, here: [indent.nested(text, here)],
    "moved": indent.moved,
    "stands": lambda text, here: [str(indent.stands(text, here))],
    "closed": closing.closed,
    "without_preamble": lambda text, here: [asides.without_preamble(text, here)],
    "without_last_comments": lambda text, here: [asides.without_last_comments(text, here)],
    "said_once": lambda text, here: [asides.said_once(text, here)],
    "judged": lambda text, here: [_verdict(verdict.judged(text, here))],
}


@pytest.mark.parametrize("case", cases("cut_stages"), ids=case_id)
def test_stage(case: Case) -> None:
    name, marked = case.input()
    text, offset = cursor(marked)
    language = language_of(None, name)
    tree = parse(language, text) if language is not None else None
    here = site(tree, language, text, offset)
    forms = dict.fromkeys(STAGES[case["stage"].strip()](case["model"].removesuffix("\n"), here))
    shown = "\n".join(f"[{here.spot.before}<|>{form}]" for form in forms)
    case.check("want", shown.replace("\r", "␍").replace("\t", "→"))


def test_every_stage_has_a_case() -> None:
    shown = {case["stage"].strip() for case in cases("cut_stages")}
    assert shown == set(STAGES)


def _verdict(fit: verdict.Fit) -> str:
    words = [f"adds {fit.added}" if fit.added > 0 else "adds nothing"]
    words += [word for word in ("clean", "whole", "buried", "leaves") if getattr(fit, word)]
    return ", ".join(words) + (f", stuck on line {fit.stuck}" if fit.stuck else "")
