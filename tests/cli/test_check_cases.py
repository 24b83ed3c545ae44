"""What `check` and `fix` print and write: golden cases in tests/cases/check."""

from pathlib import Path

import pytest

from r1_lsp.cli import main
from tests.support.cases import Case, case_id, cases


@pytest.mark.parametrize("case", cases("check"), ids=case_id)
def test_check_and_fix(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    name, source = case.input()
    path = Path(name)
    for section, words in (("check", ["check"]), ("fix", ["fix", "--no-model"])):
        path.write_bytes(source.encode())
        code = main([*words, name])
        case.check(section, f"{capsys.readouterr().out}exit code {code}")
        assert path.read_bytes() == source.encode()
    for section, words in (("written", ["fix", "--write"]), ("guessed", ["fix", "--write", "--guess"])):
        if section in case:
            path.write_bytes(source.encode())
            code = main([*words, "--no-model", name])
            said = capsys.readouterr().out
            case.check(section, f"{path.read_bytes().decode()}--\n{said}exit code {code}")
