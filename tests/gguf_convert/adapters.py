"""LoRA adapters as PEFT saves them, made with numpy alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gguf_convert.source.checkpoint import Checkpoint, shard_at
from gguf_convert.source.reader import CheckpointReader
from gguf_convert.source.safetensors import read_safetensors
from tests.gguf_convert.checkpoints import write_safetensors

Shape = tuple[int, int]


def write_adapter(
    folder: Path, modules: Mapping[str, Shape], *, rank: int = 4, strength: float = 0.5, **config: Any
) -> Path:
    """An adapter for modules of these shapes ([out, in]); `config` adds to adapter_config.json. Ranks of single modules
    are taken from its `rank_pattern`.
    """
    folder.mkdir(exist_ok=True)
    said = {"peft_type": "LORA", "r": rank, "lora_alpha": 8, "bias": "none", "target_modules": [], **config}
    (folder / "adapter_config.json").write_text(json.dumps(said))
    random = np.random.default_rng(5)
    tensors: dict[str, np.ndarray] = {}
    for module, shape in modules.items():
        of_module = said.get("rank_pattern", {}).get(module, rank)
        kind = "embedding_" if module.endswith("embed_tokens") else ""
        n_out, n_in = reversed(shape) if kind else shape
        end = "" if kind else ".weight"
        down = random.standard_normal((of_module, n_in), dtype=np.float32) / np.float32(np.sqrt(n_in))
        up = random.standard_normal((n_out, of_module), dtype=np.float32) * np.float32(strength)
        tensors[f"base_model.model.{module}.lora_{kind}A{end}"] = down
        tensors[f"base_model.model.{module}.lora_{kind}B{end}"] = up
    write_safetensors(folder / "adapter_model.safetensors", tensors)
    return folder


def product(folder: Path, module: str) -> np.ndarray:
    """B A of a module, in double precision."""
    path = folder / "adapter_model.safetensors"
    held = {tensor.name: tensor for tensor in read_safetensors(path)}
    alone = Checkpoint(folder=folder, config={}, tensors=held, shards={path.name: shard_at(path)})
    with CheckpointReader(alone) as reader:
        names = [f"base_model.model.{module}.lora_{side}.weight" for side in "BA"]
        up, down = (reader.rows(name, 0, held[name].shape[0]).astype(np.float64) for name in names)
    made: np.ndarray = up @ down
    return made
