"""`fix --model`: what the tree has no repair for goes to a model, whose answer is a guess."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from r1_lsp.cli import main
from r1_lsp.cli.console import Failure
from r1_lsp.cli.suggestion import Question, Suggestion

MUCH = " 4 5" * 40
"""More than the tree has a repair for."""
TEXT = f"# é😀\r\ndef area(a, b)\r\n    return a * b\r\n\r\n\r\nprint(area(2 3{MUCH}))\r\n"
COLON = TEXT.replace("b)\r\n", "b):\r\n", 1)
"""With the one repair that the tree finds."""


class Model:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self, *, refuses: str = "", missing: str = "") -> None:
        self.refuses, self.missing = refuses, missing
        self.asked: list[Question] = []

    async def suggestions(
        self, questions: Sequence[Question], _model: str, _heard: Callable[[str], None]
    ) -> dict[str, Suggestion]:
        if self.missing:
            raise Failure(self.missing)
        self.asked += questions
        return {question.path: self._about(question) for question in questions}

    def _about(self, question: Question) -> Suggestion:
        [trouble] = question.troubles
        assert question.text[: trouble.start].endswith(b"print(area(")
        if self.refuses:
            return Suggestion(text=question.text, ended=(), refused=((trouble, self.refuses),))
        return Suggestion(text=question.text.replace(b"2 3", b"2, 3"), ended=(trouble,), refused=())


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    one = Model()
    monkeypatch.setattr("r1_lsp.cli.by_model.suggestions", one.suggestions)
    return one


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(TEXT.encode())
    return path


def test_the_answer_is_shown_apart_from_the_sure_repairs(
    model: Model, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fix", "--model", "x", str(path)]) == 1
    out = capsys.readouterr().out
    before, after = out.split("the model suggests, after the sure repairs:\n")
    assert "+def area(a, b):" in before
    assert "+print(area(2, 3" not in before
    assert "+print(area(2, 3" in after
    assert "1 can be repaired surely (--write), 1 perhaps (--write --guess)" in after
    assert path.read_bytes() == TEXT.encode()
    assert model.asked[0].text == COLON.encode()


def test_write_and_guess_make_it(model: Model, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--model", "x", "--write", "--guess", "--json", str(path)]) == 0
    assert path.read_bytes() == COLON.replace("2 3", "2, 3").encode()
    said = json.loads(capsys.readouterr().out)
    assert [problem["repaired"] for problem in said["problems"]] == [True, True]
    assert [suggestion["taken"] for suggestion in said["suggestions"]] == [True]
    assert len(model.asked) == 1


def test_write_alone_makes_the_sure_ones_and_asks_nobody(model: Model, path: Path) -> None:
    assert main(["fix", "--model", "x", "--write", str(path)]) == 1
    assert path.read_bytes() == COLON.encode()
    assert model.asked == []


def test_a_refusal_is_one_sentence(model: Model, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model.refuses = "No change: the model gave no answer."
    assert main(["fix", "--model", "x", "--write", "--guess", str(path)]) == 1
    assert path.read_bytes() == COLON.encode()
    assert "No change: the model gave no answer.\n" in capsys.readouterr().out


def test_without_a_model_the_rest_is_done_all_the_same(
    model: Model, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.missing = "there is no model 'x'"
    assert main(["fix", "--model", "x", "--write", "--guess", "--json", str(path)]) == 1
    out, err = capsys.readouterr()
    assert err == "r1-lsp fix: the model was not asked: there is no model 'x'\n"
    assert json.loads(out)["no_model"] == "the model was not asked: there is no model 'x'"
    assert path.read_bytes() == COLON.encode()


@pytest.mark.model
@pytest.mark.xdist_group("model")
def test_the_real_model_is_asked_through_the_real_server(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the small model says is its own affair: it is a suggestion, or one sentence why there is none."""
    assert main(["fix", "--model", "default", "--json", str(path)]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["no_model"] == ""
    [suggestion] = said["suggestions"]
    assert suggestion["diff"].startswith("--- ") or suggestion["refused"][0]["reason"].endswith(".")
    assert path.read_bytes() == TEXT.encode()
