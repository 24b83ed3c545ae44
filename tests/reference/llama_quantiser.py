"""Runs llama.cpp's own quantiser; started as a child process, because its failed assertions end the process.

On stdin a JSON list of jobs: {"source": F32 file, "targets": {"Q4_K_M": file, ...}}.
"""

import ctypes
import json
import os
import sys

import llama_cpp

SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)


def main() -> None:
    llama_cpp.llama_log_set(SILENT, None)
    for job in json.load(sys.stdin):
        for name, target in job["targets"].items():
            quantise(job["source"], target, name)


def quantise(source: str, target: str, name: str) -> None:
    """Writes `target` with the mix of types that llama.cpp calls by this name."""
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{name}")
    params.nthread = 2
    status = llama_cpp.llama_model_quantize(os.fsencode(source), os.fsencode(target), ctypes.byref(params))
    if status != 0:
        raise SystemExit(f"llama.cpp did not quantise {source} to {name}")


if __name__ == "__main__":
    main()
