"""Importance matrices: what each row of a tensor is weighed by, and which files are refused."""

import pickle
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gguf_convert.errors import RecipeError
from gguf_convert.fields import Field
from gguf_convert.header import TensorInfo, encode_header
from gguf_convert.imatrix import coverage, coverage_warnings, read_imatrix
from tests.gguf_convert.importances import Measured, measured, write_gguf, write_legacy
from tests.gguf_convert.shapes import classic

MODEL = classic("llama", layers=2, hidden=64, heads=(4, 2), width=96, vocab=32, experts=3)
TENSORS = {tensor.name: tensor for tensor in MODEL.tensors}
EXPERTS = TENSORS["blk.1.ffn_down_exps.weight"]  # 3 experts of 64 rows of 96


@pytest.fixture(params=[write_gguf, write_legacy], ids=["gguf", "dat"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    request.param(tmp_path / "imatrix", measured(MODEL))
    return tmp_path / "imatrix"


def test_each_expert_has_its_own(file: Path) -> None:
    means = measured(MODEL)[EXPERTS.name].means.reshape(3, 96)
    importance = pickle.loads(pickle.dumps(read_imatrix(file)))
    parts = list(importance.for_rows(EXPERTS, 10, 130))
    assert [(part.start, part.stop) for part in parts] == [(10, 64), (64, 128), (128, 130)]
    for part, expected in zip(parts, means, strict=True):
        np.testing.assert_allclose(part.values, expected, rtol=1e-6)
    assert (means[1] == 1).all(), "the second expert saw nothing"
    [one] = importance.for_rows(EXPERTS, 64, 65)
    np.testing.assert_array_equal(one.values, parts[1].values)


def test_the_new_format_is_divided_exactly_as_by_llama_cpp(tmp_path: Path) -> None:
    entries = measured(MODEL)
    write_gguf(tmp_path / "i.gguf", entries)
    importance = read_imatrix(tmp_path / "i.gguf")
    for name, entry in entries.items():
        parts = list(importance.for_rows(TENSORS[name], 0, TENSORS[name].n_rows))
        got = np.concatenate([part.values for part in parts if part.values is not None])
        np.testing.assert_array_equal(got, entry.means)


def test_counts_are_rounded_as_by_c(tmp_path: Path) -> None:
    sums = np.ones((5, 96), dtype=np.float32)
    counts = np.array([2.5, 0.5, 0.49, -3, 7], dtype=np.float32)
    name = "blk.0.ffn_down_exps.weight"
    write_gguf(tmp_path / "i.gguf", {name: Measured(sums, counts)})
    entry = read_imatrix(tmp_path / "i.gguf").entries[name]
    assert entry.counts == (3, 1, 0, -3, 7)


def test_one_count_for_all_experts(tmp_path: Path) -> None:
    sums = np.arange(3 * 96, dtype=np.float32).reshape(3, 96)
    write_gguf(tmp_path / "i.gguf", {EXPERTS.name: Measured(sums, np.array([4], dtype=np.float32))})
    parts = list(read_imatrix(tmp_path / "i.gguf").for_rows(EXPERTS, 0, 192))
    np.testing.assert_array_equal([part.values for part in parts], sums / 4)


def test_tensors_it_does_not_know(file: Path) -> None:
    [part] = read_imatrix(file).for_rows(TENSORS["output.weight"], 3, 30)
    assert (part.start, part.stop, part.values) == (3, 30, None)


def test_coverage(tmp_path: Path) -> None:
    entries = measured(MODEL)
    del entries["blk.0.attn_v.weight"]
    write_gguf(tmp_path / "i.gguf", entries)
    importance = read_imatrix(tmp_path / "i.gguf")
    found = coverage(importance, measured(MODEL))
    assert found.missing == ("blk.0.attn_v.weight",)
    assert found.unseen == {name: 1 for name in entries if name.endswith("_exps.weight")}
    assert list(coverage_warnings(importance, measured(MODEL))) == [
        "the importance matrix has no data for blk.0.attn_v.weight; there every column counts alike",
        "no token came to 6 experts while the importance matrix was measured, "
        "in blk.0.ffn_gate_exps.weight and 5 other tensors",
    ]
    assert not list(coverage_warnings(importance, ["blk.1.attn_v.weight"]))


def test_what_is_written_about_it(file: Path) -> None:
    fields = {field.key.removeprefix("quantize.imatrix."): field.value for field in read_imatrix(file).fields()}
    assert fields == {"file": "imatrix", "dataset": "code é.txt", "entries_count": 14, "chunks_count": 12}


def test_an_entry_of_another_size(file: Path) -> None:
    importance = read_imatrix(file)
    importance.check(TENSORS.values())
    wrong = replace(EXPERTS, shape=(96, 64, 4))
    with pytest.raises(RecipeError, match=r"another model: it has 288 values for blk\.1\.ffn_down_exps.* needs 384"):
        list(importance.for_rows(wrong, 0, 1))


def test_an_entry_for_the_embedding_is_ignored_when_it_does_not_fit(tmp_path: Path) -> None:
    write_gguf(
        tmp_path / "i.gguf", {"token_embd.weight": Measured(np.ones((1, 32), np.float32), np.ones(1, np.float32))}
    )
    [part] = read_imatrix(tmp_path / "i.gguf").for_rows(TENSORS["token_embd.weight"], 0, 2)
    assert part.values is None


def _cut(data: bytes) -> bytes:
    return data[:-4000]


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_cut, "cut off|more than it has"),
        (lambda data: b"", "is cut off at no entries"),
        (lambda data: b"\xff" * 100, "is neither a GGUF file nor"),
        (lambda data: data[: len(data) // 2], "cut off|more than it has"),
    ],
)
def test_damaged(file: Path, damage: Callable[[bytes], bytes], sentence: str) -> None:
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(RecipeError, match=rf"the importance matrix .*({sentence})"):
        read_imatrix(file)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
@pytest.mark.parametrize("write", [write_gguf, write_legacy])
def test_values_that_cannot_be(
    tmp_path: Path, write: Callable[[Path, dict[str, Measured]], None], value: float
) -> None:
    entries = measured(MODEL)
    entries[EXPERTS.name].sums[2, 95] = value
    write(tmp_path / "i", entries)
    with pytest.raises(RecipeError, match=rf"has a value for {EXPERTS.name} that is negative or no number"):
        read_imatrix(tmp_path / "i")


def test_a_count_that_is_no_number(tmp_path: Path) -> None:
    entries = measured(MODEL)
    entries[EXPERTS.name].counts[0] = np.nan
    write_gguf(tmp_path / "i", entries)
    with pytest.raises(RecipeError, match=r"has a count of .* that is no number"):
        read_imatrix(tmp_path / "i")


def _gguf(path: Path, infos: list[TensorInfo], *fields: Field) -> None:
    size = max((info.offset + info.size for info in infos), default=0)
    path.write_bytes(encode_header(fields, infos) + bytes(-(-size // 32) * 32))


_FIELDS = (Field("imatrix.datasets", "[string]", ("x",)), Field("imatrix.chunk_count", "u32", 1))


@pytest.mark.parametrize(
    ("infos", "fields", "sentence"),
    [
        ([], (), "is a GGUF file, and not an importance matrix"),
        ([], _FIELDS, "has no entries"),
        ([("a.in_sum2", (32,), "F32")], _FIELDS, "has sums or counts alone for a"),
        ([("a.in_sum2", (32,), "F16"), ("a.counts", (1,), "F32")], _FIELDS, "has F16 and F32 for a"),
        ([("a.in_sum2", (32,), "F32"), ("a.counts", (1, 3), "F32")], _FIELDS, "has 3 counts for 32 sums of a"),
    ],
)
def test_a_gguf_file_that_is_none(
    tmp_path: Path, infos: list[tuple[str, tuple[int, ...], str]], fields: tuple[Field, ...], sentence: str
) -> None:
    placed, offset = [], 0
    for name, shape, kind in infos:
        placed.append(TensorInfo(name=name, shape=shape, type=kind, offset=offset))
        offset += -(-placed[-1].size // 32) * 32
    _gguf(tmp_path / "i.gguf", placed, *fields)
    with pytest.raises(RecipeError, match=sentence):
        read_imatrix(tmp_path / "i.gguf")


def test_legacy_files_that_are_unsound(tmp_path: Path) -> None:
    def refused(data: bytes) -> str:
        (tmp_path / "i.dat").write_bytes(data)
        with pytest.raises(RecipeError) as caught:
            read_imatrix(tmp_path / "i.dat")
        return str(caught.value)

    entry = struct.pack("<i1siif", 1, b"a", 3, 1, 2.0)
    assert "has a twice" in refused(struct.pack("<i", 2) + entry + entry)
    assert "has a name of 64 bytes" in refused(struct.pack("<ii", 1, 64) + b"a" * 64)
    assert "has a name that cannot be read" in refused(struct.pack("<ii", 1, 1) + b"\n" + bytes(20))
    assert "has a name that cannot be read" in refused(struct.pack("<ii", 1, 1) + b"\xff" + bytes(20))
    assert "claims 2147483647 values for a" in refused(struct.pack("<ii1sii", 1, 1, b"a", 3, 2**31 - 1) + bytes(64))
    assert "claims -1 values for a" in refused(struct.pack("<ii1sii", 1, 1, b"a", 3, -1) + bytes(64))


@pytest.mark.fuzz
def test_mutated_files_are_read_or_refused_in_a_sentence(file: Path, tmp_path: Path) -> None:
    whole, random = file.read_bytes(), np.random.default_rng(3)
    mutated = tmp_path / "mutated"
    refused: list[str] = []
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(random.integers(1, 4)):
            near_the_start = int(random.integers(0, min(len(data), 3000)))
            data[near_the_start] = int(random.choice([0, 1, 127, 128, 255, random.integers(256)]))
        if random.random() < 0.3:
            del data[int(random.integers(len(data))) :]
        mutated.write_bytes(data)
        try:
            importance = read_imatrix(mutated)
            for name in importance.entries:
                if name in TENSORS:
                    list(importance.for_rows(TENSORS[name], 0, 2))
        except RecipeError as exc:
            refused.append(str(exc))
    assert len(refused) > 60
    assert not any("\n" in sentence for sentence in refused)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot be read: No such file"):
        read_imatrix(tmp_path / "i.gguf")


def test_a_file_that_became_shorter(file: Path) -> None:
    importance = read_imatrix(file)
    file.write_bytes(b"")
    with pytest.raises(RecipeError, match="became shorter while it was read"):
        list(importance.for_rows(EXPERTS, 0, 1))
