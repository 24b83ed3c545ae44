"""Fill in the middle: one row of markers per model family, and the one function that lays a prompt out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.prompt.pieces import Piece, joined
from engine.types import InfillPrompt


@dataclass(frozen=True, slots=True, kw_only=True)
class FimRow:
    """How a family wants its hole marked.

    `order`: "psm" is prefix, suffix, middle; "spm" is suffix, prefix, middle. `middle` is "" where the answer simply
    continues the prefix. `stops` are control tokens that end an infill besides the vocabulary's own end tokens.
    `trained` is False where the markers are in the vocabulary but no maker says that the model was trained on them:
    such a model is probed at load before anyone relies on it.
    """

    prefix: str
    suffix: str
    middle: str
    order: Literal["psm", "spm"] = "psm"
    stops: tuple[str, ...] = ()
    trained: bool = True

    @property
    def markers(self) -> tuple[str, ...]:
        """The marker strings; each must be exactly one token of the vocabulary, else the model cannot infill."""
        return tuple(m for m in (self.prefix, self.suffix, self.middle) if m)


def row_for(family: str) -> FimRow | None:
    """The markers of a family, or None when it has none."""
    return _ROWS.get(family)


def render(row: FimRow, prompt: InfillPrompt) -> list[Piece]:
    """The prompt as pieces. The text after the cursor's line start (`middle`) stands last, after the middle marker.

    So neither prefix nor suffix changes while one line is typed, and the model's memory of both is kept (the layout of
    llama.vim). `context` goes before the prefix, inside it: to the model it is the part of the file further up.
    """
    prefix = (Piece(row.prefix, special=True), Piece(prompt.context + prompt.prefix, special=False))
    suffix = (Piece(row.suffix, special=True), Piece(prompt.suffix, special=False))
    middle = (Piece(row.middle, special=True), Piece(prompt.middle, special=False))
    parts = (*prefix, *suffix, *middle) if row.order == "psm" else (*suffix, *prefix, *middle)
    return joined(parts)


_QWEN_STOPS = (
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<|im_start|>",
    "<|im_end|>",
)
_QWEN = FimRow(prefix="<|fim_prefix|>", suffix="<|fim_suffix|>", middle="<|fim_middle|>", stops=_QWEN_STOPS)
_QWEN_UNPROVEN = FimRow(prefix=_QWEN.prefix, suffix=_QWEN.suffix, middle=_QWEN.middle, stops=_QWEN_STOPS, trained=False)

# "hole" stands where the cursor is, between prefix and suffix; "end" is what the answer follows.
_DEEPSEEK_STOPS = ("<｜end▁of▁sentence｜>", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", "<|EOT|>")
_DEEPSEEK = FimRow(prefix="<｜fim▁begin｜>", suffix="<｜fim▁hole｜>", middle="<｜fim▁end｜>", stops=_DEEPSEEK_STOPS)
_DEEPSEEK_UNPROVEN = FimRow(
    prefix=_DEEPSEEK.prefix, suffix=_DEEPSEEK.suffix, middle=_DEEPSEEK.middle, stops=_DEEPSEEK_STOPS, trained=False
)

_STARCODER = FimRow(
    prefix="<fim_prefix>",
    suffix="<fim_suffix>",
    middle="<fim_middle>",
    stops=("<|endoftext|>", "<file_sep>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "<fim_pad>"),
)

# Sources: the makers' model cards and tokenizer_config.json. Qwen's and DeepSeek's instruct models keep infilling
# (Qwen2.5-Coder) or are not trained on it (DeepSeek-Coder issue 80: "we don't use FIM task during fine-tuning"), which
# the file does not say: the family rows below speak of the base models, and the host probes a model that can also chat.
_ROWS: Mapping[str, FimRow] = {
    "qwen2.5-coder": _QWEN,
    "qwen3-coder": _QWEN,
    "qwen2.5": _QWEN_UNPROVEN,
    "r1-distill-qwen": _QWEN_UNPROVEN,
    "deepseek-coder": _DEEPSEEK,
    "deepseek-coder-v2": _DEEPSEEK,
    "deepseek-v3": _DEEPSEEK_UNPROVEN,
    "deepseek-r1": _DEEPSEEK_UNPROVEN,
    "starcoder2": _STARCODER,
    "granite-code": _STARCODER,
    "granite": FimRow(
        prefix="<|fim_prefix|>",
        suffix="<|fim_suffix|>",
        middle="<|fim_middle|>",
        stops=("<|end_of_text|>", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|fim_pad|>"),
        trained=False,
    ),
    "codestral": FimRow(prefix="[PREFIX]", suffix="[SUFFIX]", middle="", order="spm", stops=("[PREFIX]", "[SUFFIX]")),
    "seed-coder": FimRow(
        prefix="<[fim-prefix]>",
        suffix="<[fim-suffix]>",
        middle="<[fim-middle]>",
        order="spm",
        stops=("<[end▁of▁sentence]>", "<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>"),
    ),
}
