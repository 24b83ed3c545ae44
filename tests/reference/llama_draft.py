"""Logits of the layer of multi-token prediction by llama.cpp, with nothing rounded on the way; a child process.

On stdin a JSON list of jobs: {"file": GGUF of the model, "draft": GGUF with that layer, which may be the same, "ids":
token ids, "target": file for the logits as .npy}.
"""

import ctypes
import json
import os
import sys
from typing import Any

import llama_cpp
import numpy as np
from llama_cpp import llama_cpp_ext
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)


def main() -> None:
    llama_cpp.llama_log_set(SILENT, None)
    for job in json.load(sys.stdin):
        states = hidden_states(job["file"], job["ids"])
        np.save(job["target"], draft_logits(job["draft"], job["ids"][1:], states[:-1]))


def hidden_states(file: str, ids: list[int]) -> Floats:
    """The model's last hidden state of each token."""
    model = load(file)
    context = make_context(model, llama_cpp.LLAMA_CONTEXT_TYPE_DEFAULT)
    llama_cpp_ext.llama_set_embeddings_nextn(context, True, False)
    decode(context, batch_of(ids))
    width = llama_cpp.llama_model_n_embd(model)
    return np.ctypeslib.as_array(llama_cpp_ext.llama_get_embeddings_nextn(context), (len(ids), width)).copy()


def draft_logits(file: str, ids: list[int], states: Floats) -> Floats:
    """Of each token with the hidden state of the one before it."""
    model = load(file)
    context = make_context(model, llama_cpp.LLAMA_CONTEXT_TYPE_MTP)
    batch = batch_of(ids)
    held = np.ascontiguousarray(states, dtype=np.float32)
    batch.embd = held.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    decode(context, batch)
    width = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    rows = [np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(context, row), (width,)) for row in range(len(ids))]
    return np.stack(rows)


def load(file: str) -> Any:
    options = llama_cpp.llama_model_default_params()
    options.load_mtp = True
    model = llama_cpp.llama_model_load_from_file(os.fsencode(file), options)
    assert model, file
    return model


def make_context(model: Any, kind: int) -> Any:
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx = settings.n_batch = settings.n_ubatch = 256
    settings.n_threads = settings.n_threads_batch = 2
    settings.ctx_type = kind
    settings.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
    settings.type_k = settings.type_v = llama_cpp.GGML_TYPE_F32
    context = llama_cpp.llama_init_from_model(model, settings)
    assert context
    return context


def batch_of(ids: list[int]) -> Any:
    """All tokens at once, each with an output; a structure that keeps what it points to."""
    tokens = (llama_cpp.llama_token * len(ids))(*ids)
    outputs = (ctypes.c_int8 * len(ids))(*([1] * len(ids)))
    return llama_cpp.llama_batch(n_tokens=len(ids), token=tokens, logits=outputs)


def decode(context: Any, batch: Any) -> None:
    status = llama_cpp.llama_decode(context, batch)
    assert status == 0, status


if __name__ == "__main__":
    main()
