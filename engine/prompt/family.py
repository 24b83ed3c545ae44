"""Which family a model belongs to, from what its file says about itself. Structure first, names last.

The family decides the infill markers (`fim`), the chat template (`chat`) and the makers' sampling (`sampling`). The
chat template inside a model file is a program by somebody else; it is never run, only looked at for markers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class _Facts:
    arch: str
    pre: str
    template: str
    names: str


def detect(metadata: Mapping[str, object]) -> str:
    """The family of a model with this GGUF metadata ("unknown" when nothing fits).

    Uses `general.architecture`, `tokenizer.ggml.pre`, the markers in `tokenizer.chat_template` and, where files of
    two families have the same structure, `general.name`, `general.basename` and `general.finetune`.
    """
    names = (_string(metadata, f"general.{key}") for key in ("name", "basename", "finetune"))
    facts = _Facts(
        arch=_string(metadata, "general.architecture"),
        pre=_string(metadata, "tokenizer.ggml.pre"),
        template=_string(metadata, "tokenizer.chat_template"),
        names=" ".join(names).lower(),
    )
    rule = _BY_ARCHITECTURE.get(facts.arch)
    found = rule(facts) if rule else None
    return found or _by_template(facts)


def _string(metadata: Mapping[str, object], key: str) -> str:
    value = metadata.get(key)
    return value if isinstance(value, str) else ""


def _speaks_deepseek(facts: _Facts) -> bool:
    return "<｜Assistant｜>" in facts.template


def _qwen2(facts: _Facts) -> str | None:
    if facts.pre == "deepseek-r1-qwen" or _speaks_deepseek(facts):
        return "r1-distill-qwen"
    return "qwen2.5-coder" if "coder" in facts.names else "qwen2.5"


def _qwen3(facts: _Facts) -> str | None:
    if facts.pre == "deepseek-r1-qwen" or _speaks_deepseek(facts):
        return "r1-0528-qwen3"
    return "qwen3-coder" if "coder" in facts.names else "qwen3"


_LLAMA_BY_PRE: Mapping[str, str] = {
    "smollm": "smollm2",
    "deepseek-coder": "deepseek-coder",
    "refact": "granite-code",
    "seed-coder": "seed-coder",
}


def _llama(facts: _Facts) -> str | None:
    if _speaks_deepseek(facts):
        return "r1-distill-llama"
    if facts.pre in _LLAMA_BY_PRE:
        return _LLAMA_BY_PRE[facts.pre]
    if facts.pre in {"llama-bpe", "llama3"}:
        return "llama3" if "<|start_header_id|>" in facts.template else None
    return "codestral" if "codestral" in facts.names else None


def _deepseek2(facts: _Facts) -> str | None:
    if facts.pre == "deepseek-v3":
        opens_thinking = "<｜Assistant｜><think>" in facts.template
        return "deepseek-r1" if opens_thinking or "r1" in facts.names else "deepseek-v3"
    return "deepseek-coder-v2" if "coder" in facts.names else "deepseek-v2"


_BY_ARCHITECTURE: Mapping[str, Callable[[_Facts], str | None]] = {
    "qwen2": _qwen2,
    "qwen2moe": _qwen2,
    "qwen3": _qwen3,
    "qwen3moe": _qwen3,
    "llama": _llama,
    "deepseek2": _deepseek2,
    "starcoder2": lambda facts: "starcoder2",
    "granite": lambda facts: "granite",
    "granitemoe": lambda facts: "granite",
}


def _by_template(facts: _Facts) -> str:
    if "<|im_start|>" in facts.template:
        return "chatml"
    if "<|start_header_id|>" in facts.template:
        return "llama3"
    return UNKNOWN
