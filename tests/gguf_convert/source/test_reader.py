"""What a checkpoint's bytes mean, against plain definitions of the formats, and what is refused by name."""

import math
import os
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gguf_convert.errors import SourceError, Unsupported
from gguf_convert.source.checkpoint import open_checkpoint
from gguf_convert.source.decode import E4M3
from gguf_convert.source.reader import CheckpointReader, logical_weights
from tests.gguf_convert.source.files import Arrays, Stored, write_checkpoint

RNG = np.random.default_rng(4)


def reader_of(folder: Path, arrays: Arrays, quantisation: Mapping[str, Any] | None = None) -> CheckpointReader:
    config = {"quantization_config": quantisation} if quantisation else {}
    return CheckpointReader(open_checkpoint(write_checkpoint(folder, {"model.safetensors": arrays}, config)))


def same(left: NDArray[Any], right: NDArray[Any]) -> bool:
    """Whether they are equal to the last bit, -0 and 0 apart."""
    return left.dtype == right.dtype and left.shape == right.shape and left.tobytes() == right.tobytes()


def e4m3_by_definition(byte: int) -> float:
    sign, exponent, mantissa = -1.0 if byte & 0x80 else 1.0, byte >> 3 & 15, byte & 7
    if exponent == 15 and mantissa == 7:
        return math.nan
    return sign * (math.ldexp(mantissa, -9) if exponent == 0 else math.ldexp(8 + mantissa, exponent - 10))


def test_every_fp8_byte_means_what_its_definition_says() -> None:
    wanted = np.array([e4m3_by_definition(byte) for byte in range(256)], np.float32)
    assert np.array_equal(E4M3, wanted, equal_nan=True)
    assert same(np.signbit(E4M3), np.signbit(wanted))
    assert float(np.nanmax(E4M3)) == 448.0


def test_plain_types_are_widened(tmp_path: Path) -> None:
    values = RNG.normal(size=(6, 5))
    halves = np.ascontiguousarray(values.astype(np.float32)).view(np.uint16)[..., 1::2]
    arrays: Arrays = {
        "f64": values,
        "f32": values.astype(np.float32),
        "f16": values.astype(np.float16),
        "bf16": Stored("BF16", (6, 5), halves.tobytes()),
        "i32": (values * 100).astype(np.int32),
        "line": values[0].astype(np.float16),
        "scalar": np.array(2.5, np.float32),
        "cube": values.astype(np.float32).reshape(3, 2, 5),
    }
    with reader_of(tmp_path, arrays) as reader:
        assert same(reader.rows("f64", 0, 6), values.astype(np.float32))
        assert same(reader.rows("f32", 2, 4), values.astype(np.float32)[2:4])
        assert same(reader.rows("f16", 1, 6), values.astype(np.float16).astype(np.float32)[1:])
        assert same(reader.rows("bf16", 0, 6), (halves.astype(np.uint32) << 16).view(np.float32))
        assert same(reader.rows("i32", 0, 1), (values * 100).astype(np.int32).astype(np.float32)[:1])
        assert reader.rows("line", 0, 1).shape == (1, 5)
        assert reader.rows("scalar", 0, 1).tolist() == [[2.5]]
        assert same(reader.rows("cube", 1, 5), values.astype(np.float32)[1:5])
        assert reader.shape("cube") == (3, 2, 5)


def fp8_arrays(
    rows: int, columns: int, block: tuple[int, int], seed: int
) -> tuple[dict[str, NDArray[Any] | Stored], NDArray[np.float32]]:
    """A matrix of every kind of FP8 number with its scales, and what it means: `fp8.float() * repeat_interleave`."""
    rng = np.random.default_rng(seed)
    raw = rng.integers(0, 256, (rows, columns), dtype=np.uint8)
    raw[(raw & 0x7F) == 0x7F] = 0
    scales = rng.normal(size=(-(-rows // block[0]), -(-columns // block[1]))).astype(np.float32)
    spread = scales.repeat(block[0], 0).repeat(block[1], 1)[:rows, :columns]
    values = np.array([e4m3_by_definition(byte) for byte in range(256)], np.float32)[raw]
    return {"w": Stored("F8_E4M3", raw.shape, raw.tobytes()), "w_scale_inv": scales}, values * spread


@given(
    rows=st.integers(1, 300),
    columns=st.integers(1, 300),
    block=st.sampled_from([(128, 128), (32, 128), (128, 32), (7, 5), (1, 64)]),
    data=st.data(),
)
def test_fp8_blocks_are_scaled_whatever_the_range(
    tmp_path_factory: pytest.TempPathFactory, rows: int, columns: int, block: tuple[int, int], data: st.DataObject
) -> None:
    arrays, wanted = fp8_arrays(rows, columns, block, seed=rows)
    start = data.draw(st.integers(0, rows))
    stop = data.draw(st.integers(start, rows))
    folder = tmp_path_factory.mktemp("fp8")
    with reader_of(folder, arrays, {"quant_method": "fp8", "weight_block_size": list(block)}) as reader:
        assert same(reader.rows("w", start, stop), wanted[start:stop])


def test_scales_may_be_in_another_shard(tmp_path: Path) -> None:
    arrays, wanted = fp8_arrays(130, 70, (64, 64), seed=1)
    folder = write_checkpoint(
        tmp_path,
        {"b.safetensors": {"w": arrays["w"]}, "a.safetensors": {"w_scale_inv": arrays["w_scale_inv"]}},
        {"quantization_config": {"weight_block_size": [64, 64]}},
    )
    checkpoint = open_checkpoint(folder)
    assert logical_weights(checkpoint) == ("w",)
    with CheckpointReader(checkpoint) as reader:
        assert same(reader.rows("w", 60, 130), wanted[60:])


def gptq_arrays(
    n_in: int, n_out: int, *, bits: int, size: int, act_order: bool, version: int, symmetric: bool
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float32]]:
    """The four parts, packed one integer at a time, and the matrix [out, in] that they mean."""
    per_word, top = 32 // bits, 2**bits
    size = n_in if size == -1 else size
    n_groups = -(-n_in // size)
    groups = np.arange(n_in) // size
    groups = (RNG.permutation(groups) if act_order else groups).astype(np.int32)
    levels = RNG.integers(0, top, (n_in, n_out))
    zeros = np.full((n_groups, n_out), top // 2) if symmetric else RNG.integers(1, top, (n_groups, n_out))
    scales = (RNG.normal(size=(n_groups, n_out)) / 50).astype(np.float16)
    qweight = np.zeros((n_in // per_word, n_out), np.uint32)
    qzeros = np.zeros((n_groups, -(-n_out // per_word)), np.uint32)
    for row in range(n_in):
        qweight[row // per_word] |= (levels[row] << (row % per_word * bits)).astype(np.uint32)
    for column in range(n_out):
        kept = zeros[:, column] - (1 if version == 1 else 0)
        qzeros[:, column // per_word] |= (kept << (column % per_word * bits)).astype(np.uint32)
    meant = scales[groups].astype(np.float32) * (levels - zeros[groups]).astype(np.float32)
    parts = {"qweight": qweight.view(np.int32), "qzeros": qzeros.view(np.int32), "scales": scales, "g_idx": groups}
    return {f"m.{part}": array for part, array in parts.items()}, np.ascontiguousarray(meant.T)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(("size", "act_order"), [(32, False), (32, True), (-1, False), (64, True)])
def test_gptq(tmp_path: Path, *, bits: int, symmetric: bool, version: int, size: int, act_order: bool) -> None:
    arrays, wanted = gptq_arrays(
        160, 48, bits=bits, size=size, act_order=act_order, version=version, symmetric=symmetric
    )
    settings = {"quant_method": "gptq", "bits": bits, "group_size": size, "desc_act": act_order, "sym": symmetric}
    if version == 2:
        settings["checkpoint_format"] = "gptq_v2"
    elif not act_order:
        del arrays["m.g_idx"]
    with reader_of(tmp_path, {**arrays, "m.bias": np.zeros((48,), np.float16)}, settings) as reader:
        assert reader.shape("m.weight") == (48, 160)
        for start, stop in [(0, 48), (0, 8), (3, 4), (5, 29), (40, 48), (7, 7)]:
            assert same(reader.rows("m.weight", start, stop), wanted[start:stop]), (start, stop)


def test_names_as_the_model_sees_them(tmp_path: Path) -> None:
    arrays: Arrays = {
        **gptq_arrays(32, 8, bits=4, size=32, act_order=True, version=1, symmetric=True)[0],
        "norm.weight": np.ones((4,), np.float32),
        "fp.weight": Stored("F8_E4M3", (1, 1), b"\0"),
        "fp.weight_scale_inv": np.ones((1, 1), np.float32),
        "fp.input_scale": np.ones((1,), np.float32),
        "lost.weight_scale_inv": np.ones((1, 1), np.float32),
        "own.scales": np.ones((1,), np.float32),
    }
    folder = write_checkpoint(tmp_path, {"model.safetensors": arrays})
    assert set(logical_weights(open_checkpoint(folder))) == {
        "m.weight",
        "norm.weight",
        "fp.weight",
        "lost.weight_scale_inv",
        "own.scales",
    }


FP8 = {"quant_method": "fp8", "weight_block_size": [128, 128]}
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 32}


def spoilt(name: str, value: NDArray[Any] | Stored | None) -> Arrays:
    arrays: dict[str, NDArray[Any] | Stored] = dict(
        gptq_arrays(64, 16, bits=4, size=32, act_order=True, version=1, symmetric=True)[0]
    )
    if value is None:
        del arrays[name]
    else:
        arrays[name] = value
    return arrays


E4 = Stored("F8_E4M3", (2, 2), b"\1\2\3\4")
REFUSED: dict[str, tuple[Arrays, Mapping[str, Any] | None, str]] = {
    "missing": ({"x": np.zeros((1,), np.float32)}, None, "has no weight 'w'"),
    "infinite": ({"w": np.array([[0, 1], [np.inf, 0]], np.float32)}, None, "the weight 'w' holds .* in row 1"),
    "too large": ({"w": np.array([[1e300]])}, None, "the weight 'w' holds something that is no finite number in row 0"),
    "FP8 that is no number": (
        {"w": Stored("F8_E4M3", (2, 2), b"\1\2\xff\3"), "w_scale_inv": np.ones((1, 1), np.float32)},
        FP8,
        "the weight 'w' holds something that is no finite number in row 1",
    ),
    "scale that is no number": (
        {"w": E4, "w_scale_inv": np.full((1, 1), np.nan, np.float32)},
        FP8,
        "the weight 'w' holds something that is no finite number in row 0",
    ),
    "no scale": ({"w": E4}, FP8, "the weight 'w' is stored as FP8, but there is no w_scale_inv"),
    "scale's shape": (
        {"w": E4, "w_scale_inv": np.ones((1, 2), np.float32)},
        FP8,
        r"'w_scale_inv' has the shape \[1, 2\], but blocks of 128 x 128 in \[2, 2\] need \[1, 1\]",
    ),
    "no block size": ({"w": E4, "w_scale_inv": np.ones((1, 1), np.float32)}, None, "no weight_block_size"),
    "block size 0": (
        {"w": E4, "w_scale_inv": np.ones((1, 1), np.float32)},
        {"weight_block_size": [0, 128]},
        "no weight_block_size",
    ),
    "other FP8": ({"w": Stored("F8_E5M2", (1,), b"\0")}, None, "the weight 'w' is stored as F8_E5M2"),
    "AWQ": (spoilt("w", E4), {"quant_method": "awq", "bits": 4}, "packed integers of 'awq' are not converted"),
    "three bits": (spoilt("w", E4), GPTQ | {"bits": 3}, "GPTQ with 3 bits is not converted"),
    "Marlin": (spoilt("w", E4), GPTQ | {"checkpoint_format": "marlin"}, "GPTQ in the format 'marlin' is not"),
    "format no text": (spoilt("w", E4), GPTQ | {"checkpoint_format": []}, r"GPTQ in the format \[\] is not"),
    "group size": (spoilt("w", E4), GPTQ | {"group_size": 0}, "no possible group_size"),
    "no zero points": (spoilt("m.qzeros", None), GPTQ, "the GPTQ matrix 'm' lacks its qweight, its qzeros or"),
    "scales' shape": (
        spoilt("m.scales", np.ones((3, 16), np.float16)),
        GPTQ,
        r"'m.scales' is F16 of \[3, 16\], but the rest of its GPTQ matrix needs F16 of \[2, 16\]",
    ),
    "groups' type": (spoilt("m.g_idx", np.zeros((64,), np.int64)), GPTQ, "'m.g_idx' is I64 of"),
    "group outside": (spoilt("m.g_idx", np.full((64,), 2, np.int32)), GPTQ, "'m.g_idx' names a group that is not one"),
    "no matrix": (spoilt("m.qweight", np.zeros((64,), np.int32)), GPTQ, "'m.qweight' has the shape .* and is no"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_be_read_wrongly_is_refused(tmp_path: Path, name: str) -> None:
    arrays, quantisation, sentence = REFUSED[name]
    weight = "m.weight" if "m.g_idx" in arrays or "m.qweight" in arrays else "w"
    with reader_of(tmp_path, arrays, quantisation) as reader, pytest.raises((SourceError, Unsupported), match=sentence):
        reader.rows(weight, 0, reader.shape(weight)[0] if len(reader.shape(weight)) > 1 else 1)


def test_a_shard_that_changes_is_noticed(tmp_path: Path) -> None:
    shard = tmp_path / "model.safetensors"
    with reader_of(tmp_path, {"w": np.ones((4, 4), np.float32)}) as reader:
        assert reader.rows("w", 0, 4).sum() == 16
        os.utime(shard, ns=(1, 1))
        with pytest.raises(SourceError, match=r"model\.safetensors was changed while it was converted"):
            reader.rows("w", 0, 4)
    with reader_of(tmp_path, {"w": np.ones((4, 4), np.float32)}) as reader:
        os.truncate(shard, shard.stat().st_size - 8)
        with pytest.raises(SourceError, match="became shorter while it was converted"):
            reader.rows("w", 3, 4)
    with reader_of(tmp_path, {"w": np.ones((4, 4), np.float32)}) as reader:
        shard.unlink()
        with pytest.raises(SourceError, match="was removed while it was converted"):
            reader.rows("w", 0, 1)


def n_open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_files_are_closed(tmp_path: Path) -> None:
    before = n_open_files()
    with reader_of(tmp_path, {"w": np.ones((4, 4), np.float32)}) as reader:
        reader.rows("w", 0, 1)
        assert n_open_files() == before + 1
    assert n_open_files() == before


def test_memory_is_that_of_the_rows(tmp_path: Path) -> None:
    fp8, _ = fp8_arrays(2048, 1024, (128, 128), seed=2)
    gptq, _ = gptq_arrays(1024, 2048, bits=4, size=128, act_order=True, version=1, symmetric=False)
    with reader_of(tmp_path / "fp8", fp8, FP8) as reader:
        assert peak(reader, "w") < 2 * 64 * 1024 * 4
    with reader_of(tmp_path / "gptq", gptq, GPTQ | {"group_size": 128}) as reader:
        assert peak(reader, "m.weight") < 5 * 64 * 1024 * 4


def peak(reader: CheckpointReader, weight: str) -> int:
    """Bytes that reading 64 rows allocates at most; the whole matrix of 2048 would be 32 times as much."""
    tracemalloc.start()
    reader.rows(weight, 128, 192)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most
