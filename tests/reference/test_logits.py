"""A file that we made says what the model says in transformers: the same distribution of the next token everywhere."""

from pathlib import Path

import numpy as np
import pytest

from tests.reference.checkpoints import CHECKPOINTS, write_checkpoint
from tests.reference.logits import LARGEST_DIVERGENCE, PLACES, Floats, divergence, job, read_logits
from tests.reference.ours import our_file
from tests.reference.reference import run_in_our_environment, run_in_reference

pytestmark = [pytest.mark.reference, pytest.mark.process, pytest.mark.timeout(600)]

NEAR_TIE = 1e-3
"""Where the two likeliest tokens are nearer than this, in logits, rounding may swap them."""


@pytest.fixture(scope="module")
def logits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Floats, Floats]]:
    """By transformers and by llama.cpp, of each checkpoint; one process of each kind, for what they import is large."""
    work = tmp_path_factory.mktemp("logits")
    folders = {name: write_checkpoint(checkpoint, work) for name, checkpoint in CHECKPOINTS.items()}
    files = {name: our_file(folder, work / f"{name}.gguf", "F32") for name, folder in folders.items()}
    theirs = {name: work / f"{name}-transformers.npy" for name in folders}
    ours = {name: work / f"{name}-llama.npy" for name in folders}
    run_in_reference("hf_logits.py", [job("folder", folders[name], theirs[name]) for name in folders])
    run_in_our_environment("llama_logits.py", [job("file", files[name], ours[name]) for name in files])
    return {name: (read_logits(theirs[name]), read_logits(ours[name])) for name in folders}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_logits_are_those_of_transformers(name: str, logits: dict[str, tuple[Floats, Floats]]) -> None:
    theirs, ours = logits[name]
    assert theirs.shape == ours.shape == (PLACES, CHECKPOINTS[name].config["vocab_size"])
    assert divergence(theirs, ours).mean() <= LARGEST_DIVERGENCE
    swapped = theirs.argmax(axis=1) != ours.argmax(axis=1)
    assert lead(theirs)[swapped].max(initial=0.0) <= NEAR_TIE


@pytest.mark.parametrize("mtp", ["keep", "separate"])
def test_the_layer_of_multi_token_prediction_says_what_it_was_trained_to(mtp: str, tmp_path: Path) -> None:
    folder = write_checkpoint(CHECKPOINTS["tiny-v3-mtp"], tmp_path)
    model = our_file(folder, tmp_path / "model.gguf", "F32")
    draft = our_file(folder, tmp_path / "draft.gguf", "F32", "--mtp", mtp)
    theirs, ours, target = tmp_path / "theirs.npy", tmp_path / "ours.npy", tmp_path / "model.npy"
    run_in_reference("hf_logits.py", [job("folder", folder, target) | {"draft": str(theirs)}])
    run_in_our_environment("llama_draft.py", [job("file", model, ours) | {"draft": str(draft)}])
    assert read_logits(theirs).shape == read_logits(ours).shape == (PLACES - 1, 512)
    assert divergence(read_logits(theirs), read_logits(ours)).mean() <= LARGEST_DIVERGENCE


def lead(logits: Floats) -> Floats:
    """By how much the likeliest token leads at each place."""
    best = np.sort(logits, axis=1)
    result: Floats = best[:, -1] - best[:, -2]
    return result
