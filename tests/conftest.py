"""No test writes into the home of whoever runs it."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _state_apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
