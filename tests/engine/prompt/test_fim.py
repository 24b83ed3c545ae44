"""The infill layout of each family: what changes while typing stands last."""

import pytest

from engine.prompt import fim
from engine.prompt.pieces import Piece
from engine.types import InfillPrompt

PROMPT = InfillPrompt(prefix="def f(é):\n", suffix="\n😀", middle="    retu", context="import os\n")


def text_of(family: str) -> str:
    row = fim.row_for(family)
    assert row is not None
    return "".join(piece.text for piece in fim.render(row, PROMPT))


LAYOUTS = {
    "qwen2.5-coder": ("<|fim_prefix|>import os\ndef f(é):\n<|fim_suffix|>\n😀<|fim_middle|>    retu"),
    "deepseek-coder-v2": ("<｜fim▁begin｜>import os\ndef f(é):\n<｜fim▁hole｜>\n😀<｜fim▁end｜>    retu"),
    "starcoder2": "<fim_prefix>import os\ndef f(é):\n<fim_suffix>\n😀<fim_middle>    retu",
    "codestral": "[SUFFIX]\n😀[PREFIX]import os\ndef f(é):\n    retu",
    "seed-coder": "<[fim-suffix]>\n😀<[fim-prefix]>import os\ndef f(é):\n<[fim-middle]>    retu",
}


@pytest.mark.parametrize("family", LAYOUTS)
def test_the_layout_of_a_family(family: str) -> None:
    assert text_of(family) == LAYOUTS[family]


@pytest.mark.parametrize("family", LAYOUTS)
def test_typing_one_more_character_only_appends(family: str) -> None:
    row = fim.row_for(family)
    assert row is not None
    before = "".join(p.text for p in fim.render(row, PROMPT))
    longer = InfillPrompt(prefix=PROMPT.prefix, suffix=PROMPT.suffix, middle="    retur", context=PROMPT.context)
    assert "".join(p.text for p in fim.render(row, longer)) == before + "r"


def test_markers_are_scaffold_and_code_that_spells_them_is_content() -> None:
    row = fim.row_for("qwen2.5-coder")
    assert row is not None
    pieces = fim.render(row, InfillPrompt(prefix="<|fim_suffix|>", suffix=""))
    assert pieces == [
        Piece("<|fim_prefix|>", special=True),
        Piece("<|fim_suffix|>", special=False),
        Piece("<|fim_suffix|>", special=True),
        Piece("<|fim_middle|>", special=True),
    ]


def test_a_family_without_markers_has_no_row_and_r1_is_not_trusted_blindly() -> None:
    assert fim.row_for("smollm2") is None
    assert fim.row_for("r1-distill-llama") is None
    for family in ("deepseek-r1", "r1-distill-qwen"):
        row = fim.row_for(family)
        assert row is not None
        assert not row.trained
