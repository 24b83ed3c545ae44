"""Stored bytes as float32: 16-bit floats, FP8 with scales of blocks, GPTQ's packed integers, ggml's blocks. Pure
functions.

They give, bit for bit, what PyTorch gives for the same expression in float32.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gguf_convert import ggml
from gguf_convert.rows import Rows32

Bytes = NDArray[np.uint8]

# How many bytes are looked up at once: numpy widens each index to eight bytes, and this many fit the cache.
_LOOKED_UP = 2**14


def _e4m3_values() -> Rows32:
    """What each byte means: 1 sign bit, 4 exponent bits (bias 7), 3 mantissa bits; 0x7F and 0xFF are no numbers, and
    there are no infinities ("FP8 Formats for Deep Learning", arXiv 2209.05433, table 1).
    """
    byte = np.arange(256)
    sign = np.where(byte & 0x80, -1.0, 1.0)
    exponent, mantissa = (byte >> 3) & 15, byte & 7
    value = np.where(exponent == 0, sign * mantissa * 2.0**-9, sign * (1 + mantissa / 8) * 2.0 ** (exponent - 7.0))
    value[(byte & 0x7F) == 0x7F] = np.nan
    return value.astype(np.float32)


E4M3: Final = _e4m3_values()


def from_e4m3(raw: Bytes) -> Rows32:
    """The values of FP8 bytes (e4m3fn), without any scale."""
    out = np.empty(raw.size, np.float32)
    flat = raw.reshape(-1)
    for start in range(0, flat.size, _LOOKED_UP):
        piece = slice(start, start + _LOOKED_UP)
        np.take(E4M3, flat[piece], out=out[piece], mode="clip")
    return out


def from_bf16(raw: Bytes) -> Rows32:
    """bfloat16 is the upper half of a float32."""
    wide: NDArray[np.uint32] = np.left_shift(raw.view("<u2"), 16, dtype=np.uint32)
    return wide.view(np.float32)


def from_f32(raw: Bytes) -> Rows32:
    return raw.view("<f4").astype(np.float32, copy=False)


def _as(dtype: str) -> Callable[[Bytes], Rows32]:
    return lambda raw: raw.view(dtype).astype(np.float32)


def _of_ggml(name: str, block: int) -> Callable[[Bytes], Rows32]:
    return lambda raw: ggml.dequantise(name, raw, block).reshape(-1)


# What each type's bytes become. F8_E8M0 (scales alone) and F8_E5M2 are read by no architecture of ours.
DECODERS: Final[Mapping[str, Callable[[Bytes], Rows32]]] = {
    "F32": from_f32,
    "BF16": from_bf16,
    "F16": _as("<f2"),
    "F64": _as("<f8"),
    "F8_E4M3": from_e4m3,
    "I8": _as("i1"),
    "U8": _as("u1"),
    "BOOL": _as("u1"),
    "I16": _as("<i2"),
    "U16": _as("<u2"),
    "I32": _as("<i4"),
    "U32": _as("<u4"),
    "I64": _as("<i8"),
    "U64": _as("<u8"),
    # A GGUF file's own types; a safetensors file cannot name them.
    **{name: _of_ggml(name, block) for name in ggml.TARGET_TYPES if (block := ggml.target_type(name).block) > 1},
}


def scale_blocks(rows: Rows32, scales: Rows32, block: tuple[int, int], first: int) -> None:
    """Multiplies in place rows [first, first + len(rows)) of a matrix by the scales of its blocks.

    `scales` are those of the bands of blocks that these rows touch, the first being that of row `first`. The last band
    and the last block of a band may be ragged.
    """
    height, width = block
    columns = rows.shape[1]
    start = 0
    for band in scales:
        stop = min((first + start) // height * height + height - first, len(rows))
        rows[start:stop] *= np.repeat(band, width)[:columns]
        start = stop


def unpack(raw: Bytes, bits: int) -> Bytes:
    """The integers of 4 or 8 bits in 32-bit words, the lowest first: `raw` [..., 4] holds the bytes of each word, the
    result [..., 32 / bits] its integers.
    """
    if bits == 8:
        return raw
    return np.stack((raw & 15, raw >> 4), axis=-1).reshape(*raw.shape[:-1], 8)


def from_gptq(levels: Bytes, zeros: Bytes, scales: Rows32, groups: NDArray[np.int32], shift: int) -> Rows32:
    """Rows of a GPTQ matrix as the model sees it, [out, in].

    `levels` [words, out, 32 / bits] are the stored integers, words following each other along the inputs; `zeros` and
    `scales` [group, out] are those of each group of inputs, `groups` [in] says which group an input is of. `shift` is 1
    in the first format, which stores zero points less one (https://github.com/AutoGPTQ/AutoGPTQ/pull/640), and 0 in the
    second.
    """
    n_words, n_out, per_word = levels.shape
    out = levels.transpose(1, 0, 2).reshape(n_out, n_words * per_word).astype(np.float32)
    out -= np.take(zeros.T.astype(np.float32, order="C") + shift, groups, axis=1)
    out *= np.take(np.ascontiguousarray(scales.T), groups, axis=1)
    return out
