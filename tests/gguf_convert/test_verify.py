"""`r1-gguf verify`: a conversion of ours is sound, and each kind of damage is found and named."""

import json
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.gguf_header import read_header
from gguf_convert.checks import weights
from gguf_convert.checks.logits import LogitsReport
from gguf_convert.checks.weights import USUAL
from gguf_convert.cli import main
from gguf_convert.manifest import SUFFIX
from gguf_convert.rows import HalvesInterleaved, Weight
from gguf_convert.verify import Report, Request, verify
from tests.gguf_convert.adapters import write_adapter
from tests.gguf_convert.checkpoints import write_safetensors
from tests.gguf_convert.tiny_llama import CONFIG, HIDDEN, TOKENS, write_tiny_llama
from tests.reference.checkpoints import CHECKPOINTS, write_checkpoint

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("verify")]

CODE = Path(__file__)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny Llama in a folder, with conversions of it: F32, Q8_0, Q2_K, and Q8_0 in three files."""
    folder = tmp_path_factory.mktemp("verify")
    source = write_tiny_llama(folder / "source")
    for name in ("F32", "Q8_0", "Q2_K"):
        assert main(["convert", str(source), str(folder / f"{name}.gguf"), "--type", name, "--workers", "1"]) == 0
    split = ["--type", "Q8_0", "--workers", "1", "--split-max-tensors", "8"]
    assert main(["convert", str(source), str(folder / "split.gguf"), *split]) == 0
    return folder


@pytest.fixture
def file(home: Path, tmp_path: Path) -> Path:
    """The Q8_0 file with its manifest, to be damaged."""
    shutil.copy(home / f"Q8_0.gguf{SUFFIX}", tmp_path / f"m.gguf{SUFFIX}")
    return Path(shutil.copy(home / "Q8_0.gguf", tmp_path / "m.gguf"))


def texts(report: Report) -> list[str]:
    return [finding.text for finding in report.findings]


def change(path: Path, offset: int, made_of: Callable[[int], int] = lambda byte: byte ^ 1) -> None:
    with path.open("r+b") as opened:
        opened.seek(offset)
        (byte,) = opened.read(1)
        opened.seek(offset)
        opened.write(bytes([made_of(byte)]))


def start_of(path: Path, tensor: str) -> int:
    header = read_header(path)
    return header.data_start + next(held.offset for held in header.tensors if held.name == tensor)


def value_at(path: Path, key: str) -> int:
    """Where the value of a metadata key lies."""
    return path.read_bytes().index(struct.pack("<Q", len(key)) + key.encode()) + 8 + len(key) + 4


# What is sound.


@pytest.mark.parametrize("name", ["F32", "Q8_0", "Q2_K"])
def test_a_conversion_is_sound(name: str, home: Path) -> None:
    report = verify(Request(file=home / f"{name}.gguf", source=home / "source", all_rows=True))
    assert report.sound, texts(report)
    assert report.checks == ("structure", "values", "checksums", "tokenizer", "metadata", "weights")
    assert not report.notes
    assert len(report.compared) == len(read_header(home / f"{name}.gguf").tensors)
    for tensor in report.compared:
        assert tensor.error == pytest.approx(USUAL[tensor.type], rel=0.05)
        assert tensor.rows == tensor.n_rows


@pytest.mark.parametrize(
    ("name", "mtp"), [("tiny-v3-fp8", "drop"), ("tiny-v3-mtp", "keep"), ("tiny-v3-mtp", "separate")]
)
def test_experts_latent_attention_and_mtp_are_sound(name: str, mtp: str, tmp_path: Path) -> None:
    source, made = write_checkpoint(CHECKPOINTS[name], tmp_path), tmp_path / "m.gguf"
    assert main(["convert", str(source), str(made), "--type", "Q4_K_M", "--mtp", mtp, "--workers", "1"]) == 0
    report = verify(Request(file=made, source=source))
    assert report.sound, texts(report)
    assert {tensor.name.partition(".")[2] for tensor in report.compared} >= {
        f"{len(_layers(made)) - 1}.{part}.weight" for part in ("attn_k_b", "attn_v_b", "ffn_down_exps")
    }


def _layers(path: Path) -> range:
    number = read_header(path).number("deepseek2.block_count")
    assert number
    return range(number)


def test_any_file_of_a_split_model_stands_for_all(home: Path) -> None:
    report = verify(Request(file=home / "split-00002-of-00003.gguf", source=home / "source"))
    assert report.sound, texts(report)
    assert [path.name for path in report.files] == [f"split-0000{n}-of-00003.gguf" for n in (1, 2, 3)]


def test_a_gguf_file_may_be_the_source(home: Path) -> None:
    report = verify(Request(file=home / "Q2_K.gguf", source=home / "F32.gguf", hash_sources=False))
    assert report.sound, texts(report)
    assert max(tensor.error or 0.0 for tensor in report.compared) == pytest.approx(USUAL["Q2_K"], rel=0.05)


def test_a_file_made_of_a_file_is_sound_and_names_it(home: Path, tmp_path: Path) -> None:
    made = tmp_path / "m.gguf"
    assert main(["quantize", str(home / "F32.gguf"), str(made), "--type", "Q4_K_M", "--workers", "1"]) == 0
    assert verify(Request(file=made, source=home / "F32.gguf")).sound
    found = texts(verify(Request(file=made, source=home / "Q8_0.gguf")))
    assert found == ["the source has no file F32.gguf, of which this file was made"]


def test_an_adapter_that_was_merged_is_part_of_the_source(home: Path, tmp_path: Path) -> None:
    module = "model.layers.1.self_attn.q_proj"
    adapter, made = write_adapter(tmp_path / "adapter", {module: (HIDDEN, HIDDEN)}), tmp_path / "m.gguf"
    words = ["convert", str(home / "source"), str(made), "--type", "Q8_0", "--workers", "1", "--adapter", str(adapter)]
    assert main(words) == 0
    report = verify(Request(file=made, source=home / "source", adapter=adapter))
    assert report.sound, texts(report)
    without = texts(verify(Request(file=made, source=home / "source", hash_sources=False)))
    assert len(without) == 1
    assert without[0].startswith("blk.1.attn_q.weight is far from the source's weights")


def test_a_file_without_a_manifest_is_checked_as_far_as_it_goes(file: Path) -> None:
    file.with_name(file.name + SUFFIX).unlink()
    report = verify(Request(file=file))
    assert report.sound
    assert "checksums" not in report.checks
    assert [note.text for note in report.notes] == ["there is no manifest beside the file (m.gguf.manifest.json)"]


# Damage to the bytes.


def test_a_changed_byte_names_its_tensor(file: Path) -> None:
    change(file, start_of(file, "blk.1.ffn_up.weight") + 1000)
    wanted = "blk.1.ffn_up.weight is not what was written: its sha256 differs from the manifest's"
    assert texts(verify(Request(file=file))) == [wanted]


def test_a_changed_byte_of_a_split_model_names_its_tensor(home: Path, tmp_path: Path) -> None:
    for path in home.glob("split*"):
        shutil.copy(path, tmp_path)
    third = tmp_path / "split-00003-of-00003.gguf"
    change(third, start_of(third, "blk.1.ffn_up.weight"))
    assert "blk.1.ffn_up.weight is not what was written" in texts(verify(Request(file=third)))[0]


def test_a_changed_value_of_the_header_is_found_and_named(file: Path, home: Path) -> None:
    change(file, value_at(file, "llama.rope.freq_base") + 2)
    found = texts(verify(Request(file=file, source=home / "source")))
    assert found[0] == f"the header of {file} is not what was written: its sha256 differs"
    assert found[1].startswith("llama.rope.freq_base is 10")
    assert found[1].endswith(", but 10000.0 in the source")
    assert len(found) == 2


@pytest.mark.parametrize(("value", "name"), [(0x7C, "infinite"), (0x7E, "no number")])
def test_a_scale_that_is_no_finite_number_is_found(value: int, name: str, file: Path, home: Path) -> None:
    row = 40 * 256 // 32 * 34  # the fortieth row of 256, 34 bytes for each 32
    change(file, start_of(file, "blk.0.attn_q.weight") + row + 34 + 1, lambda byte: value)
    report = verify(Request(file=file, manifest=None, source=home / "source"))
    assert "blk.0.attn_q.weight has a block whose scale is no finite number in row 40, from column 32 on" in texts(
        report
    ), name
    assert any("holds something that is no finite number in row 40" in text for text in texts(report))


def test_a_value_that_is_no_number_is_found(home: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(home / "F32.gguf", tmp_path / "m.gguf"))
    at = start_of(path, "blk.0.attn_norm.weight") + 4 * 7
    data = bytearray(path.read_bytes())
    data[at : at + 4] = struct.pack("<f", float("nan"))
    path.write_bytes(data)
    wanted = ["blk.0.attn_norm.weight has a value that is no finite number in row 0, column 7"]
    assert texts(verify(Request(file=path))) == wanted


def test_a_file_that_is_cut_off_is_not_looked_at_further(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(file.read_bytes()[:-5000])
    report = verify(Request(file=file))
    assert texts(report) == [f"{file} is cut off: the tensor 'blk.1.ffn_up.weight' ends past the end of the file"]
    assert main(["verify", str(file)]) == 1
    assert "! structure:" in capsys.readouterr().out


def test_a_file_of_a_split_model_that_is_missing_is_named(home: Path, tmp_path: Path) -> None:
    for number in (1, 3):
        shutil.copy(home / f"split-0000{number}-of-00003.gguf", tmp_path)
    report = verify(Request(file=tmp_path / "split-00001-of-00003.gguf"))
    assert texts(report) == [f"there is no file {tmp_path / 'split-00002-of-00003.gguf'}"]


def test_files_of_two_split_models_do_not_fit(home: Path, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        shutil.copy(home / f"split-0000{min(number, 2)}-of-00003.gguf", tmp_path / f"split-0000{number}-of-00003.gguf")
    assert "hold a tensor of the same name" in texts(verify(Request(file=tmp_path / "split-00001-of-00003.gguf")))[0]


def test_bytes_that_belong_to_nothing_are_found(home: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(home / "Q2_K.gguf", tmp_path / "m.gguf"))
    header = read_header(path)
    padding = next(t for t in header.tensors if t.size % header.alignment)
    change(path, header.data_start + padding.offset + padding.size)
    with path.open("ab") as opened:
        opened.write(b"more")
    assert texts(verify(Request(file=path))) == [
        f"{path} has something else than zeros behind the tensor {padding.name!r}",
        f"{path} has 4 bytes behind its last tensor that belong to nothing",
    ]


# The wrong manifest, the wrong source.


def test_a_manifest_of_other_types_is_known(file: Path, home: Path) -> None:
    report = verify(Request(file=file, manifest=home / f"Q2_K.gguf{SUFFIX}"))
    assert len(report.findings) == 1
    assert texts(report)[0].startswith("the manifest is that of another file: it has output.weight as Q6_K [256, 262]")


def test_a_manifest_of_other_weights_is_one_finding(file: Path, tmp_path: Path) -> None:
    source = other_weights(tmp_path / "other")
    assert main(["convert", str(source), str(tmp_path / "other.gguf"), "--type", "Q8_0", "--workers", "1"]) == 0
    report = verify(Request(file=file, manifest=tmp_path / f"other.gguf{SUFFIX}"))
    assert texts(report) == ["no tensor has the sha256 that the manifest says: it is that of another conversion"]


def other_weights(folder: Path) -> Path:
    """The tiny Llama under its name, with every weight another."""
    folder.mkdir()
    source = write_tiny_llama(folder / "source")
    random = np.random.default_rng(99)
    path = source / "model.safetensors"
    raw = path.read_bytes()
    (length,) = struct.unpack_from("<Q", raw)
    shapes = {name: entry["shape"] for name, entry in json.loads(raw[8 : 8 + length]).items()}
    made = {
        name: random.standard_normal(shape, dtype=np.float32) / np.float32(16) + np.float32(len(shape) == 1)
        for name, shape in shapes.items()
    }
    write_safetensors(path, made)
    return source


def test_other_weights_are_known_by_their_error_and_by_their_hash(file: Path, tmp_path: Path) -> None:
    report = verify(Request(file=file, source=other_weights(tmp_path / "other")))
    found = texts(report)
    assert "model.safetensors is not the file that this one was made of: its sha256 differs" in found[0]
    assert len(found) == 1 + len(report.compared)
    assert all("is far from the source's weights: its error is 1." in text for text in found if "attn_q" in text)
    assert (
        len(verify(Request(file=file, source=tmp_path / "other" / "source", hash_sources=False)).findings)
        == len(found) - 1
    )


def test_rows_in_the_wrong_order_are_found(home: Path, tmp_path: Path) -> None:
    """Query rows as the checkpoint has them, which is not how llama.cpp turns them."""
    path = Path(shutil.copy(home / "F32.gguf", tmp_path / "m.gguf"))
    data = bytearray(path.read_bytes())
    start, size = start_of(path, "blk.0.attn_q.weight"), 256 * 256 * 4
    rows = np.frombuffer(data, np.float32, 256 * 256, start).reshape(4, 32, 2, 256).swapaxes(1, 2)
    data[start : start + size] = rows.tobytes()
    path.write_bytes(data)
    found = texts(verify(Request(file=path, source=home / "source")))
    assert len(found) == 1
    assert found[0].startswith("blk.0.attn_q.weight is far from the source's weights: its error is 1.")


def test_rows_that_hardly_show_in_their_tensor_are_named(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copy(home / "Q2_K.gguf", tmp_path / "m.gguf"))
    data = bytearray(path.read_bytes())
    start, size = start_of(path, "blk.1.ffn_gate.weight"), 32 * 84  # 32 rows of 256
    data[start + 2 * size : start + 3 * size] = data[start : start + size]
    path.write_bytes(data)
    monkeypatch.setattr(weights, "_AT_ONCE", 32 * 256)
    found = texts(verify(Request(file=path, source=home / "source")))
    assert len(found) == 1
    assert found[0].startswith("rows 64 to 95 of blk.1.ffn_gate.weight are far from the source's: their error is 1.")


def test_rows_near_zero_are_not_missed(tmp_path: Path) -> None:
    """Those of a token that no text has: its blocks have no scale in 16 bits."""
    source, made = write_tiny_llama(tmp_path / "source"), tmp_path / "m.gguf"
    path = source / "model.safetensors"
    raw = bytearray(path.read_bytes())
    (length,) = struct.unpack_from("<Q", raw)
    begin = json.loads(raw[8 : 8 + length])["model.embed_tokens.weight"]["data_offsets"][0] + 8 + length
    rows = np.frombuffer(raw, np.float32, 200 * 256, begin) * np.float32(1e-12)
    raw[begin : begin + rows.nbytes] = rows.tobytes()
    path.write_bytes(raw)
    assert main(["convert", str(source), str(made), "--type", "Q8_0", "--workers", "1"]) == 0
    report = verify(Request(file=made, source=source))
    assert report.sound, texts(report)


def test_a_source_of_another_architecture_is_no_comparison(file: Path, tmp_path: Path) -> None:
    source = write_checkpoint(CHECKPOINTS["tiny-qwen3"], tmp_path)
    found = texts(verify(Request(file=file, source=source, hash_sources=False)))
    assert "general.architecture is 'llama', but 'qwen3' in the source" in found
    assert any("missing, which the source makes" in text for text in found)
    assert any("attn_k.weight has the shape" in text for text in found)
    nothing = texts(verify(Request(file=file, source=tmp_path / "nothing")))
    assert nothing == [f"the file cannot be compared with its source: there is no folder {tmp_path / 'nothing'}"]


# Tokens.


def retokenised(folder: Path, change_vocabulary: Callable[[dict[str, int]], None]) -> Path:
    source = write_tiny_llama(folder)
    whole = json.loads((source / "tokenizer.json").read_text())
    change_vocabulary(whole["model"]["vocab"])
    (source / "tokenizer.json").write_text(json.dumps(whole))
    return source


def test_tokens_that_are_not_the_checkpoints_are_named(file: Path, tmp_path: Path) -> None:
    def swap(vocabulary: dict[str, int]) -> None:
        vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]

    source = retokenised(tmp_path / "other", swap)
    report = verify(Request(file=file, source=source))
    assert texts(report) == [
        "tokenizer.ggml.tokens is 'a' at 97, but 'b' in the source (2 of 262 differ)",
    ]


@pytest.mark.parametrize("letter", ["Ã", "ð"])  # the bytes C3 and F0
def test_a_vocabulary_that_loses_text_is_found(letter: str, tmp_path: Path) -> None:
    def lose(vocabulary: dict[str, int]) -> None:
        vocabulary["another"] = vocabulary.pop(letter)

    source = retokenised(tmp_path / "source", lose)
    assert main(["convert", str(source), str(tmp_path / "m.gguf"), "--type", "Q8_0", "--workers", "1"]) == 0
    found = texts(verify(Request(file=tmp_path / "m.gguf")))
    assert len(found) == 1
    assert found[0].startswith("its tokens do not give a text back as it was, from ")


def test_a_special_token_that_is_none_is_found(home: Path, tmp_path: Path) -> None:
    """llama.cpp reads a token up to its first NUL byte."""
    path = Path(shutil.copy(home / "Q8_0.gguf", tmp_path / "m.gguf"))
    raw = path.read_bytes()
    word = struct.pack("<Q", len(TOKENS[-1])) + TOKENS[-1].encode()
    assert raw.count(word) == 1
    path.write_bytes(raw.replace(word, struct.pack("<Q", len(TOKENS[-1])) + b"<|e\0d|>"))
    assert texts(verify(Request(file=path))) == ["special tokens are not recognised in a text: <|e\\u0000d|>"]


# Answers.


def answers(file: Path, reference: Path, **more: float) -> Report:
    return verify(Request(file=file, reference=reference, text=CODE, chunks=2, **more))  # type: ignore[arg-type]


def test_coarser_types_diverge_more(home: Path) -> None:
    logits = {}
    for name in ("F32", "Q8_0", "Q2_K"):
        report = answers(home / f"{name}.gguf", home / "F32.gguf")
        assert report.sound, texts(report)
        assert report.checks[-1] == "logits"
        assert isinstance(report.logits, LogitsReport)
        logits[name] = report.logits
    assert logits["F32"].kl.mean == logits["F32"].kl_max == 0
    assert logits["F32"].same_top.mean == 1
    assert logits["F32"].perplexity == logits["F32"].perplexity_reference
    assert 0 < logits["Q8_0"].kl.mean < 2e-3 < 0.1 < logits["Q2_K"].kl.mean
    assert logits["Q8_0"].same_top.mean > 0.85 > logits["Q2_K"].same_top.mean
    assert logits["Q2_K"].kl.error < logits["Q2_K"].kl.mean / 20
    assert logits["Q2_K"].kl.mean < logits["Q2_K"].kl_99 <= logits["Q2_K"].kl_max
    assert {found.tokens for found in logits.values()} == {2 * 255}


# The logits after each token of a text, in one batch.
_LOGITS = """
import json, sys, llama_cpp
model = llama_cpp.Llama(sys.argv[1], n_ctx=512, n_batch=512, verbose=False, logits_all=True)
tokens = model.tokenize(sys.stdin.buffer.read(), add_bos=False)[:512]
model.eval(tokens)
print(json.dumps({"tokens": tokens, "rows": model.scores[256:511].tolist()}))
"""


def predictions(path: Path) -> tuple[list[int], np.ndarray]:
    """Log-probabilities after the tokens of the second half of the first chunk, and the tokens that follow."""
    told = subprocess.run(
        [sys.executable, "-c", _LOGITS, str(path)], input=CODE.read_bytes(), capture_output=True, check=True
    )
    found = json.loads(told.stdout)
    logits = np.array(found["rows"])
    return found["tokens"][257:], logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_the_figures_are_those_of_the_logits(home: Path) -> None:
    following, ours = predictions(home / "Q2_K.gguf")
    _, theirs = predictions(home / "F32.gguf")
    report = verify(Request(file=home / "Q2_K.gguf", reference=home / "F32.gguf", text=CODE, chunks=1))
    found = report.logits
    assert found is not None
    kl = (np.exp(theirs) * (theirs - ours)).sum(axis=1)
    same = ours.argmax(axis=1) == theirs.argmax(axis=1)
    assert found.tokens == len(kl) == 255
    assert found.kl.mean == pytest.approx(kl.mean(), rel=0.01)
    assert found.kl.error == pytest.approx(kl.std(ddof=1) / np.sqrt(255), rel=0.02)
    assert found.kl_max == pytest.approx(kl.max(), rel=0.05)
    assert found.same_top.mean == pytest.approx(same.mean(), abs=0.01)
    assert found.perplexity == pytest.approx(np.exp(-ours[range(255), following].mean()), rel=0.01)
    assert found.perplexity_reference == pytest.approx(np.exp(-theirs[range(255), following].mean()), rel=0.01)


def test_text_in_the_metadata_that_is_none_is_a_finding(file: Path) -> None:
    raw = file.read_bytes()
    at = value_at(file, "general.name") + 8
    file.write_bytes(raw[:at] + b"\xff" + raw[at + 1 :])
    assert texts(verify(Request(file=file))) == [
        f"the header of {file} is not what was written: its sha256 differs",
        f"{file} has text in its metadata that is not UTF-8",
    ]


def test_a_divergence_beyond_the_wanted_is_a_finding(home: Path) -> None:
    assert "the mean divergence from" in texts(answers(home / "Q2_K.gguf", home / "F32.gguf", max_kl=0.01))[0]
    assert answers(home / "Q8_0.gguf", home / "F32.gguf", max_kl=0.01).sound


def test_other_tokens_cannot_be_compared(home: Path, tmp_path: Path) -> None:
    source, made = write_checkpoint(CHECKPOINTS["tiny-llama"], tmp_path), tmp_path / "m.gguf"
    assert main(["convert", str(source), str(made), "--type", "Q8_0", "--workers", "1"]) == 0
    wanted = [f"{made} cuts text into other tokens, so logits cannot be compared"]
    assert texts(answers(home / "F32.gguf", made)) == wanted


def test_a_file_that_ends_llama_cpp_is_a_finding(home: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(home / "F32.gguf", tmp_path / "m.gguf"))
    change(path, value_at(path, "llama.block_count") + 2, lambda byte: 5)
    found = texts(answers(path, home / "F32.gguf"))
    assert len(found) == 1
    assert found[0].startswith(f"llama.cpp ended by SIGABRT with {path}: ")
    assert "GGML_ASSERT" in found[0]


def test_a_model_without_its_tensors_is_not_loaded(home: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(home / "F32.gguf", tmp_path / "m.gguf"))
    path.write_bytes(path.read_bytes().replace(b"blk.1.ffn_up.weight", b"blk.1.ffn_xx.weight"))
    found = texts(answers(path, home / "F32.gguf"))
    assert found == [f"llama.cpp gave up with {path}: {found[0].partition(': ')[2]}"]
    assert "blk.1.ffn_up.weight" in found[0]


# The command.


def test_the_report_is_readable(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["verify", str(home / "Q8_0.gguf"), "--source", str(home / "source")]
    assert main([*words, "--reference", str(home / "F32.gguf"), "--text", str(CODE), "--chunks", "1"]) == 0
    out = capsys.readouterr().out
    for shown in ("error, mean", "0.0053", "262 of 262", "KL divergence, mean", "255", "Q8_0.gguf: sound (structure,"):
        assert shown in out


def test_json_holds_the_same(file: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(file, start_of(file, "output.weight") + 7)
    assert main(["verify", str(file), "--source", str(home / "source"), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["sound"] is False
    assert told["findings"] == [
        {
            "check": "checksums",
            "text": "output.weight is not what was written: its sha256 differs from the manifest's",
        }
    ]
    assert told["tensors"][0]["name"] == "output.weight"
    assert told["tensors"][0]["usual"] == USUAL["Q8_0"]
    assert told["logits"] is None


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["FILE", "--text", "FILE"], 2, "with both --reference and --text"),
        (["FILE", "--source", "hub:owner/name"], 2, "a hub is not read"),
        (["FILE", "--adapter", "FILE"], 2, "is added to a --source"),
        (["FILE", "--chunks", "3"], 2, "--chunks and --max-kl are about logits"),
        (["FILE", "--max-kl", "nan"], 2, "'nan' is no divergence in nats such as 0.05"),
        (["FILE", "--max-kl", "-1"], 2, "'-1' is no divergence in nats such as 0.05"),
        (["FILE", "--chunks", "0"], 2, "is no number from 1 on"),
        ([], 2, "required: FILE"),
        (["FILE", "--manifest", "FILE"], 1, "is no manifest of a conversion"),
        (["FILE", "--manifest", "missing.json"], 1, "there is no manifest missing.json"),
        (["FILE", "--reference", "FILE", "--text", "missing.py"], 1, "missing.py cannot be read"),
        (["FILE", "--reference", "missing.gguf", "--text", "FILE"], 1, "there is no file missing.gguf"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    words: list[str], code: int, sentence: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *(word.replace("FILE", str(file)) for word in words)]) == code
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1


# Which rows are compared.


@given(
    heads=st.integers(1, 500), per_head=st.sampled_from([1, 2, 32, 128]), length=st.sampled_from([32, 256, 7168]),
    all_rows=st.booleans(),
)  # fmt: skip
def test_ranges_lie_in_the_tensor_and_are_cut_where_it_may_be(
    heads: int, per_head: int, length: int, all_rows: bool
) -> None:
    weight = Weight("w", heads * per_head, length)
    source = weight if per_head == 1 else HalvesInterleaved(weight, heads)
    ranges = list(weights._ranges(source, "w", all_rows=all_rows))
    assert ranges
    for start, stop in ranges:
        assert 0 <= start < stop <= source.n_rows
        assert start % source.unit == stop % source.unit == 0
    rows = sum(stop - start for start, stop in ranges)
    assert rows == source.n_rows if all_rows else rows * length <= max(weights._SAMPLE, source.unit * length)
    assert ranges == list(weights._ranges(source, "w", all_rows=all_rows))


def test_the_configuration_is_the_one_that_the_tests_count_on() -> None:
    assert CONFIG["rope_theta"] == 10000.0
    assert len(TOKENS) == 262
