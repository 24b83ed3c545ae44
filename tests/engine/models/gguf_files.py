"""Writes small GGUF files for tests: a plain second description of the format, byte by byte."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STRING, ARRAY = 8, 9
CODES = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


@dataclass
class Typed:
    """A metadata value with its type id; a list is an array of that type."""

    type: int
    value: object


@dataclass
class Model:
    """A GGUF file to be; every field may be set to nonsense."""

    metadata: list[tuple[str, Typed]] = field(default_factory=list)
    tensors: list[tuple[str, tuple[int, ...], int, bytes]] = field(default_factory=list)
    version: int = 3
    order: str = "<"
    alignment: int = 32
    offsets: Mapping[int, int] = field(default_factory=dict)

    def text(self, raw: str | bytes) -> bytes:
        data = raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else raw
        return struct.pack(self.order + "Q", len(data)) + data

    def value(self, typed: Typed) -> bytes:
        if isinstance(typed.value, list):
            items = b"".join(self.scalar(typed.type, item) for item in typed.value)
            return struct.pack(self.order + "IIQ", ARRAY, typed.type, len(typed.value)) + items
        return struct.pack(self.order + "I", typed.type) + self.scalar(typed.type, typed.value)

    def scalar(self, kind: int, value: object) -> bytes:
        if kind == STRING:
            return self.text(value if isinstance(value, bytes) else str(value))
        return struct.pack(self.order + CODES.get(kind, "B"), value)

    def header(self) -> bytes:
        out = [b"GGUF", struct.pack(self.order + "IQQ", self.version, len(self.tensors), len(self.metadata))]
        for key, typed in self.metadata:
            out += [self.text(key), self.value(typed)]
        offset = 0
        for index, (name, shape, kind, data) in enumerate(self.tensors):
            dims = struct.pack(f"{self.order}I{len(shape)}Q", len(shape), *shape)
            at = self.offsets.get(index, offset)
            out += [self.text(name), dims, struct.pack(self.order + "IQ", kind, at)]
            offset += padded(len(data), self.alignment)
        return b"".join(out)

    def bytes(self) -> bytes:
        header = self.header()
        body = b"".join(data.ljust(padded(len(data), self.alignment), b"\0") for *_, data in self.tensors)
        return header.ljust(padded(len(header), self.alignment), b"\0") + body

    def write(self, path: Path) -> Path:
        path.write_bytes(self.bytes())
        return path


def padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


TOKENS = ["<unk>", "<s>", "</s>", "a", "b", "é", "😀", "ab"]


def small_model(tokens: Sequence[str | bytes] = TOKENS) -> Model:
    """A sound little file with a vocabulary and three tensors."""
    return Model(
        metadata=[
            ("general.architecture", Typed(STRING, "llama")),
            ("general.name", Typed(STRING, "Tiny é😀")),
            ("llama.context_length", Typed(4, 2048)),
            ("llama.rope.freq_base", Typed(6, 10000.0)),
            ("general.tags", Typed(STRING, ["code", "test"])),
            ("tokenizer.ggml.model", Typed(STRING, "gpt2")),
            ("tokenizer.ggml.pre", Typed(STRING, "smollm")),
            ("tokenizer.ggml.tokens", Typed(STRING, list(tokens))),
            ("tokenizer.ggml.token_type", Typed(5, [1] * len(tokens))),
            ("tokenizer.ggml.bos_token_id", Typed(4, 1)),
            ("tokenizer.ggml.eos_token_id", Typed(4, 1)),
            ("tokenizer.ggml.add_bos_token", Typed(7, True)),
        ],
        tensors=[
            ("token_embd.weight", (32, 8), 8, bytes(8 * 34)),
            ("blk.0.attn_norm.weight", (32,), 0, bytes(128)),
            ("output_norm.weight", (32,), 0, bytes(128)),
        ],
    )
