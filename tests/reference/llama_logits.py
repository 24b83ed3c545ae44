"""Logits of a GGUF file by llama.cpp, with nothing rounded on the way; started as a child process.

On stdin a JSON list of jobs: {"file": GGUF, "ids": token ids, "target": file for the logits as .npy}, and "adapter", a
GGUF to be added while it runs, where there is one.
"""

import json
import sys

import llama_cpp
import numpy as np

SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)


def main() -> None:
    llama_cpp.llama_log_set(SILENT, None)
    for job in json.load(sys.stdin):
        ids = job["ids"]
        model = llama_cpp.Llama(
            job["file"],
            lora_path=job.get("adapter"),
            n_ctx=len(ids),
            n_batch=len(ids),
            n_threads=2,
            logits_all=True,
            flash_attn=False,
            type_k=llama_cpp.GGML_TYPE_F32,
            type_v=llama_cpp.GGML_TYPE_F32,
            verbose=False,
        )
        model.eval(ids)
        np.save(job["target"], model.scores[: len(ids)])
        model.close()


if __name__ == "__main__":
    main()
