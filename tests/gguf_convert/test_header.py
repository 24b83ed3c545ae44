"""What is written is what is read, by our reader and by ggml's own, and what GGUF cannot hold is not written."""

import ctypes
import importlib.util
import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.gguf_header import SCALAR_TYPES, TENSOR_TYPES, GgufHeader, LongArray, read_header_from
from gguf_convert.errors import TargetError
from gguf_convert.fields import Field
from gguf_convert.header import TensorInfo, encode_header, padded

RANGES = {"B": (0, 2**8), "b": (-(2**7), 2**7), "H": (0, 2**16), "h": (-(2**15), 2**15), "I": (0, 2**32)}
RANGES |= {"i": (-(2**31), 2**31), "Q": (0, 2**64), "q": (-(2**63), 2**63)}

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
NAME = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1, max_size=15)


def numbers(kind: str, code: str) -> st.SearchStrategy[Any]:
    if kind == "bool":
        return st.booleans()
    if kind in ("f32", "f64"):
        return st.floats(width=32 if kind == "f32" else 64, allow_nan=False)
    low, end = RANGES[code]
    return st.integers(low, end - 1)


SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    **{name: numbers(name, code) for name, code in SCALAR_TYPES.values()},
}


@st.composite
def some_fields(draw: st.DrawFn) -> list[Field]:
    made = []
    # Keys that no reader gives a meaning: those of a vocabulary must fit each other.
    for key in draw(st.lists(NAME.map(lambda name: "é." + name), max_size=8, unique=True)):
        kind = draw(st.sampled_from(sorted(SCALARS)))
        if draw(st.booleans()):
            made.append(Field(key, kind, draw(SCALARS[kind])))
        else:
            made.append(Field(key, f"[{kind}]", tuple(draw(st.lists(SCALARS[kind], max_size=6)))))
    return made


@st.composite
def some_infos(draw: st.DrawFn, alignment: int) -> list[TensorInfo]:
    made = []
    offset = 0
    for name in draw(st.lists(NAME, max_size=6, unique=True)):
        kind = draw(st.sampled_from(sorted(TENSOR_TYPES.values(), key=lambda kind: kind.name)))
        shape = (draw(st.integers(1, 3)) * kind.block, *draw(st.lists(st.integers(1, 4), max_size=3)))
        info = TensorInfo(name=name, shape=shape, type=kind.name, offset=offset)
        offset = padded(offset + info.size, alignment)
        made.append(info)
    return made


@st.composite
def some_files(draw: st.DrawFn) -> tuple[list[Field], list[TensorInfo], int]:
    alignment = draw(st.sampled_from([32, 1, 8, 64, 4096]))
    return draw(some_fields()), draw(some_infos(alignment)), alignment


def whole(fields: list[Field], infos: list[TensorInfo], alignment: int) -> bytes:
    last = infos[-1] if infos else None
    return encode_header(fields, infos, alignment) + bytes(padded(last.offset + last.size, alignment) if last else 0)


def read(data: bytes) -> GgufHeader:
    return read_header_from(io.BytesIO(data), len(data), "it")


@given(file=some_files())
def test_our_reader_reads_what_was_written(file: tuple[list[Field], list[TensorInfo], int]) -> None:
    fields, infos, alignment = file
    header = read(whole(*file))
    assert header.alignment == alignment
    assert header.data_start == len(encode_header(fields, infos, alignment))
    assert {field.key: field.value for field in fields} == {
        key: value for key, value in header.metadata.items() if key != "general.alignment"
    }
    assert [(info.name, info.shape, info.type, info.offset, info.size) for info in infos] == [
        (tensor.name, tensor.shape, tensor.type.name, tensor.offset, tensor.size) for tensor in header.tensors
    ]


class InitParams(ctypes.Structure):
    _fields_ = (("no_alloc", ctypes.c_bool), ("ctx", ctypes.c_void_p))


@dataclass(frozen=True)
class Ggml:
    """The part of ggml's own reader that the tests use."""

    lib: ctypes.CDLL

    def call(self, name: str, result: Any, *args: Any) -> Any:
        function = self.lib[name]
        function.restype = result
        function.argtypes = [ctypes.c_char_p if isinstance(arg, bytes) else type(arg) for arg in args]
        return function(*args)

    def open(self, path: Path) -> ctypes.c_void_p:
        init = self.lib.gguf_init_from_file
        init.restype, init.argtypes = ctypes.c_void_p, [ctypes.c_char_p, InitParams]
        return ctypes.c_void_p(init(str(path).encode(), InitParams(True, None)))


GETTERS: dict[str, tuple[str, Any]] = {
    "u8": ("gguf_get_val_u8", ctypes.c_uint8),
    "i8": ("gguf_get_val_i8", ctypes.c_int8),
    "u16": ("gguf_get_val_u16", ctypes.c_uint16),
    "i16": ("gguf_get_val_i16", ctypes.c_int16),
    "u32": ("gguf_get_val_u32", ctypes.c_uint32),
    "i32": ("gguf_get_val_i32", ctypes.c_int32),
    "f32": ("gguf_get_val_f32", ctypes.c_float),
    "bool": ("gguf_get_val_bool", ctypes.c_bool),
    "string": ("gguf_get_val_str", ctypes.c_char_p),
    "u64": ("gguf_get_val_u64", ctypes.c_uint64),
    "i64": ("gguf_get_val_i64", ctypes.c_int64),
    "f64": ("gguf_get_val_f64", ctypes.c_double),
}


@pytest.fixture(scope="module")
def ggml() -> Iterator[Ggml]:
    found = importlib.util.find_spec("llama_cpp")
    assert found
    assert found.origin
    lib = ctypes.CDLL(str(Path(found.origin).parent / "lib" / "libggml-base.so"))
    silent = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(lambda level, text, data: None)
    lib.ggml_log_set(silent, None)
    yield Ggml(lib)
    lib.ggml_log_set(None, None)


@given(file=some_files())
def test_ggml_reads_what_was_written(
    ggml: Ggml, tmp_path_factory: pytest.TempPathFactory, file: tuple[list[Field], list[TensorInfo], int]
) -> None:
    fields, infos, alignment = file
    path = tmp_path_factory.mktemp("header") / "it.gguf"
    path.write_bytes(whole(*file))
    context = ggml.open(path)
    assert context.value, "ggml refuses the file"
    try:
        for field in fields:
            check_field(ggml, context, field)
        assert ggml.call("gguf_get_n_tensors", ctypes.c_int64, context) == len(infos)
        for index, info in enumerate(infos):
            number = ctypes.c_int64(index)
            assert ggml.call("gguf_get_tensor_name", ctypes.c_char_p, context, number) == info.name.encode()
            assert ggml.call("gguf_get_tensor_offset", ctypes.c_size_t, context, number) == info.offset
            assert ggml.call("gguf_get_tensor_size", ctypes.c_size_t, context, number) == info.size
        if infos:
            start = ggml.call("gguf_get_data_offset", ctypes.c_size_t, context)
            assert start == len(encode_header(fields, infos, alignment))
    finally:
        ggml.call("gguf_free", None, context)


def check_field(ggml: Ggml, context: ctypes.c_void_p, field: Field) -> None:
    index = ctypes.c_int64(ggml.call("gguf_find_key", ctypes.c_int64, context, field.key.encode()))
    assert index.value >= 0
    if isinstance(field.value, tuple):
        assert ggml.call("gguf_get_arr_n", ctypes.c_size_t, context, index) == len(field.value)
        return
    getter, kind = GETTERS[field.type]
    value = ggml.call(getter, kind, context, index)
    wanted = field.value.encode().partition(b"\0")[0] if isinstance(field.value, str) else field.value
    assert value == wanted


def test_a_long_vocabulary_and_bytes_are_written() -> None:
    tokens = tuple(f"t{i}" for i in range(5000))
    header = read(encode_header([Field("a.tokens", "[string]", tokens), Field("b.raw", "string", b"a\xffb")], []))
    assert header.metadata["a.tokens"] == LongArray(type="string", count=5000, head=tokens[:8])
    assert header.metadata["b.raw"] == "a\ufffdb"


def one(name: str = "t", shape: tuple[int, ...] = (32,), kind: str = "F32", offset: int = 0) -> TensorInfo:
    return TensorInfo(name=name, shape=shape, type=kind, offset=offset)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "key twice": (lambda: encode_header([Field("k", "u8", 1), Field("k", "u8", 2)], []), "the metadata key 'k' would"),
    "no key": (lambda: encode_header([Field("", "u8", 1)], []), "a metadata key is empty"),
    "NUL in a key": (lambda: encode_header([Field("a\0b", "u8", 1)], []), "a metadata key is empty or holds a NUL"),
    "long key": (lambda: encode_header([Field("k" * 65_536, "u8", 1)], []), "is longer than 65535 bytes"),
    "unknown type": (lambda: encode_header([Field("k", "u128", 1)], []), "has the type u128, which GGUF does not"),
    "array of arrays": (lambda: encode_header([Field("k", "[[u8]]", (1,))], []), "has the type"),
    "too large": (lambda: encode_header([Field("k", "u8", 256)], []), "'k' is 256, too large for its type u8"),
    "negative": (lambda: encode_header([Field("k", "[u32]", (1, -1))], []), "'k' is -1, too large for its type u32"),
    "float too large": (lambda: encode_header([Field("k", "f32", 1e300)], []), "too large for its type f32"),
    "truth as number": (
        lambda: encode_header([Field("k", "u8", True)], []),
        "is True, which is not a value of type u8",
    ),
    "number as truth": (lambda: encode_header([Field("k", "bool", 1)], []), "is 1, which is not a value of type bool"),
    "number as text": (lambda: encode_header([Field("k", "string", 1)], []), "'k' is 1, which is no text"),
    "no array": (lambda: encode_header([Field("k", "[u8]", 1)], []), "is to be an array, but is 1"),
    "half a pair": (lambda: encode_header([Field("k", "string", "\ud800")], []), "holds half a surrogate pair"),
    "long text": (lambda: encode_header([Field("k", "string", "x" * 2**23)], []), "is a text of 8388608 bytes"),
    "tensor twice": (lambda: encode_header([], [one(), one(offset=128)]), "the tensor 't' would be written twice"),
    "long name": (lambda: encode_header([], [one(name="é" * 32)]), "is longer than 63 bytes"),
    "removed type": (lambda: encode_header([], [one(kind="Q4_2")]), "has the type Q4_2, which ggml does not have"),
    "half a block": (lambda: encode_header([], [one(shape=(100,), kind="Q8_0")]), "has rows of 100, no multiple of 32"),
    "no dimension": (lambda: encode_header([], [one(shape=())]), r"has the shape \[\]"),
    "five dimensions": (lambda: encode_header([], [one(shape=(1,) * 5)]), r"has the shape \[1, 1, 1, 1, 1\]"),
    "zero": (lambda: encode_header([], [one(shape=(32, 0))]), r"has the shape \[32, 0\]"),
    "too many": (lambda: encode_header([], [one(shape=(2**32, 2**31))]), "which GGUF cannot hold"),
    "gap": (lambda: encode_header([], [one(), one(name="u", offset=160)]), "is placed at 160, but must be at 128"),
    "alignment": (lambda: encode_header([], [], 48), "tensors cannot be aligned to 48 bytes"),
    "two alignments": (lambda: encode_header([Field("general.alignment", "u32", 64)], []), "general.alignment is 64"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_gguf_cannot_hold_is_not_written(name: str) -> None:
    encode, sentence = REFUSED[name]
    with pytest.raises(TargetError, match=sentence):
        encode()


def test_the_header_ends_where_the_data_starts() -> None:
    data = encode_header([Field("general.alignment", "u32", 64)], [one()], 64)
    assert len(data) % 64 == 0
    assert data.startswith(b"GGUF" + struct.pack("<IQQ", 3, 1, 1))
