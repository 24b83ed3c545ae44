"""Whether a file's tokens write every text: llama.cpp takes a text apart, and its tokens must give it back.

That shows that tokens, merges and special tokens fit each other and llama.cpp. Whether they are those of the checkpoint
is `metadata.py`'s question; ids are not compared with another tokenizer's, which would need its library.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from gguf_convert.checks.findings import Finding, Note
from gguf_convert.errors import WorkerDied
from gguf_convert.fields import Field
from gguf_convert.inspect import printable
from gguf_convert.llama_process import LlamaProcess

CHECK: Final = "tokenizer"
PROBE: Final = Path(__file__).with_name("probe.txt")
"""Code with runs of blanks, digits, and text of many scripts. Not every byte: vocabularies that were learnt from text
lack some that text hardly has (SmolLM2's lacks control characters).
"""
_LOSSLESS: Final = frozenset({"gpt2"})
"""Kinds of vocabulary (`tokenizer.ggml.model`) that give every text back: byte-level BPE."""
_SPECIAL: Final = frozenset({3, 4})  # LLAMA_TOKEN_TYPE_CONTROL, LLAMA_TOKEN_TYPE_USER_DEFINED
_SHOWN: Final = 3


def check_vocabulary(file: Path, metadata: Mapping[str, Field]) -> Iterator[Finding | Note]:
    """Asks llama.cpp, which loads the vocabulary alone."""
    kind = metadata.get("tokenizer.ggml.model")
    if kind is None or kind.value not in _LOSSLESS:
        said = "no" if kind is None else printable(repr(kind.value), 40)
        yield Note(CHECK, f"the file has {said} tokenizer; only byte-level BPE (gpt2) is tried with texts")
        return
    try:
        with LlamaProcess(file) as llama:
            yield from _texts(llama, PROBE.read_bytes())
            yield from _special_tokens(llama, metadata)
    except WorkerDied as exc:
        yield Finding(CHECK, str(exc))


def _texts(llama: LlamaProcess, text: bytes) -> Iterator[Finding]:
    found = llama.tokenise(text)
    if found.text != text:
        at = next((n for n, pair in enumerate(zip(text, found.text, strict=False)) if pair[0] != pair[1]), -1)
        here = text[max(at - 10, 0) : at + 20].decode("utf-8", "replace")
        yield Finding(CHECK, f"its tokens do not give a text back as it was, from {printable(here)!r} on")


def _special_tokens(llama: LlamaProcess, metadata: Mapping[str, Field]) -> Iterator[Finding]:
    """Each is one token wherever it stands in a text."""
    before, after = llama.tokenise(b"x").ids, llama.tokenise(b"y").ids
    wrong = []
    for number, text in _special(metadata):
        found = llama.tokenise(b"x" + text + b"y", special=True)
        if found.ids != [*before, number, *after] or found.text != b"x" + text + b"y":
            wrong.append(printable(text.decode("utf-8", "replace"), 40))
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        yield Finding(CHECK, f"special tokens are not recognised in a text: {', '.join(wrong[:_SHOWN])}{more}")


def _special(metadata: Mapping[str, Field]) -> Iterator[tuple[int, bytes]]:
    tokens, types = (metadata.get(f"tokenizer.ggml.{key}") for key in ("tokens", "token_type"))
    if tokens is None or types is None or not isinstance(tokens.value, tuple) or not isinstance(types.value, tuple):
        return
    for number, (text, kind) in enumerate(zip(tokens.value, types.value, strict=False)):
        if kind in _SPECIAL and text:
            yield number, text if isinstance(text, bytes) else str(text).encode()
