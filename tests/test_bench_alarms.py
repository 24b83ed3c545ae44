"""The benchmark of false alarms: its compile checks refuse what is broken, and it asks the command itself."""

import random
import shutil
from pathlib import Path

import pytest

from ast_tools import LANGUAGES, apply
from bench.alarms import _PLANTS, checked, planted
from bench.compilable import compilable
from bench.corpora import File

GOOD = {
    "python": b"def one(two):\n    return 'three' + two\n",
    "javascript": b"import one from 'two';\nexport function three() { return 'four'; }\n",
    "java": b'class One {\n    String two() {\n        return "three";\n    }\n}\n',
}
SUFFIX = {"python": ".py", "javascript": ".js", "java": ".java"}
TOOL = {"python": "python3", "javascript": "node", "java": "javac"}


@pytest.mark.process
@pytest.mark.parametrize("language", GOOD)
def test_the_compile_check_takes_what_is_good_and_refuses_what_is_not(tmp_path: Path, language: str) -> None:
    if shutil.which(TOOL[language]) is None:
        pytest.skip(f"there is no {TOOL[language]}")
    good, bad = tmp_path / f"good{SUFFIX[language]}", tmp_path / f"bad{SUFFIX[language]}"
    good.write_bytes(GOOD[language])
    bad.write_bytes(GOOD[language].replace(b"return", b"return ("))
    files = [File(language, "one", good), File(language, "one", bad)]
    assert compilable(language, files)[0] == files[:1]


def test_without_a_check_what_was_released_compiles(tmp_path: Path) -> None:
    file = File("go", "one", tmp_path / "one.go")
    assert compilable("go", [file]) == ([file], "released by their projects")


@pytest.mark.process
def test_the_command_is_asked_and_finds_what_was_planted(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_bytes(GOOD["python"])
    bad.write_bytes(GOOD["python"].replace(b"(two)", b"(two"))
    found = checked([good, bad])
    assert not found[good]
    assert found[bad][0].startswith("1: ")
    plants = planted(((File("python", "one", good),), "bracket", 1))
    assert [(plant.visible, plant.found) for plant in plants] == [(True, True)]


@pytest.mark.parametrize("kind", _PLANTS)
def test_every_kind_of_error_changes_a_text_that_has_a_place_for_it(kind: str) -> None:
    text = GOOD["java"]
    edit = _PLANTS[kind](LANGUAGES["java"], text, random.Random(1))
    assert edit is not None
    assert apply(text, [edit]) != text
