"""Will a model fit? An estimate from the header: weights, the attention memory of a context, working buffers."""

import os
from dataclasses import dataclass

from engine.models.gguf_header import GgufHeader

# llama.cpp's compute buffers and the host process itself; measured 0.2 to 0.4 GB on models up to 8B.
WORKING_BYTES = 400 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNeed:
    """Bytes a model needs while it runs, against what the machine has (0: unknown)."""

    weights: int
    attention: int
    working: int
    machine: int

    @property
    def total(self) -> int:
        return self.weights + self.attention + self.working

    @property
    def fits(self) -> bool | None:
        """Whether it fits and leaves an eighth for everything else; None when the machine's memory is unknown."""
        return self.total <= self.machine * 7 // 8 if self.machine else None


def need(header: GgufHeader, n_ctx: int, weights: int | None = None) -> MemoryNeed:
    """The estimate for a context of `n_ctx` tokens; `weights` is the size of all parts of a split model."""
    return MemoryNeed(
        weights=header.tensor_bytes if weights is None else weights,
        attention=attention_bytes(header, n_ctx),
        working=WORKING_BYTES,
        machine=machine_bytes(),
    )


def attention_bytes(header: GgufHeader, n_ctx: int) -> int:
    """Size of the key/value memory in 16-bit numbers. Deepseek2 with MLA keeps one compressed row per layer."""
    layers = header.number("{arch}.block_count") or 0
    latent = header.number("{arch}.attention.kv_lora_rank")
    rope = header.number("{arch}.rope.dimension_count") or 0
    if latent and header.number("{arch}.attention.key_length_mla"):
        return 2 * layers * n_ctx * (latent + rope)
    heads = header.number("{arch}.attention.head_count") or 0
    kv_heads = header.number("{arch}.attention.head_count_kv") or heads
    width = header.number("{arch}.attention.key_length") or (header.number("{arch}.embedding_length") or 0) // max(
        heads, 1
    )
    return 2 * 2 * layers * n_ctx * kv_heads * width


def machine_bytes() -> int:
    """Physical memory, 0 when the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 0
