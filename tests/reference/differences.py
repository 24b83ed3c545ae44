"""Where our metadata differ from those of llama.cpp's converter, and why; the same list as in docs/conversion.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.reference.gguf_file import Entry


@dataclass(frozen=True, slots=True)
class Difference:
    """`theirs` and `ours` are the values; None where there is no such key. ANY stands for any value."""

    theirs: Any
    ours: Any
    reason: str


ANY = object()

DIFFERENCES: Mapping[str, Difference] = {
    "deepseek2.expert_gating_func": Difference(
        None, 2, "without it llama.cpp takes softmax, which no model of this class was trained with"
    ),
    "tokenizer.ggml.add_bos_token": Difference(
        False,
        True,
        "classes of Llama's tokenizer follow add_bos_token and make their post-processor anew, so the one in "
        "tokenizer.json, which llama.cpp's converter believes, is never used",
    ),
    "qwen3.rope.scaling.attn_factor": Difference(
        None,
        ANY,
        "the factor of a YaRN that comes with one: llama.cpp's converter writes it where its loader does not look",
    ),
    "tokenizer.ggml.add_sep_token": Difference(False, None, "no model here has a separator, and false is the default"),
    "tokenizer.ggml.add_space_prefix": Difference(False, None, "false is the default of this kind of tokenizer"),
    **{
        f"tokenizer.ggml.fim_{part}_token_id": Difference(
            None, ANY, "llama.cpp would guess the tokens for filling in the middle from their text"
        )
        for part in ("pre", "suf", "mid", "pad", "rep", "sep")
    },
}


def unexplained(theirs: Mapping[str, Entry], ours: Mapping[str, Entry]) -> dict[str, tuple[Entry | None, Entry | None]]:
    """The entries that differ and are not in the list: both sides of each."""
    keys = sorted(theirs.keys() | ours.keys())
    pairs = {key: (theirs.get(key), ours.get(key)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1] and not _explained(key, *pair)}


def _explained(key: str, theirs: Entry | None, ours: Entry | None) -> bool:
    known = DIFFERENCES.get(key)
    return known is not None and _is(known.theirs, theirs) and _is(known.ours, ours)


def _is(wanted: Any, entry: Entry | None) -> bool:
    if wanted is ANY:
        return entry is not None
    return (entry.value if entry else None) == wanted
