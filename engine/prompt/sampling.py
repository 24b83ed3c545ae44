"""How the makers of each family say their model should be sampled. Completion ignores this: it is greedy."""

from collections.abc import Mapping

from engine.types import GREEDY, Sampling


def maker_sampling(family: str) -> Sampling:
    """The makers' recommendation for chat; greedy for a family that has none on record.

    Sources: the model cards' usage notes and `generation_config.json` of each repository.
    """
    return _BY_FAMILY.get(family, GREEDY)


# DeepSeek-R1's card: temperature 0.5 to 0.7 (0.6 recommended), top-p 0.95, no system prompt.
_R1 = Sampling(temperature=0.6, top_p=0.95)

_BY_FAMILY: Mapping[str, Sampling] = {
    "deepseek-r1": _R1,
    "r1-distill-qwen": _R1,
    "r1-distill-llama": _R1,
    "r1-0528-qwen3": _R1,
    "deepseek-v3": Sampling(temperature=0.3, top_p=0.95),
    "deepseek-v2": Sampling(temperature=0.3, top_p=0.95),
    "deepseek-coder-v2": Sampling(temperature=0.3, top_p=0.95),
    "qwen2.5": Sampling(temperature=0.7, top_p=0.8, top_k=20),
    "qwen2.5-coder": Sampling(temperature=0.7, top_p=0.8, top_k=20),
    "qwen3": Sampling(temperature=0.6, top_p=0.95, top_k=20),
    "qwen3-coder": Sampling(temperature=0.7, top_p=0.8, top_k=20),
    "llama3": Sampling(temperature=0.6, top_p=0.9),
    "smollm2": Sampling(temperature=0.2, top_p=0.9),
}
