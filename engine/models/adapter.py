"""Checks a LoRA adapter against the model it is to change, before llama.cpp sees either. Standard library only.

llama.cpp adds an adapter while it computes (src/llama-adapter.cpp). It takes some that change nothing, and one on
embeddings that are also the output ends the process.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from engine.models.gguf_header import GgufError, GgufHeader, Tensor, read_header

IGNORED: Final[Mapping[str, frozenset[str]]] = {
    "deepseek2": frozenset({"attn_q", "attn_q_a", "attn_q_b", "attn_kv_a_mqa", "attn_k_b", "attn_v_b", "output"}),
}
"""Tensors by architecture that llama.cpp multiplies without asking for an adapter (src/models/deepseek2.cpp)."""
_EMBEDDINGS, _OUTPUT = "token_embd.weight", "output.weight"


def check_adapter(path: Path, model: Iterable[GgufHeader]) -> None:
    """`model` are the headers of all parts of the model. Raises GgufError with one sentence."""
    adapter, parts = read_header(path), list(model)
    if (adapter.metadata.get("general.type"), adapter.metadata.get("adapter.type")) != ("adapter", "lora"):
        raise GgufError(f"{path} is not a LoRA adapter; `r1-gguf lora` makes one")
    architecture = parts[0].architecture
    if adapter.architecture != architecture:
        raise GgufError(
            f"{path} is an adapter for {adapter.architecture or 'nothing'}, and the model is {architecture}"
        )
    tensors = {tensor.name: tensor for part in parts for tensor in part.tensors}
    pairs = _pairs(path, adapter)
    for name, (down, up) in pairs.items():
        _check_pair(path, tensors.get(name), down, up)
        if name.rpartition(".")[0].rpartition(".")[2] in IGNORED.get(architecture, ()):
            raise GgufError(
                f"{path} changes {name}, where llama.cpp ignores adapters; `r1-gguf convert --adapter` merges them"
            )
    if _EMBEDDINGS in pairs and _OUTPUT not in tensors:
        raise GgufError(f"{path} changes the token embeddings, which are also this model's output")


def _pairs(path: Path, adapter: GgufHeader) -> dict[str, tuple[Tensor, Tensor]]:
    halves: dict[str, dict[str, Tensor]] = {}
    for tensor in adapter.tensors:
        name, _, side = tensor.name.rpartition(".")
        if side not in {"lora_a", "lora_b"}:
            raise GgufError(f"{path} holds {tensor.name!r}, which is no part of a LoRA adapter")
        halves.setdefault(name, {})[side] = tensor
    for name, sides in halves.items():
        if len(sides) != 2:
            raise GgufError(f"{path} has only one of the two matrices for {name!r}")
    return {name: (sides["lora_a"], sides["lora_b"]) for name, sides in halves.items()}


def _check_pair(path: Path, weight: Tensor | None, down: Tensor, up: Tensor) -> None:
    """`down` is [in, rank] in ggml's order and `up` [rank, out]; for embeddings both are for the transposed weight."""
    name = down.name.removesuffix(".lora_a")
    if weight is None:
        raise GgufError(f"{path} changes {name!r}, which the model does not have: it was made for another")
    first, second = _matrix(down), _matrix(up)
    wanted = (second[1], first[1]) if name == _EMBEDDINGS else (first[0], second[1])
    rank = first[0] if name == _EMBEDDINGS else first[1]
    if rank != second[0] or first[2:] != second[2:] or (*wanted, *first[2:]) != _matrix(weight):
        raise GgufError(f"{path} has matrices of another size than the model's {name!r}: it was made for another")


def _matrix(tensor: Tensor) -> tuple[int, ...]:
    return tensor.shape if len(tensor.shape) > 1 else (*tensor.shape, 1)
