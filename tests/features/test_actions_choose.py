"""The model chooses among unsure repairs: golden cases of what it compares and what comes of its choice."""

import asyncio
from dataclasses import replace

import pytest

from ast_tools import Edit
from ast_tools.lines import Lines
from engine.errors import EngineError
from engine.scripted import ScriptedEngine
from engine.types import Lane, TextPrompt
from r1_lsp.features.actions import Offer, Place, Task, offers
from r1_lsp.features.actions.choose import CHOOSE
from r1_lsp.features.errors import Refused
from r1_lsp.features.repairing import Repairs, in_thread
from r1_lsp.features.tie_break import contest
from r1_lsp.settings import Settings
from r1_lsp.snapshot import Snapshot
from tests.features.change import marked, snapshot_of
from tests.support.cases import Case, case_id, cases
from tests.support.fixture import cursor


def offered(snapshot: Snapshot, at: int, *, can_resolve: bool = True) -> list[Offer]:
    repairs = asyncio.run(Repairs(in_thread).of(snapshot, near=at)).repairs
    place = Place(snapshot=snapshot, start=at, end=at, repairs=repairs, settings=Settings(), can_resolve=can_resolve)
    return [offer for action, offer in offers(place, None) if action is CHOOSE]


def taken(snapshot: Snapshot, offer: Offer, engine: ScriptedEngine) -> str:
    """The text with the chosen edits [marked], or the sentence of the refusal."""
    assert CHOOSE.compute is not None
    task = Task(
        snapshot=snapshot, start=offer.start, end=offer.start, choices=offer.choices, settings=Settings(),
        engine=engine, heard=lambda doing: None,
    )  # fmt: skip
    try:
        return marked(snapshot.text, asyncio.run(CHOOSE.compute(task)))  # type: ignore[arg-type]
    except (Refused, EngineError) as error:
        return str(error)


@pytest.mark.parametrize("case", cases("choose"), ids=case_id)
def test_choose(case: Case) -> None:
    name, marked_text = case.input()
    text, at = cursor(marked_text)
    snapshot = snapshot_of(text, name)
    found = offered(snapshot, at)
    case.check("offer", found[0].title if found else "nothing")
    if not found:
        return
    assert (found[0].preferred, found[0].by_model, found[0].edits) == (False, True, None)
    likes = case["model"].removesuffix("\n")
    engine = ScriptedEngine({"rules": [{"scores": {likes: -0.5} if likes else {}}]})
    said = taken(snapshot, found[0], engine)
    [request] = engine.requests
    assert (request.lane, request.session) == (Lane.ACTION, f"choose {snapshot.uri}")
    assert isinstance(request.prompt, TextPrompt)
    shown = (request.prompt.text, *request.choices)
    case.check("compared", "\n-----\n".join(part.replace("\r", "<CR>") for part in shown))
    case.check("want", said)


BROKEN = "é = '😀'\nresult = a + b * ($0\n"


def test_an_editor_that_cannot_resolve_is_not_offered_it() -> None:
    text, at = cursor(BROKEN)
    assert offered(snapshot_of(text, "a.py"), at, can_resolve=False) == []
    assert len(offered(snapshot_of(text, "a.py"), at)) == 1


def test_what_the_model_finds_alike_stays_as_it_was() -> None:
    text, at = cursor(BROKEN)
    snapshot = snapshot_of(text, "a.py")
    [offer] = offered(snapshot, at)
    alike = ScriptedEngine({"rules": [{"scores": {"result": -1.0}}]})
    assert taken(snapshot, offer, alike) == "é = '😀'\nresult = a + b * ([)]\n"
    turned = replace(offer, choices=offer.choices[::-1])
    assert taken(snapshot, turned, alike) == "é = '😀'\nresult = a + b[]\n"


def test_a_failure_is_one_sentence() -> None:
    text, at = cursor(BROKEN)
    snapshot = snapshot_of(text, "a.py")
    [offer] = offered(snapshot, at)
    assert taken(snapshot, offer, ScriptedEngine({"default": {"error": "it died"}})) == "it died"
    assert taken(snapshot, offer, ScriptedEngine({"fail": "no model"})) == "no model"
    assert taken(snapshot, replace(offer, choices=()), ScriptedEngine({})) == "There are no repairs to choose among."


def test_what_is_compared_is_bounded_and_cuts_no_character() -> None:
    long = "é" * 3000
    lines = Lines(f"{long}\n# one\nx = '{long}' f(1 '{long}'\n# two {long}\n# three\n".encode())
    at = lines.text.index(b"f(1") + 3
    compared = contest(lines, [(Edit(at, at, b")"),), (Edit(at - 2, at - 1, b""),)])
    assert len(compared.before.encode()) <= 2000
    assert "\ufffd" not in compared.before + "".join(compared.texts)
    assert compared.before.endswith("é")
    first, second = compared.texts
    assert "é' f(1) 'é" in first
    assert "é' f1 'é" in second
    assert max(len(text.encode()) for text in compared.texts) <= 1010


def test_repairs_far_apart_are_not_compared() -> None:
    lines = Lines(b"f(1\n" * 2000)
    with pytest.raises(Refused, match="too far apart"):
        contest(lines, [(Edit(3, 3, b")"),), (Edit(7999, 7999, b")"),)])


def test_the_last_lines_of_a_file_are_enough() -> None:
    compared = contest(Lines(b"x"), [(Edit(0, 1, b""),), (Edit(1, 1, b"y"),)])
    assert (compared.before, compared.texts) == ("", ("", "xy"))
