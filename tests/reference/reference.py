"""Runs the programs of the reference: llama.cpp's converter and quantiser, each in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.reference.checkpoints import CHECKPOINTS, write_checkpoint
from tests.reference.digests import Digests, checkpoint_digest, shortened
from tests.reference.gguf_file import read_gguf
from tests.reference.setup import PYTHON
from tests.reference.tokenizers import TOKENIZERS

HERE = Path(__file__).resolve().parent

CONVERTED = ("F32", "F16", "BF16", "Q8_0")
"""What llama.cpp's converter writes itself."""

QUANTISED = (
    *("Q4_0", "Q4_1", "Q5_0", "Q5_1"),
    *("Q2_K", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K"),
    *("IQ4_NL", "IQ4_XS", "IQ3_S", "IQ3_M"),
)
"""What its quantiser makes of the F32 file without a matrix of importance."""

VARIANTS = frozenset({"tiny-v2-lite-yarn", "tiny-qwen3-yarn", "tiny-qwen3-yarn-factor"})
"""They differ from others in their metadata alone; one file of each is enough."""


def kinds_of(name: str) -> tuple[str, ...]:
    """Which kinds of file are made of a checkpoint."""
    return ("F32",) if name in VARIANTS else CONVERTED + QUANTISED


def llama_files(name: str, work: Path) -> dict[str, Path]:
    """All files that llama.cpp makes of the checkpoint, by their kinds."""
    folder = write_checkpoint(CHECKPOINTS[name], work)
    files = {kind: work / f"{name}-{kind}.gguf" for kind in kinds_of(name)}
    pre = TOKENIZERS[CHECKPOINTS[name].tokenizer].pre
    convert = {kind.lower(): str(path) for kind, path in files.items() if kind in CONVERTED}
    run_in_reference("llama_converter.py", [{"folder": str(folder), "pre": pre, "targets": convert}])
    quantise = {kind: str(path) for kind, path in files.items() if kind not in CONVERTED}
    run_in_our_environment("llama_quantiser.py", [{"source": str(files["F32"]), "targets": quantise}])
    return files


def llama_digests(name: str, work: Path) -> Digests:
    """What `load_digests` should say of this checkpoint."""
    files = {kind: shortened(read_gguf(path)) for kind, path in llama_files(name, work).items()}
    return Digests(checkpoint_digest(work / name), files)


def run_in_reference(program: str, jobs: Sequence[Any]) -> None:
    """Runs a program of this folder where torch and transformers are, with the jobs on stdin."""
    _run(PYTHON, program, jobs)


def run_in_our_environment(program: str, jobs: Sequence[Any]) -> None:
    """The same where our llama.cpp is, in a process of its own."""
    _run(Path(sys.executable), program, jobs)


def _run(python: Path, program: str, jobs: Sequence[Any]) -> None:
    """What the program printed is shown when it fails."""
    done = subprocess.run(
        [python, "-I", HERE / program],
        input=json.dumps(jobs),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, f"{program} ended with {done.returncode}:\n{done.stdout[-4000:]}"
