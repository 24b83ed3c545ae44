"""Whatever a safetensors file or a checkpoint's JSON holds: tensors that lie in the file, or one sentence."""

import io
import json
import random
import struct
from collections.abc import Callable
from copy import deepcopy
from time import process_time
from typing import Any

import numpy as np
import pytest

from gguf_convert.errors import SourceError
from gguf_convert.source.safetensors import ITEM_SIZES, read_safetensors_from
from gguf_convert.tensors import SourceTensor
from tests.gguf_convert.source.files import Stored, framed, safetensors_bytes
from tests.support.fuzz import scaled, seeded

Header = dict[str, Any]


def sound() -> bytes:
    return safetensors_bytes(
        {
            "model.embed_tokens.weight": np.zeros((16, 4), np.float32),
            "é😀.weight": np.ones((3, 5), np.float16),
            "w": Stored("F8_E4M3", (4, 4), bytes(16)),
            "w_scale_inv": np.ones((1, 1), np.float32),
            "empty": np.zeros((0,), np.int64),
            "scalar": np.array(1, np.int32),
        },
        {"format": "pt", "note": 'a "quoted" {brace}'},
    )


def parted(data: bytes) -> tuple[Header, bytes]:
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def in_header(change: Callable[[Header, random.Random], None]) -> Callable[[bytes, random.Random], bytes]:
    def spoil(data: bytes, rng: random.Random) -> bytes:
        header, body = parted(data)
        change(header, rng)
        return framed(json.dumps(header).encode(), body)

    return spoil


def entry_of(header: Header, rng: random.Random) -> Header:
    entry: Header = header[rng.choice([name for name in header if name != "__metadata__"])]
    return entry


ODD: tuple[Any, ...] = (0, 1, -1, 2**31, 2**53, 2**62, 2**64, 10**300, 1.5, True, None, "F32", "", [], [[]], {}, "é😀")


@in_header
def odd_dtype(header: Header, rng: random.Random) -> None:
    entry_of(header, rng)["dtype"] = rng.choice((*ODD, *ITEM_SIZES, "f32", "F4", "F32 "))


@in_header
def odd_shape(header: Header, rng: random.Random) -> None:
    entry = entry_of(header, rng)
    entry["shape"] = rng.choice((*ODD, [rng.choice(ODD) for _ in range(rng.randrange(12))], entry["shape"][::-1]))


@in_header
def odd_offsets(header: Header, rng: random.Random) -> None:
    offsets = entry_of(header, rng)["data_offsets"]
    offsets[rng.randrange(2)] = rng.choice((*ODD, offsets[0] + rng.randrange(-8, 9)))


@in_header
def odd_entry(header: Header, rng: random.Random) -> None:
    name = rng.choice(list(header))
    header[name] = deepcopy(rng.choice((*ODD, {"a": 1}, header[name])))
    if isinstance(header[name], dict):
        header[name][rng.choice(("dtype", "more", "shape"))] = rng.choice(ODD)


@in_header
def moved(header: Header, rng: random.Random) -> None:
    one, other = entry_of(header, rng), entry_of(header, rng)
    one["data_offsets"], other["data_offsets"] = other["data_offsets"], one["data_offsets"]


@in_header
def other_names(header: Header, rng: random.Random) -> None:
    old = rng.choice(list(header))
    header[rng.choice(("", "\n", "\ud800", "x" * 5000, "../../x", "w", "__metadata__", "\0"))] = header.pop(old)


@in_header
def lost(header: Header, rng: random.Random) -> None:
    del header[rng.choice(list(header))]


def doubled(data: bytes, rng: random.Random) -> bytes:
    header, body = parted(data)
    name = rng.choice(list(header))
    text = json.dumps(header)[:-1] + f", {json.dumps(name)}: {json.dumps(header[name])}}}"
    return framed(text.encode(), body)


def deep(data: bytes, rng: random.Random) -> bytes:
    bracket = rng.choice((b"[", b'{"a":', b'{"w":{"shape":[[', b'{"__metadata__":{"a":'))
    return framed(b'{"w":' + bracket * rng.choice((10, 1000, 100_000)), parted(data)[1])


def odd_length(data: bytes, rng: random.Random) -> bytes:
    length = struct.unpack("<Q", data[:8])[0]
    odd = rng.choice((0, 1, 2, length - 1, length + 1, len(data), len(data) - 8, 10**8, 2**32, 2**63, 2**64 - 1))
    return struct.pack("<Q", odd) + data[8:]


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def longer(data: bytes, rng: random.Random) -> bytes:
    return data + rng.randbytes(rng.randrange(1, 100))


def bytes_changed(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(min(len(out), struct.unpack("<Q", data[:8])[0] + 8))
        kind = rng.randrange(4)
        if kind == 0:
            out[at] = rng.randrange(256)
        elif kind == 1:
            out[at] = rng.choice(b'{}[]:,"\\ 0123456789-.eE')
        elif kind == 2:
            del out[at : at + rng.randrange(1, 20)]
        else:
            out[at:at] = out[at : at + rng.randrange(1, 40)]
    return bytes(out)


MUTATORS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    odd_dtype,
    odd_shape,
    odd_offsets,
    odd_entry,
    moved,
    other_names,
    lost,
    doubled,
    deep,
    odd_length,
    cut,
    longer,
    bytes_changed,
    bytes_changed,
)


def judged(data: bytes) -> tuple[SourceTensor, ...] | str:
    try:
        return read_safetensors_from(io.BytesIO(data), len(data), "it.safetensors", "it")
    except SourceError as exc:
        return str(exc)


def check(tensors: tuple[SourceTensor, ...], size: int) -> None:
    """What is accepted lies in the file, one tensor behind the other, each as large as its shape says."""
    assert len({tensor.name for tensor in tensors}) == len(tensors)
    end = tensors[0].offset if tensors else size
    for tensor in tensors:
        assert tensor.offset == end
        assert tensor.size == int(np.prod(tensor.shape, dtype=object)) * ITEM_SIZES[tensor.dtype]
        end += tensor.size
    assert end == size


@pytest.mark.fuzz
def test_no_mutation_gets_anything_but_tensors_or_a_sentence() -> None:
    rng = seeded("safetensors")
    source = sound()
    accepted = judged(source)
    assert not isinstance(accepted, str)
    check(accepted, len(source))
    slowest = 0.0
    n_accepted = 0
    for number in range(scaled(500)):
        data = MUTATORS[number % len(MUTATORS)](source, rng)
        begin = process_time()
        verdict = judged(data)
        slowest = max(slowest, process_time() - begin)
        if isinstance(verdict, str):
            assert verdict.startswith("it ")
            assert "\n" not in verdict
        else:
            n_accepted += 1
            check(verdict, len(data))
    print(f"slowest {slowest:.3f} s; {n_accepted} accepted")
    assert slowest < 2
