"""Files are looked at in processes that may crash or hang: it costs one file's answer and never the run."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from r1_lsp.cli.console import Failure
from r1_lsp.cli.examine import Examined, Task
from r1_lsp.cli.examiners import COMMAND, FILES_PER_CHILD, WAITING, examined, usual_jobs
from tests.support.process import COMMAND as R1_LSP
from tests.support.process import gone

ODD = """
import os, signal, sys, time
from pathlib import Path
from r1_lsp.cli.examine import Examined
from r1_lsp.cli.examiner import main
def look(task):
    print("noise on stdout", flush=True)
    if "segv" in task.path: os.kill(os.getpid(), signal.SIGSEGV)
    if "raise" in task.path: raise MemoryError("for " + task.path)
    if "greedy" in task.path: bytearray(16 << 30)
    if "hang" in task.path: time.sleep(100)
    if "meet" in task.path:  # until another process does, too
        folder = Path(task.path).parent
        (folder / str(os.getpid())).touch()
        while len(list(folder.iterdir())) < 2: time.sleep(0.01)
    if "large" in task.path: return Examined(path=task.path, language="python", unread="x" * 5_000_000)
    return Examined(path=task.path, language="python", digest=str(os.getpid()).encode())
main(look)
"""
ODD_COMMAND = (sys.executable, "-I", "-c", ODD)


def tasks(*paths: str) -> list[Task]:
    return [Task(path=path, language="python") for path in paths]


def run(*paths: str, jobs: int = 1, heard: Callable[[Examined], None] = lambda _: None) -> list[Examined]:
    return examined(tasks(*paths), jobs=jobs, heard=heard, command=ODD_COMMAND, file_s=6.0)


def test_answers_come_in_the_order_of_the_files_each_once() -> None:
    names = [f"{number}.py" for number in range(100)]
    heard: list[str] = []
    found = run(*names, jobs=3, heard=lambda answer: heard.append(answer.path))
    assert [answer.path for answer in found] == names
    assert sorted(heard) == sorted(names)
    assert len({answer.digest for answer in found}) <= 3


def test_files_are_looked_at_side_by_side(tmp_path: Path) -> None:
    names = [str(tmp_path / f"meet{number}.py") for number in range(2 * FILES_PER_CHILD)]
    found = examined(tasks(*names), jobs=2, command=ODD_COMMAND, file_s=60.0)
    assert not any(answer.unread for answer in found)
    assert len({answer.digest for answer in found}) == 2


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("segv.py", "was ended by SIGSEGV"),
        ("raise.py", "MemoryError: for raise.py"),
        ("hang.py", "no answer within 6 s"),
        ("greedy.py", "MemoryError"),
    ],
)
@pytest.mark.parametrize("place", [0, WAITING, 2 * WAITING])
def test_one_file_loses_its_answer(name: str, why: str, place: int) -> None:
    names = [f"{number}.py" for number in range(2 * WAITING)]
    names.insert(place, name)
    found = run(*names)
    assert [answer.path for answer in found] == names
    assert [answer.path for answer in found if answer.unread] == [name]
    assert why in found[place].unread
    assert found[place].unread.startswith(f"{name} was not looked at to the end: ")
    assert "\n" not in found[place].unread


def test_many_crashes_in_a_row_are_no_end_of_the_run() -> None:
    names = [f"segv{number}.py" for number in range(6)]
    found = run(*names, "good.py")
    assert [bool(answer.unread) for answer in found] == [True] * 6 + [False]


def test_a_large_answer_and_noise_among_answers() -> None:
    found = run("large.py", "a.py", "large.py")
    assert [len(answer.unread) for answer in found] == [5_000_000, 0, 5_000_000]


@pytest.mark.parametrize("code", ["raise SystemExit('no grammar here')", "import no_such_module"])
def test_children_that_do_not_start_end_the_run_with_their_last_words(code: str) -> None:
    with pytest.raises(Failure, match="no process could be started") as failure:
        examined(tasks("a.py"), jobs=1, command=(sys.executable, "-I", "-c", code))
    assert "no grammar here" in str(failure.value) or "no_such_module" in str(failure.value)


def test_a_missing_program_is_one_sentence() -> None:
    with pytest.raises(Failure, match="No such file"):
        examined(tasks("a.py"), jobs=1, command=("/no/such/program",))


def test_the_real_child_finds_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("def f()\n    return 1\n", "utf-8")
    [found] = examined(tasks(str(path)), jobs=1)
    assert [finding.sure for finding in found.findings] == [True]
    assert "-I" in COMMAND


def test_a_file_that_vanishes_before_it_is_read(tmp_path: Path) -> None:
    [found] = examined(tasks(str(tmp_path / "gone.py")), jobs=1)
    assert "No such file" in found.unread


def test_no_files_no_processes() -> None:
    assert examined([], jobs=4, command=("/no/such/program",)) == []
    assert usual_jobs() >= 1


def children_of(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8").split()]


@contextmanager
def interruptible() -> Iterator[None]:
    """What is started inside hears SIGINT. What a shell runs in the background ignores it, and its children too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.process
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_children_are_gone_with_the_command(how: signal.Signals, tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"{number}.py").write_text("x = [1, 2, 3]\n" * 3000, "utf-8")
    with interruptible():
        started = subprocess.Popen([R1_LSP, "check", tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    end = time.monotonic() + 60
    while not (children := children_of(started.pid)) and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.3)
    os.kill(started.pid, how)
    _, said = started.communicate(timeout=60)
    assert children
    assert all(gone(child, 60) for child in children)
    assert started.returncode == (130 if how == signal.SIGINT else -signal.SIGKILL)
    assert b"Traceback" not in said
