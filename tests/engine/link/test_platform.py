"""Locks, directories, liveness: what others rely on when a process is killed at a bad moment."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import platform
from engine.errors import EngineUnavailable


def test_a_private_directory_is_made_private(tmp_path: Path) -> None:
    made = platform.private_dir(tmp_path / "run")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_an_open_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o755)
    with pytest.raises(EngineUnavailable, match="open to other users"):
        platform.private_dir(tmp_path / "run")


def test_a_link_is_refused_even_to_a_good_directory(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "run").symlink_to(tmp_path / "real")
    with pytest.raises(EngineUnavailable, match="not a directory"):
        platform.private_dir(tmp_path / "run")


def test_somebody_elses_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    with pytest.raises(EngineUnavailable, match="belongs to another user"):
        platform.private_dir(tmp_path / "run")


def test_the_runtime_directory_leaves_room_for_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    monkeypatch.setattr(platform.tempfile, "gettempdir", lambda: str(tmp_path))
    assert platform.runtime_dir().parent == tmp_path


def test_one_holder_at_a_time_and_the_file_alone_means_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    path.write_text("4242\n")
    assert platform.holder(path) is None
    lock = platform.try_lock(path)
    assert lock is not None
    lock.write_pid(77)
    assert platform.try_lock(path) is None
    assert platform.holder(path) == 77
    lock.remove()
    assert not path.exists()


def test_a_lock_whose_file_was_replaced_does_not_remove_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    old = platform.try_lock(path)
    assert old is not None
    path.unlink()
    new = platform.try_lock(path)
    assert new is not None
    assert not old.is_at_path()
    old.remove()
    assert new.is_at_path()
    new.remove()


def test_a_lock_is_not_taken_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EngineUnavailable, match="cannot be opened"):
        platform.try_lock(tmp_path / "a.lock")
    assert not (tmp_path / "elsewhere").exists()


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    deadline = time.monotonic() + 10
    while platform.is_alive(child.pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert child.wait() == 0
    assert platform.is_alive(os.getpid())
    assert not platform.is_alive(0)


def test_the_data_directory_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("R1_LSP_DATA_DIR", str(tmp_path / "data"))
    assert platform.data_dir() == tmp_path / "data"
    monkeypatch.delenv("R1_LSP_DATA_DIR")
    assert platform.data_dir().name == "r1-lsp"
