"""A model's family is read from its file's structure; names only part what is built alike."""

import pytest

from engine.prompt import chat, fim
from engine.prompt.family import detect
from engine.prompt.sampling import maker_sampling
from engine.types import GREEDY

DEEPSEEK = "{{bos}}<｜User｜>{{m}}<｜Assistant｜><think>\\n"

FILES = [
    ("smollm2", "llama", "smollm", "<|im_start|>", "Smollm2 135M 8k"),
    ("qwen2.5-coder", "qwen2", "qwen2", "<|im_start|>", "Qwen2.5 Coder 1.5B Instruct"),
    ("qwen2.5", "qwen2", "qwen2", "<|im_start|>", "Qwen2.5 7B Instruct"),
    ("r1-distill-qwen", "qwen2", "deepseek-r1-qwen", DEEPSEEK, "DeepSeek R1 Distill Qwen 1.5B"),
    ("r1-distill-qwen", "qwen2", "qwen2", DEEPSEEK, "my own merge"),
    ("r1-0528-qwen3", "qwen3", "deepseek-r1-qwen", "<｜User｜><｜Assistant｜>", "DeepSeek R1 0528 Qwen3 8B"),
    ("qwen3", "qwen3", "qwen2", "<|im_start|>", "Qwen3 8B"),
    ("r1-distill-llama", "llama", "llama-bpe", DEEPSEEK, "DeepSeek R1 Distill Llama 8B"),
    ("llama3", "llama", "llama-bpe", "<|start_header_id|>", "Llama 3.1 8B Instruct"),
    ("deepseek-r1", "deepseek2", "deepseek-v3", DEEPSEEK, "DeepSeek R1 BF16"),
    ("deepseek-r1", "deepseek2", "deepseek-v3", "<｜Assistant｜>", "DeepSeek R1 0528"),
    ("deepseek-v3", "deepseek2", "deepseek-v3", "<｜Assistant｜>", "DeepSeek V3 0324"),
    ("deepseek-coder-v2", "deepseek2", "deepseek-llm", "", "DeepSeek Coder V2 Lite Base"),
    ("deepseek-coder", "llama", "deepseek-coder", "", "deepseek-ai_deepseek-coder-1.3b-base"),
    ("starcoder2", "starcoder2", "starcoder", "", "starcoder2 3b"),
    ("codestral", "llama", "default", "", "Codestral 22B v0.1"),
    ("chatml", "phi2", "default", "<|im_start|>", "somebody's model"),
    ("unknown", "gpt2", "", "", ""),
]


@pytest.mark.parametrize(("family", "arch", "pre", "template", "name"), FILES, ids=[f[4] or "nothing" for f in FILES])
def test_the_family_of_a_file(family: str, arch: str, pre: str, template: str, name: str) -> None:
    metadata = {
        "general.architecture": arch,
        "tokenizer.ggml.pre": pre,
        "tokenizer.chat_template": template,
        "general.name": name,
    }
    assert detect(metadata) == family


def test_odd_metadata_is_unknown_not_an_error() -> None:
    assert detect({"general.architecture": 3, "tokenizer.chat_template": ["x"]}) == "unknown"


def test_r1_is_sampled_as_its_makers_say() -> None:
    for family in ("deepseek-r1", "r1-distill-qwen", "r1-distill-llama", "r1-0528-qwen3"):
        assert (maker_sampling(family).temperature, maker_sampling(family).top_p) == (0.6, 0.95)
        assert chat.reasons(family)
    assert maker_sampling("unknown") == GREEDY


def test_each_detected_family_can_do_something() -> None:
    for family in {f[0] for f in FILES} - {"unknown"}:
        assert chat.can_chat(family) or fim.row_for(family), family
