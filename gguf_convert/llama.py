"""The door to llama.cpp, for `r1-gguf verify`: `python -I -m gguf_convert.llama`, started by `llama_process.py`.

Nothing imports this module: llama.cpp ends its process over much that may be wrong with a file, so it runs in one of
its own. One line of JSON comes in and one goes out, {"file": ..., "context": ..., "threads": ...} first; logits go out
as bytes. What llama.cpp has to say about errors is written to stderr.
"""

import ctypes
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, Final

import llama_cpp as ll
import numpy as np

_LOGITS: Final = 64 * 2**20
"""Bytes of logits that llama.cpp holds at once: it keeps those of a whole batch."""
_ERROR, _CONTINUED = 4, 5  # enum ggml_log_level


def main() -> None:
    """Loads the file, then answers until stdin ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a print of a C library must not end up between the answers
    ll.llama_log_set(_LOG, ctypes.c_void_p(None))
    first = json.loads(sys.stdin.readline())
    model = _Model(first["file"], first["context"], first["threads"])
    _say(answers, model.facts)
    for line in sys.stdin:
        asked = json.loads(line)
        if "text" in asked:
            _say(answers, model.tokenise(asked["text"].encode("latin-1"), special=asked["special"]))
        else:
            for rows in model.logits(asked["tokens"], asked["skip"]):
                answers.write(rows)
                answers.flush()


def _say(answers: Any, value: Any) -> None:
    answers.write(json.dumps(value).encode() + b"\n")
    answers.flush()


class _Model:
    """A loaded file: its vocabulary alone when `context` is 0, otherwise ready for texts of that many tokens."""

    def __init__(self, file: str, context: int, threads: int) -> None:
        options = ll.llama_model_default_params()
        options.vocab_only = context == 0
        model = ll.llama_model_load_from_file(os.fsencode(file), options)
        if not model:
            sys.exit("llama.cpp does not load it")
        self._vocabulary = ll.llama_model_get_vocab(model)
        self._size: int = ll.llama_vocab_n_tokens(self._vocabulary)
        self._piece = ctypes.create_string_buffer(2**17)
        self._batch = max(min(_LOGITS // (4 * max(self._size, 1)), context), 1)
        trained: int = ll.llama_model_n_ctx_train(model)
        self._context = _new_context(model, min(context, trained), self._batch, threads) if context else None
        adds = ll.llama_vocab_get_add_bos(self._vocabulary)
        self.facts = {
            "tokens": self._size,
            "context": min(context, trained),
            "first": ll.llama_vocab_bos(self._vocabulary) if adds else None,
        }

    def tokenise(self, text: bytes, *, special: bool) -> dict[str, Any]:
        """The ids of a text, without tokens around it, and what they mean put together."""
        room = len(text) + 8
        ids = (ctypes.c_int32 * room)()
        n = ll.llama_tokenize(self._vocabulary, text, len(text), ids, room, False, special)  # noqa: FBT003 - C has no names
        if n < 0:
            sys.exit("llama.cpp cannot tokenise a text")
        made = list(ids[:n])
        return {"ids": made, "text": b"".join(map(self._text, made)).decode("latin-1")}

    def logits(self, tokens: list[int], skip: int) -> Iterator[bytes]:
        """The logits after each token but the first `skip`, as little-endian float32, a batch at a time."""
        ll.llama_memory_clear(ll.llama_get_memory(self._context), True)  # noqa: FBT003 - C has no names
        batch = ll.llama_batch_init(self._batch, 0, 1)
        for start in range(0, len(tokens), self._batch):
            part = tokens[start : start + self._batch]
            _fill(batch, part, start, skip)
            if ll.llama_decode(self._context, batch) != 0:
                sys.exit("llama.cpp cannot evaluate a text")
            yield from (self._row(at) for at in range(max(skip - start, 0), len(part)))
        ll.llama_batch_free(batch)

    def _row(self, at: int) -> bytes:
        held = ctypes.cast(ll.llama_get_logits_ith(self._context, at), ctypes.POINTER(ctypes.c_float))
        return np.ctypeslib.as_array(held, (self._size,)).astype("<f4").tobytes()

    def _text(self, token: int) -> bytes:
        size = len(self._piece)
        n = ll.llama_token_to_piece(self._vocabulary, token, self._piece, size, 0, True)  # noqa: FBT003 - C has no names
        return ctypes.string_at(self._piece, max(n, 0))


def _new_context(model: Any, n_tokens: int, batch: int, threads: int) -> Any:
    settings = ll.llama_context_default_params()
    settings.n_ctx = n_tokens
    settings.n_batch = settings.n_ubatch = batch
    settings.n_threads = settings.n_threads_batch = threads
    settings.no_perf = True
    context = ll.llama_init_from_model(model, settings)
    if not context:
        sys.exit("llama.cpp makes no context for it")
    return context


def _fill(batch: Any, tokens: list[int], start: int, skip: int) -> None:
    batch.n_tokens = len(tokens)
    for at, token in enumerate(tokens):
        batch.token[at], batch.pos[at] = token, start + at
        batch.n_seq_id[at], batch.seq_id[at][0] = 1, 0
        batch.logits[at] = start + at >= skip


class _Log:
    """llama.cpp's errors on stderr; what else it says is not wanted."""

    def __init__(self) -> None:
        self._level = 0

    def __call__(self, level: int, raw: bytes, _data: Any) -> None:
        self._level = self._level if level == _CONTINUED else level
        if self._level == _ERROR:
            sys.stderr.write(raw.decode("utf-8", "replace"))


_LOG: Final = ll.llama_log_callback(_Log())


if __name__ == "__main__":
    main()
