"""Scales of ggml's blocks that are no finite numbers: one of them spoils every number that it is multiplied with.

The same answers as ggml's `ggml_validate_row_data`, which llama.cpp asks with `--check-tensors`. Layouts of the blocks:
ggml-common.h.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.models.gguf_header import TensorType

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Scales:
    """Where in a block its scales lie, how they are read, and the bits that are all set when one is not finite."""

    dtype: str
    offsets: tuple[int, ...]
    exponent: int


def _halves(*offsets: int) -> _Scales:
    return _Scales("<u2", offsets, 0x7C00)


_SINGLE: Final = _Scales("<u4", (0,), 0x7F800000)
_SCALES: Final[Mapping[str, _Scales]] = {
    "F64": _Scales("<u8", (0,), 0x7FF0000000000000),
    "F32": _SINGLE,
    "F16": _halves(0),
    "BF16": _Scales("<u2", (0,), 0x7F80),
    "Q8_K": _SINGLE,
    "Q8_1": _halves(0, 2),
    "Q8_0": _halves(0),
    "Q6_K": _halves(208),
    "Q5_K": _halves(0, 2),
    "Q5_1": _halves(0, 2),
    "Q5_0": _halves(0),
    "Q4_K": _halves(0, 2),
    "Q4_1": _halves(0, 2),
    "Q4_0": _halves(0),
    "IQ4_NL": _halves(0),
    "IQ4_XS": _halves(0),
    "MXFP4": _Scales("u1", (0,), 0xFF),
    "Q3_K": _halves(108),
    "IQ3_S": _halves(0),
    "IQ3_XXS": _halves(0),
    "Q2_K": _halves(80, 82),
    "Q2_0": _halves(0),
    "IQ2_S": _halves(0),
    "IQ2_XS": _halves(0),
    "IQ2_XXS": _halves(0),
    "TQ2_0": _halves(64),
    "TQ1_0": _halves(52),
    # Four bits of its one scale lie in each of four words: these are the exponent's, in the last two.
    "IQ1_M": _Scales("<u4", (52,), 0x7000C000),
    "IQ1_S": _halves(0),
    "Q1_0": _halves(0),
}
"""What is missing here (integers, NVFP4) has a meaning for every byte."""


def first_unsound(kind: TensorType, data: Bytes) -> int | None:
    """The number of the first block in `data`, whole blocks of a type, that has a scale which is no finite number."""
    scales = _SCALES.get(kind.name)
    if scales is None:
        return None
    blocks = data.reshape(-1, kind.size)
    width = np.dtype(scales.dtype).itemsize
    wrong = np.zeros(len(blocks), dtype=np.bool_)
    for offset in scales.offsets:
        words = np.ascontiguousarray(blocks[:, offset : offset + width]).view(scales.dtype)[:, 0]
        wrong |= (words & scales.exponent) == scales.exponent
    found = int(wrong.argmax()) if len(wrong) else 0
    return found if len(wrong) and wrong[found] else None
