"""What reading one file costs a process of its own."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_MEASURE = """
import importlib, sys, time
from pathlib import Path
reader, refusal = (getattr(importlib.import_module(m), n) for m, _, n in (w.rpartition(".") for w in sys.argv[2:]))
begin = time.process_time()
try:
    reader(Path(sys.argv[1]))
except refusal as exc:
    print(exc, file=sys.stderr)
seconds = time.process_time() - begin
status = Path("/proc/self/status").read_text()
print(seconds, status.partition("VmHWM:")[2].split()[0])
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor time, the largest resident memory in KiB, and the sentence of a refusal."""

    seconds: float
    kib: float
    refusal: str


def cost_of_reading(path: Path, reader: str, refusal: str) -> Cost:
    """`reader` and `refusal` are full names of the function to call with the path, and of the error it may raise."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _MEASURE, str(path), reader, refusal],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    seconds, kib = map(float, done.stdout.split())
    return Cost(seconds, kib, done.stderr.strip())
