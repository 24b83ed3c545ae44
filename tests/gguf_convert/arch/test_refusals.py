"""What would be converted wrongly is refused, with a sentence that names it."""

import contextlib
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest

from gguf_convert.arch.architecture import Choices
from gguf_convert.arch.table import architecture_of
from gguf_convert.errors import ConversionError, SourceError, Unsupported
from tests.gguf_convert.arch.listing import layout_of, weights_of
from tests.support.cases import Case, cases

_CASES = {case.path.stem: case for case in cases("arch")}
_YARN = {"type": "yarn", "factor": 40, "original_max_position_embeddings": 4096, "mscale": 1.0, "mscale_all_dim": 1.0}

_REFUSED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("v3_mtp_dropped", {"topk_method": "group_limited_greedy"}, "236B"),
    ("v3_mtp_dropped", {"topk_method": "greedy"}, "chosen by greedy"),
    ("v3_mtp_dropped", {"topk_method": "dice"}, "topk_method"),
    ("v3_mtp_dropped", {"scoring_func": "sqrtsoftplus"}, "scoring_func"),
    ("v3_mtp_dropped", {"scoring_func": "softmax"}, "softmax gating"),
    ("v2_lite", {"scoring_func": "sigmoid"}, "sigmoid gating"),
    ("v2_lite", {"norm_topk_prob": True}, "norm_topk_prob"),
    ("v3_mtp_dropped", {"n_group": 8}, "as many groups as experts"),
    ("v3_mtp_dropped", {"n_group": 3}, "unequal size"),
    ("v3_mtp_dropped", {"topk_group": 4}, "topk_group"),
    ("v3_mtp_dropped", {"num_experts_per_tok": 9}, "more experts for a token"),
    ("v3_mtp_dropped", {"n_routed_experts": 2000}, "1024 experts"),
    ("v3_mtp_dropped", {"n_shared_experts": None}, "n_shared_experts"),
    ("v3_mtp_dropped", {"first_k_dense_replace": 2}, "no layer with experts"),
    ("v3_mtp_dropped", {"moe_layer_freq": 2}, "moe_layer_freq"),
    ("v3_mtp_dropped", {"rope_interleave": False}, "rope_interleave"),
    ("v3_mtp_dropped", {"num_key_value_heads": 2}, "fewer key heads"),
    ("v3_mtp_dropped", {"attention_bias": True}, "attention_bias"),
    ("v3_mtp_dropped", {"q_lora_rank": None}, "26 or 27 layers"),
    ("v3_mtp_dropped", {"num_hidden_layers": 27}, "takes a deepseek2 model of 27 layers to have no q_lora_rank"),
    ("v3_mtp_dropped", {"num_hidden_layers": 513}, "num_hidden_layers"),
    ("v3_mtp_dropped", {"rope_scaling": {**_YARN, "mscale": 0.7}}, "mscale 0.7 and mscale_all_dim 1.0"),
    ("v3_mtp_dropped", {"rope_scaling": {**_YARN, "mscale_all_dim": None}}, "mscale_all_dim None"),
    ("v3_mtp_dropped", {"rope_scaling": {**_YARN, "mscale": 0, "mscale_all_dim": 0}}, "both are given"),
    ("v3_mtp_dropped", {"rope_scaling": {**_YARN, "beta_fast": 16}}, "beta_fast 16"),
    ("v3_mtp_dropped", {"rope_scaling": {**_YARN, "attention_factor": 1.2}}, "attention factor"),
    ("v3_mtp_dropped", {"rope_scaling": {"type": "linear", "factor": 2}}, "'linear'"),
    ("v3_mtp_dropped", {"architectures": ["DeepseekV32ForCausalLM"]}, "'DeepseekV32ForCausalLM'"),
    ("v3_mtp_dropped", {"architectures": None}, "names no architecture"),
    ("v3_mtp_kept", {"num_nextn_predict_layers": 2}, "more than one layer"),
    ("v3_mtp_dropped", {"hidden_size": "64 or so"}, "hidden_size"),
    ("v3_mtp_dropped", {"hidden_act": "gelu"}, "'gelu'"),
    ("llama3", {"attention_bias": True}, "attention_bias"),
    ("llama3", {"mlp_bias": True}, "mlp_bias"),
    ("llama3", {"rope_scaling": {"type": "dynamic", "factor": 2}}, "'dynamic'"),
    ("llama3", {"rope_scaling": {"type": "linear"}}, "without saying its factor"),
    ("llama3", {"rope_scaling": _YARN}, "mscale"),
    ("llama3", {"rope_interleaved": True}, "rope_interleaved"),
    ("llama3", {"num_key_value_heads": 3}, "do not divide"),
    ("llama3", {"is_causal": False}, "is_causal"),
    ("llama3", {"partial_rotary_factor": 0.5}, "partial_rotary_factor"),
    ("qwen2", {"use_sliding_window": True}, "sliding window"),
    ("qwen2", {"use_mrope": True}, "use_mrope"),
    ("qwen2", {"head_dim": 32}, "heads that are not hidden_size together"),
    ("qwen2", {"rope_scaling": {"type": "llama3", "factor": 8.0}}, "'llama3'"),
    ("qwen2", {"rope_scaling": {"type": "yarn", "factor": 4.0}}, "original_max_position_embeddings"),
    ("qwen3", {"layer_types": ["full_attention", "sliding_attention"]}, "sliding window"),
    ("qwen3", {"attention_bias": True}, "attention_bias"),
)


@pytest.mark.parametrize(("base", "change", "said"), _REFUSED, ids=[f"{b}-{next(iter(c))}" for b, c, _ in _REFUSED])
def test_refused(base: str, change: dict[str, Any], said: str) -> None:
    case = _CASES[base]
    config = json.loads(case["config.json"]) | change
    with pytest.raises(Unsupported) as caught:
        layout_of(config, weights_of(case["weights"]), Choices(mtp=case.get("mtp", "drop").strip()))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("base", ["llama3", "qwen2", "qwen3"])
@pytest.mark.parametrize("mtp", ["keep", "separate"])
def test_there_is_no_multi_token_prediction_elsewhere(base: str, mtp: str) -> None:
    with pytest.raises(Unsupported, match="no layer of multi-token prediction"):
        _layout(_CASES[base], mtp)


@pytest.mark.parametrize("base", ["v3_mtp_dropped", "v2_lite", "llama3", "llama_tied", "qwen2", "qwen3"])
def test_every_single_weight_is_needed(base: str) -> None:
    """Whichever weight is taken away from a checkpoint, it is missed by name, or was left out anyway."""
    case = _CASES[base]
    config, weights = json.loads(case["config.json"]), weights_of(case["weights"])
    left_out = layout_of(config, weights).unused
    for name in list(weights)[:: max(len(weights) // 60, 1)]:
        fewer = {other: shape for other, shape in weights.items() if other != name}
        if name in left_out:
            layout_of(config, fewer)
        else:
            with pytest.raises(SourceError, match=name.replace(".", r"\.")):
                layout_of(config, fewer)


@pytest.mark.parametrize("base", ["v3_mtp_kept", "v2_lite", "llama3", "qwen2_yarn", "qwen3"])
def test_whatever_stands_in_the_configuration_is_a_model_or_an_error(base: str) -> None:
    case = _CASES[base]
    config, weights = json.loads(case["config.json"]), weights_of(case["weights"])
    choices = Choices(mtp=case.get("mtp", "drop").strip())
    for changed in _changed(config):
        with contextlib.suppress(ConversionError):
            layout_of(changed, weights, choices)


def _changed(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The configuration with each of its values, nested ones too, replaced by each of some odd ones."""
    odd = (None, True, -1, 0, 1, 0.5, 10**30, math.nan, math.inf, "é", [], [3], {}, {"a": 1})
    for key, value in config.items():
        for replacement in (*odd, *(_changed(value) if isinstance(value, dict) else ())):
            yield {**config, key: replacement}


def test_the_table_names_what_there_is() -> None:
    with pytest.raises(Unsupported, match=r"DeepseekV3ForCausalLM, .*LlamaForCausalLM can"):
        architecture_of({"architectures": ["MambaForCausalLM"]})


def _layout(case: Case, mtp: str) -> None:
    layout_of(json.loads(case["config.json"]), weights_of(case["weights"]), Choices(mtp=mtp))
