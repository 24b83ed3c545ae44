"""Every type is written and read back by ggml, and what would end the process is an exception before."""

import subprocess
import sys

import numpy as np
import pytest

from gguf_convert import ggml
from gguf_convert.errors import RecipeError

_SLOW_TABLES = {"IQ2_S", "IQ2_XS", "IQ2_XXS", "IQ1_M", "IQ1_S"}
"""Their quantisers build tables for seconds; one of them is enough here."""

# Relative error of normally distributed weights: (bits, error) of each type as measured; twice that would be a bug.
_ERRORS = {"F32": 0.0, "F16": 3e-4, "BF16": 2.5e-3, "Q8_0": 8e-3, "Q6_K": 0.025, "Q5_K": 0.05, "Q4_K": 0.1, "Q2_K": 0.4}


@pytest.mark.parametrize("name", [name for name in ggml.TARGET_TYPES if name not in _SLOW_TABLES - {"IQ2_XXS"}])
def test_a_type_is_written_and_read_back(name: str) -> None:
    rows = np.random.default_rng(7).standard_normal((8, 1024), dtype=np.float32)
    importance = np.full(1024, 1.0, dtype=np.float32) if ggml.needs_importance(name) else None
    data = ggml.quantise(name, rows, importance)
    assert data.nbytes == 8 * ggml.row_bytes(name, 1024)
    back = ggml.dequantise(name, data, 1024)
    error = float(np.sqrt(np.square(rows - back).sum() / np.square(rows).sum()))
    assert error <= _ERRORS.get(name, 0.95)
    assert back.shape == rows.shape


@pytest.mark.parametrize("name", ["F16", "BF16", "Q8_0", "Q4_K", "IQ4_XS"])
def test_any_cut_between_rows_gives_the_same_bytes(name: str) -> None:
    rows = np.random.default_rng(3).standard_normal((16, 512), dtype=np.float32)
    whole = ggml.quantise(name, rows)
    cut = np.concatenate([ggml.quantise(name, part) for part in (rows[:1], rows[1:9], rows[9:])])
    assert whole.tobytes() == cut.tobytes()


def test_an_importance_changes_the_bytes() -> None:
    rows = np.random.default_rng(3).standard_normal((4, 512), dtype=np.float32)
    importance = np.linspace(0, 9, 512, dtype=np.float32)
    assert ggml.quantise("Q4_K", rows, importance).tobytes() != ggml.quantise("Q4_K", rows).tobytes()


@pytest.mark.parametrize(
    ("name", "length", "importance", "sentence"),
    [
        ("Q4_K", 128, None, "rows of 128 cannot be stored as Q4_K, which takes 256 at once"),
        ("Q8_K", 256, None, "'Q8_K' is no type that can be written"),
        ("Q9_Z", 256, None, "'Q9_Z' is no type"),
        ("IQ2_XXS", 256, None, "IQ2_XXS needs an importance matrix"),
        ("Q4_K", 256, np.ones(32, np.float32), r"an importance of shape \[32\] is none for rows of 256"),
        ("Q4_K", 256, np.full(256, np.nan, np.float32), "negative or no numbers"),
        ("Q4_K", 256, np.full(256, -1, np.float32), "negative or no numbers"),
    ],
)
def test_misuse_is_a_sentence(name: str, length: int, importance: ggml.Floats | None, sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        ggml.quantise(name, np.zeros((2, length), np.float32), importance)


def test_a_torn_row_is_not_read() -> None:
    with pytest.raises(RecipeError, match="35 bytes are no whole rows of 32 elements in Q8_0"):
        ggml.dequantise("Q8_0", np.zeros(35, np.uint8), 32)


def test_llama_cpp_itself_stays_out_of_the_process() -> None:
    code = "import sys; from gguf_convert import ggml; ggml.prepare('Q4_K'); print('llama_cpp' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
