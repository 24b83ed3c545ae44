"""Rewrites a GGUF file with other weight types, through llama.cpp's own quantiser."""

import ctypes
import os
from collections.abc import Mapping
from pathlib import Path

import llama_cpp

from engine.errors import ModelUnusable

FILE_TYPES: Mapping[str, int] = {
    "F16": llama_cpp.LLAMA_FTYPE_MOSTLY_F16,
    "Q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
    "Q4_1": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_1,
    "Q5_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_0,
    "Q5_1": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_1,
    "Q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "Q4_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M,
    "Q5_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q5_K_M,
    "Q6_K": llama_cpp.LLAMA_FTYPE_MOSTLY_Q6_K,
    "IQ4_NL": llama_cpp.LLAMA_FTYPE_MOSTLY_IQ4_NL,
}
"""What `requantise` accepts, by the names llama.cpp's own quantiser uses."""

# ggml's ids of single tensor types (another numbering than file types).
_TENSOR_TYPES: Mapping[str, int] = {"F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q6_K": 14}

_SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)


def requantise(source: Path, target: Path, type_name: str, *, embedding: str | None = None) -> None:
    """Writes `source` with weights of `type_name` to `target`; `embedding` sets the token embedding's type apart.

    Weights already quantised are expanded and quantised again, which loses accuracy where the new type is coarser.
    llama.cpp ends the process on some broken files: give it only files that `gguf_header` has accepted. Blocks for
    the whole run, uses two threads and leaves llama.cpp's log silent in this process. The output depends on nothing but
    the arguments and llama.cpp's version. Raises ModelUnusable when llama.cpp refuses.
    """
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = FILE_TYPES[type_name]
    params.allow_requantize = True
    params.nthread = 2
    if embedding:
        params.token_embedding_type = params.output_tensor_type = _TENSOR_TYPES[embedding]
    llama_cpp.llama_log_set(_SILENT, None)
    status = llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(params))
    if status != 0:
        raise ModelUnusable(f"llama.cpp could not requantise {source} to {type_name}")
