"""`python -m bench.type_errors`: the error of each type on normally distributed weights, which the solver goes by."""

import numpy as np

from gguf_convert import ggml
from gguf_convert.solver import TYPE_ERRORS

ROW = 7168  # R1's


def error_of(type_name: str, n_rows: int = 16) -> float:
    """Mean squared error over mean square. Every column weighs the same where an importance matrix is needed."""
    rows = np.random.default_rng(0).standard_normal((n_rows, ROW), dtype=np.float32)
    importance = np.ones(ROW, dtype=np.float32) if ggml.needs_importance(type_name) else None
    back = ggml.dequantise(type_name, ggml.quantise(type_name, rows, importance), ROW)
    return float(np.square(rows - back, dtype=np.float64).sum() / np.square(rows, dtype=np.float64).sum())


def main() -> None:
    for name, expected in TYPE_ERRORS.items():
        print(f'    "{name}": {error_of(name):.3g},  # in the solver: {expected}')


if __name__ == "__main__":
    main()
