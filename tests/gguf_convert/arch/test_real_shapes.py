"""DeepSeek-R1 as it is published: so many tensors, so many parameters."""

import json

import pytest

from gguf_convert.arch.architecture import Choices
from tests.gguf_convert.arch.listing import layout_of, weights_of
from tests.support.cases import cases

_TINY = next(case for case in cases("arch") if case.path.stem == "v3_mtp_kept")
_R1 = {
    "vocab_size": 129280,
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "n_group": 8,
    "topk_group": 4,
    "first_k_dense_replace": 3,
}
_SHAPES = """
model.embed_tokens.weight 129280x7168
model.norm.weight 7168
lm_head.weight 129280x7168
model.layers.{0-61}.input_layernorm.weight 7168
model.layers.{0-61}.post_attention_layernorm.weight 7168
model.layers.{0-61}.self_attn.q_a_proj.weight 1536x7168
model.layers.{0-61}.self_attn.q_a_layernorm.weight 1536
model.layers.{0-61}.self_attn.q_b_proj.weight 24576x1536
model.layers.{0-61}.self_attn.kv_a_proj_with_mqa.weight 576x7168
model.layers.{0-61}.self_attn.kv_a_layernorm.weight 512
model.layers.{0-61}.self_attn.kv_b_proj.weight 32768x512
model.layers.{0-61}.self_attn.o_proj.weight 7168x16384
model.layers.{0-2}.mlp.gate_proj.weight 18432x7168
model.layers.{0-2}.mlp.up_proj.weight 18432x7168
model.layers.{0-2}.mlp.down_proj.weight 7168x18432
model.layers.{3-61}.mlp.gate.weight 256x7168
model.layers.{3-61}.mlp.gate.e_score_correction_bias 256
model.layers.{3-61}.mlp.shared_experts.gate_proj.weight 2048x7168
model.layers.{3-61}.mlp.shared_experts.up_proj.weight 2048x7168
model.layers.{3-61}.mlp.shared_experts.down_proj.weight 7168x2048
model.layers.{3-61}.mlp.experts.{0-255}.gate_proj.weight 2048x7168
model.layers.{3-61}.mlp.experts.{0-255}.up_proj.weight 2048x7168
model.layers.{3-61}.mlp.experts.{0-255}.down_proj.weight 7168x2048
model.layers.61.eh_proj.weight 7168x14336
model.layers.61.enorm.weight 7168
model.layers.61.hnorm.weight 7168
model.layers.61.shared_head.norm.weight 7168
model.layers.61.shared_head.head.weight 129280x7168
model.layers.61.embed_tokens.weight 129280x7168
"""


@pytest.mark.parametrize(
    ("mtp", "tensors", "billions"), [("drop", 1086, 671.03), ("keep", 1110, 684.49), ("separate", 27, 15.32)]
)
def test_r1(mtp: str, tensors: int, billions: float) -> None:
    config = json.loads(_TINY["config.json"]) | _R1
    weights = weights_of(_SHAPES.strip())
    layout = layout_of(config, weights, Choices(mtp=mtp))
    assert len(layout.tensors) == tensors
    assert sum(tensor.elements for tensor in layout.tensors) / 1e9 == pytest.approx(billions, abs=0.005)
