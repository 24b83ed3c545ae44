"""Tiny checkpoints and what becomes of them: golden cases in tests/cases/arch."""

import json

import pytest

from gguf_convert.arch.architecture import Choices
from tests.gguf_convert.arch.listing import layout_of, listing, weights_of
from tests.support.cases import Case, case_id, cases

_CASES = cases("arch")


@pytest.mark.parametrize("case", _CASES, ids=case_id)
def test_layout(case: Case) -> None:
    config, weights = json.loads(case["config.json"]), weights_of(case["weights"])
    case.check("want", listing(config, weights, _choices(case)))


@pytest.mark.parametrize("case", [case for case in _CASES if "Error:" not in case["want"]], ids=case_id)
def test_every_tensor_is_made_of_weights_that_are_there(case: Case) -> None:
    config, weights = json.loads(case["config.json"]), weights_of(case["weights"])
    layout = layout_of(config, weights, _choices(case))
    used = {name for tensor in layout.tensors for name in tensor.source.weights}
    assert used.isdisjoint(layout.unused)
    assert used | set(layout.unused) == set(weights)
    for tensor in layout.tensors:
        assert (tensor.source.row_length, tensor.source.n_rows) == (tensor.row_length, tensor.n_rows), tensor.name
        assert len(tensor.name) < 64, "GGML_MAX_NAME"
    assert len({field.key for field in layout.fields}) == len(layout.fields)


def _choices(case: Case) -> Choices:
    return Choices(mtp=case.get("mtp", "drop").strip())
