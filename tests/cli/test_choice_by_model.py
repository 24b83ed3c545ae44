"""`fix --model`: among several unsure repairs the model's choice comes first, and stays a guess."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.scripted import ScriptedEngine
from engine.types import EngineOptions
from r1_lsp.cli import main
from r1_lsp.cli.choice import Ballot, chosen
from r1_lsp.cli.examine import Examined, Task, examine

TEXT = "# é😀\r\ndef area(a, b)\r\n    return a * b\r\n\r\n\r\nresult = area(1, 2) * (\r\n"
SURE = TEXT.replace("b)\r\n", "b):\r\n", 1)
FIRST = SURE.replace("* (", "* ()")
SECOND = SURE.replace(" * (", "")
LIKES_SECOND = {"default": {"scores": {"2)\r\n": -0.5}}}


class Models:
    """Makes engines from a script, and remembers them with the names they were asked by."""

    def __init__(self, script: dict[str, Any]) -> None:
        self.script = script
        self.made: list[tuple[str, ScriptedEngine]] = []

    def __call__(self, options: EngineOptions) -> ScriptedEngine:
        self.made.append((options.model, ScriptedEngine(self.script)))
        return self.made[-1][1]


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    found = Models(LIKES_SECOND)
    monkeypatch.setattr("r1_lsp.cli.choice.create_engine", found)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.py"
    path.write_bytes(TEXT.encode())
    return path


def test_its_choice_is_shown_first(models: Models, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--model", "x", str(path)]) == 1
    out = capsys.readouterr().out
    assert "perhaps: Delete `* (` -> result = area(1, 2) (the model's choice)\n" in out
    assert "or: Insert `)` -> result = area(1, 2) * ()\n" in out
    assert "1 can be repaired surely (--write), 1 perhaps (--write --guess)" in out
    assert path.read_bytes() == TEXT.encode()
    [(name, engine)] = models.made
    assert (name, len(engine.requests), engine.closed) == ("x", 1, True)


def test_write_and_guess_make_it(models: Models, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--model", "x", "--write", "--guess", str(path)]) == 0
    assert path.read_bytes() == SECOND.encode()
    out = capsys.readouterr().out
    assert "guessed: Delete `* (` (`(` opened on line 6 is never closed.) (the model's choice)\n" in out


def test_json_has_it_first(models: Models, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fix", "--model", "x", "--json", str(path)]) == 1
    sure, unsure = json.loads(capsys.readouterr().out)["problems"]
    assert (sure["by_model"], unsure["by_model"], unsure["sure"], unsure["repair"]) == (False, True, False, None)
    assert [choice["title"] for choice in unsure["choices"]][:2] == ["Delete `* (`", "Insert `)`"]


@pytest.mark.parametrize("options", [["--write"], ["--write", "--guess", "--model", "x", "--no-model"]])
def test_it_is_not_asked_where_it_is_of_no_use(models: Models, path: Path, options: list[str]) -> None:
    assert main(["fix", "--model", "x", *options, str(path)]) == (1 if options == ["--write"] else 0)
    assert path.read_bytes() == (SURE if options == ["--write"] else FIRST).encode()
    assert models.made == []


@pytest.mark.parametrize(
    "script", [{"fail": "there is no such model"}, {"default": {"error": "there is no such model"}}]
)
def test_without_a_model_the_rest_is_done_all_the_same(
    models: Models, path: Path, capsys: pytest.CaptureFixture[str], script: dict[str, Any]
) -> None:
    models.script = script
    assert main(["fix", "--model", "x", "--write", "--guess", "--json", str(path)]) == 0
    out, err = capsys.readouterr()
    assert err == "r1-lsp fix: the model was not asked: there is no such model\n"
    assert json.loads(out)["no_model"] == "the model was not asked: there is no such model"
    assert path.read_bytes() == FIRST.encode()


def test_what_is_too_much_for_the_model_stays_in_order(
    models: Models, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models.script = {"info": {"n_ctx": 8}, **LIKES_SECOND}
    assert main(["fix", "--model", "x", "--write", "--guess", "--json", str(path)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["no_model"], [problem["by_model"] for problem in said["problems"]]) == ("", [False, False])
    assert path.read_bytes() == FIRST.encode()


def ballot(path: Path, text: str) -> Ballot:
    path.write_bytes(text.encode())
    answer = examine(Task(path=str(path), language="python"))
    assert not answer.unread
    return Ballot(answer=answer, text=text.encode())


def ranked(path: Path, text: str, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch) -> tuple[Examined, Examined]:
    """The answer before and after."""
    monkeypatch.setattr("r1_lsp.cli.choice.create_engine", lambda _: engine)
    cast = ballot(path, text)
    return cast.answer, chosen([cast], "x", lambda _: None)[str(path)]


def test_several_problems_of_one_file_are_ranked_each(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "é = '😀'\none = a * (\n\n\ntwo = b + (\n"
    engine = ScriptedEngine({"default": {"scores": {"a * ()": -0.25, "b\n": -0.5, "a\n": -1.0}}})
    before, after = ranked(path, text, engine, monkeypatch)
    assert len(engine.requests) == len(before.findings) == 2
    assert [finding.choices[0].title for finding in after.findings] == ["Insert `)`", "Delete `+ (`"]
    assert [finding.by_model for finding in after.findings] == [True, True]
    assert after.sure == before.sure == ()


def test_a_choice_that_does_not_fit_the_others_is_not_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has to have no more problems than with what was found first."""
    cast = ballot(path, "é = '😀'\none = a * (\n")
    [finding] = cast.answer.findings
    first, second = finding.choices
    [edit] = second.edits
    spoilt = replace(second, title="Spoil it", edits=(replace(edit, new=b"]"),))
    findings = (replace(finding, choices=(first, spoilt)),)
    answer = replace(cast.answer, findings=findings)
    engine = ScriptedEngine({"default": {"scores": {"a]": -0.25}}})
    monkeypatch.setattr("r1_lsp.cli.choice.create_engine", lambda _: engine)
    after = chosen([Ballot(answer=answer, text=cast.text)], "x", lambda _: None)[str(path)]
    assert (after.findings, after.guessed) == (findings, cast.answer.guessed)


@pytest.mark.model
@pytest.mark.xdist_group("model")
def test_the_real_model_chooses(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which one is its own affair."""
    assert main(["fix", "--model", "default", "--json", str(path)]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["no_model"] == ""
    assert [problem["by_model"] for problem in said["problems"]] == [False, True]
    assert {choice["title"] for choice in said["problems"][1]["choices"]} >= {"Delete `* (`", "Insert `)`"}
