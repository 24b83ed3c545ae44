"""Pseudo-random weights that are the same bits everywhere, and the storage types of checkpoints, in numpy alone.

numpy keeps the raw words of its bit generators the same for ever, but not the distributions it makes of them; so the
bell curve here is made of the words themselves, with exact arithmetic.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

BLOCK = 128
"""Rows and columns of FP8 weights that share one scale (DeepSeek-V3, arXiv 2412.19437, section 3.3)."""

_LARGEST = 448.0
"""The largest number of FP8 e4m3."""


def bell(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Values with mean 0 and standard deviation 1, nearly normal: sums of four uniform ones. `name` is the seed."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little")
    count = int(np.prod(shape))
    words = np.random.Philox(key=key).random_raw(count)
    pieces = words.astype("<u8").view("<u2").reshape(count, 4).astype(np.int64)
    centred = (2 * pieces.sum(axis=1) - 4 * 65535).astype(np.float64)  # exact: below 2**19
    return (centred / 75674.0).astype(np.float32).reshape(shape)  # 2 * sqrt(4 / 12) * 65536


def bf16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """The upper halves of the floats, rounded to nearest, ties to even."""
    words = values.astype("<f4").view("<u4")
    rounded: NDArray[np.uint16] = ((words + 0x7FFF + ((words >> 16) & 1)) >> 16).astype("<u2")
    return rounded


def fp8_blocks(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A matrix as FP8 e4m3 and the scale of each block of 128 x 128; blocks at the edges are smaller."""
    rows, columns = values.shape
    grid = (-(-rows // BLOCK), -(-columns // BLOCK))
    scales = np.empty(grid, dtype="<f4")
    codes = np.empty(values.shape, dtype=np.uint8)
    for i, j in np.ndindex(grid):
        place = np.s_[i * BLOCK : (i + 1) * BLOCK, j * BLOCK : (j + 1) * BLOCK]
        scales[i, j] = np.abs(values[place]).max() / np.float32(_LARGEST)
        codes[place] = _e4m3(values[place] / scales[i, j])
    return codes, scales


def _e4m3(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The nearest code of each value; of two equally near ones the smaller in size."""
    table = _e4m3_table()
    between = (table[1:] + table[:-1]) / 2
    codes = np.searchsorted(between, np.abs(values)).astype(np.uint8)
    signs: NDArray[np.uint8] = codes | (np.signbit(values).astype(np.uint8) << 7)
    return signs


def _e4m3_table() -> NDArray[np.float32]:
    """What the codes 0 to 126 mean (127 is not a number): 4 bits of exponent with bias 7, 3 bits of fraction."""
    codes = np.arange(127)
    exponent, fraction = codes >> 3, codes & 7
    small, large = fraction * 2.0**-9, (8 + fraction) * 2.0 ** (exponent - 10.0)
    return np.where(exponent == 0, small, large).astype(np.float32)
