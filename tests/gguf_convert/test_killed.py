"""`kill -9` or Ctrl-C at random moments: the same command again gives the identical file, and little was lost."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gguf_convert.convert import convert
from gguf_convert.journal import locked
from gguf_convert.plan import PlannedTensor
from tests.gguf_convert.checkpoints import toy_order, toy_plan, write_checkpoint
from tests.support.fuzz import scaled, seeded, sized

ROOT = Path(__file__).parents[2]
WORKERS = 2
_CODE = "import sys; from tests.gguf_convert.checkpoints import convert_here; convert_here(*sys.argv[1:])"
_ENDS = ((os.kill, signal.SIGKILL), (os.killpg, signal.SIGKILL), (os.killpg, signal.SIGINT))
"""The parent alone, with its workers, and as Ctrl-C does it."""

pytestmark = [pytest.mark.process, pytest.mark.fuzz]


@pytest.mark.timeout(1800)
def test_killed_at_random_moments(tmp_path: Path) -> None:
    random = seeded("kills")
    source = write_checkpoint(tmp_path / "source", rows=4096 * scaled(1))
    wanted = convert(toy_order(source, tmp_path / "at once", type_name="IQ4_XS", workers=WORKERS))
    whole = (tmp_path / "at once" / "m.gguf").read_bytes()
    tensors = toy_plan(source, "IQ4_XS").tensors
    out = tmp_path / "out"
    kills = 0
    while kills < sized(5, 50):
        process = started(source.folder, out)
        if begins(out, process):
            time.sleep(random.uniform(0, 0.4))
        if process.poll() is None:
            stop, number = random.choice(_ENDS)
            stop(process.pid, number)
            kills += 1
            process.wait()
            assert lost(out, tensors, whole) <= WORKERS
        else:
            finish_and_compare(out, whole, process)
    assert started(source.folder, out).wait() == 0
    assert (out / "m.gguf").read_bytes() == whole
    assert convert(toy_order(source, out, type_name="IQ4_XS")).tensors == wanted.tensors


def started(source: Path, out: Path) -> subprocess.Popen[bytes]:
    """The conversion in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", _CODE, str(source), str(out), str(WORKERS)], cwd=ROOT, start_new_session=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def begins(out: Path, process: subprocess.Popen[bytes]) -> bool:
    """Waits until the journal grows: a run spends most of its time importing."""
    path = out / "m.gguf.partial.journal"
    size = path.stat().st_size if path.exists() else 0
    while process.poll() is None:
        if path.exists() and path.stat().st_size > size:
            return True
        time.sleep(0.005)
    return False


def lost(out: Path, tensors: tuple[PlannedTensor, ...], whole: bytes) -> int:
    """How many slots are in the output and not in the journal."""
    path = out / "m.gguf.partial.journal"
    if not path.exists():
        return 0
    with locked(path) as journal:
        done = {(number, start) for number, parts in journal.done.parts.items() for start, _ in parts}
        finished = set(journal.done.tensors)
    partial = (out / "m.gguf.partial").read_bytes()
    count = 0
    for number, tensor in enumerate(tensors):
        for start in range(0, tensor.target.n_rows, 64):
            offset, size = tensor.place(start, min(start + 64, tensor.target.n_rows))
            there = partial[offset : offset + size] == whole[offset : offset + size]
            count += there and number not in finished and (number, start) not in done
    return count


def finish_and_compare(out: Path, whole: bytes, process: subprocess.Popen[bytes]) -> None:
    """It ended before it was killed: what it made is right, and the next one begins anew."""
    assert process.returncode == 0
    assert hashlib.sha256((out / "m.gguf").read_bytes()).digest() == hashlib.sha256(whole).digest()
    for path in out.iterdir():
        path.unlink()
