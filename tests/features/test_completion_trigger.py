"""When there is no suggestion, and why."""

import pytest

from r1_lsp.features.completion.ask import Ask
from r1_lsp.features.completion.trigger import MAX_BYTES, is_inert, looks_secret, why_not
from r1_lsp.features.why import SENTENCES, Reason
from r1_lsp.settings import CompletionSettings
from tests.features.desk import snapshot_of
from tests.support.fixture import cursor


def reason(marked: str, *, invoked: bool = False) -> Reason | None:
    text, offset = cursor(marked)
    return why_not(snapshot_of(text, "a.txt"), offset, Ask(invoked=invoked), CompletionSettings())


@pytest.mark.parametrize("after", ["", ")", "  ", ")]}", '")', "'", "):", " {", ");", "],", ") {", "`)"])
def test_what_an_editor_closes_by_itself_may_follow(after: str) -> None:
    assert is_inert(after)
    assert reason(f"é😀 foo(x$0{after}\nmore") is None


@pytest.mark.parametrize("after", ["x", " x", "(", ") + 1", "= 3", "::", ".bar", "// why"])
def test_other_text_may_not(after: str) -> None:
    assert not is_inert(after)
    assert reason(f"é😀 foo($0{after}\nmore") in (Reason.TEXT_AFTER, Reason.INSIDE_WORD)


def test_inside_a_word_not_even_when_asked() -> None:
    assert reason("fo$0o", invoked=True) is Reason.INSIDE_WORD
    assert reason("größ$0er", invoked=True) is Reason.INSIDE_WORD
    assert reason("a = $0foo", invoked=True) is None
    assert reason("a = $0foo") is Reason.TEXT_AFTER


def test_nothing_before() -> None:
    assert reason("$0") is Reason.NOTHING_BEFORE
    assert reason("\n\n  $0\nx") is Reason.NOTHING_BEFORE
    assert reason("x\n$0") is None


def test_a_huge_file_is_read_only_when_asked() -> None:
    text = b"x = 1\n" * (MAX_BYTES // 6 + 1)
    snapshot = snapshot_of(text, "a.txt")
    assert why_not(snapshot, len(text), Ask(), CompletionSettings()) is Reason.TOO_LARGE
    assert why_not(snapshot, len(text), Ask(invoked=True), CompletionSettings()) is None


@pytest.mark.parametrize(
    ("path", "secret"),
    [
        ("/w/.env", True),
        ("/w/.env.local", True),
        ("/w/.env.example", False),
        ("/w/prod.env", True),
        ("/home/u/.ssh/id_ed25519", True),
        ("/w/server.PEM", True),
        ("/w/environment.py", False),
        ("/w/config.json", False),
        ("/w/keys.py", False),
        ("untitled:Untitled-1", False),
    ],
)
def test_files_that_hold_secrets(path: str, secret: bool) -> None:
    assert looks_secret(path) is secret


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason)
    assert all(sentence.endswith((".", ").")) for sentence in SENTENCES.values())
