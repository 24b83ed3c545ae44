"""Metadata and factors of stretched rotary positions, as llama.cpp takes them."""

from math import log, pi

import numpy as np

from gguf_convert.arch.config import RopeScaling, TransformerConfig, refuse
from gguf_convert.errors import Unsupported
from gguf_convert.fields import Field
from gguf_convert.rows import Constant


def rope_fields(arch: str, config: TransformerConfig, supported: tuple[str, ...]) -> list[Field]:
    """Metadata of the rotary positions. `supported` are the kinds of scaling the architecture computes correctly."""
    scaling = config.rope
    refuse((bool(scaling.mscale or scaling.mscale_all_dim), f"DeepSeek's mscale in {arch}"))
    return _fields(arch, config, supported)


def latent_rope_fields(arch: str, config: TransformerConfig) -> list[Field]:
    """The same for multi-head latent attention with DeepSeek's YaRN.

    llama.cpp multiplies the scores by (1 + 0.1 mscale_all_dim ln factor) squared and takes mscale to be the same, so
    that the factor on cosines and sines is 1 (llama-context.cpp, models/deepseek2.cpp). Its converter writes a tenth
    of mscale_all_dim, and its loader divides by a tenth.
    """
    scaling = config.rope
    fields = _fields(arch, config, ("yarn",))
    if scaling.kind != "yarn":
        return fields
    if not scaling.mscale_all_dim or scaling.mscale != scaling.mscale_all_dim:
        raise Unsupported(
            f"config.json has mscale {scaling.mscale} and mscale_all_dim {scaling.mscale_all_dim}; llama.cpp computes "
            "YaRN for this architecture only where both are given and equal"
        )
    refuse((bool(scaling.attention_factor or scaling.attn_factor), "an attention factor on top of mscale"))
    return [*fields, Field(f"{arch}.rope.scaling.yarn_log_multiplier", "f32", 0.1 * scaling.mscale_all_dim)]


def llama3_factors(config: TransformerConfig, head_dim: int) -> Constant:
    """What llama.cpp divides each rotary frequency by: Llama 3.1's scaling by wavelength.

    transformers, modeling_rope_utils.py, _compute_llama3_parameters, in single precision and with the reciprocals in
    the places where llama.cpp's converter has them, so that the factors are the same bits.
    """
    one, scaling = np.float32(1), config.rope
    factor, low, high = np.float32(scaling.factor or 8.0), scaling.low_freq_factor, scaling.high_freq_factor
    context = _original_context(config) or 8192
    refuse((low == high, "low_freq_factor equal to high_freq_factor"))
    exponents = np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim)
    frequencies = one / np.power(float(np.float32(config.rope_base)), exponents.astype(np.float64)).astype(np.float32)
    wavelengths = one / frequencies * np.float32(2 * pi)
    smooth = (one / wavelengths * np.float32(context) - np.float32(low)) / np.float32(high - low)
    between = one / ((one - smooth) / factor + smooth)
    stretched = np.where(wavelengths > np.float32(context / low), factor, between)
    return Constant(tuple(map(float, np.where(wavelengths < np.float32(context / high), one, stretched))))


def yarn_magnitude(factor: float, weight: float = 1.0) -> float:
    """YaRN's factor on cosines and sines (arXiv 2309.00071, equation 22); `weight` is DeepSeek's mscale."""
    return 0.1 * weight * log(factor) + 1.0 if factor > 1 else 1.0


def _fields(arch: str, config: TransformerConfig, supported: tuple[str, ...]) -> list[Field]:
    scaling = config.rope
    if scaling.kind not in ("default", *supported):
        raise Unsupported(f"rotary positions scaled by {scaling.kind!r} cannot be converted for {arch}")
    make = {"linear": _linear, "yarn": _yarn}.get(scaling.kind)
    fields = make(arch, config) if make else []
    return [*fields, Field(f"{arch}.rope.freq_base", "f32", config.rope_base)]


def _original_context(config: TransformerConfig) -> int | None:
    return config.rope.original_max_position_embeddings or config.original_max_position_embeddings


def _linear(arch: str, config: TransformerConfig) -> list[Field]:
    prefix = f"{arch}.rope.scaling"
    return [Field(f"{prefix}.type", "string", "linear"), Field(f"{prefix}.factor", "f32", _factor(config.rope))]


def _yarn(arch: str, config: TransformerConfig) -> list[Field]:
    prefix, scaling = f"{arch}.rope.scaling", config.rope
    context = _original_context(config)
    if context is None:
        raise Unsupported("config.json asks for YaRN without saying original_max_position_embeddings")
    _refuse_what_the_loader_leaves_out(scaling)
    whole = scaling.attention_factor
    optional = {
        "yarn_ext_factor": scaling.extrapolation_factor,
        "yarn_attn_factor": scaling.attn_factor if whole is None else whole,
        "yarn_beta_fast": scaling.beta_fast,
        "yarn_beta_slow": scaling.beta_slow,
        # The one of the two that llama.cpp reads: it multiplies YaRN's own magnitude.
        "attn_factor": None if whole is None else whole / yarn_magnitude(_factor(scaling)),
    }
    return [
        Field(f"{prefix}.type", "string", "yarn"),
        Field(f"{prefix}.factor", "f32", _factor(scaling)),
        Field(f"{prefix}.original_context_length", "u32", context),
        *(Field(f"{prefix}.{key}", "f32", value) for key, value in optional.items() if value is not None),
    ]


def _refuse_what_the_loader_leaves_out(scaling: RopeScaling) -> None:
    """llama.cpp computes YaRN with these constants, whatever the file says (llama-hparams.h, llama-model.cpp)."""
    refuse(
        (not scaling.truncate, "YaRN without rounding of its bounds (truncate: false)"),
        (scaling.beta_fast not in (None, 32), f"YaRN with beta_fast {scaling.beta_fast} (llama.cpp computes 32)"),
        (scaling.beta_slow not in (None, 1), f"YaRN with beta_slow {scaling.beta_slow} (llama.cpp computes 1)"),
        (scaling.extrapolation_factor not in (None, 1), "YaRN with an extrapolation_factor other than 1"),
    )


def _factor(scaling: RopeScaling) -> float:
    if scaling.factor is None:
        raise Unsupported(f"config.json asks for {scaling.kind} scaling of positions without saying its factor")
    return scaling.factor
