"""llama.cpp's mixes give each tensor of the tiny checkpoints the type that its quantiser gives it."""

from pathlib import Path

import pytest

from gguf_convert.arch.architecture import Choices
from gguf_convert.arch.table import architecture_of
from gguf_convert.facts import facts_of
from gguf_convert.recipe import assign, load_recipe
from gguf_convert.source.checkpoint import open_checkpoint
from gguf_convert.source.reader import CheckpointReader, logical_weights
from tests.reference.checkpoints import CHECKPOINTS, write_checkpoint
from tests.reference.digests import load_digests


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_mixes_are_those_of_llama_cpp(name: str, tmp_path: Path) -> None:
    checkpoint = open_checkpoint(write_checkpoint(CHECKPOINTS[name], tmp_path))
    with CheckpointReader(checkpoint) as reader:
        architecture = architecture_of(checkpoint.config)
        layout = architecture.layout(checkpoint.config, logical_weights(checkpoint), reader, Choices())
    facts = facts_of({field.key: field.value for field in layout.fields})
    for kind, made in load_digests(name).files.items():
        types = assign(load_recipe(kind), layout.tensors, facts, ())
        ours = {tensor.name: tensor.pinned or types[tensor.name] for tensor in layout.tensors}
        assert ours == {name: tensor.type for name, tensor in made.tensors.items()}, kind
