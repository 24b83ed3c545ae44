"""Texts that fuzzing once found, each a file of tests/regressions/ named by what went wrong: all is answered."""

from pathlib import Path

import pytest

from ast_tools.languages import LANGUAGES
from tests.ast_tools.test_any_text import ask_everything

FOUND = sorted((Path(__file__).parents[1] / "regressions").iterdir())


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_a_text_that_fuzzing_found(path: Path) -> None:
    text = path.read_bytes()
    for offset in (0, len(text) // 2, len(text)):
        ask_everything(LANGUAGES[path.suffix.removeprefix(".")], text, offset)
