"""One pass from FP8 experts to Q4_K_M against llama.cpp's two: its converter to BF16, then its quantiser.

A checkpoint of DeepSeek-V3's shape, R1's own matrices with 64 experts and few layers, random weights in FP8. Both ways
run on the same files, one after the other, two workers or threads each. Memory is anonymous memory of all processes
together, disk what the output's folder takes, both looked at every 20 ms.

`python -m bench.convert [--dense N] [--layers N] [--experts N] [--keep]`; the reference (torch) is set up if missing.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from bench.report import BUILD, Report
from engine.models.gguf_header import read_header
from tests.gguf_convert.r1_shapes import R1, Entry, write_r1
from tests.reference import setup
from tests.reference.reference import run_in_our_environment, run_in_reference
from tests.reference.tokenizers import TOKENIZERS, write_tokenizer

COMMAND = Path(sys.executable).with_name("r1-gguf")
WORK = BUILD / "convert"
TYPE = "Q4_K_M"
PIECE = 2**24
VOCABULARY = 4096
"""R1's own would make a third of this checkpoint, and is converted like everything else."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: seconds, seconds of all cores, peak of anonymous memory and of the output's folder."""

    seconds: float
    cpu: float
    memory: int
    disk: int


def main() -> int:
    options = _options()
    if setup.main():
        return 1
    shutil.rmtree(WORK, ignore_errors=True)
    source = checkpoint(WORK / "source", options.dense, options.layers, options.experts)
    ours, theirs = WORK / "ours", WORK / "theirs"
    report = Report("convert")
    one_pass = watched(ours, lambda: _ours(source, ours / "m.gguf"))
    to_bf16 = watched(theirs, lambda: _convert(source, theirs / "bf16.gguf"))
    to_type = watched(theirs, lambda: _quantise(theirs / "bf16.gguf", theirs / "m.gguf"))
    _compare(ours / "m.gguf", theirs / "m.gguf")
    _rows(report, one_pass, to_bf16, to_type, (ours / "m.gguf").stat().st_size)
    size = sum(path.stat().st_size for path in source.glob("*.safetensors"))
    report.notes.append(
        f"{size / 1e9:.2f} GB of FP8, layers with {options.experts} experts of R1's shape: {options.layers}, without: "
        f"{options.dense}, to {TYPE}; two workers, two threads"
    )
    if not options.keep:
        shutil.rmtree(WORK)
    return report.finish()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.convert")
    parser.add_argument("--dense", type=int, default=1, help="layers without experts")
    parser.add_argument("--layers", type=int, default=2, help="layers with experts")
    parser.add_argument("--experts", type=int, default=64)
    parser.add_argument("--keep", action="store_true", help="leave the files in build/bench/convert")
    return parser.parse_args()


def checkpoint(folder: Path, dense: int, layers: int, experts: int) -> Path:
    """A checkpoint with random weights, its tokenizer too."""
    folder.mkdir(parents=True)
    config: dict[str, Any] = {
        **R1,
        "num_hidden_layers": dense + layers,
        "first_k_dense_replace": dense,
        "num_nextn_predict_layers": 0,
        "n_routed_experts": experts,
        "vocab_size": VOCABULARY,
    }
    write_r1(folder, config, shards=2, fill=_Weights().fill)
    write_tokenizer(TOKENIZERS["deepseek-v3"], folder)
    return folder


class _Weights:
    """Random weights, normally distributed; five standard deviations are the largest value of FP8."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        self._codes = _fp8_of_normal(self._random.standard_normal(2**16, dtype=np.float32))

    def fill(self, entry: Entry) -> Iterator[bytes]:
        _, dtype, shape = entry
        for start in range(0, prod(shape), PIECE):
            yield self._piece(dtype, min(PIECE, prod(shape) - start))

    def _piece(self, dtype: str, count: int) -> bytes:
        if dtype == "F8_E4M3":
            return self._codes[self._random.integers(0, 2**16, count, dtype=np.uint16)].tobytes()
        values = self._random.standard_normal(count, dtype=np.float32)
        if dtype == "F32":  # scales of blocks, and the router's bias
            return (np.float32(1e-4) * (1 + np.abs(values))).tobytes()
        return ((values * np.float32(0.02)).view(np.uint32) >> 16).astype(np.uint16).tobytes()


def _fp8_of_normal(values: np.ndarray) -> np.ndarray:
    """E4M3 codes of values, 448 for five standard deviations; rounded towards 0, which is random enough."""
    codes = np.arange(127, dtype=np.uint8)
    exponent, mantissa = (codes >> 3).astype(np.int32), (codes & 7).astype(np.float32)
    meant = np.where(exponent == 0, mantissa * 2.0**-9, (1 + mantissa / 8) * 2.0 ** (exponent - 7.0))
    found = np.searchsorted(meant, np.minimum(np.abs(values) * 448 / 5, 448), side="right") - 1
    return (found.astype(np.uint8) | np.where(values < 0, 128, 0).astype(np.uint8)).astype(np.uint8)


def watched(folder: Path, work: Any) -> Cost:
    """What `work`, which writes into the folder, takes with its child processes."""
    folder.mkdir(exist_ok=True)
    watch = _Watch(folder)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with watch:
        work()
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, cpu, watch.memory, watch.disk)


class _Watch:
    """Looks at memory and disk from a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.memory = self.disk = 0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.02):
            self.memory = max(self.memory, sum(map(_anonymous, _descendants(os.getpid()))))
            self.disk = max(self.disk, sum(map(_allocated, self._folder.glob("*"))))


def _descendants(pid: int) -> Iterator[int]:
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = tasks.read_text().split()
        except OSError:
            continue
        for child in map(int, children):
            yield child
            yield from _descendants(child)


def _anonymous(pid: int) -> int:
    """Bytes of anonymous memory that a process has in RAM; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon")), 0)


def _allocated(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except OSError:
        return 0


def _ours(source: Path, target: Path) -> None:
    subprocess.run([COMMAND, "convert", source, target, "--type", TYPE, "--workers", "2"], check=True)


def _convert(source: Path, target: Path) -> None:
    job = {"folder": str(source), "pre": "deepseek-v3", "targets": {"bf16": str(target)}}
    run_in_reference("llama_converter.py", [job])


def _quantise(source: Path, target: Path) -> None:
    run_in_our_environment("llama_quantiser.py", [{"source": str(source), "targets": {TYPE: str(target)}}])


def _compare(ours: Path, theirs: Path) -> None:
    """Both must have made the same: the same tensors in the same types."""
    made = [
        {tensor.name: (tensor.shape, tensor.type) for tensor in read_header(path).tensors} for path in (ours, theirs)
    ]
    assert made[0] == made[1], "the files differ in their tensors"


def _rows(report: Report, ours: Cost, to_bf16: Cost, to_type: Cost, size: int) -> None:
    theirs = to_bf16.seconds + to_type.seconds
    report.row("llama.cpp: to BF16, then quantised", f"{to_bf16.seconds:.0f} + {to_type.seconds:.0f} s", value=theirs)
    report.row("ours, one pass", f"{ours.seconds:.0f} s", value=ours.seconds)
    report.at_most("ours / llama.cpp, time", ours.seconds / theirs, 0.6)
    # On a machine that others use too, time says as much about them; what the cores worked says less about them.
    cores = f"{ours.cpu:.0f} / {to_bf16.cpu:.0f} + {to_type.cpu:.0f} s"
    report.row("the same in seconds of all cores", cores, value=ours.cpu / (to_bf16.cpu + to_type.cpu))
    report.at_most("peak anonymous memory of our processes", ours.memory / 1e6, 300, " MB")
    report.row("the same of llama.cpp's", f"{to_bf16.memory / 1e6:.0f}, {to_type.memory / 1e6:.0f} MB")
    report.at_most("our peak disk / output", ours.disk / size, 1.02)
    report.row("the same of llama.cpp's", f"{to_type.disk / size:.2f}", value=to_type.disk / size)


if __name__ == "__main__":
    sys.exit(main())
