"""`general.*` of a folder: golden cases in tests/cases/general."""

import json
from pathlib import Path

import pytest

from gguf_convert.general import general_fields
from gguf_convert.rows import Weight
from gguf_convert.tensors import TargetTensor
from tests.support.cases import Case, case_id, cases

_FILES = ("README.md", "generation_config.json")


@pytest.mark.parametrize("case", cases("general"), ids=case_id)
def test_general(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / case["folder"].strip()
    folder.mkdir(parents=True)
    for name in _FILES:
        if name in case:
            (folder / name).write_text(case[name], encoding="utf-8")
    config = json.loads(case.get("config.json", "{}"))
    tensors = [_tensor(*line.split()) for line in case["tensors"].splitlines()]
    fields = general_fields(folder, config, tensors)
    case.check("want", "\n".join(f"{field.key} {field.type} {field.value}" for field in fields))


@pytest.mark.parametrize(
    "card",
    ["", "---", "---\n---", "---\n- a\n---", "---\nlicense\n---", "---\n: x\n---", "---\ntags:\n---", "---\na: [\n---"],
)
def test_a_card_that_says_nothing(card: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(card)
    keys = [field.key for field in general_fields(tmp_path, {}, [_tensor("a.weight", "4x8")])]
    assert keys[0] == "general.type"
    assert not {"general.license", "general.tags"} & set(keys)


def test_a_card_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"---\nlicense: \xff\xfe\n---\n")
    general_fields(tmp_path, {}, [_tensor("a.weight", "4x8")])


def _tensor(name: str, shape: str) -> TargetTensor:
    sizes = tuple(map(int, shape.split("x")))
    return TargetTensor(name=name, shape=sizes, source=Weight(name, 1, sizes[0]))
