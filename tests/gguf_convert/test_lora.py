"""LoRA adapters: merged into weights, as files of their own, and everything that must not be converted silently."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.backends.llama_cpp import LlamaBackend
from engine.errors import EngineError
from engine.models import adapter as adapter_of_engine
from engine.models.gguf_header import read_header
from engine.models.resolve import resolve
from engine.types import EngineOptions, Sampling
from gguf_convert import ggml, lora
from gguf_convert.cli import main
from gguf_convert.errors import Unsupported
from gguf_convert.peft import open_adapter
from tests.engine.host.test_llama import Runner
from tests.gguf_convert.adapters import product, write_adapter
from tests.gguf_convert.checkpoints import write_safetensors
from tests.gguf_convert.tiny_llama import HIDDEN, INNER, TOKENS, write_tiny_llama
from tests.reference.checkpoints import CHECKPOINTS, write_checkpoint

BLOCK = "model.layers.1"
ATTENTION = {f"{BLOCK}.self_attn.q_proj": (HIDDEN, HIDDEN), f"{BLOCK}.self_attn.k_proj": (HIDDEN // 2, HIDDEN)}
EVERYWHERE = {
    **ATTENTION,
    f"{BLOCK}.self_attn.o_proj": (HIDDEN, HIDDEN),
    f"{BLOCK}.mlp.down_proj": (HIDDEN, INNER),
    "model.embed_tokens": (len(TOKENS), HIDDEN),
    "lm_head": (len(TOKENS), HIDDEN),
}

# Prints the logits after a few tokens; with an adapter's file, that added. llama.cpp may end its process.
_RUN = """
import json, sys, llama_cpp
options = dict(n_ctx=64, n_batch=64, verbose=False, logits_all=True, flash_attn=False, type_k=0, type_v=0)
model = llama_cpp.Llama(sys.argv[1], **options, **({"lora_path": sys.argv[2]} if len(sys.argv) > 2 else {}))
model.eval([3, 200, 47, 11, 90, 31])
print(json.dumps(model.scores[:6].tolist()))
"""


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    return write_tiny_llama(tmp_path / "tiny")


@pytest.fixture
def v3(tmp_path: Path) -> Path:
    return write_checkpoint(CHECKPOINTS["tiny-v3"], tmp_path)


def logits(*files: Path) -> np.ndarray:
    process = subprocess.run(
        [sys.executable, "-c", _RUN, *map(str, files)], capture_output=True, text=True, check=False, timeout=120
    )
    assert process.returncode == 0, process.stderr[-2000:]
    return np.array(json.loads(process.stdout))


def tensor(path: Path, name: str) -> np.ndarray:
    header = read_header(path)
    [found] = [entry for entry in header.tensors if entry.name == name]
    data = np.fromfile(path, np.uint8, found.size, offset=header.data_start + found.offset)
    return ggml.dequantise(found.type.name, data, found.shape[0])


def run(*words: str | Path) -> int:
    return main([str(word) for word in words])


def refusal(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert run(*words) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    return told


def written(model: Path, adapter: Path | None = None) -> str:
    """What the engine writes, always the likeliest token next."""
    options = EngineOptions(model=str(model), adapter=adapter and str(adapter), threads=1, n_ctx=256)
    backend = LlamaBackend(resolve(options), options, lambda stage, fraction: None)
    try:
        runner = Runner(backend)
        return runner.text(runner.ask("hello é", max_tokens=24, sampling=Sampling(temperature=0)))
    finally:
        backend.close()


def interleaved(rows: np.ndarray, n_head: int) -> np.ndarray:
    """As llama.cpp wants the rows of queries and keys; written as its converter describes it, not as ours does it."""
    half = len(rows) // n_head // 2
    order = [head * 2 * half + part * half + row for head in range(n_head) for row in range(half) for part in (0, 1)]
    return rows[order]


@pytest.mark.process
def test_an_adapter_beside_the_model_and_one_merged_into_it_say_the_same(llama: Path, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", EVERYWHERE)
    assert run("convert", llama, tmp_path / "plain.gguf", "--type", "F32") == 0
    assert run("convert", llama, tmp_path / "merged.gguf", "--type", "F32", "--adapter", adapter) == 0
    assert run("lora", adapter, tmp_path / "adapter.gguf", "--base", llama) == 0
    beside = logits(tmp_path / "plain.gguf", tmp_path / "adapter.gguf")
    assert np.abs(beside - logits(tmp_path / "plain.gguf")).max() > 0.1
    assert np.abs(beside - logits(tmp_path / "merged.gguf")).max() < 1e-3


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({}, 8 / 4),
        ({"use_rslora": True}, 8 / math.sqrt(4)),
        ({"alpha_pattern": {"q_proj": 3}}, 3 / 4),
        ({"alpha_pattern": {r"layers\.\d+\.self_attn\.q_proj": 3, "q_proj": 5}}, 3 / 4),
        ({"rank_pattern": {f"{BLOCK}.self_attn.q_proj": 2}}, 8 / 2),
        ({"use_rslora": True, "rank_pattern": {f"{BLOCK}.self_attn.q_proj": 2}}, 8 / math.sqrt(2)),
    ],
)
def test_what_is_added_is_scaled_as_peft_scales_it(
    llama: Path, tmp_path: Path, config: dict[str, Any], scale: float
) -> None:
    adapter = write_adapter(tmp_path / "adapter", ATTENTION, **config)
    assert run("convert", llama, tmp_path / "plain.gguf", "--type", "F32") == 0
    assert run("convert", llama, tmp_path / "merged.gguf", "--type", "F32", "--adapter", adapter) == 0
    name = "blk.1.attn_q.weight"
    added = tensor(tmp_path / "merged.gguf", name) - tensor(tmp_path / "plain.gguf", name)
    wanted = interleaved(scale * product(adapter, f"{BLOCK}.self_attn.q_proj"), 4)
    np.testing.assert_allclose(added, wanted, atol=2e-6)

    assert run("lora", adapter, tmp_path / "adapter.gguf", "--base", llama) == 0
    up, down = (tensor(tmp_path / "adapter.gguf", f"{name}.lora_{side}") for side in "ba")
    alpha = read_header(tmp_path / "adapter.gguf").metadata["adapter.lora.alpha"]
    assert isinstance(alpha, float)
    np.testing.assert_allclose(alpha / len(down) * (up @ down), wanted, atol=2e-6)


@pytest.mark.process
def test_the_engine_writes_with_an_adapter_what_it_writes_with_it_merged(llama: Path, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", EVERYWHERE, strength=2.0)
    assert run("convert", llama, tmp_path / "plain.gguf", "--type", "F32") == 0
    assert run("convert", llama, tmp_path / "merged.gguf", "--type", "F32", "--adapter", adapter) == 0
    assert run("lora", adapter, tmp_path / "adapter.gguf", "--base", llama) == 0
    plain, merged = (written(tmp_path / f"{name}.gguf") for name in ("plain", "merged"))
    assert written(tmp_path / "plain.gguf", tmp_path / "adapter.gguf") == merged != plain


def test_converter_and_engine_know_the_same_of_what_llama_cpp_ignores() -> None:
    """The converter may not import this of the engine, nor the engine anything of the converter."""
    assert lora.IGNORED == adapter_of_engine.IGNORED


def test_an_adapter_that_does_not_fit_is_a_sentence(llama: Path, v3: Path, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", EVERYWHERE)
    assert run("lora", adapter, tmp_path / "adapter.gguf", "--base", llama) == 0
    for source in (llama, v3):
        assert run("convert", source, tmp_path / f"{source.name}.gguf", "--type", "Q8_0") == 0
    for model, name, sentence in (
        (v3.name, "adapter", "is an adapter for llama, and the model is deepseek2"),
        (llama.name, llama.name, "is not a LoRA adapter"),
        (llama.name, "nothing", "there is no file"),
    ):
        options = EngineOptions(model=str(tmp_path / f"{model}.gguf"), adapter=str(tmp_path / f"{name}.gguf"))
        with pytest.raises(EngineError, match=sentence):
            resolve(options)


def test_other_weights_are_not_touched(llama: Path, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", ATTENTION)
    assert run("convert", llama, tmp_path / "plain.gguf", "--type", "Q4_K_M") == 0
    assert run("convert", llama, tmp_path / "merged.gguf", "--type", "Q4_K_M", "--adapter", adapter) == 0
    changed = [
        entry.name
        for entry in read_header(tmp_path / "plain.gguf").tensors
        if (tensor(tmp_path / "plain.gguf", entry.name) != tensor(tmp_path / "merged.gguf", entry.name)).any()
    ]
    assert changed == ["blk.1.attn_k.weight", "blk.1.attn_q.weight"]


def test_workers_and_memory_do_not_change_a_byte_of_what_is_merged(llama: Path, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", EVERYWHERE, rank=7)
    made = []
    for workers, memory in (("1", "4GB"), ("3", "150MB")):
        target = tmp_path / f"{workers}.gguf"
        options = ("--type", "Q8_0", "--adapter", adapter, "--workers", workers, "--max-memory", memory)
        assert run("convert", llama, target, *options) == 0
        made.append(target.read_bytes())
    assert made[0] == made[1]


@pytest.mark.process
def test_latent_attention_is_merged_and_refused_beside_the_model(
    v3: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = CHECKPOINTS["tiny-v3"].config
    module = "model.layers.0.self_attn.q_a_proj"
    adapter = write_adapter(tmp_path / "adapter", {module: (config["q_lora_rank"], config["hidden_size"])})
    told = refusal(capsys, "lora", adapter, tmp_path / "adapter.gguf", "--base", v3)
    assert f"ignore {module}" in told
    assert "--adapter" in told
    assert run("convert", v3, tmp_path / "plain.gguf", "--type", "F32") == 0
    assert run("convert", v3, tmp_path / "merged.gguf", "--type", "F32", "--adapter", adapter) == 0
    assert np.abs(logits(tmp_path / "merged.gguf") - logits(tmp_path / "plain.gguf")).max() > 0.05


def test_keys_and_values_of_latent_attention_are_merged_before_they_are_taken_apart(v3: Path, tmp_path: Path) -> None:
    config = CHECKPOINTS["tiny-v3"].config
    heads, nope, value = config["num_attention_heads"], config["qk_nope_head_dim"], config["v_head_dim"]
    module = "model.layers.0.self_attn.kv_b_proj"
    adapter = write_adapter(tmp_path / "adapter", {module: (heads * (nope + value), config["kv_lora_rank"])})
    assert run("convert", v3, tmp_path / "plain.gguf", "--type", "F32") == 0
    assert run("convert", v3, tmp_path / "merged.gguf", "--type", "F32", "--adapter", adapter) == 0
    added = 2 * product(adapter, module).reshape(heads, nope + value, config["kv_lora_rank"])
    for name, wanted in (("k_b", added[:, :nope].transpose(0, 2, 1)), ("v_b", added[:, nope:])):
        both = [tensor(tmp_path / f"{kind}.gguf", f"blk.0.attn_{name}.weight") for kind in ("merged", "plain")]
        np.testing.assert_allclose((both[0] - both[1]).reshape(wanted.shape), wanted, atol=2e-6)


@pytest.mark.process
def test_all_experts_are_one_pair_of_tensors(v3: Path, tmp_path: Path) -> None:
    config = CHECKPOINTS["tiny-v3"].config
    shape = config["moe_intermediate_size"], config["hidden_size"]
    experts = {f"model.layers.1.mlp.experts.{e}.up_proj": shape for e in range(config["n_routed_experts"])}
    adapter = write_adapter(tmp_path / "adapter", experts)
    assert run("lora", adapter, tmp_path / "adapter.gguf", "--base", v3) == 0
    assert [entry.shape for entry in read_header(tmp_path / "adapter.gguf").tensors] == [
        (shape[1], 4, len(experts)),
        (4, shape[0], len(experts)),
    ]
    assert run("convert", v3, tmp_path / "plain.gguf", "--type", "F32") == 0
    assert run("convert", v3, tmp_path / "merged.gguf", "--type", "F32", "--adapter", adapter) == 0
    beside, merged = logits(tmp_path / "plain.gguf", tmp_path / "adapter.gguf"), logits(tmp_path / "merged.gguf")
    assert np.abs(beside - merged).max() < 1e-3
    assert np.abs(beside - logits(tmp_path / "plain.gguf")).max() > 0.05


def test_some_of_the_experts_can_only_be_merged(v3: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = CHECKPOINTS["tiny-v3"].config
    shape = config["moe_intermediate_size"], config["hidden_size"]
    adapter = write_adapter(tmp_path / "adapter", {"model.layers.1.mlp.experts.3.up_proj": shape})
    told = refusal(capsys, "lora", adapter, tmp_path / "adapter.gguf", "--base", v3)
    assert "some of the experts of blk.1.ffn_up_exps.weight" in told
    assert run("convert", v3, tmp_path / "merged.gguf", "--type", "Q8_0", "--adapter", adapter) == 0


def test_a_module_that_the_model_does_not_have_is_named(
    v3: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = write_adapter(tmp_path / "adapter", {"model.layers.0.self_attn.q_proj": (64, 256)})
    for words in (
        ("lora", adapter, tmp_path / "adapter.gguf", "--base", v3),
        ("convert", v3, tmp_path / "merged.gguf", "--adapter", adapter),
    ):
        told = refusal(capsys, *words)
        assert "model.layers.0.self_attn.q_proj, which this architecture does not have" in told
    assert not list(tmp_path.glob("*.gguf*"))


def test_an_adapter_of_another_model_is_refused(
    llama: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = write_adapter(tmp_path / "adapter", {f"{BLOCK}.self_attn.q_proj": (HIDDEN, 2 * HIDDEN)})
    assert "trained for another model" in refusal(capsys, "convert", llama, tmp_path / "m.gguf", "--adapter", adapter)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "biases"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out"),
        ({"peft_type": "LOHA"}, "LOHA"),
        ({"init_lora_weights": "pissa_niter_16"}, "pissa_niter_16"),
        ({"init_lora_weights": ["pissa"]}, "pissa"),
        ({"rank_pattern": {"((a+)+)+b": 3}}, "((a+)+)+b"),
        ({"r": "four"}, "see its r"),
        ({"r": 5}, "whose rank is 5"),
        ({"r": 0}, "see its r"),
        ({"lora_alpha": 0}, "changes nothing"),
        ({"lora_alpha": None}, "see its lora_alpha"),
    ],
)
def test_what_is_not_plain_lora_is_refused_by_name(
    llama: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], config: dict[str, Any], sentence: str
) -> None:
    adapter = write_adapter(tmp_path / "adapter", ATTENTION)
    said = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps({**said, **config}))
    assert sentence in refusal(capsys, "convert", llama, tmp_path / "m.gguf", "--adapter", adapter)


def test_half_a_pair_and_other_tensors_are_refused(
    llama: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = write_adapter(tmp_path / "adapter", {})
    half = np.zeros((4, HIDDEN), dtype=np.float32)
    for name, sentence in (
        (f"base_model.model.{BLOCK}.self_attn.q_proj.lora_A.weight", "lora_B is missing"),
        (f"base_model.model.{BLOCK}.self_attn.q_proj.lora_magnitude_vector", "which is no matrix of LoRA"),
    ):
        write_safetensors(adapter / "adapter_model.safetensors", {name: half})
        assert sentence in refusal(capsys, "convert", llama, tmp_path / "m.gguf", "--adapter", adapter)
    write_safetensors(adapter / "adapter_model.safetensors", {})
    assert "holds no matrices" in refusal(capsys, "convert", llama, tmp_path / "m.gguf", "--adapter", adapter)


def test_embeddings_that_are_the_output_too_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_checkpoint(CHECKPOINTS["tiny-llama-tied"], tmp_path)
    config = CHECKPOINTS["tiny-llama-tied"].config
    adapter = write_adapter(tmp_path / "adapter", {"model.embed_tokens": (config["vocab_size"], config["hidden_size"])})
    assert "tied" in refusal(capsys, "convert", source, tmp_path / "m.gguf", "--adapter", adapter)


def test_another_adapter_does_not_go_on_with_what_was_begun(
    llama: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (write_adapter(tmp_path / name, ATTENTION, strength=s) for name, s in (("one", 0.5), ("other", 0.7)))
    target = tmp_path / "m.gguf"
    assert run("convert", llama, target, "--adapter", one) == 0
    first = target.read_bytes()
    assert run("convert", llama, target, "--adapter", one) == 0
    assert target.read_bytes() == first
    assert "--restart" in refusal(capsys, "convert", llama, target, "--adapter", other)


def test_patterns_that_would_be_matched_for_hours_are_refused(tmp_path: Path) -> None:
    slow = {"rank_pattern": {".*a.*a.*c": 3}}
    adapter = write_adapter(tmp_path / "long", {"a." * 240 + "b": (8, 8)}, **slow)
    with pytest.raises(Unsupported, match="would take too long to find in the names of its modules"):
        open_adapter(adapter)
    real = {f"model.layers.{layer}.self_attn.q_proj": (8, 8) for layer in range(60)}
    assert len(open_adapter(write_adapter(tmp_path / "real", real, **slow)).modules) == 60
