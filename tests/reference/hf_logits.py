"""Logits of a checkpoint by transformers in single precision; a program of the reference environment.

On stdin a JSON list of jobs: {"folder": checkpoint, "ids": token ids, "target": file for the logits as .npy}.

Weights are put into the model one by one, strictly: each of the model's is there and each of the file's is used. FP8
weights are expanded here, by PyTorch's own conversion, and the layer of multi-token prediction is left out, as
transformers does.
"""

import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel

BLOCK = 128
LAYER = re.compile(r"model\.layers\.(\d+)\.")


def main() -> None:
    for job in json.load(sys.stdin):
        model = load(Path(job["folder"]))
        with torch.inference_mode():
            logits = model(torch.tensor([job["ids"]])).logits[0]
        np.save(job["target"], logits.numpy())


def load(folder: Path) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(folder)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
    weights = {name: weight for name, weight in floats(folder).items() if is_used(name, config)}
    if config.tie_word_embeddings:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    model.load_state_dict(weights, strict=True)
    if config.model_type == "deepseek_v2" and config.rope_scaling:
        magnify_scores(model, config)
    return model


def floats(folder: Path) -> dict[str, torch.Tensor]:
    stored = {name: part for path in sorted(folder.glob("*.safetensors")) for name, part in load_file(path).items()}
    scales = {name.removesuffix("_scale_inv"): stored.pop(name) for name in list(stored) if name.endswith("_scale_inv")}
    weights = {name: weight.to(torch.float32) for name, weight in stored.items()}
    for name, scale in scales.items():
        rows, columns = weights[name].shape
        weights[name] *= scale.repeat_interleave(BLOCK, 0)[:rows].repeat_interleave(BLOCK, 1)[:, :columns]
    return weights


def is_used(name: str, config: PretrainedConfig) -> bool:
    layer = LAYER.match(name)
    return layer is None or int(layer[1]) < config.num_hidden_layers


def magnify_scores(model: PreTrainedModel, config: PretrainedConfig) -> None:
    """What transformers 4.57.6 leaves out for this class alone: DeepSeek's own code (modeling_deepseek.py of V2-Lite)
    and transformers' for V3 multiply the scores by the square of YaRN's magnitude.
    """
    scaling = config.rope_scaling
    magnitude = 0.1 * scaling["mscale_all_dim"] * math.log(scaling["factor"]) + 1.0
    for layer in model.model.layers:
        layer.self_attn.scaling *= magnitude**2


if __name__ == "__main__":
    main()
