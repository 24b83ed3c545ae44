"""Run as a process of its own: what llama.cpp's quantiser would make of a file, tensor by tensor.

Reads {"path", "file_types": [number], "importance": [bool]} on standard input and writes a list, one entry for a pair:
{tensor: type, or null when unchanged}, or null when it refuses. A failed assertion of llama.cpp ends the process it is
in.
"""

import ctypes
import json
import re
import sys

import llama_cpp

_LINE = re.compile(
    r"\[ *\d+/ *\d+\] +(\S+) +- \[[^\]]*\], type = +\S+, size = +[\d.]+ MiB(?: -> +[\d.]+ MiB \((\S+)\))?"
)


def main() -> None:
    asked = json.load(sys.stdin)
    said: list[str] = []
    log = llama_cpp.llama_log_callback(lambda level, text, data: said.append(text.decode("utf-8", "replace")))
    llama_cpp.llama_log_set(log, None)
    answers = []
    for file_type in asked["file_types"]:
        for importance in asked["importance"]:
            said.clear()
            params = llama_cpp.llama_model_quantize_default_params()
            params.ftype, params.dry_run = file_type, True
            ones = (ctypes.c_float * 1)(1.0)
            entries = (llama_cpp.llama_model_imatrix_data * 2)()
            entries[0].name, entries[0].size = b"unused", 1
            entries[0].data = ctypes.cast(ones, ctypes.POINTER(ctypes.c_float))
            if importance:
                params.imatrix = entries
            status = llama_cpp.llama_model_quantize(asked["path"].encode(), b"/nonexistent", ctypes.byref(params))
            text = "".join(said)
            answers.append(None if status else {m[1]: m[2] and m[2].upper() for m in _LINE.finditer(text)})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
