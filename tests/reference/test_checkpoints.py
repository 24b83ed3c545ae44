"""The tiny checkpoints are the same bits on every machine: those that the digests were made from."""

from pathlib import Path

import numpy as np
import pytest

from tests.reference.bits import bell, bf16, fp8_blocks
from tests.reference.checkpoints import CHECKPOINTS, write_checkpoint
from tests.reference.digests import HOME, checkpoint_digest, load_digests


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_is_the_one_the_digests_were_made_from(name: str, tmp_path: Path) -> None:
    folder = write_checkpoint(CHECKPOINTS[name], tmp_path)
    assert checkpoint_digest(folder) == load_digests(name).source


def test_every_checkpoint_has_digests_and_none_is_left_over() -> None:
    assert {path.stem for path in HOME.glob("*.json")} == set(CHECKPOINTS)


def test_the_values_are_spread_like_a_bell() -> None:
    values = bell("any name", (400, 500))
    assert abs(float(values.mean())) < 0.01
    assert abs(float(values.std()) - 1) < 0.01
    assert not np.array_equal(values, bell("another name", (400, 500)))


def test_bf16_rounds_to_the_nearest_and_ties_to_even() -> None:
    words = np.array([0x3F808000, 0x3F818000, 0x3F808001, 0x3F807FFF], dtype="<u4")
    assert bf16(words.view("<f4")).tolist() == [0x3F80, 0x3F82, 0x3F81, 0x3F80]


def test_fp8_blocks_keep_the_largest_value_of_each_block_and_end_at_the_edges() -> None:
    values = bell("blocks", (130, 300))
    codes, scales = fp8_blocks(values)
    assert scales.shape == (2, 3)
    assert codes.shape == values.shape
    assert not ((codes & 0x7F) == 0x7F).any()
    for i, j in np.ndindex(2, 3):
        block = codes[i * 128 : (i + 1) * 128, j * 128 : (j + 1) * 128]
        assert (block & 0x7F).max() == 0x7E
