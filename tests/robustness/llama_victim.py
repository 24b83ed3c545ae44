"""Loads and runs files with llama.cpp as the engine does, each in a process of its own, and says which end theirs.

As a script it is their parent: it loads the library once, reads paths from stdin, one a line, and forks for each.
"""

import ctypes
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 20  # a file that takes longer has killed its process too
MEMORY = 6 * 2**30
TEXT = "hello é😀 <|im_end|>\n\tx = 1\x00\x7f".encode()
RUNS, REFUSED = 0, 3  # exit codes


@dataclass(frozen=True)
class Fate:
    """What became of one file: "runs", "refused", or "dies", and the telling line of what llama.cpp said."""

    path: Path
    outcome: str
    said: str


def fates(paths: Sequence[Path]) -> Iterator[Fate]:
    """The fate of each file, in order."""
    done = subprocess.run(
        [sys.executable, "-I", __file__],
        input="".join(f"{path}\n" for path in paths).encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"GGML_NO_BACKTRACE": "1"},
        check=True,
    )
    left = iter(paths)
    said = ""
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith("@end "):
            yield Fate(next(left), line.split()[1], said)
            said = ""
        elif line.strip(" .") and (not said or "ASSERT" in line or "error" in line or "what()" in line):
            said = line.strip()
    assert next(left, None) is None, said


def _try(path: str) -> int:
    import llama_cpp as ll

    params = ll.llama_model_default_params()
    model = ll.llama_model_load_from_file(path.encode(), params)
    if not model:
        return REFUSED
    context_params = ll.llama_context_default_params()
    context_params.n_ctx = 64
    context_params.n_batch = context_params.n_ubatch = 32
    context_params.n_seq_max = 2
    context_params.kv_unified = context_params.swa_full = True
    context_params.n_threads = context_params.n_threads_batch = 1
    context = ll.llama_init_from_model(model, context_params)
    if not context:
        ll.llama_model_free(model)
        return REFUSED
    tokens = _tokens(model)
    batch = ll.llama_batch_get_one(tokens, min(len(tokens), 8))
    outcome = RUNS if ll.llama_decode(context, batch) == 0 else REFUSED
    if outcome == RUNS:
        ll.llama_get_logits_ith(context, -1)
        outcome = RUNS if ll.llama_decode(context, ll.llama_batch_get_one(tokens, 1)) == 0 else REFUSED
    ll.llama_free(context)
    ll.llama_model_free(model)
    return outcome


def _tokens(model: object) -> "ctypes.Array[ctypes.c_int32]":
    """The tokens of a text, each turned back into text; the first tokens of a model without a vocabulary."""
    import llama_cpp as ll

    vocabulary = ll.llama_model_get_vocab(model)
    size = ll.llama_vocab_n_tokens(vocabulary)
    if ll.llama_vocab_type(vocabulary) == 0:
        return (ctypes.c_int32 * 8)(*(min(i, max(size - 1, 0)) for i in range(8)))
    room = (ctypes.c_int32 * 128)()
    count = ll.llama_tokenize(vocabulary, TEXT, len(TEXT), room, 128, True, True)
    piece = ctypes.create_string_buffer(256)
    for token in [*room[: max(count, 0)], 0, size - 1]:
        if 0 <= token < size:
            ll.llama_token_to_piece(vocabulary, token, piece, 256, 0, True)
            ll.llama_vocab_is_eog(vocabulary, token)
            ll.llama_vocab_get_text(vocabulary, token)
    return (ctypes.c_int32 * max(count, 1))(*room[: max(count, 1)])


def _parent() -> None:
    import llama_cpp as ll

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def heard(level: int, text: bytes, _data: object) -> None:
        if level >= 4:
            os.write(1, text if text.endswith(b"\n") else text + b"\n")

    callback = ll.llama_log_callback(heard)
    ll.llama_log_set(callback, ctypes.c_void_p(None))
    ll.llama_backend_init()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.alarm(SECONDS)
            os._exit(_try(line.rstrip("\n")))
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        outcome = {RUNS: "runs", REFUSED: "refused"}.get(code, "dies")
        os.write(1, f"\n@end {outcome}\n".encode())


if __name__ == "__main__":
    _parent()
