"""Repairs from the tree in the menu of actions: at once, with their edits, preferred only when they are sure."""

import asyncio
import logging

import pytest

from r1_lsp.features.actions import Offer, Place, Report, offers
from r1_lsp.features.actions.fix import FIX
from r1_lsp.features.actions.offer import QUICK_FIX, Action
from r1_lsp.features.actions.repair import REPAIR
from r1_lsp.features.actions.table import ACTIONS
from r1_lsp.features.repairing import Repairs, in_thread
from r1_lsp.settings import Settings
from tests.features.change import marked, snapshot_of
from tests.support.fixture import cursor


def offered(
    text: str, reports: tuple[Report, ...] = (), actions: tuple[Action, ...] = ACTIONS
) -> list[tuple[str, Offer]]:
    clean, at = cursor(text)
    snapshot = snapshot_of(clean, "a.py")
    repairs = asyncio.run(Repairs(in_thread).of(snapshot, near=at)).repairs
    place = Place(snapshot=snapshot, start=at, end=at, reports=reports, repairs=repairs, settings=Settings())
    return [(action.name, offer) for action, offer in offers(place, None, actions)]


def repairs_of(text: str) -> list[tuple[str, bool]]:
    clean, _ = cursor(text)
    return [(marked(clean, offer.edits or ()), offer.preferred) for name, offer in offered(text) if name == "repair"]


def test_a_sure_repair_is_the_only_one_and_preferred() -> None:
    assert repairs_of("é = '😀'\ndef f()$0\n    return 1\n") == [("é = '😀'\ndef f()[:]\n    return 1\n", True)]


def test_unsure_repairs_are_three_at_most_and_none_is_preferred() -> None:
    found = repairs_of("x = (a + b * c + d(e)$0\n\n\ndef f():\n    return 1\n")
    assert 2 <= len(found) <= 3
    assert not any(preferred for _, preferred in found)
    assert len({text for text, _ in found}) == len(found)


def test_repairs_with_one_title_show_what_they_lead_to() -> None:
    titles = [offer.title for _, offer in offered("é = '😀'; x = (a + b * c + d(e)$0\n\n\ndef f():\n    return 1\n")]
    assert "Insert `)`: `é = '😀'; x = (a + b * c + d(e))`" in titles
    assert len(set(titles)) == len(titles)


def test_a_sure_repair_of_our_own_report_needs_no_model() -> None:
    report = Report(start=0, end=7, message="The `def` on line 1 ends without `:`.", source="r1")
    assert [name for name, _ in offered("def f()$0\n    return 1\n", (report,))] == ["repair"]


def test_in_a_text_with_many_errors_the_near_ones_are_repaired() -> None:
    many = "".join(f's{number} = "abc\n\n\ndef g{number}():\n    return 1\n\n\n' for number in range(30))
    [(mended, sure)] = repairs_of(many.replace('s29 = "abc', 's29 = "abc$0'))
    assert sure
    assert 's29 = "abc["]\n' in mended


def test_a_repair_says_what_it_does_and_why() -> None:
    [title] = [offer.title for name, offer in offered("def f()$0\n    return 1\n") if name == "repair"]
    assert title == "Insert `:` (The `def` on line 1 ends without `:`)"


def test_elsewhere_in_the_file_nothing_is_offered() -> None:
    assert repairs_of("def f()\n    return 1\n\n\nx = 1$0\n") == []


def test_a_clean_file_has_no_repairs() -> None:
    assert repairs_of("def f():\n    return 1$0\n") == []


def test_repairs_come_before_the_model() -> None:
    report = Report(start=0, end=3, message="expected ':'", source="Pyright")
    assert [name for name, _ in offered("def f()$0\n    return 1\n", (report,))][:2] == ["repair", "fix"]


def test_a_row_that_fails_does_not_hide_the_others(caplog: pytest.LogCaptureFixture) -> None:
    def breaks(place: Place) -> list[Offer]:
        raise ZeroDivisionError("é😀")

    caplog.set_level(logging.INFO)
    broken = Action(name="broken", kind=QUICK_FIX, applies=breaks)
    found = offered("def f()$0\n    return 1\n", actions=(broken, REPAIR, FIX))
    assert [name for name, _ in found] == ["repair"]
    assert "the action broken failed: ZeroDivisionError" in caplog.text
    assert "é😀" not in caplog.text
