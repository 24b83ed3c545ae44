"""Factors of stretched rotary positions, against the formulae in double precision."""

import json
from math import pi

import pytest

from gguf_convert.arch.llama import LlamaConfig
from gguf_convert.arch.rope import llama3_factors, yarn_magnitude
from tests.gguf_convert.arch.listing import layout_of, weights_of
from tests.support.cases import cases

_LLAMA3 = next(case for case in cases("arch") if case.path.stem == "llama3")


@pytest.mark.parametrize(("base", "head_dim", "factor"), [(500000.0, 128, 8.0), (500000.0, 64, 32.0), (1e4, 8, 2.0)])
def test_llama3_factors(base: float, head_dim: int, factor: float) -> None:
    config = LlamaConfig.model_validate(
        json.loads(_LLAMA3["config.json"])
        | {"rope_theta": base, "head_dim": head_dim}
        | {"rope_scaling": {"rope_type": "llama3", "factor": factor, "original_max_position_embeddings": 8192}}
    )
    values = llama3_factors(config, head_dim).values
    assert values == pytest.approx([_factor(base, i, head_dim, factor) for i in range(0, head_dim, 2)], rel=2e-6)
    assert values[0] == 1.0, "the fastest frequency stays"


def _factor(base: float, i: int, dim: int, factor: float) -> float:
    """transformers, modeling_rope_utils.py, _compute_llama3_parameters, as a divisor."""
    wavelength = 2 * pi * base ** (i / dim)
    if wavelength < 8192 / 4:
        return 1.0
    if wavelength > 8192:
        return factor
    smooth = (8192 / wavelength - 1) / (4 - 1)
    return 1 / ((1 - smooth) / factor + smooth)


def test_rope_freqs_are_a_tensor_of_the_file() -> None:
    layout = layout_of(json.loads(_LLAMA3["config.json"]), weights_of(_LLAMA3["weights"]))
    [tensor] = [tensor for tensor in layout.tensors if tensor.name == "rope_freqs.weight"]
    assert tensor.shape == (8,)
    assert tensor.pinned == "F32"


def test_yarn_magnitude() -> None:
    assert yarn_magnitude(4.0) == pytest.approx(1.1386294361119891)
    assert yarn_magnitude(0.5) == 1.0
