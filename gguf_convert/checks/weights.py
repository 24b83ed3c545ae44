"""How far the weights of a file are from those of the source it was made of.

The source's rows are made once more as the architecture lays them out, the file's are dequantised, and the error is the
root mean square of the differences relative to that of the weights: of the whole tensor, and of each range of rows,
because one wrong expert of many hardly shows in the whole. By default rows from all over a tensor are compared, always
the same ones: what a wrong conversion does to a tensor it does to nearly all of its rows.
"""

import itertools
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.models.gguf_header import Tensor
from gguf_convert.checks.findings import Finding, Tell
from gguf_convert.errors import ConversionError
from gguf_convert.rows import Rows32, RowSource
from gguf_convert.source.gguf import GgufSource
from gguf_convert.source.reader import CheckpointReader
from gguf_convert.tensors import TargetTensor

CHECK: Final = "weights"
_SAMPLE: Final = 2**19
"""Elements of a tensor that are compared, or what can be made at once if that is more."""
_RANGES: Final = 64
_AT_ONCE: Final = 2**18

USUAL: Final[Mapping[str, float]] = {
    "F32": 0.0, "F16": 2.1e-4, "BF16": 1.7e-3,
    "Q8_0": 0.0053, "Q6_K": 0.018, "Q5_K": 0.036, "Q5_1": 0.038, "Q5_0": 0.043, "Q4_K": 0.071, "Q4_1": 0.078,
    "Q4_0": 0.085, "IQ4_NL": 0.076, "IQ4_XS": 0.077, "MXFP4": 0.115, "NVFP4": 0.095,
    "Q3_K": 0.151, "IQ3_S": 0.164, "IQ3_XXS": 0.180, "Q2_K": 0.296, "Q2_0": 0.713, "IQ2_S": 0.248, "IQ2_XS": 0.299,
    "IQ2_XXS": 0.344, "TQ2_0": 0.806, "TQ1_0": 0.806, "IQ1_M": 0.448, "IQ1_S": 0.482, "Q1_0": 0.601,
}  # fmt: skip
"""The error of each type on rows of a normal distribution, measured with ggml's quantisers. Those of models lie at or a
little above it; heavy tails (Student's t with 4 degrees of freedom) raise it by a quarter, at most by two fifths.
"""
_FACTOR: Final = 3.0
_USELESS: Final = 0.98
"""With an error of 1, zeros would do as well."""
_ROUNDING: Final = 1e-6
"""What single precision itself may differ by."""


_FAINT: Final = 0.01
"""Rows with less than this part of the usual energy are measured as if they had it: those of tokens that no text has
come near zero, where blocks have no scale, and nobody misses them.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """The rows [start, stop) of a tensor, and their error."""

    start: int
    stop: int
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One tensor: `rows` of its `n_rows` were compared, and `worst` is the range of them with the greatest error; both
    errors are None when the weights are all zero, as they should be.
    """

    name: str
    type: str
    rows: int
    n_rows: int
    error: float | None
    worst: Part | None


def limit(type_name: str) -> float:
    """The largest error that a tensor of this type may have."""
    return min(_FACTOR * USUAL.get(type_name, 0.0) + _ROUNDING, _USELESS)


def check_tensors(found: Sequence[Tensor], wanted: Sequence[TargetTensor]) -> Iterator[Finding]:
    """Whether the file has the tensors that its source makes, in their shapes."""
    here = {tensor.name: tensor.shape for tensor in found}
    there = {tensor.name: tensor.shape for tensor in wanted}
    if lacking := [name for name in there if name not in here]:
        yield Finding(CHECK, f"{_named(lacking)} missing, which the source makes")
    if over := [name for name in here if name not in there]:
        yield Finding(CHECK, f"{_named(over)} not made of anything in the source")
    for name, shape in there.items():
        if name in here and here[name] != shape:
            yield Finding(CHECK, f"{name} has the shape {list(here[name])}, but {list(shape)} in the source")


def judge(compared: Compared) -> Finding | None:
    """A finding when the error of the tensor or of some of its rows is far above what the type costs."""
    error, worst, most = compared.error, compared.worst, limit(compared.type)
    usual = f"{USUAL.get(compared.type, 0.0):.2g} is usual for {compared.type}"
    if error is not None and error > most:
        text = f"{compared.name} is far from the source's weights: its error is {error:.3g}, and {usual}"
        return Finding(CHECK, text)
    if worst is not None and worst.error > most:
        rows = f"rows {worst.start} to {worst.stop - 1} of {compared.name}"
        return Finding(CHECK, f"{rows} are far from the source's: their error is {worst.error:.3g}, and {usual}")
    return None


def compare_all(
    model: GgufSource, source: CheckpointReader, targets: Sequence[TargetTensor], tell: Tell, *, all_rows: bool
) -> Iterator[Compared | Finding]:
    """Compares every tensor that both sides have in one shape. What cannot be read, on either side, is a finding."""
    here = {tensor.name: tensor for tensor in model.tensors}
    pairs = [(here[t.name], t) for t in targets if t.name in here and here[t.name].shape == t.shape]
    total = sum(target.elements for _, target in pairs)
    done = 0
    with CheckpointReader(model.checkpoint) as ours:
        for tensor, target in pairs:
            tell(f"comparing {tensor.name}", done / total)
            try:
                yield _compared(ours, source, tensor, target, all_rows=all_rows)
            except ConversionError as exc:
                yield Finding(CHECK, f"{tensor.name} cannot be compared: {exc}")
            done += target.elements


def _compared(
    ours: CheckpointReader, theirs: CheckpointReader, tensor: Tensor, target: TargetTensor, *, all_rows: bool
) -> Compared:
    measured = []
    for start, stop in _ranges(target.source, target.name, all_rows=all_rows):
        wanted = target.source.rows(theirs, start, stop)
        found = ours.rows(tensor.name, start, stop)
        measured.append(_Measured(start, stop, _squares(wanted - found), _squares(wanted)))
    rows = sum(part.stop - part.start for part in measured)
    error, energy = sum(part.error for part in measured), sum(part.energy for part in measured)
    return Compared(
        name=tensor.name,
        type=tensor.type.name,
        rows=rows,
        n_rows=target.n_rows,
        error=_relative(error, energy),
        worst=_worst(measured, _FAINT * energy / rows),
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    """Sums of squared errors and of squared weights over the rows [start, stop)."""

    start: int
    stop: int
    error: float
    energy: float


def _worst(measured: Sequence[_Measured], faint: float) -> Part | None:
    """`faint` is the least energy that a row counts for."""
    parts = []
    for part in measured:
        error = _relative(part.error, max(part.energy, faint * (part.stop - part.start)))
        if error is not None:
            parts.append(Part(part.start, part.stop, error))
    return max(parts, key=lambda part: part.error, default=None)


def _ranges(source: RowSource, name: str, *, all_rows: bool) -> Iterator[tuple[int, int]]:
    """Ranges of rows: all of them in turn, or some, one from each of equal parts of the tensor."""
    unit = source.unit
    n_units = source.n_rows // unit
    if all_rows or n_units * unit * source.row_length <= _SAMPLE:
        step = max(_AT_ONCE // source.row_length // unit, 1)
        yield from ((at * unit, min(at + step, n_units) * unit) for at in range(0, n_units, step))
        return
    wanted = max(_SAMPLE // source.row_length // unit, 1)
    n_ranges = min(wanted, _RANGES)
    length = wanted // n_ranges
    random = np.random.default_rng(zlib.crc32(name.encode()))
    edges = np.linspace(0, n_units - length, n_ranges + 1).astype(int)
    for first, last in itertools.pairwise(edges):
        start = int(random.integers(first, max(last - length, first) + 1))
        yield start * unit, (start + length) * unit


def _squares(values: Rows32) -> float:
    return float(np.square(values, dtype=np.float64).sum())


def _relative(error: float, energy: float) -> float | None:
    if energy:
        return math.sqrt(error / energy)
    return None if error == 0 else math.inf


def _named(names: list[str]) -> str:
    return f"{names[0]} is" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more are"
