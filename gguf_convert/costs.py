"""What time a conversion takes: a table for the progress bar, and a measurement of this machine for the plan."""

import math
import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from gguf_convert import ggml
from gguf_convert.plan import Plan
from gguf_convert.source.checkpoint import Checkpoint

# Million elements a second on one core of an EPYC server, with decoding; a bar needs only their ratios.
_MILLIONS: Final[Mapping[str, float]] = {
    "F32": 500, "F16": 200, "BF16": 400, "Q8_0": 150, "Q6_K": 25, "Q5_K": 11, "Q5_1": 200, "Q5_0": 200, "Q4_K": 13,
    "Q4_1": 250, "Q4_0": 250, "IQ4_NL": 4, "IQ4_XS": 4, "MXFP4": 120, "NVFP4": 30, "Q3_K": 50, "IQ3_S": 2.2,
    "IQ3_XXS": 1.7, "Q2_K": 14, "Q2_0": 150, "IQ2_S": 1.4, "IQ2_XS": 0.6, "IQ2_XXS": 0.8, "TQ2_0": 150, "TQ1_0": 150,
    "IQ1_M": 2.4, "IQ1_S": 2.6, "Q1_0": 120,
}  # fmt: skip
_SAMPLE_ROW: Final = 2048
_READ_PIECE: Final = 2**22


def usual_seconds(type_name: str) -> float:
    """Expected seconds of one core for one element of a type: good for ratios, not for forecasts."""
    return 1e-6 / _MILLIONS[type_name]


@dataclass(frozen=True, slots=True)
class Speed:
    """This machine's: seconds of one core per element of each type, bytes a second of the checkpoint's disk."""

    seconds: Mapping[str, float]
    read: float

    def forecast(self, plan: Plan, source_bytes: int, workers: int) -> float:
        """Expected seconds for the plan: reading goes on beside quantising, whichever is slower decides."""
        busy = sum(tensor.target.elements * self.seconds[tensor.type] for tensor in plan.tensors)
        return max(busy / workers, source_bytes / self.read)


def measure(plan: Plan, checkpoint: Checkpoint, seconds: float = 5.0) -> Speed:
    """Quantises and reads for about `seconds` in all, the types by their share of the work; types whose tables alone
    take longer to build are taken from the usual figures, scaled as the measured ones are.
    """
    elements: Counter[str] = Counter()
    for tensor in plan.tensors:
        elements[tensor.type] += tensor.target.elements
    shares = {name: count * usual_seconds(name) for name, count in elements.items()}
    total = sum(shares.values()) or 1.0
    measured = {
        name: _of_type(name, 0.8 * seconds * share / total)
        for name, share in shares.items()
        if not ggml.slow_to_prepare(name)
    }
    ratios = [value / usual_seconds(name) for name, value in measured.items() if shares[name] > 0.01 * total]
    scale = sum(ratios) / len(ratios) if ratios else 1.0
    all_types = {name: measured.get(name, scale * usual_seconds(name)) for name in elements}
    return Speed(all_types, _of_reading(checkpoint, 0.2 * seconds))


def _of_type(name: str, seconds: float) -> float:
    """Seconds per element; at least one piece is done."""
    rows = np.random.default_rng(0).standard_normal((16, _SAMPLE_ROW), dtype=np.float32)
    ggml.quantise(name, rows)
    began = time.perf_counter()
    done = 0
    while True:
        ggml.quantise(name, rows)
        done += rows.size
        if (spent := time.perf_counter() - began) >= seconds:
            return spent / done


def _of_reading(checkpoint: Checkpoint, seconds: float) -> float:
    """Bytes a second, from the middle of the largest file, without what the system still remembers of it. Without a
    limit when the files are not here but on a hub.
    """
    shard = max(checkpoint.shards.values(), key=lambda shard: shard.size)
    if not shard.path.exists():
        return math.inf
    began, done = time.perf_counter(), 0
    with shard.path.open("rb", buffering=0) as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        file.seek(shard.size // 2)
        while time.perf_counter() - began < seconds and (piece := file.read(_READ_PIECE)):
            done += len(piece)
    return max(done, 1) / max(time.perf_counter() - began, 1e-9)
