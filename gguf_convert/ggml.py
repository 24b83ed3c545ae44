"""The door to ggml's own quantisers, through ctypes; nothing else in the converter calls C.

ggml answers misuse with GGML_ASSERT, which ends the process. So whatever can be checked is checked here first and is
an exception; what cannot be is a reason to call this in a worker process. `llama_cpp` is found but never imported: it
would load the whole of llama.cpp and cost memory that a worker does not have.
"""

import ctypes
import importlib.util
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.models.gguf_header import TENSOR_TYPES, TensorType
from gguf_convert.errors import RecipeError

TYPE_NUMBERS: Final = {kind.name: number for number, kind in TENSOR_TYPES.items()}
TARGET_TYPES: Final = (
    "F32", "F16", "BF16",
    "Q8_0", "Q6_K", "Q5_K", "Q5_1", "Q5_0", "Q4_K", "Q4_1", "Q4_0", "IQ4_NL", "IQ4_XS", "MXFP4", "NVFP4",
    "Q3_K", "IQ3_S", "IQ3_XXS", "Q2_K", "Q2_0", "IQ2_S", "IQ2_XS", "IQ2_XXS", "TQ2_0", "TQ1_0",
    "IQ1_M", "IQ1_S", "Q1_0",
)  # fmt: skip
"""What a tensor can be written as, from many bits to few. ggml's other types are for its own intermediate results."""
NEED_IMPORTANCE: Final = frozenset({"IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS"})
"""Types that come out as noise without an importance matrix; llama.cpp's quantiser refuses them then, and we do."""
_INSIST: Final = frozenset({"IQ1_S", "IQ2_XXS", "IQ2_XS"})
"""Those for which ggml ends the process (ggml_quantize_requires_imatrix)."""
_NAMES: Final = {"darwin": "libggml-base.dylib", "win32": "ggml-base.dll"}

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


def quantise(type_name: str, rows: Floats, importance: Floats | None = None) -> Bytes:
    """The rows as `type_name` stores them, one behind the other. `rows` is [rows, row length].

    `importance` has one weight for each element of a row, the same for all rows. Raises RecipeError where ggml would
    end the process: row lengths that do not fit, a missing or unusable importance.
    """
    n_rows, length = rows.shape
    size = row_bytes(type_name, length)
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    if type_name == "F32":
        return rows.reshape(-1).view(np.uint8)
    weights = _checked(type_name, importance, length)
    out = np.empty(n_rows * size, dtype=np.uint8)
    if n_rows:
        written = _library().ggml_quantize_chunk(
            TYPE_NUMBERS[type_name], rows.ctypes.data, out.ctypes.data, 0, n_rows, length,
            None if weights is None else weights.ctypes.data,
        )  # fmt: skip
        assert written == out.nbytes, f"ggml wrote {written} bytes, not {out.nbytes}"
    return out


def dequantise(type_name: str, data: Bytes, row_length: int) -> Floats:
    """What `data`, whole rows of `type_name`, means: [rows, row length]. The inverse of `quantise` up to its error."""
    size = row_bytes(type_name, row_length)
    if data.nbytes % size:
        raise RecipeError(f"{data.nbytes} bytes are no whole rows of {row_length} elements in {type_name}")
    data = np.ascontiguousarray(data)
    if type_name == "F32":
        return data.view(np.float32).reshape(-1, row_length)
    rows = np.empty((data.nbytes // size, row_length), dtype=np.float32)
    if rows.size:
        _to_float(TYPE_NUMBERS[type_name])(data.ctypes.data, rows.ctypes.data, rows.size)
    return rows


def prepare(type_name: str) -> None:
    """Builds the tables that a type's quantiser searches, once per process; seconds for the I-quants."""
    _library().ggml_quantize_init(TYPE_NUMBERS[target_type(type_name).name])


def row_bytes(type_name: str, row_length: int) -> int:
    """Bytes of one row. Raises RecipeError when rows of this length cannot be stored in the type."""
    kind = target_type(type_name)
    if row_length < 1 or row_length % kind.block:
        raise RecipeError(f"rows of {row_length} cannot be stored as {type_name}, which takes {kind.block} at once")
    return row_length // kind.block * kind.size


def needs_importance(type_name: str) -> bool:
    """Whether weights of a model should be written in this type only with an importance matrix."""
    return type_name in NEED_IMPORTANCE


def slow_to_prepare(type_name: str) -> bool:
    """Whether `prepare` takes seconds for the type."""
    return type_name.startswith(("IQ1", "IQ2", "IQ3"))


def version() -> str:
    """ggml's version and commit: another one may round otherwise."""
    library = _library()
    return f"{library.ggml_version().decode()} ({library.ggml_commit().decode()})"


def target_type(type_name: str) -> TensorType:
    """Block and size of a type that can be written. Raises RecipeError for any other name."""
    if type_name not in TARGET_TYPES:
        raise RecipeError(f"{type_name!r} is no type that can be written; there are {', '.join(TARGET_TYPES)}")
    return TENSOR_TYPES[TYPE_NUMBERS[type_name]]


def _checked(type_name: str, importance: Floats | None, length: int) -> Floats | None:
    if importance is None:
        if type_name in _INSIST:
            raise RecipeError(f"{type_name} needs an importance matrix")
        return None
    if importance.shape != (length,):
        raise RecipeError(f"an importance of shape {list(importance.shape)} is none for rows of {length} elements")
    if not np.isfinite(importance).all() or (importance < 0).any():
        raise RecipeError("the importance matrix holds values that are negative or no numbers")
    return np.ascontiguousarray(importance, dtype=np.float32)


class _Traits(ctypes.Structure):
    """ggml_type_traits in ggml.h."""

    _fields_ = (
        ("type_name", ctypes.c_char_p),
        ("blck_size", ctypes.c_int64),
        ("blck_size_interleave", ctypes.c_int64),
        ("type_size", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)),
        ("from_float_ref", ctypes.c_void_p),
    )


@cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(_library_path()))
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    library.ggml_quantize_chunk.argtypes = [
        ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p,
    ]  # fmt: skip
    library.ggml_quantize_init.restype = None
    library.ggml_quantize_init.argtypes = [ctypes.c_int]
    library.ggml_get_type_traits.restype = ctypes.POINTER(_Traits)
    library.ggml_get_type_traits.argtypes = [ctypes.c_int]
    for function in (library.ggml_version, library.ggml_commit):
        function.restype = ctypes.c_char_p
    for name in TARGET_TYPES:
        _check_layout(library, name)
    return library


def _library_path() -> Path:
    spec = importlib.util.find_spec("llama_cpp")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "lib" / _NAMES.get(sys.platform, "libggml-base.so")
        if path.exists():
            return path
    raise RecipeError("ggml's library is missing; it comes with llama-cpp-python, which `make setup` builds")


def _check_layout(library: ctypes.CDLL, name: str) -> None:
    """The library in use may be another than the one our table of types was written for."""
    kind = TENSOR_TYPES[TYPE_NUMBERS[name]]
    traits = library.ggml_get_type_traits(TYPE_NUMBERS[name]).contents
    if (traits.blck_size, traits.type_size) != (kind.block, kind.size):
        raise RecipeError(f"the installed ggml stores {name} in another way than this converter knows")


@cache
def _to_float(number: int) -> Callable[[int, int, int], None]:
    function: Callable[[int, int, int], None] = _library().ggml_get_type_traits(number).contents.to_float
    return function
