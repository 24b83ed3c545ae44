"""Token ids as llama.cpp makes them with the tokenizer of a GGUF file; run as a program of its own.

On stdin {"file": GGUF file, "texts": [...]}, on stdout the ids of each text.
"""

import json
import sys

import llama_cpp

SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)


def main() -> None:
    llama_cpp.llama_log_set(SILENT, None)
    job = json.load(sys.stdin)
    options = llama_cpp.llama_model_default_params()
    options.vocab_only = True
    model = llama_cpp.llama_model_load_from_file(job["file"].encode(), options)
    assert model, "the vocabulary is not loaded"
    json.dump([_ids(llama_cpp.llama_model_get_vocab(model), text.encode()) for text in job["texts"]], sys.stdout)


def _ids(vocabulary: object, text: bytes) -> list[int]:
    room = len(text) + 1
    found = (llama_cpp.llama_token * room)()
    count = llama_cpp.llama_tokenize(vocabulary, text, len(text), found, room, False, True)
    assert count >= 0
    return list(found[:count])


if __name__ == "__main__":
    main()
