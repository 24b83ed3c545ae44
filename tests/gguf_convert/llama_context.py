"""Loads a GGUF file with llama.cpp and makes a context: run as a program, because what is wrong ends the process.

On stdin one JSON object: {"file": ..., "draft": whether to make a context of the draft, "tokens": [...]}. On stdout the
logits after the last token, or null for a draft, which needs the hidden states of its model.
"""

import ctypes
import json
import sys
from typing import Any

import llama_cpp


def main() -> None:
    job = json.load(sys.stdin)
    options = llama_cpp.llama_model_default_params()
    options.load_mtp = job["draft"]
    model = llama_cpp.llama_model_load_from_file(job["file"].encode(), options)
    assert model, "the model is not loaded"
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx = settings.n_batch = 64
    kind = llama_cpp.LLAMA_CONTEXT_TYPE_MTP if job["draft"] else llama_cpp.LLAMA_CONTEXT_TYPE_DEFAULT
    settings.ctx_type = kind
    context = llama_cpp.llama_init_from_model(model, settings)
    assert context, "there is no context"
    json.dump(None if job["draft"] else _logits(model, context, job["tokens"]), sys.stdout)


def _logits(model: Any, context: Any, tokens: list[int]) -> list[float]:
    held = (llama_cpp.llama_token * len(tokens))(*tokens)
    assert llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(held, len(tokens))) == 0
    count = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    found = ctypes.cast(llama_cpp.llama_get_logits_ith(context, -1), ctypes.POINTER(ctypes.c_float))
    return list(found[:count])


if __name__ == "__main__":
    main()
