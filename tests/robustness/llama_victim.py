"""Loads and runs files with llama.cpp as the engine does, in child processes, and says which of them end the process.

As a script it is the child: it reads paths from stdin, one a line, and says before and after each what it does.
"""

import ctypes
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 20  # a file that takes longer has killed its process too
MEMORY = 6 * 2**30
TEXT = "hello é😀 <|im_end|>\n\tx = 1\x00\x7f".encode()


@dataclass(frozen=True)
class Fate:
    """What became of one file: "runs", "refused", or "dies", and the last line that llama.cpp said."""

    path: Path
    outcome: str
    said: str


def fates(paths: Sequence[Path]) -> Iterator[Fate]:
    """The fate of each file. A child is started anew after each that dies."""
    left = list(paths)
    while left:
        done = _batch(left)
        yield from done
        left = left[len(done) :]


def _batch(paths: Sequence[Path]) -> list[Fate]:
    environment = os.environ | {"GGML_NO_BACKTRACE": "1"}
    with subprocess.Popen(
        [sys.executable, "-I", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
    ) as child:
        assert child.stdin
        assert child.stdout
        try:
            child.stdin.write("".join(f"{path}\n" for path in paths).encode())
            child.stdin.close()
        except BrokenPipeError:
            pass
        return _read(paths, child.stdout)


def _read(paths: Sequence[Path], lines: Iterator[bytes]) -> list[Fate]:
    done: list[Fate] = []
    said = ""
    begun = False
    for raw in lines:
        line = raw.decode("utf-8", "replace").strip()
        if line.startswith("@begin"):
            begun, said = True, ""
        elif line.startswith("@end "):
            done.append(Fate(paths[len(done)], line.split()[1], said))
            begun = False
        elif line and (not said or "ASSERT" in line or "error" in line or "what()" in line):
            said = line
    if begun and len(done) < len(paths):
        done.append(Fate(paths[len(done)], "dies", said))
    assert done, f"the child did not begin: {said}"
    return done


def _try(path: str) -> str:
    import llama_cpp as ll

    params = ll.llama_model_default_params()
    model = ll.llama_model_load_from_file(path.encode(), params)
    if not model:
        return "refused"
    context_params = ll.llama_context_default_params()
    context_params.n_ctx = 64
    context_params.n_batch = context_params.n_ubatch = 32
    context_params.n_seq_max = 2
    context_params.kv_unified = context_params.swa_full = True
    context_params.n_threads = context_params.n_threads_batch = 1
    context = ll.llama_init_from_model(model, context_params)
    if not context:
        ll.llama_model_free(model)
        return "refused"
    tokens = _tokens(model)
    batch = ll.llama_batch_get_one(tokens, min(len(tokens), 8))
    outcome = "runs" if ll.llama_decode(context, batch) == 0 else "refused"
    if outcome == "runs":
        ll.llama_get_logits_ith(context, -1)
        outcome = "runs" if ll.llama_decode(context, ll.llama_batch_get_one(tokens, 1)) == 0 else "refused"
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


def _child() -> None:
    import llama_cpp as ll

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def heard(level: int, text: bytes, _data: object) -> None:
        if level >= 4:
            sys.stdout.buffer.write(text if text.endswith(b"\n") else text + b"\n")
            sys.stdout.buffer.flush()

    callback = ll.llama_log_callback(heard)
    ll.llama_log_set(callback, ctypes.c_void_p(None))
    ll.llama_backend_init()
    import signal

    for line in sys.stdin:
        print("@begin", flush=True)
        signal.alarm(SECONDS)
        print("@end", _try(line.rstrip("\n")), flush=True)
        signal.alarm(0)


if __name__ == "__main__":
    _child()
