"""How fast `r1-lsp check` goes through 1,000 files, against tree-sitter's bare parse of the same texts.

Processor time on both sides, the command's with all its processes. `python -m bench.check [rounds]`.
"""

import resource
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from statistics import median

import tree_sitter
import tree_sitter_python

from bench.report import Report

COMMAND = Path(sys.executable).with_name("r1-lsp")
STDLIB = Path(sysconfig.get_path("stdlib"))
N_FILES = 1000
MAX_BYTES = 1_000_000
ROUNDS = 5


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    report = Report("check")
    with tempfile.TemporaryDirectory() as name:
        texts = _gather(Path(name))
        megabytes = sum(map(len, texts)) / 1e6
        one = Path(name, "0.py")
        bare, whole, small = [], [], []
        for _ in range(rounds):
            bare.append(_bare(texts))
            whole.append(_command(Path(name)))
            small.append(_command(one))
    started = median(whole) - median(small)
    report.row("bare parse", f"{megabytes / median(bare):.1f} MB/s", value=megabytes / median(bare))
    report.row("`check`, its start included", f"{megabytes / median(whole):.1f} MB/s", value=megabytes / median(whole))
    report.row("`check` of one file", f"{median(small):.2f} s", value=median(small))
    report.at_least("`check` / bare parse, per core", median(bare) / median(whole), 0.6)
    report.row("the same once it has started", f"{median(bare) / started:.2f}", value=median(bare) / started)
    report.notes.append(f"medians of {rounds} interleaved rounds; {len(texts)} files of the standard library")
    return report.finish()


def _gather(folder: Path) -> list[bytes]:
    """Copies sound files of the standard library into a folder; returns their texts."""
    texts: list[bytes] = []
    for path in sorted(STDLIB.rglob("*.py")):
        inside = path.relative_to(STDLIB).parts
        if len(texts) < N_FILES and "site-packages" not in inside and 0 < path.stat().st_size < MAX_BYTES:
            shutil.copyfile(path, folder / f"{len(texts)}.py")
            texts.append(path.read_bytes())
    return texts


def _bare(texts: list[bytes]) -> float:
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))
    started = time.process_time()
    for text in texts:
        parser.parse(text)
    return time.process_time() - started


def _command(path: Path) -> float:
    """Seconds of processor time of a `check` with all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([COMMAND, "check", "--jobs", "1", path], stdout=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
