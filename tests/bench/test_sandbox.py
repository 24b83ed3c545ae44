"""Generated programs compute, and do nothing else."""

from pathlib import Path

import pytest

from bench import sandbox

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sandbox.refusal() is not None, reason=str(sandbox.refusal())),
]


@pytest.mark.parametrize(
    "program",
    [
        "x = 1",
        "import hashlib, re, math, collections, random",
        "print('é' * 100_000)",
        "open(__import__('os').__file__)",
    ],
)
def test_a_program_may_compute_and_read(program: str) -> None:
    assert sandbox.passes(program)


@pytest.mark.parametrize(
    "program",
    [
        "assert False",
        "x =",
        "raise SystemExit(0)",
        "import os; os._exit(0)",
        "while True: pass",
        "x = bytearray(1 << 33)",
        "def f(): return f()\nf()",
        "import socket; socket.socket()",
        "import os; os.fork()",
        "import subprocess; subprocess.run(['true'])",
        "import threading; threading.Thread(target=print).start()",
        "import os; os.kill(os.getpid(), 0)",
    ],
)
def test_a_program_that_fails_or_does_more_does_not_pass(program: str) -> None:
    assert not sandbox.passes(program)


@pytest.mark.parametrize(
    "harm",
    ["open({0!r}, 'a')", "import os; os.unlink({0!r})", "import os; os.rename({0!r}, 'x')", "import os; os.mkdir('x')"],
)
def test_no_file_is_changed(harm: str, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("as it was", encoding="utf-8")
    assert not sandbox.passes(harm.format(str(kept)))
    assert kept.read_text(encoding="utf-8") == "as it was"
    assert [kept] == list(tmp_path.iterdir())
