"""Logits of a checkpoint by transformers in single precision; a program of the reference environment.

On stdin a JSON list of jobs: {"folder": checkpoint, "ids": token ids, "target": file for the logits as .npy}; where the
layer of multi-token prediction is to be asked as well, "draft" is another such file; "adapter" is the folder of a LoRA
adapter, which PEFT puts on the model.

Weights are put into the model one by one, strictly: each of the model's is there and each of the file's is used. FP8
weights are expanded here, by PyTorch's own conversion.
"""

import json
import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig, PreTrainedModel
from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3DecoderLayer, DeepseekV3RMSNorm

BLOCK = 128
LAYER = re.compile(r"model\.layers\.(\d+)\.")

Weights = Mapping[str, torch.Tensor]


def main() -> None:
    for job in json.load(sys.stdin):
        weights = floats(Path(job["folder"]))
        model = load(Path(job["folder"]), weights)
        if "adapter" in job:
            model = with_adapter(model, job["adapter"])
        ids = torch.tensor([job["ids"]])
        with torch.inference_mode():
            np.save(job["target"], model(ids).logits[0].numpy())
            if "draft" in job:
                np.save(job["draft"], draft_logits(model, weights, ids).numpy())


def load(folder: Path, weights: Weights) -> PreTrainedModel:
    """The model itself, without the layer of multi-token prediction, as transformers has it."""
    config = AutoConfig.from_pretrained(folder)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
    own = {name: weight for name, weight in weights.items() if layer_of(name) < config.num_hidden_layers}
    if config.tie_word_embeddings:
        own["lm_head.weight"] = weights["model.embed_tokens.weight"]
    model.load_state_dict(own, strict=True)
    if config.model_type == "deepseek_v2" and config.rope_scaling:
        magnify_scores(model, config)
    return model


def floats(folder: Path) -> Weights:
    """All weights of the checkpoint, expanded."""
    stored = {name: part for path in sorted(folder.glob("*.safetensors")) for name, part in load_file(path).items()}
    scales = {name.removesuffix("_scale_inv"): stored.pop(name) for name in list(stored) if name.endswith("_scale_inv")}
    weights = {name: weight.to(torch.float32) for name, weight in stored.items()}
    for name, scale in scales.items():
        rows, columns = weights[name].shape
        weights[name] *= scale.repeat_interleave(BLOCK, 0)[:rows].repeat_interleave(BLOCK, 1)[:, :columns]
    return weights


def layer_of(name: str) -> int:
    """The number of the layer that a weight belongs to, -1 outside of them."""
    found = LAYER.match(name)
    return int(found[1]) if found else -1


def magnify_scores(model: PreTrainedModel, config: PretrainedConfig) -> None:
    """What transformers 4.57.6 leaves out for this class alone: DeepSeek's own code (modeling_deepseek.py of V2-Lite)
    and transformers' for V3 multiply the scores by the square of YaRN's magnitude.
    """
    scaling = config.rope_scaling
    magnitude = 0.1 * scaling["mscale_all_dim"] * math.log(scaling["factor"]) + 1.0
    for layer in model.model.layers:
        layer.self_attn.scaling *= magnitude**2


def with_adapter(model: PreTrainedModel, folder: str) -> torch.nn.Module:
    from peft import PeftModel  # importing it takes as long as everything else here

    return PeftModel.from_pretrained(model, folder).eval()


def draft_logits(model: PreTrainedModel, weights: Weights, ids: torch.Tensor) -> torch.Tensor:
    """What the layer of multi-token prediction says of the token after the next, for each token but the first.

    DeepSeek-V3 (arXiv 2412.19437), section 2.2: the last hidden state of each token and the embedding of the next, both
    normalised, go through one matrix and one layer. That the embedding comes first and the state is taken behind the
    model's last norm is how vLLM runs R1 (model_executor/models/deepseek_mtp.py, deepseek_v2.py).
    """
    config = model.config
    prefix = f"model.layers.{config.num_hidden_layers}."
    own = {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}
    norms = {name: norm(own.pop(f"{name}.weight"), config) for name in ("enorm", "hnorm", "shared_head.norm")}
    matrices = {name: own.pop(f"{name}.weight") for name in ("embed_tokens", "eh_proj", "shared_head.head")}
    layer = DeepseekV3DecoderLayer(config, layer_idx=config.num_hidden_layers).eval()
    layer.load_state_dict(own, strict=True)
    states = norms["hnorm"](model.model(ids).last_hidden_state[:, :-1])
    tokens = norms["enorm"](matrices["embed_tokens"][ids[:, 1:]])
    hidden = torch.cat([tokens, states], dim=-1) @ matrices["eh_proj"].T
    places = torch.arange(hidden.shape[1])[None]
    ahead = torch.full((hidden.shape[1],) * 2, -math.inf).triu(1)[None, None]
    hidden = layer(
        hidden,
        attention_mask=ahead,
        position_ids=places,
        position_embeddings=model.model.rotary_emb(hidden, places),
    )
    return (norms["shared_head.norm"](hidden) @ matrices["shared_head.head"].T)[0]


def norm(weight: torch.Tensor, config: PretrainedConfig) -> torch.nn.Module:
    module = DeepseekV3RMSNorm(weight.shape[0], config.rms_norm_eps)
    module.load_state_dict({"weight": weight})
    return module


if __name__ == "__main__":
    main()
