"""The safetensors reader accepts sound files and refuses the rest with one sentence, in little time and memory."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from gguf_convert.errors import SourceError
from gguf_convert.source.safetensors import MAX_HEADER, MAX_TENSORS, read_safetensors, read_safetensors_from
from gguf_convert.tensors import SourceTensor
from tests.gguf_convert.source.files import entry, framed, safetensors_bytes
from tests.support.cost import cost_of_reading


def read(data: bytes) -> tuple[SourceTensor, ...]:
    return read_safetensors_from(io.BytesIO(data), len(data), "it.safetensors", "it")


def test_a_sound_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model é😀.safetensors"
    arrays = {"a": np.zeros((2, 3), np.float32), "é😀": np.ones((4,), np.float16), "empty": np.zeros((0, 5), np.int64)}
    path.write_bytes(data := safetensors_bytes(arrays, {"note": 'a "brace" } and \\ more'}))
    tensors = {tensor.name: tensor for tensor in read_safetensors(path)}
    assert tensors.keys() == arrays.keys()
    assert (tensors["a"].dtype, tensors["a"].shape, tensors["a"].size) == ("F32", (2, 3), 24)
    assert tensors["a"].shard == path.name
    half = tensors["é😀"]
    assert data[half.offset : half.offset + half.size] == np.ones((4,), np.float16).tobytes()
    assert tensors["empty"].size == 0


def test_headers_may_have_spaces_any_order_and_escapes() -> None:
    header = b' {"x\\u00e9" : { "data_offsets":[4, 8] ,"shape":[ ],"dtype":"F32"},\n"y":{"shape":[2],"dtype":"F16",'
    header = header.lstrip() + b'"data_offsets":[0,4]},"__metadata__":{} }   '
    assert [(tensor.name, tensor.shape) for tensor in read(framed(header, bytes(8)))] == [("y", (2,)), ("xé", ())]


def test_no_tensors_is_sound() -> None:
    assert read(framed(b"{ }  ")) == ()


def file_of(header: object, data: bytes = b"") -> bytes:
    return framed(json.dumps(header).encode(), data)


X = entry("F32", [2], 0, 8)
BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it is empty"),
    "short": (b"1234567", "it is not a safetensors file"),
    "text": (b"hello world, this is a text", "it is not a safetensors file, or has a header of"),
    "no object": (framed(b"[1, 2]"), "it is not a safetensors file: its header is no JSON object"),
    "long header": (
        (2**63).to_bytes(8, "little") + b"{}",
        "it is not a safetensors file, or has a header of 9223372036854775808 bytes",
    ),
    "header past the end": ((50).to_bytes(8, "little") + b"{}", "it is cut off: its header is 50 bytes long"),
    "open object": (framed(b'{"x":'), "it has a header that is no JSON object of tensors"),
    "open string": (framed(b'{"x'), "it has a header that is no JSON object of tensors"),
    "comma at the end": (framed(b'{"x":{},}'), "it does not say where the tensor 'x' is"),
    "behind": (
        framed(json.dumps({"x": X}).encode() + b"x", bytes(8)),
        "it has something behind the JSON object of its header",
    ),
    "twice": (framed(b'{"x":%s,"x":%s}' % ((json.dumps(X).encode(),) * 2), bytes(8)), "it has 'x' twice"),
    "twice, escaped": (
        framed(b'{"x":%s,"\\u0078":%s}' % ((json.dumps(X).encode(),) * 2), bytes(8)),
        "it has 'x' twice",
    ),
    "a word twice": (
        framed(b'{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"dtype":"F16"}}', bytes(8)),
        "it says something other than type, shape and offsets of the tensor 'x'",
    ),
    "a word more": (file_of({"x": X | {"y": 1}}, bytes(8)), "it says something other than"),
    "not UTF-8": (framed(b'{"\xff":{"dtype":1}}'), "it has a tensor name that is not UTF-8"),
    "half a pair": (framed(b'{"\\ud800":{"dtype":1}}'), "it has a tensor name that is not UTF-8"),
    "no name": (file_of({"": X}, bytes(8)), "it has a tensor name that is empty"),
    "name with a line end": (file_of({"a\nb": X}, bytes(8)), "it has a tensor name that is empty or cannot be printed"),
    "long name": (file_of({"n" * 2000: X}, bytes(8)), "it has a tensor name of 2002 bytes"),
    "unknown type": (file_of({"x": entry("F4", [2], 0, 1)}, b"1"), "it stores the tensor 'x' as 'F4', which"),
    "type no text": (file_of({"x": X | {"dtype": 5}}, bytes(8)), "it stores the tensor 'x' as 5, which"),
    "negative": (file_of({"x": entry("F32", [-2], 0, 8)}, bytes(8)), "it has no possible shape for the tensor 'x'"),
    "fraction": (file_of({"x": X | {"shape": [2.0]}}, bytes(8)), "it has no possible shape"),
    "truth": (file_of({"x": X | {"shape": [True]}}, bytes(8)), "it has no possible shape"),
    "nine dimensions": (file_of({"x": X | {"shape": [1] * 9}}, bytes(8)), "it has no possible shape"),
    "nested": (framed(b'{"x":{"shape":' + b"[" * 900 + b"]" * 900 + b"}}"), "it does not say where"),
    "overflow": (
        file_of({"x": entry("F32", [2**62, 4], 0, 0)}),
        "it gives the tensor 'x' 0 bytes, but it needs 73786976294838206464",
    ),
    "many digits": (framed(b'{"x":{"shape":[' + b"9" * 2000 + b'],"data_offsets":[0,8],"dtype":"F32"}}'), "it has no"),
    "one offset": (file_of({"x": X | {"data_offsets": [0]}}, bytes(8)), "it has no possible offsets"),
    "backwards": (file_of({"x": X | {"data_offsets": [8, 0]}}, bytes(8)), "it has no possible offsets"),
    "wrong size": (file_of({"x": entry("F32", [3], 0, 8)}, bytes(8)), "it gives the tensor 'x' 8 bytes, but it needs"),
    "overlap": (
        file_of({"x": X, "y": entry("F32", [2], 4, 12)}, bytes(12)),
        "it has the tensor 'y' at offset 4, where it overlaps another",
    ),
    "hole": (
        file_of({"x": X, "y": entry("F32", [1], 12, 16)}, bytes(16)),
        "it has the tensor 'y' at offset 12, where it leaves 4 bytes unused",
    ),
    "cut off": (file_of({"x": X}, bytes(7)), "it is cut off: 8 bytes of weights are announced, 7 are there"),
    "longer": (file_of({"x": X}, bytes(9)), "it has 1 bytes behind its tensors"),
    "metadata of numbers": (framed(b'{"__metadata__":{"a":1}}'), "it has a header that is no JSON object"),
    "metadata of objects": (framed(b'{"__metadata__":{"a":{}}}'), "it has a header that is no JSON object"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_one_sentence(name: str) -> None:
    data, sentence = BROKEN[name]
    with pytest.raises(SourceError) as caught:
        read(data)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_what_is_not_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is not a regular file"):
        read_safetensors(tmp_path)
    with pytest.raises(SourceError, match=r"there is no file .*missing\.safetensors"):
        read_safetensors(tmp_path / "missing.safetensors")


def greedy_files() -> dict[str, bytes]:
    """Files that are small to write and large to believe, each near a limit of the reader."""
    size = MAX_HEADER - 100
    many = {f"model.layers.{i:06d}.w": entry("U8", [1], i, i + 1) for i in range(MAX_TENSORS)}
    return {
        "as many tensors as allowed": file_of(many, bytes(MAX_TENSORS)),
        "100 MB of brackets": framed(b'{"x":' + b"[" * size),
        "100 MB of empty lists": framed(b'{"x":{"shape":' + b"[]," * (size // 3 - 10)),
        "100 MB of entries": framed(b"{" + b'"x":{"a":[],"b":[]},' * (size // 21)),
        "100 MB of one name": framed(b'{"' + b"a" * (size - 10)),
        "100 MB of backslashes": framed(b'{"' + b"\\" * (size - 10)),
        "100 MB of spaces behind": framed(b'{"x":%s}' % json.dumps(X).encode() + b" " * size, bytes(8)),
        "100 MB of spaces": framed(b"{" + b" " * (size - 10)),
        "100 MB of metadata": framed(b'{"__metadata__":{' + b'"":"",' * (size // 6 - 10)),
        "100 MB of escapes in metadata": framed(b'{"__metadata__":{"' + b"\\n" * (size // 2 - 20)),
    }


@pytest.mark.process
def test_greedy_files_cost_little(tmp_path: Path) -> None:
    for name, data in greedy_files().items():
        path = tmp_path / "greedy.safetensors"
        path.write_bytes(data)
        cost = cost_of_reading(
            path, "gguf_convert.source.safetensors.read_safetensors", "gguf_convert.errors.SourceError"
        )
        print(f"{name}: {cost.seconds:.2f} s, {cost.kib / 1024:.0f} MB {cost.refusal[:160]}")
        assert cost.seconds < 20, (name, cost.seconds)  # ten times what is promised: tests share machines
        assert cost.kib < 256 * 1024, (name, cost.kib)
