"""`r1-gguf plan`: the real R1 to the byte from its headers, within seconds, and what it says to people and programs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gguf_convert.budget import SLOT_ELEMENTS, budget_for
from gguf_convert.cli import main
from gguf_convert.errors import ConversionError, RecipeError
from gguf_convert.plan import Split, make_plan
from gguf_convert.request import Request, prepare
from gguf_convert.slots import Slot, gaps, slots_of
from tests.gguf_convert.checkpoints import toy_layout, toy_plan, write_checkpoint
from tests.gguf_convert.r1_shapes import write_r1
from tests.gguf_convert.tiny_llama import write_tiny_llama

# Sizes in GB that llama.cpp's quantiser (0.5.0-dev, dry run) says for R1 without its MTP layer.
R1_SIZES = {"Q2_K": 244.1, "Q4_K_M": 404.5, "Q8_0": 713.3}


# Plans, then says how much processor time and memory that took. Not `ru_maxrss`, which counts from before the program.
_PLAN = """
import os, sys
from gguf_convert.cli import main
assert main(sys.argv[1:]) == 0
took = os.times()
status = open("/proc/self/status").read()
print(took.user + took.system, status.partition("VmHWM:")[2].split()[0], file=sys.stderr)
"""


@pytest.fixture(scope="module")
def r1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_r1(tmp_path_factory.mktemp("r1"))
    tiny = write_tiny_llama(tmp_path_factory.mktemp("tiny"))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((tiny / name).read_bytes())
    return folder


@pytest.mark.process
def test_r1_is_planned_within_seconds_and_little_memory(r1: Path) -> None:
    words = ["plan", str(r1), "--type", "Q4_K_M", "--json"]
    process = subprocess.run([sys.executable, "-c", _PLAN, *words], capture_output=True, text=True, check=True)
    told, (seconds, peak) = json.loads(process.stdout), map(float, process.stderr.split())
    assert seconds <= 10, "five of them are the measurement"
    assert peak <= 200_000, "in KiB"
    assert told["size"] / 1e9 == pytest.approx(R1_SIZES["Q4_K_M"], rel=1e-3)
    assert (len(told["tensors"]), told["parameters"]) == (1086, 671_026_419_200)
    assert told["seconds"] > 3600
    experts = next(tensor for tensor in told["tensors"] if tensor["name"] == "blk.60.ffn_down_exps.weight")
    assert (experts["shape"], len(experts["from"])) == ([2048, 7168, 256], 256)


@pytest.mark.parametrize("name", ["Q2_K", "Q8_0"])
def test_sizes_of_r1_are_llama_cpps(r1: Path, name: str) -> None:
    plan = prepare(Request(source=r1, recipe=name, file_name="r1.gguf")).plan
    assert plan.size / 1e9 == pytest.approx(R1_SIZES[name], rel=1e-3)


def test_r1_in_files_that_the_hub_takes(r1: Path) -> None:
    split = Split(max_size=40 * 10**9)
    plan = prepare(Request(source=r1, recipe="Q4_K_M", file_name="r1.gguf", split=split)).plan
    assert len(plan.files) == 11
    assert all(file.size <= 40 * 10**9 + len(file.header) for file in plan.files)
    assert plan.files[10].name == "r1-00011-of-00011.gguf"


def test_tensors_lie_one_behind_the_other(tmp_path: Path) -> None:
    plan = toy_plan(write_checkpoint(tmp_path / "source"))
    end = len(plan.files[0].header)
    for tensor in plan.tensors:
        assert tensor.offset == end
        assert tensor.offset % 32 == 0
        end = -(-(tensor.offset + tensor.size) // 32) * 32
    assert plan.files[0].size == end


def test_a_digest_says_whether_the_bytes_will_be_the_same(tmp_path: Path) -> None:
    source = write_checkpoint(tmp_path / "source")
    digests = [toy_plan(source, name, split).digest for name in ("Q4_K", "Q8_0") for split in (None, Split(max_size=1))]
    assert len(set(digests)) == 4
    assert toy_plan(source, "Q4_K").digest == digests[0]


def test_a_type_that_does_not_fit_names_the_tensor(tmp_path: Path) -> None:
    layout = toy_layout(write_checkpoint(tmp_path / "source"))
    with pytest.raises(RecipeError, match=r"nothing says which type matrix\.weight is to have"):
        make_plan(layout, types={}, fields=(), file_name="m.gguf")
    with pytest.raises(RecipeError, match=r"matrix\.weight: 'Q8_K' is no type that can be written"):
        make_plan(layout, types={"matrix.weight": "Q8_K"}, fields=(), file_name="m.gguf")


def test_slots_cover_what_is_not_done_and_nothing_twice(tmp_path: Path) -> None:
    tensor = toy_plan(write_checkpoint(tmp_path / "source")).tensors[1]
    slots = list(slots_of(1, tensor, 100 * 256, [(64, 128), (300, 310)]))
    assert slots == [
        Slot(1, 0, 64), Slot(1, 128, 228), Slot(1, 228, 300), Slot(1, 310, 410), Slot(1, 410, 510), Slot(1, 510, 512),
    ]  # fmt: skip
    assert list(gaps(10, [])) == [(0, 10)]
    assert list(gaps(10, [(4, 10), (0, 4)])) == []


def test_memory_decides_how_many_workers_there_are(tmp_path: Path) -> None:
    plan = toy_plan(write_checkpoint(tmp_path / "source"))
    free = budget_for(plan, 7, workers=4)
    assert (free.workers, free.slot_elements) == (4, SLOT_ELEMENTS)
    assert budget_for(plan, 7, workers=4, max_memory=free.memory).workers == 4
    less = budget_for(plan, 7, workers=4, max_memory=10**8)
    assert less.workers < 4
    assert less.memory <= 10**8
    assert budget_for(plan, 100_000).memory > 9e7
    with pytest.raises(ConversionError, match=r"10 MB are not enough; one worker takes 5[0-9] MB"):
        budget_for(plan, 7, max_memory=10**7)


def test_a_plan_is_readable(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_tiny_llama(tmp_path / "source")
    assert main(["plan", str(source), "--tensors", "--max-memory", "200MB", "--workers", "2", "--no-measure"]) == 0
    told = capsys.readouterr().out
    for shown in (
        "llama",
        "5.26 MB in one file",
        "Q4_K_M",
        "with 2 workers",
        "blk.1.attn_q.weight",
        "token_embd.weight",
    ):
        assert shown in told


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["plan", "TMP", "--type", "Q9"], 1, "there is no recipe 'Q9'"),
        (["plan", "TMP", "--type", "IQ1_S"], 1, "needs an importance matrix"),
        (["plan", "TMP", "--type", "Q4_K_N"], 1, "there is no recipe 'Q4_K_N'; did you mean Q4_K_S or Q4_K_M?"),
        (["plan", "TMP/none"], 1, "there is no folder TMP/none"),
        (["plan", "owner/name"], 1, "there is no folder owner/name; a repository on a hub is written hub:owner/name"),
        (["plan", "TMP/config.json"], 1, "TMP/config.json is a file; the folder of the checkpoint is wanted"),
        (["plan", "TMP/m.gguf"], 1, "TMP/m.gguf is a GGUF file already; `r1-gguf quantize` makes another of it"),
        (["plan", "TMP", "--target-size", "9" * 400], 2, "is no size such as 300MB or 2GB"),
        (["plan", "TMP", "--imatrix", "TMP/none"], 1, "cannot be read"),
        (["plan", "TMP", "--max-memory", "much"], 2, "'much' is no size such as 300MB or 2GB"),
        (["plan", "TMP", "--workers", "0"], 2, "'0' is no number from 1 on"),
        (["plan", "TMP", "--max-memory", "1MB"], 1, "1 MB are not enough"),
        (["convert", "TMP"], 2, "required: DST"),
        (["convert", "TMP", "TMP/out.bin"], 2, "is neither a folder nor a name that ends in .gguf"),
        (["convert", "TMP", "TMP/none/out.gguf"], 1, "there is no folder TMP/none for out.gguf"),
        (["convert", "TMP", "TMP/config.json/out.gguf"], 1, "there is no folder TMP/config.json for out.gguf"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    words: list[str], code: int, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tiny_llama(tmp_path)
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    assert main([word.replace("TMP", str(tmp_path)) for word in words]) == code
    err = capsys.readouterr().err
    assert sentence.replace("TMP", str(tmp_path)) in err
    assert err.count("\n") == 1


def test_a_mistyped_name_in_a_recipe_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, recipe = write_tiny_llama(tmp_path / "tiny"), tmp_path / "mine.toml"
    rules = [("ffn_donw*", "routed"), ("attn_?", "attention"), ("ffn_*_exps", "mtp")]
    lines = [f'[[rule]]\nname = "{name}"\npart = "{part}"\ntype = "Q8_0"\n' for name, part in rules]
    recipe.write_text('base = "Q4_K_M"\n' + "".join(lines))
    assert main(["plan", str(source), "--recipe", str(recipe), "--json", "--no-measure"]) == 0
    told = json.loads(capsys.readouterr().out)["warnings"]
    assert told == ["the recipe mine has a rule for the name 'ffn_donw*', which no tensor of this model has"]
