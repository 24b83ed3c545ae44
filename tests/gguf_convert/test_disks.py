"""Real disks that are small, that fill up meanwhile, that cannot be written: file systems in memory."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gguf_convert.convert import Progress, convert
from gguf_convert.errors import TargetError
from gguf_convert.source.checkpoint import Checkpoint
from tests.gguf_convert.checkpoints import toy_order, write_checkpoint

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount; test_convert has the same with limits"),
]


@pytest.fixture
def source(tmp_path: Path) -> Checkpoint:
    return write_checkpoint(tmp_path / "source")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB; the output takes 120."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], check=False)
    if done.returncode:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill_up(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))


def test_a_small_disk_is_said_before_any_work(source: Checkpoint, disk: Path) -> None:
    (disk / "other").write_bytes(bytes(180_000))
    told: list[Progress] = []
    with pytest.raises(TargetError, match=r"disk has no room: 0\.1\d MB are needed and 0\.0\d MB are free there"):
        convert(toy_order(source, disk), told.append)
    assert not told
    assert [path.name for path in disk.iterdir()] == ["other"]


def test_a_disk_that_fills_up_meanwhile_costs_no_work(source: Checkpoint, disk: Path) -> None:
    wanted = convert(toy_order(source, disk.parent / "at once"))

    def fill(progress: Progress) -> None:
        if not (disk / "other").exists() and progress.written > 30_000:
            fill_up(disk / "other")

    # Short slots, and much to write down: the journal's page is full before the conversion is.
    with pytest.raises(TargetError, match=r"m\.gguf\.partial\.journal cannot be written: .*(space left|disk is full)"):
        convert(toy_order(source, disk, slot_rows=1), fill)
    (disk / "other").unlink()
    told: list[Progress] = []
    assert convert(toy_order(source, disk), told.append) == wanted
    assert told[0].written > 30_000


def test_a_disk_that_cannot_be_written_is_one_sentence(source: Checkpoint, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(TargetError, match=r"m\.gguf\.partial\.journal cannot be written: Read-only file system"):
        convert(toy_order(source, disk))
    assert not list(disk.iterdir())
