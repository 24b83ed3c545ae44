"""Scales that are no finite numbers, and the usual errors of the types: beside ggml itself."""

import json
import subprocess
import sys

import numpy as np
import pytest

from engine.models.gguf_header import TENSOR_TYPES
from gguf_convert import ggml
from gguf_convert.checks.blocks import first_unsound
from gguf_convert.checks.weights import USUAL, limit

# Asks ggml about blocks, in a process of its own: it also writes about each on stderr.
_ASK = """
import ctypes, json, sys
library = ctypes.CDLL(sys.argv[1])
library.ggml_validate_row_data.restype = ctypes.c_bool
library.ggml_validate_row_data.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t]
asked = [(number, bytes.fromhex(block)) for number, block in json.load(sys.stdin)]
print(json.dumps([library.ggml_validate_row_data(number, block, len(block)) for number, block in asked]))
"""


def blocks_of(size: int) -> list[bytes]:
    """Blocks with the high byte of an exponent, or a few bits less, at every place in turn; and random ones."""
    made = []
    for place in range(size):
        for value in (0x7C, 0x7F, 0xFC, 0xFF, 0x70, 0xC0):
            for width in (1, 2, 4):
                block = bytearray(size)
                block[max(place - width + 1, 0) : place + 1] = bytes([value]) * min(width, place + 1)
                made.append(bytes(block))
    random = np.random.default_rng(size)
    return made + [random.choice([0, 0x7C, 0x80, 0xFF], size).astype(np.uint8).tobytes() for _ in range(50)]


@pytest.mark.process
def test_the_verdict_is_ggmls_own() -> None:
    # ggml never stores Q8_1, and rounds F64 to single precision first.
    known = {number: kind for number, kind in TENSOR_TYPES.items() if kind.name not in {"Q8_1", "F64"}}
    asked = [(number, block) for number, kind in known.items() for block in blocks_of(kind.size)]
    job = json.dumps([(number, block.hex()) for number, block in asked])
    process = subprocess.run(
        [sys.executable, "-I", "-c", _ASK, ggml._library_path()], input=job, capture_output=True, text=True, check=True
    )
    wanted = json.loads(process.stdout)
    assert 1000 < wanted.count(False) < len(wanted) - 1000
    for (number, block), sound in zip(asked, wanted, strict=True):
        kind = TENSOR_TYPES[number]
        assert (first_unsound(kind, np.frombuffer(block, np.uint8)) is None) == sound, f"{kind.name} {block.hex()}"


def test_the_first_unsound_block_is_told() -> None:
    kind = TENSOR_TYPES[ggml.TYPE_NUMBERS["Q4_K"]]
    data = np.zeros(5 * kind.size, np.uint8)
    assert first_unsound(kind, data) is None
    data[3 * kind.size + 1] = data[4 * kind.size + 3] = 0x7C
    assert first_unsound(kind, data) == 3
    assert first_unsound(kind, data[:0]) is None


@pytest.mark.parametrize("name", [name for name in USUAL if not ggml.slow_to_prepare(name)])
def test_the_usual_error_is_that_of_normal_rows(name: str) -> None:
    rows = np.random.default_rng(5).standard_normal((48, 2048), dtype=np.float32)
    back = ggml.dequantise(name, ggml.quantise(name, rows), 2048)
    error = float(np.sqrt(np.square(back - rows).sum() / np.square(rows).sum()))
    assert error == pytest.approx(USUAL[name], rel=0.05)
    assert error < limit(name) < 1


def test_every_type_that_can_be_written_has_a_usual_error() -> None:
    assert set(USUAL) == set(ggml.TARGET_TYPES)
