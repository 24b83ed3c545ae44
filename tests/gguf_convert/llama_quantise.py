"""Run as a process of its own: llama.cpp's quantiser. A failed assertion of llama.cpp ends the process it is in.

Reads {"source", "target", "file_type", "importance": .npz file or null, "requantise"} on standard input; ends with 1
when llama.cpp refuses.
"""

import ctypes
import json
import os
import sys
from typing import Any

import llama_cpp
import numpy as np


def main() -> int:
    job = json.load(sys.stdin)
    silent = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(silent, None)
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.allow_requantize, params.nthread = job["file_type"], job["requantise"], 1
    kept: list[Any] = []
    if job["importance"]:
        params.imatrix = _entries(np.load(job["importance"]), kept)
    return int(
        llama_cpp.llama_model_quantize(os.fsencode(job["source"]), os.fsencode(job["target"]), ctypes.byref(params))
    )


def _entries(arrays: Any, kept: list[Any]) -> Any:
    entries = (llama_cpp.llama_model_imatrix_data * (len(arrays) + 1))()
    for entry, (name, values) in zip(entries, arrays.items(), strict=False):
        kept += [entries, values, raw := name.encode()]
        entry.name, entry.size = raw, values.size
        entry.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    return entries


if __name__ == "__main__":
    sys.exit(main())
