"""The log file: the user's alone."""

import logging
from pathlib import Path

import pytest

from r1_lsp.wire import logs


@pytest.fixture(autouse=True)
def root_logger_as_before() -> object:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:], _ = handlers, root.setLevel(level)


def test_a_log_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    logs.set_up("debug", str(tmp_path / "new" / "server.log"))
    assert (tmp_path / "new" / "server.log").stat().st_mode & 0o777 == 0o600
