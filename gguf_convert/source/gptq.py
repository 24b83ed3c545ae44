"""The parts of a matrix that GPTQ has quantised: packed integers, zero points, scales, and the groups of its inputs.

Layout: https://github.com/AutoGPTQ/AutoGPTQ, auto_gptq/nn_modules/qlinear/qlinear_cuda_old.py. Everything is stored
transposed, [in, out]; integers are packed along the inputs, zero points along the outputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gguf_convert.errors import SourceError, Unsupported
from gguf_convert.tensors import SourceTensor

PARTS: Final = ("qweight", "qzeros", "scales", "g_idx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """The parts of a GPTQ matrix. `shape` is the model's, [out, in]; `shift` is added to stored zero points; `groups`
    says which group each input is of, None when they follow each other by `group_size`.
    """

    shape: tuple[int, int]
    bits: int
    shift: int
    group_size: int
    levels: SourceTensor
    zeros: SourceTensor
    scales: SourceTensor
    groups: SourceTensor | None


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part must be."""

    tensor: SourceTensor
    dtypes: tuple[str, ...]
    shape: tuple[int, ...]


def packed_of(stem: str, tensors: Mapping[str, SourceTensor], config: Mapping[str, Any]) -> Packed:
    """The parts of the matrix `stem`.weight; `config` is the checkpoint's `quantization_config`.

    Raises SourceError when a part is missing or of another shape than the others want, Unsupported for other packed
    formats.
    """
    bits, said_size, shift = _settings(config)
    levels, zeros, scales, groups = (tensors.get(f"{stem}.{part}") for part in PARTS)
    if levels is None or zeros is None or scales is None:
        raise SourceError(f"the GPTQ matrix {stem!r} lacks its qweight, its qzeros or its scales")
    if len(levels.shape) != 2 or 0 in levels.shape:
        raise SourceError(f"{levels.name!r} has the shape {list(levels.shape)} and is no matrix")
    per_word = 32 // bits
    n_in, n_out = levels.shape[0] * per_word, levels.shape[1]
    group_size = n_in if said_size == -1 else said_size
    n_groups = -(-n_in // group_size)
    parts = [
        _Part(levels, ("I32", "U32"), levels.shape),
        _Part(zeros, ("I32", "U32"), (n_groups, -(-n_out // per_word))),
        _Part(scales, ("F16", "BF16", "F32"), (n_groups, n_out)),
    ]
    _check(parts if groups is None else [*parts, _Part(groups, ("I32",), (n_in,))])
    return Packed(
        shape=(n_out, n_in),
        bits=bits,
        shift=shift,
        group_size=group_size,
        levels=levels,
        zeros=zeros,
        scales=scales,
        groups=groups,
    )


def _check(parts: list[_Part]) -> None:
    for part in parts:
        if part.tensor.dtype not in part.dtypes or part.tensor.shape != part.shape:
            raise SourceError(
                f"{part.tensor.name!r} is {part.tensor.dtype} of {list(part.tensor.shape)}, but the rest of its GPTQ "
                f"matrix needs {part.dtypes[0]} of {list(part.shape)}"
            )


# Zero points are stored less one in the first format.
_SHIFTS: Final[Mapping[str, int]] = {"gptq": 1, "gptq_v2": 0}


def _settings(config: Mapping[str, Any]) -> tuple[int, int, int]:
    """Bits, group size (-1: one group), and what is added to stored zero points."""
    method, bits, size = config.get("quant_method"), config.get("bits"), config.get("group_size")
    if method != "gptq":
        raise Unsupported(f"packed integers of {method!r} are not converted, only those of GPTQ")
    if type(bits) is not int or bits not in (4, 8):
        raise Unsupported(f"GPTQ with {bits} bits is not converted, only 4 and 8")
    if type(size) is not int or not (size == -1 or 0 < size < 2**31):
        raise SourceError("config.json has a GPTQ model but no possible group_size")
    kind = config.get("checkpoint_format", "gptq")
    if not isinstance(kind, str) or kind not in _SHIFTS:
        raise Unsupported(f"GPTQ in the format {kind!r} is not converted, only {' and '.join(_SHIFTS)}")
    return bits, size, _SHIFTS[kind]
