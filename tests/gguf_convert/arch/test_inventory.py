"""Every weight of a checkpoint is accounted for."""

import numpy as np
import pytest

from gguf_convert.arch.inventory import Inventory
from gguf_convert.errors import SourceError
from gguf_convert.rows import Rows32
from tests.gguf_convert.arch.listing import Shapes


class _Constant(Shapes):
    """Every element of every weight is `value`."""

    value = 0.0

    def rows(self, weight: str, start: int, stop: int) -> Rows32:
        return np.full_like(super().rows(weight, start, stop), self.value)


_SHAPES = {"a.weight": (4, 8), "a.bias": (4,), "b.bias": (4,)}


def test_biases_of_zeros_are_left_out_where_their_weight_is_used() -> None:
    inventory = Inventory(tuple(_SHAPES), _Constant(_SHAPES))
    inventory.take("a.weight", 4, 8)
    inventory.leave_zero_biases()
    with pytest.raises(SourceError, match=r"no use for: b\.bias$"):
        inventory.finish()


def test_other_biases_are_not() -> None:
    inventory = Inventory(("a.weight", "a.bias"), Shapes(_SHAPES))
    inventory.take("a.weight", 4, 8)
    inventory.leave_zero_biases()
    with pytest.raises(SourceError, match=r"no use for: a\.bias$"):
        inventory.finish()


def test_what_is_missing_is_told_together() -> None:
    inventory = Inventory((), Shapes({}))
    for expert in range(7):
        inventory.take(f"experts.{expert}.weight", 4, 8)
    with pytest.raises(SourceError, match=r"7 weights .* experts\.0\.weight, .*, experts\.3\.weight and 3 more"):
        inventory.finish()


def test_reasons_are_kept_as_they_were_first_given() -> None:
    inventory = Inventory(("model.a.x", "model.a.y", "other"), Shapes({}))
    inventory.leave(prefix="model.", suffix=".x", reason="first")
    inventory.leave(prefix="model.", reason="second")
    inventory.leave(suffix="other", reason="third")
    assert inventory.finish() == {"model.a.x": "first", "model.a.y": "second", "other": "third"}
