"""A GGUF file quantised again, against llama.cpp's own quantiser: the same file, byte for byte."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.models.gguf_header import read_header
from gguf_convert.budget import Budget, budget_for
from gguf_convert.cli import main
from gguf_convert.convert import Order, Progress, convert
from gguf_convert.errors import RecipeError, SourceError
from gguf_convert.imatrix import Importance, read_imatrix
from gguf_convert.plan import Split
from gguf_convert.quantize import plan_quantise
from gguf_convert.recipe import load_recipe
from gguf_convert.source.gguf import open_gguf, read_fields
from tests.gguf_convert.importances import measured, write_gguf, write_legacy
from tests.gguf_convert.shapes import Model, classic, deepseek, write_random

pytestmark = pytest.mark.process

EXPERTS = classic("llama", layers=2, hidden=256, heads=(4, 2), width=256, vocab=64, experts=3)
LATENT = deepseek(
    layers=2, hidden=256, heads=2, q_lora=256, experts=4, shared=1, moe=96, dense=(1, 256), vocab=64, mtp=True,
    kv_lora=256, rope=32, head=32,
)  # fmt: skip


@pytest.fixture(scope="module")
def experts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(EXPERTS, tmp_path_factory.mktemp("experts"), "F32")


@pytest.fixture(scope="module")
def latent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _written(LATENT, tmp_path_factory.mktemp("latent"), "BF16")


def _written(model: Model, folder: Path, wide: str) -> Path:
    types = {name: wide if type_ == "BF16" else type_ for name, type_ in model.types.items()}
    write_random(model, folder / "source.gguf", types)
    return folder / "source.gguf"


def _theirs(source: Path, target: Path, recipe: str, importance: Path | None = None, requantise: bool = False) -> bytes:
    job = {
        "source": str(source),
        "target": str(target),
        "file_type": load_recipe(recipe).file_type,
        "importance": str(importance) if importance else None,
        "requantise": requantise,
    }
    command = [sys.executable, "-I", str(Path(__file__).parent / "llama_quantise.py")]
    subprocess.run(command, input=json.dumps(job), text=True, check=True)
    return target.read_bytes()


def _ours(
    source: Path,
    target: Path,
    recipe: str,
    importance: Importance | None = None,
    *,
    requantise: bool = False,
    split: Split | None = None,
    as_it_was: str | None = None,
) -> Path:
    made = plan_quantise(
        source,
        load_recipe(recipe),
        file_name=target.name,
        importance=importance,
        allow_requantise=requantise,
        split=split,
    )
    budget = budget_for(made.plan, len(made.source.tensors), workers=1)
    convert(
        Order(
            checkpoint=made.source.checkpoint,
            plan=made.plan,
            target=target,
            recipe=recipe,
            budget=budget,
            importance=importance,
            importance_sha256=as_it_was,
        )
    )
    return target


def _tensors(path: Path) -> dict[str, tuple[str, bytes]]:
    header, data = read_header(path), path.read_bytes()
    return {
        tensor.name: (tensor.type.name, data[header.data_start + tensor.offset :][: tensor.size])
        for tensor in header.tensors
    }


@pytest.mark.parametrize("recipe", ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q5_1", "Q4_K_M", "Q3_K_L", "IQ4_XS", "Q2_K"])
def test_the_same_file(experts: Path, tmp_path: Path, recipe: str) -> None:
    assert _ours(experts, tmp_path / "ours.gguf", recipe).read_bytes() == _theirs(experts, tmp_path / "t", recipe)


@pytest.mark.parametrize("recipe", ["Q4_K_M", "Q6_K", "IQ4_NL", "TQ2_0", "MXFP4_MOE"])
def test_the_same_file_from_16_bits(latent: Path, tmp_path: Path, recipe: str) -> None:
    assert _ours(latent, tmp_path / "ours.gguf", recipe).read_bytes() == _theirs(latent, tmp_path / "t", recipe)


def test_an_importance_matrix_that_changes_meanwhile_is_named(experts: Path, tmp_path: Path) -> None:
    write_gguf(tmp_path / "imatrix.gguf", measured(EXPERTS))
    importance = read_imatrix(tmp_path / "imatrix.gguf")
    with pytest.raises(SourceError, match=r"imatrix\.gguf has changed while it was used"):
        _ours(experts, tmp_path / "ours.gguf", "Q4_K_M", importance, as_it_was="0" * 64)
    assert not (tmp_path / "ours.gguf").exists()


@pytest.mark.parametrize("recipe", ["Q4_K_M", "Q4_0", "Q2_K_S", "IQ2_XXS", "Q8_0"])
def test_the_same_tensors_with_an_importance_matrix(experts: Path, tmp_path: Path, recipe: str) -> None:
    entries = measured(EXPERTS)
    write_gguf(tmp_path / "imatrix.gguf", entries)
    np.savez(tmp_path / "means.npz", **{name: entry.means for name, entry in entries.items()})
    importance = read_imatrix(tmp_path / "imatrix.gguf")
    ours = _ours(experts, tmp_path / "ours.gguf", recipe, importance)
    _theirs(experts, tmp_path / "theirs.gguf", recipe, tmp_path / "means.npz")
    assert _tensors(ours) == _tensors(tmp_path / "theirs.gguf")
    added = list(read_fields(ours))[len(list(read_fields(tmp_path / "theirs.gguf"))) :]
    assert [(field.key, field.value) for field in added] == [
        ("quantize.imatrix.file", "imatrix.gguf"),
        ("quantize.imatrix.dataset", "code é.txt"),
        ("quantize.imatrix.entries_count", len(entries)),
        ("quantize.imatrix.chunks_count", 12),
    ]


def test_the_older_format_gives_its_own_means(experts: Path, tmp_path: Path) -> None:
    """It keeps means times a number of calls, which rounds; unseen experts are ones in it already."""
    entries = measured(EXPERTS)
    write_legacy(tmp_path / "imatrix.dat", entries, calls=12)
    twelve = np.float32(12)
    np.savez(tmp_path / "means.npz", **{name: entry.means * twelve / twelve for name, entry in entries.items()})
    ours = _ours(experts, tmp_path / "ours.gguf", "Q2_K_S", read_imatrix(tmp_path / "imatrix.dat"))
    _theirs(experts, tmp_path / "theirs.gguf", "Q2_K_S", tmp_path / "means.npz")
    assert _tensors(ours) == _tensors(tmp_path / "theirs.gguf")


def test_weights_that_are_quantised_already(experts: Path, tmp_path: Path) -> None:
    q8 = _ours(experts, tmp_path / "q8.gguf", "Q8_0")
    with pytest.raises(RecipeError, match=r"has output\.weight as Q8_0 already, .* --allow-requantize does it"):
        _ours(q8, tmp_path / "q4.gguf", "Q4_K_M")
    assert _ours(q8, tmp_path / "q4.gguf", "Q4_K_M", requantise=True).read_bytes() == _theirs(
        q8, tmp_path / "t", "Q4_K_M", requantise=True
    )
    assert _ours(q8, tmp_path / "again.gguf", "Q8_0").read_bytes() == q8.read_bytes(), "nothing to quantise: a copy"


def test_split_files(experts: Path, tmp_path: Path) -> None:
    whole = _ours(experts, tmp_path / "whole.gguf", "F16")
    (tmp_path / "parts").mkdir()
    _ours(experts, tmp_path / "parts" / "m.gguf", "F16", split=Split(max_tensors=5))
    parts = sorted((tmp_path / "parts").glob("*.gguf"))
    assert len(parts) > 3
    for part in (parts[0], parts[2]):
        assert open_gguf(part).tensors[0].name == "output.weight"
    joined = _ours(parts[2], tmp_path / "joined.gguf", "F16")
    assert joined.read_bytes() == whole.read_bytes()
    wrong = tmp_path / "wrong-00001-of-00002.gguf"
    wrong.write_bytes(whole.read_bytes())
    with pytest.raises(SourceError, match=r"there is no file .*wrong-00002-of-00002\.gguf"):
        open_gguf(wrong)
    wrong.with_name("wrong-00002-of-00002.gguf").write_bytes(whole.read_bytes())
    with pytest.raises(SourceError, match="hold a tensor of the same name"):
        open_gguf(wrong)
    parts[1].write_bytes(parts[2].read_bytes())
    with pytest.raises(SourceError, match=r"two files|is not file 2 of"):
        open_gguf(parts[0])
    parts[0].rename(tmp_path / "alone.gguf")
    with pytest.raises(SourceError, match=r"is one of \d files, which its name does not say"):
        open_gguf(tmp_path / "alone.gguf")


def test_a_matrix_of_another_model(experts: Path, tmp_path: Path) -> None:
    other = classic("llama", layers=2, hidden=512, heads=(4, 2), width=512, vocab=320, experts=3)
    write_gguf(tmp_path / "imatrix.gguf", measured(other))
    with pytest.raises(RecipeError, match=r"is of another model: it has 512 values for blk\.0\.attn_k\.weight, .* 256"):
        _ours(experts, tmp_path / "ours.gguf", "Q4_K_M", read_imatrix(tmp_path / "imatrix.gguf"))


def test_stopped_and_gone_on_with(experts: Path, tmp_path: Path) -> None:
    whole = _ours(experts, tmp_path / "whole.gguf", "Q4_K_M").read_bytes()
    made = plan_quantise(experts, load_recipe("Q4_K_M"), file_name="m.gguf")
    budget = Budget(workers=1, slot_elements=2**14, memory=0)
    order = Order(
        checkpoint=made.source.checkpoint, plan=made.plan, target=tmp_path / "m.gguf", recipe="Q4_K_M", budget=budget
    )
    steps = []

    def stop_in_the_middle(progress: Progress) -> None:
        steps.append(progress.done)
        if len(steps) == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(order, stop_in_the_middle)
    assert not (tmp_path / "m.gguf").exists()
    convert(order, lambda progress: steps.append(progress.done))
    assert steps[20] > steps[18] > steps[0], "what was made is not made again"
    assert (tmp_path / "m.gguf").read_bytes() == whole


def test_metadata_is_kept(latent: Path, tmp_path: Path) -> None:
    renewed = {"general.file_type": 15, "general.quantization_version": 2}
    before = {field.key: field for field in read_fields(latent)}
    after = {field.key: field for field in read_fields(_ours(latent, tmp_path / "o.gguf", "q4_k"))}
    assert {key: field for key, field in after.items() if key not in renewed} == before
    assert {key: after[key].value for key in renewed} == renewed


def test_the_command(experts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_gguf(tmp_path / "imatrix.gguf", measured(EXPERTS))
    words = ["quantize", str(experts), str(tmp_path), "--type", "q4_0", "--imatrix", str(tmp_path / "imatrix.gguf")]
    assert main([*words, "--workers", "1"]) == 0
    made = tmp_path / "source-q4_0.gguf"
    assert str(made) in capsys.readouterr().out
    assert (
        made.read_bytes()
        == _ours(experts, tmp_path / "x.gguf", "Q4_0", read_imatrix(tmp_path / "imatrix.gguf")).read_bytes()
    )
    record = json.loads((tmp_path / "source-q4_0.gguf.manifest.json").read_text())
    assert record["importance"] == hashlib.sha256((tmp_path / "imatrix.gguf").read_bytes()).hexdigest()
    assert [source["name"] for source in record["sources"]] == ["source.gguf"]


def test_the_command_for_a_size(experts: Path, tmp_path: Path) -> None:
    target, recipe = tmp_path / "small.gguf", tmp_path / "found.toml"
    size = 950_000
    words = ["quantize", str(experts), str(target), "--target-size", str(size), "--save-recipe", str(recipe)]
    assert main([*words, "--workers", "1"]) == 0
    assert 0.99 * size < target.stat().st_size <= size
    again = tmp_path / "again.gguf"
    assert main(["quantize", str(experts), str(again), "--recipe", str(recipe), "--workers", "1"]) == 0
    assert again.read_bytes() == target.read_bytes()


def test_what_the_command_refuses(experts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*words: str) -> tuple[int, str]:
        return main(["quantize", *words]), capsys.readouterr().err

    code, said = refused(str(experts), str(experts), "--restart", "--type", "Q8_0")
    assert (code, said) == (2, "r1-gguf: the output would replace its source; give it another name\n")
    code, said = refused(str(experts), str(tmp_path), "--target-size", "1KB")
    assert code == 1
    assert "are too few; the smallest is" in said
    code, said = refused(str(experts), str(tmp_path), "--bpw", "4", "--type", "Q8_0")
    assert code == 2
    code, said = refused(str(experts), str(tmp_path), "--save-recipe", "x.toml")
    assert (code, said) == (2, "r1-gguf: --save-recipe is for a recipe found by --target-size or --bpw\n")
    code, said = refused(str(tmp_path / "none.gguf"), str(tmp_path))
    assert (code, said) == (1, f"r1-gguf: there is no file {tmp_path / 'none.gguf'}\n")
