"""config.json of a checkpoint, read once into types without holes.

Defaults are those of the configuration classes of transformers 4.57 (src/transformers/models/*/configuration_*.py):
a key that is missing means what the reference implementation takes it to mean. Sizes have no default.
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from gguf_convert.arch.architecture import Config
from gguf_convert.errors import Unsupported

_MOST_LAYERS = 512  # LLAMA_MAX_LAYERS: llama.cpp ends the process over more

# Keys that do not change what a forward pass computes, or that somebody else reads (the tokenizer, the readers).
_OF_NO_CONCERN = frozenset(
    (
        "_name_or_path",
        "architectures",
        "auto_map",
        "bos_token_id",
        "dtype",
        "eos_token_id",
        "id2label",
        "is_decoder",
        "is_encoder_decoder",
        "is_llama_config",
        "label2id",
        "model_type",
        "output_attentions",
        "output_hidden_states",
        "pad_token_id",
        "quantization_config",
        "return_dict",
        "tokenizer_class",
        "torch_dtype",
        "torchscript",
        "transformers.js_config",
        "transformers_version",
        "unsloth_fixed",
        "unsloth_version",
        "use_bfloat16",
        "use_cache",
        # training only
        "attention_dropout",
        "aux_loss_alpha",
        "ep_size",
        "initializer_range",
        "pretraining_tp",
        "seq_aux",
    )
)


class RopeScaling(BaseModel):
    """How rotary positions are stretched: `rope_scaling`, or `rope_parameters` as transformers 5 writes it.

    `attention_factor` is the whole factor on cosines and sines, in place of YaRN's own. `attn_factor` is read by
    neither transformers nor llama.cpp's loader, and only handed on.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    rope_type: str | None = None
    type: str | None = None
    rope_theta: PositiveFloat | None = None
    factor: PositiveFloat | None = None
    original_max_position_embeddings: PositiveInt | None = None
    attention_factor: PositiveFloat | None = None
    attn_factor: PositiveFloat | None = None
    extrapolation_factor: float | None = None
    beta_fast: float | None = None
    beta_slow: float | None = None
    low_freq_factor: PositiveFloat = 1.0
    high_freq_factor: PositiveFloat = 4.0
    mscale: float | None = None
    mscale_all_dim: float | None = None
    truncate: bool = True

    @property
    def kind(self) -> str:
        """`default`, `linear`, `yarn`, `llama3`, ..."""
        return (self.rope_type or self.type or "default").lower()


class TransformerConfig(BaseModel):
    """What all decoders here have in common."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    vocab_size: PositiveInt
    hidden_size: PositiveInt
    intermediate_size: PositiveInt
    num_hidden_layers: int = Field(ge=1, le=_MOST_LAYERS)
    num_attention_heads: PositiveInt
    num_key_value_heads: PositiveInt | None = None
    max_position_embeddings: PositiveInt
    original_max_position_embeddings: PositiveInt | None = None
    rms_norm_eps: PositiveFloat = 1e-6
    rope_theta: PositiveFloat = 10000.0
    rope_scaling: RopeScaling | None = None
    rope_parameters: RopeScaling | None = None
    hidden_act: str = "silu"
    tie_word_embeddings: bool = False
    is_causal: bool = True
    partial_rotary_factor: float = 1.0

    @property
    def n_head_kv(self) -> int:
        return self.num_key_value_heads or self.num_attention_heads

    @property
    def rope(self) -> RopeScaling:
        return self.rope_parameters or self.rope_scaling or RopeScaling()

    @property
    def rope_base(self) -> float:
        """The base of the rotary frequencies."""
        return self.rope.rope_theta or self.rope_theta


ConfigType = TypeVar("ConfigType", bound=TransformerConfig)


def read_config(kind: type[ConfigType], config: Config) -> ConfigType:
    """The configuration, checked. Raises Unsupported, naming the key, for what no decoder here can be."""
    try:
        read = kind.model_validate(_without_nulls(config))
    except ValidationError as exc:
        first = exc.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise Unsupported(f"config.json: {key}: {first['msg'][:1].lower()}{first['msg'][1:]}") from exc
    refuse(
        (read.hidden_act != "silu", f"the activation {read.hidden_act!r} (only silu is supported)"),
        (not read.is_causal, "attention in both directions (is_causal: false)"),
        (read.partial_rotary_factor != 1.0, "rotary positions over a part of each head (partial_rotary_factor)"),
    )
    return read


def refuse(*checks: tuple[bool, str]) -> None:
    """Raises Unsupported over the first of the checks that is true; its words name what cannot be converted."""
    for wrong, what in checks:
        if wrong:
            raise Unsupported(f"config.json asks for {what}, which would be converted wrongly")


def unknown_keys(kind: type[TransformerConfig], config: Config) -> tuple[str, ...]:
    """A sentence for the user when config.json has keys that nothing here reads."""
    unknown = sorted(set(config) - set(kind.model_fields) - _OF_NO_CONCERN)
    if not unknown:
        return ()
    return (f"config.json has keys that this converter does not know and leaves aside: {', '.join(unknown)}",)


def _without_nulls(config: Config) -> dict[str, Any]:
    """A key that is null means the same as one that is missing."""
    return {key: value for key, value in config.items() if value is not None}
