"""LoRA adapters change what a model says as PEFT says they should, merged into its weights or beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gguf_convert.cli import main
from tests.gguf_convert.adapters import write_adapter
from tests.reference.checkpoints import CHECKPOINTS, shapes_of, write_checkpoint
from tests.reference.logits import LARGEST_DIVERGENCE, divergence, job, read_logits
from tests.reference.ours import our_file
from tests.reference.reference import run_in_our_environment, run_in_reference

pytestmark = [pytest.mark.reference, pytest.mark.process, pytest.mark.timeout(600)]

LEAST_EFFECT = 1e-3
"""Mean divergence from the model without the adapter, in nats: a hundred times what is allowed from PEFT's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An adapter for the modules whose names end in one of `modules`; `config` adds to adapter_config.json. `beside`:
    llama.cpp can also add it while it runs.
    """

    checkpoint: str
    modules: tuple[str, ...]
    config: Mapping[str, Any] = field(default_factory=dict)
    beside: bool = False


CASES = {
    "queries of R1": Case(checkpoint="tiny-v3-fp8", modules=("q_a_proj",)),
    "attention and experts of R1": Case(
        checkpoint="tiny-v3",
        modules=(
            "q_b_proj",
            "kv_a_proj_with_mqa",
            "kv_b_proj",
            "o_proj",
            "experts.3.up_proj",
            "shared_experts.down_proj",
        ),
        config={"use_rslora": True},
    ),
    "queries of V2-Lite": Case(checkpoint="tiny-v2-lite", modules=("self_attn.q_proj",)),
    "Llama": Case(
        checkpoint="tiny-llama",
        modules=("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"),
        config={
            "use_rslora": True,
            "alpha_pattern": {"self_attn.k_proj": 2, r"layers\.[0-1]\.mlp\.up_proj": 5},
            "rank_pattern": {"model.layers.1.self_attn.q_proj": 2},
        },
        beside=True,
    ),
    "Qwen2": Case(checkpoint="tiny-qwen2", modules=("q_proj", "v_proj", "down_proj"), beside=True),
}


@pytest.mark.parametrize("name", CASES)
def test_an_adapter_does_what_peft_says(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    folder = write_checkpoint(CHECKPOINTS[case.checkpoint], tmp_path)
    adapter = adapter_of(case, tmp_path / "adapter")
    plain = our_file(folder, tmp_path / "plain.gguf", "F32")
    merged = our_file(folder, tmp_path / "merged.gguf", "F32", "--adapter", str(adapter))
    jobs = {"plain": job("file", plain, tmp_path / "plain.npy"), "merged": job("file", merged, tmp_path / "merged.npy")}
    if case.beside:
        beside = tmp_path / "adapter.gguf"
        assert main(["lora", str(adapter), str(beside), "--base", str(folder)]) == 0
        jobs["beside"] = job("file", plain, tmp_path / "beside.npy") | {"adapter": str(beside)}
    run_in_our_environment("llama_logits.py", list(jobs.values()))
    run_in_reference("hf_logits.py", [job("folder", folder, tmp_path / "peft.npy") | {"adapter": str(adapter)}])
    wanted = read_logits(tmp_path / "peft.npy")
    divergences = {kind: divergence(wanted, read_logits(tmp_path / f"{kind}.npy")).mean() for kind in jobs}
    assert divergences.pop("plain") >= LEAST_EFFECT
    assert max(divergences.values()) <= LARGEST_DIVERGENCE


def adapter_of(case: Case, folder: Path) -> Path:
    """The adapter as PEFT would have saved it."""
    shapes = {name.removesuffix(".weight"): shape for name, shape in shapes_of(CHECKPOINTS[case.checkpoint]).items()}
    modules = {name: shape for name, shape in shapes.items() if name.endswith(case.modules)}
    return write_adapter(folder, modules, target_modules=list(modules), **case.config)
