"""Reads the header of a GGUF file and refuses everything that is not sound. Standard library only.

A model file is data from the internet, and llama.cpp's own parser ends the process on some broken files; so this reader
looks at every file first. Every count is checked against the bytes that are left, every size against the file's, and
long arrays are walked but not kept: any input takes at most about two seconds and 256 MB.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; the limits are our own unless said otherwise.
"""

import stat
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, Literal

Scalar = int | float | bool | str


class GgufError(ValueError):
    """The file is not a GGUF file that may be loaded. str(error) is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorType:
    """A storage type of ggml: `block` elements take `size` bytes."""

    name: str
    block: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One tensor: `shape` in ggml's order (the row length first), `offset` in bytes from the start of the data."""

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset: int

    @property
    def elements(self) -> int:
        product = 1
        for n in self.shape:
            product *= n
        return product

    @property
    def size(self) -> int:
        """Bytes in the file, without padding."""
        return self.elements // self.type.block * self.type.size


@dataclass(frozen=True, slots=True, kw_only=True)
class LongArray:
    """An array that was walked but not kept: its element type, its length, and its first elements."""

    type: str
    count: int
    head: tuple[Scalar, ...]


Value = Scalar | tuple[Scalar, ...] | LongArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What is remembered of the tokens, which are not kept: for which kinds of vocabulary each byte that UTF-8 text may
    hold has a token of its own, and which kinds of tokens there are, by ggml's numbers.
    """

    bytes_for: frozenset[str]
    kinds: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """What a GGUF file says about itself. `data_start` is the offset of the tensor data in the file, in bytes."""

    version: int
    byte_order: Literal["little", "big"]
    metadata: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
    alignment: int
    data_start: int
    file_size: int
    vocabulary: Vocabulary

    @property
    def architecture(self) -> str:
        """`general.architecture`, or "" when the file does not say (shards after the first do not)."""
        value = self.metadata.get("general.architecture", "")
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int | None:
        """An integer of the metadata; `{arch}` in the key stands for the architecture. None when missing."""
        value = self.metadata.get(key.replace("{arch}", self.architecture))
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    @property
    def n_params(self) -> int:
        """How many weights this file holds."""
        return sum(tensor.elements for tensor in self.tensors)

    @property
    def tensor_bytes(self) -> int:
        return sum(tensor.size for tensor in self.tensors)


MAGIC: Final = b"GGUF"
VERSIONS: Final = (2, 3)
MAX_PAIRS: Final = 4096
MAX_TENSORS: Final = 65_535
MAX_HEADER: Final = 256 * 2**20
MAX_KEY: Final = 65_535  # the format's own limit
MAX_TENSOR_NAME: Final = 63  # GGML_MAX_NAME - 1
MAX_STRING: Final = 4 * 2**20
MAX_TEXT: Final = 16 * 2**20  # of keys and strings that are kept, together
MAX_TOKEN: Final = 64 * 2**10
MAX_STRINGS: Final = 2**20  # in all string arrays together; the largest have 800,000 tokens and merges
MAX_TOKENS: Final = 2**19  # the largest vocabulary in use has 262,144
MAX_TOKEN_BYTES: Final = 48 * 2**20
MAX_ALIGNMENT: Final = 4096
KEPT: Final = 256  # an array up to this length is kept whole
HEAD: Final = 8

# ggml's type ids; the gaps are types that ggml has removed.
TENSOR_TYPES: Final[Mapping[int, TensorType]] = {
    number: TensorType(name=name, block=block, size=size)
    for number, name, block, size in (
        (0, "F32", 1, 4),
        (1, "F16", 1, 2),
        (2, "Q4_0", 32, 18),
        (3, "Q4_1", 32, 20),
        (6, "Q5_0", 32, 22),
        (7, "Q5_1", 32, 24),
        (8, "Q8_0", 32, 34),
        (9, "Q8_1", 32, 36),
        (10, "Q2_K", 256, 84),
        (11, "Q3_K", 256, 110),
        (12, "Q4_K", 256, 144),
        (13, "Q5_K", 256, 176),
        (14, "Q6_K", 256, 210),
        (15, "Q8_K", 256, 292),
        (16, "IQ2_XXS", 256, 66),
        (17, "IQ2_XS", 256, 74),
        (18, "IQ3_XXS", 256, 98),
        (19, "IQ1_S", 256, 50),
        (20, "IQ4_NL", 32, 18),
        (21, "IQ3_S", 256, 110),
        (22, "IQ2_S", 256, 82),
        (23, "IQ4_XS", 256, 136),
        (24, "I8", 1, 1),
        (25, "I16", 1, 2),
        (26, "I32", 1, 4),
        (27, "I64", 1, 8),
        (28, "F64", 1, 8),
        (29, "IQ1_M", 256, 56),
        (30, "BF16", 1, 2),
        (34, "TQ1_0", 256, 54),
        (35, "TQ2_0", 256, 66),
        (39, "MXFP4", 32, 17),
        (40, "NVFP4", 64, 36),
        (41, "Q1_0", 128, 18),
        (42, "Q2_0", 64, 18),
    )
}

_BOOL, STRING, ARRAY = 7, 8, 9
# Value type id -> name and struct code. Ids 8 (string) and 9 (array) are read apart.
SCALAR_TYPES: Final[Mapping[int, tuple[str, str]]] = {
    0: ("u8", "B"),
    1: ("i8", "b"),
    2: ("u16", "H"),
    3: ("i16", "h"),
    4: ("u32", "I"),
    5: ("i32", "i"),
    6: ("f32", "f"),
    7: ("bool", "B"),
    10: ("u64", "Q"),
    11: ("i64", "q"),
    12: ("f64", "d"),
}
_SMALLEST_PAIR = 8 + 1 + 4 + 1
_SMALLEST_TENSOR = 8 + 1 + 4 + 8 + 4 + 8


def read_header(path: Path) -> GgufHeader:
    """Reads and checks the header of the file at `path`; the weights themselves are not read.

    Raises GgufError with one sentence when the file is missing, not a regular file, empty, not GGUF or not sound.
    """
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise GgufError(f"{path} is a directory, not a GGUF file")
        if not stat.S_ISREG(found.st_mode):
            raise GgufError(f"{path} is not a regular file")
        with path.open("rb") as file:
            return read_header_from(file, found.st_size, str(path))
    except FileNotFoundError:
        raise GgufError(f"there is no file {path}") from None
    except OSError as exc:
        raise GgufError(f"{path} cannot be read: {exc.strerror or exc}") from exc


def read_header_from(file: BinaryIO, size: int, name: str) -> GgufHeader:
    """The same for an open file of `size` bytes, read from its start; `name` is what error sentences call it."""
    if size == 0:
        raise GgufError(f"{name} is empty")
    cursor = _Cursor(file, size)
    try:
        return _read(cursor)
    except _Unsound as exc:
        raise GgufError(f"{name} {exc}") from None


class _Unsound(Exception):
    """What is wrong, as the second half of a sentence that begins with the file's name."""


class _Cursor:
    """Reads forward through the file; nothing is taken that is not there."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._read = file.read
        self._skip: Callable[[int, int], int] = file.seek
        self.left = min(size, MAX_HEADER)
        self.position = 0
        self.size = size
        self.order = "<"
        self.strings_left = MAX_STRINGS
        self.text_left = MAX_TEXT
        self.bytes_for: frozenset[str] = frozenset()
        self.token_kinds: frozenset[int] = frozenset()

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise _Unsound(self._short())
        data = self._read(count)
        if len(data) != count:
            raise _Unsound("became shorter while it was read")
        self.left -= count
        self.position += count
        return data

    def skip(self, count: int) -> None:
        if count > self.left:
            raise _Unsound(self._short())
        self._skip(count, 1)
        self.left -= count
        self.position += count

    def strings(self, count: int, limit: int) -> Iterator[bytes]:
        """Yields strings. Written out flat, as `skip_strings`: a vocabulary has hundreds of thousands."""
        unpack = struct.Struct(self.order + "Q").unpack
        read = self._read
        for _ in range(count):
            if self.left < 8:
                raise _Unsound(self._short())
            (length,) = unpack(read(8))
            if length > limit:
                raise _Unsound(f"has a token of {length} bytes; at most {limit} are allowed")
            self.left -= 8 + length
            if self.left < 0:
                raise _Unsound(self._short())
            self.position += 8 + length
            yield read(length)

    def skip_strings(self, count: int) -> None:
        """Walks over strings."""
        unpack = struct.Struct(self.order + "Q").unpack
        used = 0
        for _ in range(count):
            if used + 8 > self.left:
                raise _Unsound(self._short())
            (length,) = unpack(self._read(8))
            used += 8 + length
            if length and used <= self.left:
                self._skip(length, 1)
        if used > self.left:
            raise _Unsound(self._short())
        self.left -= used
        self.position += used

    def _short(self) -> str:
        if self.size > MAX_HEADER:
            return f"has a header longer than {MAX_HEADER >> 20} MiB"
        return "is cut off: the header points past the end of the file"

    def scalar(self, code: str) -> int | float:
        layout = self.order + code
        value: int | float = struct.unpack(layout, self.take(struct.calcsize(layout)))[0]
        return value

    def count(self, code: str = "Q") -> int:
        return int(self.scalar(code))

    def string(self, limit: int, what: str) -> bytes:
        length = self.count()
        if length > limit:
            raise _Unsound(f"has a {what} of {length} bytes; at most {limit} are allowed")
        return self.take(length)

    def kept_string(self, limit: int, what: str) -> bytes:
        """A string that stays in memory, counted against what all of them may take."""
        raw = self.string(min(limit, self.text_left), what)
        self.text_left -= len(raw)
        return raw


def _read(cursor: _Cursor) -> GgufHeader:
    version = _preamble(cursor)
    n_tensors, n_pairs = cursor.count(), cursor.count()
    _check_count(n_tensors, "tensors", MAX_TENSORS, cursor.left // _SMALLEST_TENSOR)
    _check_count(n_pairs, "metadata entries", MAX_PAIRS, cursor.left // _SMALLEST_PAIR)
    metadata, types = _pairs(cursor, n_pairs)
    _check_vocabulary(metadata, types)
    alignment = _alignment(metadata, types)
    tensors = tuple(_tensors(cursor, n_tensors, alignment))
    data_start = -(-cursor.position // alignment) * alignment
    _check_extent(tensors, cursor.size - data_start)
    return GgufHeader(
        version=version,
        byte_order="little" if cursor.order == "<" else "big",
        metadata=MappingProxyType(metadata),
        tensors=tensors,
        alignment=alignment,
        data_start=data_start,
        file_size=cursor.size,
        vocabulary=Vocabulary(bytes_for=cursor.bytes_for, kinds=cursor.token_kinds),
    )


def _preamble(cursor: _Cursor) -> int:
    if cursor.size < len(MAGIC) or cursor.take(len(MAGIC)) != MAGIC:
        raise _Unsound("is not a GGUF file")
    raw = cursor.take(4)
    version: int = struct.unpack("<I", raw)[0]
    if version & 0xFFFF == 0:  # the way ggml tells byte orders apart: a small number cannot have two zero bytes first
        cursor.order = ">"
        version = struct.unpack(">I", raw)[0]
    if version not in VERSIONS:
        raise _Unsound(f"has GGUF version {version}; only versions 2 and 3 can be read")
    return version


def _check_count(count: int, what: str, limit: int, possible: int) -> None:
    if count > limit:
        raise _Unsound(f"claims {count} {what}; at most {limit} are allowed")
    if count > possible:
        raise _Unsound(f"claims {count} {what}, more than the file has room for")


def _pairs(cursor: _Cursor, count: int) -> tuple[dict[str, Value], dict[str, str]]:
    """The metadata, and the type of each value as written."""
    metadata: dict[str, Value] = {}
    types: dict[str, str] = {}
    for _ in range(count):
        key = _name(cursor.kept_string(MAX_KEY, "metadata key"), "metadata key")
        if key in metadata:
            raise _Unsound(f"has the metadata key {key!r} twice")
        kind = cursor.count("I")
        metadata[key], types[key] = _value(cursor, kind, key)
    return metadata, types


def _name(raw: bytes, what: str) -> str:
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _Unsound(f"has a {what} that is not UTF-8") from None
    if not name or "\0" in name:
        raise _Unsound(f"has a {what} that is empty or holds a NUL byte")
    return name


def _value(cursor: _Cursor, kind: int, key: str) -> tuple[Value, str]:
    if kind == STRING:
        return cursor.kept_string(MAX_STRING, f"string under {key!r}").decode("utf-8", "replace"), "string"
    if kind == ARRAY:
        return _array(cursor, key)
    if kind not in SCALAR_TYPES:
        raise _Unsound(f"has a value of unknown type {kind} under {key!r}")
    name, code = SCALAR_TYPES[kind]
    value = cursor.scalar(code)
    return bool(value) if kind == _BOOL else value, name


def _array(cursor: _Cursor, key: str) -> tuple[Value, str]:
    kind, count = cursor.count("I"), cursor.count()
    if kind == STRING:
        return _strings(cursor, key, count), "array of string"
    if kind not in SCALAR_TYPES:
        raise _Unsound(f"has an array of unknown type {kind} under {key!r}")
    name, code = SCALAR_TYPES[kind]
    size = struct.calcsize("<" + code)
    if count > cursor.left // size:
        raise _Unsound(f"claims an array of {count} elements under {key!r}, more than the file has room for")
    if key == "tokenizer.ggml.token_type" and code in "iI":
        return _token_kinds(cursor, count, name, code)
    kept = count if count <= KEPT else HEAD
    values = struct.unpack(f"{cursor.order}{kept}{code}", cursor.take(kept * size))
    head = tuple(map(bool, values)) if kind == _BOOL else values
    cursor.skip((count - kept) * size)
    return (head if kept == count else LongArray(type=name, count=count, head=head)), f"array of {name}"


def _token_kinds(cursor: _Cursor, count: int, name: str, code: str) -> tuple[Value, str]:
    if count > MAX_TOKENS:
        raise _Unsound(f"has a vocabulary of {count} tokens; at most {MAX_TOKENS} are allowed")
    values = struct.unpack(f"{cursor.order}{count}{code}", cursor.take(4 * count))
    cursor.token_kinds = frozenset(values)
    return LongArray(type=name, count=count, head=values[:HEAD]), f"array of {name}"


def _strings(cursor: _Cursor, key: str, count: int) -> Value:
    if count > cursor.left // 8:
        raise _Unsound(f"claims {count} strings under {key!r}, more than the file has room for")
    if count > cursor.strings_left:
        raise _Unsound(f"has more than {MAX_STRINGS} strings in its arrays")
    cursor.strings_left -= count
    if key == "tokenizer.ggml.tokens":
        return _tokens(cursor, count)
    kept = count if count <= KEPT else HEAD
    what = f"string under {key!r}"
    head = tuple(cursor.kept_string(MAX_STRING, what).decode("utf-8", "replace") for _ in range(kept))
    cursor.skip_strings(count - kept)
    return head if kept == count else LongArray(type="string", count=count, head=head)


# How a vocabulary may write the token of a single byte, by kind of vocabulary, for each byte that UTF-8 text may hold.
_BYTES_OF_TEXT: Final = (*range(0xC0), *range(0xC2, 0xF5))
_BYTE_TOKENS: Final[Mapping[str, tuple[tuple[bytes, ...], ...]]] = {
    "llama": tuple((bytes([byte]), b"<0x%02X>" % byte) for byte in _BYTES_OF_TEXT),
    "plamo2": tuple((b"<0x%02X>" % byte,) for byte in _BYTES_OF_TEXT),
    "rwkv": tuple((bytes([byte]), b"\\x%02x" % byte, repr(bytes([byte]))[2:-1].encode()) for byte in _BYTES_OF_TEXT),
}


def _tokens(cursor: _Cursor, count: int) -> Value:
    """Walks the vocabulary. llama.cpp ends the process when two tokens are the same up to their first NUL byte."""
    if count > MAX_TOKENS:
        raise _Unsound(f"has a vocabulary of {count} tokens; at most {MAX_TOKENS} are allowed")
    seen: set[bytes] = set()
    head: list[str] = []
    total = 0
    for index, token in enumerate(cursor.strings(count, MAX_TOKEN)):
        total += len(token)
        if total > MAX_TOKEN_BYTES:
            raise _Unsound(f"has a vocabulary of more than {MAX_TOKEN_BYTES >> 20} MiB")
        if index < HEAD:
            head.append(token.decode("utf-8", "replace"))
        # An empty token is renamed by llama.cpp, so several are allowed.
        seen_as = (token.partition(b"\0")[0] if b"\0" in token else token) or b"[EMPTY_%d]" % index
        if seen_as in seen:
            raise _Unsound(f"has the token {seen_as.decode('utf-8', 'replace')!r} twice in its vocabulary")
        seen.add(seen_as)
    cursor.bytes_for = frozenset(kind for kind, tokens in _BYTE_TOKENS.items() if not any(map(seen.isdisjoint, tokens)))
    return LongArray(type="string", count=count, head=tuple(head))


# What llama.cpp reads without checking the type or the length first.
_TYPED: Final[Mapping[str, tuple[str, ...]]] = {
    "general.architecture": ("string",),
    "general.alignment": ("u32",),
    "tokenizer.ggml.model": ("string",),
    "tokenizer.ggml.pre": ("string",),
    "tokenizer.ggml.tokens": ("array of string",),
    "tokenizer.ggml.merges": ("array of string",),
    "tokenizer.ggml.scores": ("array of f32",),
    "tokenizer.ggml.token_type": ("array of i32", "array of u32"),
    "tokenizer.ggml.precompiled_charsmap": ("array of u8", "array of i8"),
}


def _check_vocabulary(metadata: Mapping[str, Value], types: Mapping[str, str]) -> None:
    for key, allowed in _TYPED.items():
        if key in types and types[key] not in allowed:
            raise _Unsound(f"has {types[key]} under {key!r}, which must be {allowed[0]}")
    n_tokens = _length(metadata.get("tokenizer.ggml.tokens"))
    for key in ("tokenizer.ggml.scores", "tokenizer.ggml.token_type"):
        if key in metadata and _length(metadata[key]) != n_tokens:
            raise _Unsound(f"has {_length(metadata[key])} entries under {key!r} for {n_tokens} tokens")
    if n_tokens:
        for key, value in metadata.items():
            if key.startswith("tokenizer.ggml.") and key.endswith("_token_id"):
                _check_token_id(key, value, n_tokens)
        _check_ends(metadata, n_tokens)


# What llama.cpp takes for a begin or end token that the file does not name, by kind of vocabulary; it ends the process
# when there is no such token and one is to be added.
_ASSUMED_IDS: Final[Mapping[str, int]] = {"llama": 2, "t5": 2, "gpt2": 11}
_LARGEST_ASSUMED = 103


def _check_ends(metadata: Mapping[str, Value], n_tokens: int) -> None:
    model = metadata.get("tokenizer.ggml.model")
    assumed = _ASSUMED_IDS.get(model if isinstance(model, str) else "", _LARGEST_ASSUMED)
    for end in ("bos", "eos"):
        value = metadata.get(f"tokenizer.ggml.{end}_token_id", assumed)
        none = value in {-1, 2**32 - 1} if isinstance(value, int) else True
        wanted = metadata.get(f"tokenizer.ggml.add_{end}_token") is True
        if (none and wanted) or (isinstance(value, int) and not none and value >= n_tokens):
            raise _Unsound(f"does not say which of its {n_tokens} tokens is the {end} token")


def _check_token_id(key: str, value: Value, n_tokens: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Unsound(f"has no number under {key!r}")
    # Some converters write -1, as a signed or an unsigned number, for "none".
    if not -1 <= value < n_tokens and value != 2**32 - 1:
        raise _Unsound(f"names token {value} under {key!r}, but has only {n_tokens} tokens")


def _length(value: Value | None) -> int:
    if isinstance(value, LongArray):
        return value.count
    return len(value) if isinstance(value, tuple) else 0


def _alignment(metadata: Mapping[str, Value], types: Mapping[str, str]) -> int:
    value = metadata.get("general.alignment", 32)
    alignment = value if isinstance(value, int) else 0
    if alignment < 1 or alignment > MAX_ALIGNMENT or alignment & (alignment - 1):
        raise _Unsound(f"has an alignment of {value}; it must be a power of two up to {MAX_ALIGNMENT}")
    return alignment


def _tensors(cursor: _Cursor, count: int, alignment: int) -> Iterator[Tensor]:
    seen: set[str] = set()
    expected = 0
    for _ in range(count):
        tensor = _tensor(cursor)
        if tensor.name in seen:
            raise _Unsound(f"has the tensor {tensor.name!r} twice")
        seen.add(tensor.name)
        if tensor.offset != expected:
            raise _Unsound(f"has the tensor {tensor.name!r} at offset {tensor.offset}, expected at {expected}")
        expected = -(-(tensor.offset + tensor.size) // alignment) * alignment
        yield tensor


def _tensor(cursor: _Cursor) -> Tensor:
    name = _name(cursor.string(MAX_TENSOR_NAME, "tensor name"), "tensor name")
    n_dims = cursor.count("I")
    if not 1 <= n_dims <= 4:
        raise _Unsound(f"has {n_dims} dimensions in the tensor {name!r}; 1 to 4 are allowed")
    shape = tuple(cursor.count() for _ in range(n_dims))
    number = cursor.count("I")
    if number not in TENSOR_TYPES:
        raise _Unsound(f"has the unknown type {number} for the tensor {name!r}")
    tensor = Tensor(name=name, shape=shape, type=TENSOR_TYPES[number], offset=cursor.count())
    if 0 in shape:
        raise _Unsound(f"has a dimension of 0 in the tensor {name!r}")
    if tensor.elements >= 2**63:
        raise _Unsound(f"has a tensor {name!r} of impossible size")
    if shape[0] % tensor.type.block:
        raise _Unsound(
            f"has rows of {shape[0]} in the tensor {name!r}, no multiple of {tensor.type.block} as "
            f"{tensor.type.name} needs"
        )
    return tensor


def _check_extent(tensors: tuple[Tensor, ...], room: int) -> None:
    for tensor in tensors:
        if tensor.offset + tensor.size > room:
            raise _Unsound(f"is cut off: the tensor {tensor.name!r} ends past the end of the file")
