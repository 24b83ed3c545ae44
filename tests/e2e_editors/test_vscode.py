"""The VS Code extension in a real VS Code, against the real server with a scripted model."""

from collections.abc import Iterator

import pytest

from tests.e2e_editors.vscode import Seen, run
from tests.e2e_editors.workplace import Workplace, workplace

pytestmark = [pytest.mark.editor, pytest.mark.timeout(400)]

STEPS: list[tuple[str, ...]] = [
    ("ready",),
    ("press", "Control+End"),
    ("type", "    return ro"),
    ("ghost", "ghost"),
    ("picture", "ghost"),
    ("press", "Tab"),
    ("noGhost",),
    ("saved", "    return round(sum(prices), 2)"),
    ("press", "Enter", "Home", "Home"),
    ("type", 'greeting = "é😀" + na'),
    ("ghost", "wide"),
    ("press", "Escape"),
    ("noGhost",),
    ("saved", '+ na'),
]


@pytest.fixture(scope="module")
def place() -> Iterator[Workplace]:
    with workplace() as fresh:
        yield fresh


@pytest.fixture(scope="module")
def seen(place: Workplace) -> Seen:
    """One session of about 20 seconds, looked at by all tests here."""
    return run(place, STEPS)


def test_every_step_was_taken(seen: Seen) -> None:
    assert seen.error is None, f"{seen.error}; see build/e2e/vscode-failure.png and\n{seen.log}"


def test_ghost_text(seen: Seen) -> None:
    assert seen.texts["ghost"] == "und(sum(prices), 2)"


def test_nothing_left_the_machine(seen: Seen, place: Workplace) -> None:
    assert seen.requests == []
    place.assert_nothing_left()
