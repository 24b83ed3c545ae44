"""The few numbers about a model that decide which types its tensors get."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.models.gguf_header import LongArray
from gguf_convert.errors import RecipeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`n_layer` counts all blocks, those of multi-token prediction (`n_nextn`, the last ones) included; `n_head` and
    `n_head_kv` are the first block's.
    """

    architecture: str
    n_layer: int
    n_head: int
    n_head_kv: int
    n_expert: int = 0
    n_nextn: int = 0

    @property
    def n_gqa(self) -> int:
        """How many query heads share a key head; 0 without attention."""
        return self.n_head // self.n_head_kv if self.n_head_kv else 0


def facts_of(metadata: Mapping[str, object]) -> Facts:
    """From a GGUF file's metadata, written or about to be written: key -> value.

    Raises RecipeError when the architecture or the number of its blocks is missing.
    """
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str):
        raise RecipeError("the metadata does not say which architecture the model has (general.architecture)")

    def number(key: str, missing: int) -> int:
        value = metadata.get(f"{architecture}.{key}")
        if isinstance(value, LongArray):
            value = value.head
        if isinstance(value, tuple) and value:
            value = value[0]
        return value if isinstance(value, int) and value >= 0 else missing

    n_layer = number("block_count", 0)
    if not n_layer:
        raise RecipeError(f"the metadata does not say how many blocks the model has ({architecture}.block_count)")
    n_head = number("attention.head_count", 0)
    return Facts(
        architecture=architecture,
        n_layer=n_layer,
        n_head=n_head,
        n_head_kv=number("attention.head_count_kv", n_head),
        n_expert=number("expert_count", 0),
        n_nextn=number("nextn_predict_layers", 0),
    )
