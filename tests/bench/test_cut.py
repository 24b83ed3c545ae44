"""The benchmark of cutting says what it needs, and counts what it should."""

import gzip
import json
from pathlib import Path

import pytest

from bench import cut, report, sandbox


def test_without_a_folder_it_says_what_it_needs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for arguments in ([], [str(tmp_path)]):
        assert cut.main(arguments) == 2
        assert (
            capsys.readouterr().err == "Name the folder that holds fim_outputs*.jsonl.gz: make bench-cut DATA=FOLDER\n"
        )


@pytest.mark.process
@pytest.mark.skipif(sandbox.refusal() is not None, reason=str(sandbox.refusal()))
def test_each_arm_is_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "BUILD", tmp_path / "build")
    row = {
        "id": "one/L0",
        "language": "python",
        "prefix": "def f(xs):\n    total = 0\n",
        "middle": "    for x in xs:\n",
        "suffix": "        total += x\n    return total\n",
        "test": "def check(f):\n    assert f([1, 2]) == 3\n",
        "entry_point": "f",
        "outputs": {
            "a": "    for x in xs:\n        total += x\n    return total\n\n\nprint(f(",
            "b": "    while xs:\n",
        },
    }
    lines = json.dumps(row).encode()
    (tmp_path / "fim_outputs_few.jsonl.gz").write_bytes(gzip.compress(lines))
    cut.main([str(tmp_path)])
    rows = json.loads((tmp_path / "build" / "cut.json").read_text())["rows"]
    passed = {one["figure"]: one["value"] for one in rows}
    assert passed["a: raw"] == 0
    assert passed["a: first line"] == passed["a: single"] == passed["a: block"] == passed["a: best line cut"] == 100
    assert passed["b: raw"] == passed["b: best line cut"] == 0
    [single] = [one["measured"] for one in rows if one["figure"] == "a: single"]
    assert "exact 100.0 %" in single
    assert "parses 100.0 %" in single
