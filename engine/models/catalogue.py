"""Models we know where to find: repository, files, licence, what each is good for.

Sizes, revisions and hashes are not here: the hub says them at pull time. `about_gb` is parameters times bits per weight
and marked "about" wherever it is shown.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["completion", "repair", "both"]

# Average bits per weight of llama.cpp's mixes, as its quantiser reports them for dense models of a few 10^9 weights.
BITS_PER_WEIGHT: Mapping[str, float] = {"Q4_K_M": 4.85, "Q8_0": 8.5, "UD-IQ1_S": 1.58, "UD-Q2_K_XL": 2.5}


class Entry(BaseModel):
    """One catalogue row. `weights` stands in the file names of the repository and is what `pull` looks for."""

    model_config = ConfigDict(frozen=True)

    name: str
    repository: str
    weights: str
    maker: str
    licence: str
    role: Role
    billion_params: float
    billion_active: float | None = None
    note: str = ""

    @property
    def about_gb(self) -> float:
        """Size of the weights in 10^9 bytes, from parameters and bits per weight; not measured."""
        return self.billion_params * BITS_PER_WEIGHT[self.weights] / 8

    @property
    def pattern(self) -> str:
        """The shell pattern of the files that `pull` takes, whatever their case."""
        return f"*{self.weights}*.gguf"


_MIT = "MIT"
_APACHE = "Apache-2.0"
_DEEPSEEK = "DeepSeek Model License (use restrictions)"
_LLAMA = "MIT, built on Llama 3.1 / 3.3 (Llama Community License)"
_THINKS = "thinks before it answers"

_ENTRIES = (
    Entry(
        name="qwen2.5-coder-0.5b",
        repository="ggml-org/Qwen2.5-Coder-0.5B-Q8_0-GGUF",
        weights="Q8_0",
        maker="Qwen",
        licence=_APACHE,
        role="completion",
        billion_params=0.49,
        note="the smallest that fills in the middle; the base model",
    ),
    Entry(
        name="qwen2.5-coder-1.5b",
        repository="ggml-org/Qwen2.5-Coder-1.5B-Q8_0-GGUF",
        weights="Q8_0",
        maker="Qwen",
        licence=_APACHE,
        role="completion",
        billion_params=1.54,
        note="typing on a laptop without a GPU; the base model",
    ),
    Entry(
        name="qwen2.5-coder-7b",
        repository="Qwen/Qwen2.5-Coder-7B-Instruct-GGUF",
        weights="Q4_K_M",
        maker="Qwen",
        licence=_APACHE,
        role="both",
        billion_params=7.62,
        note="typing with a GPU, fixes without one",
    ),
    Entry(
        name="deepseek-coder-v2-lite",
        repository="bartowski/DeepSeek-Coder-V2-Lite-Instruct-GGUF",
        weights="Q4_K_M",
        maker="DeepSeek",
        licence=_DEEPSEEK,
        role="repair",
        billion_params=15.7,
        billion_active=2.4,
        note="mixture of experts: needs the memory of 16B, runs at the speed of 2.4B",
    ),
    Entry(
        name="deepseek-coder-v2-lite-base",
        repository="bartowski/DeepSeek-Coder-V2-Lite-Base-GGUF",
        weights="Q4_K_M",
        maker="DeepSeek",
        licence=_DEEPSEEK,
        role="completion",
        billion_params=15.7,
        billion_active=2.4,
        note="fills in the middle; the base model, no chat",
    ),
    Entry(
        name="r1-distill-qwen-1.5b",
        repository="unsloth/DeepSeek-R1-Distill-Qwen-1.5B-GGUF",
        weights="Q4_K_M",
        maker="DeepSeek",
        licence=_MIT,
        role="repair",
        billion_params=1.78,
        note=_THINKS,
    ),
    Entry(
        name="r1-distill-qwen-7b",
        repository="unsloth/DeepSeek-R1-Distill-Qwen-7B-GGUF",
        weights="Q4_K_M",
        maker="DeepSeek",
        licence=_MIT,
        role="repair",
        billion_params=7.62,
        note=_THINKS,
    ),
    Entry(
        name="r1-distill-llama-8b",
        repository="unsloth/DeepSeek-R1-Distill-Llama-8B-GGUF",
        weights="Q4_K_M",
        maker="DeepSeek",
        licence=_LLAMA,
        role="repair",
        billion_params=8.03,
        note=_THINKS,
    ),
    Entry(
        name="r1-0528-qwen3-8b",
        repository="unsloth/DeepSeek-R1-0528-Qwen3-8B-GGUF",
        weights="Q4_K_M",
        maker="DeepSeek",
        licence=_MIT,
        role="repair",
        billion_params=8.19,
        note="the newest small R1; " + _THINKS,
    ),
    Entry(
        name="r1-distill-qwen-14b",
        repository="unsloth/DeepSeek-R1-Distill-Qwen-14B-GGUF",
        weights="Q4_K_M",
        maker="DeepSeek",
        licence=_MIT,
        role="repair",
        billion_params=14.8,
        note=_THINKS,
    ),
    Entry(
        name="r1-distill-qwen-32b",
        repository="unsloth/DeepSeek-R1-Distill-Qwen-32B-GGUF",
        weights="Q4_K_M",
        maker="DeepSeek",
        licence=_MIT,
        role="repair",
        billion_params=32.8,
        note=_THINKS,
    ),
    Entry(
        name="r1-distill-llama-70b",
        repository="unsloth/DeepSeek-R1-Distill-Llama-70B-GGUF",
        weights="Q4_K_M",
        maker="DeepSeek",
        licence=_LLAMA,
        role="repair",
        billion_params=70.6,
        note=_THINKS,
    ),
    Entry(
        name="r1-671b-1.58bit",
        repository="unsloth/DeepSeek-R1-GGUF",
        weights="UD-IQ1_S",
        maker="DeepSeek",
        licence=_MIT,
        role="repair",
        billion_params=671,
        billion_active=37,
        note="R1 itself, dynamic 1.58-bit; split files",
    ),
    Entry(
        name="r1-671b-2.5bit",
        repository="unsloth/DeepSeek-R1-GGUF",
        weights="UD-Q2_K_XL",
        maker="DeepSeek",
        licence=_MIT,
        role="repair",
        billion_params=671,
        billion_active=37,
        note="R1 itself, dynamic 2.51-bit; split files",
    ),
)

CATALOGUE: Mapping[str, Entry] = {entry.name: entry for entry in _ENTRIES}
