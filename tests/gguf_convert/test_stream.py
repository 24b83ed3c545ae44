"""A checkpoint on a hub is converted while it arrives: the same file as from a folder, few files on the disk at a time,
and after `kill -9` the same command goes on.
"""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from gguf_convert.arch.architecture import Layout
from gguf_convert.budget import Budget
from gguf_convert.convert import Order, Progress, convert
from gguf_convert.errors import SourceError
from gguf_convert.fields import Field
from gguf_convert.manifest import Manifest
from gguf_convert.plan import make_plan
from gguf_convert.rows import RowSource, Stacked, Weight
from gguf_convert.source.checkpoint import Checkpoint, open_checkpoint
from gguf_convert.source.connection import Hub
from gguf_convert.source.hub import snapshot
from gguf_convert.source.remote import open_remote
from gguf_convert.source.supply import Supply
from gguf_convert.stream import Download, download_of
from gguf_convert.tensors import TargetTensor
from tests.engine.models.hub_server import REPOSITORY, FakeHub, Request, cut_after, serving
from tests.gguf_convert.source.files import Arrays, Stored, write_checkpoint
from tests.gguf_convert.source.test_remote import published

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
HIDDEN, ROWS = 256, 512
SHARDS = [f"model-{number:05d}-of-00004.safetensors" for number in range(1, 5)]
CONFIG = {"architectures": ["Toy"], "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}}
_CODE = "import sys; from tests.gguf_convert.test_stream import convert_here; convert_here(*sys.argv[1:])"


def four_shards() -> dict[str, Arrays]:
    """Experts over the first three files; the FP8 matrix is in the first and its scales are in the third; nothing that
    is converted is in the last.
    """
    rng = np.random.default_rng(1)

    def expert() -> np.ndarray:
        return rng.standard_normal((ROWS, HIDDEN), dtype=np.float32)

    fp8 = Stored("F8_E4M3", (ROWS, HIDDEN), rng.integers(0, 0x7F, ROWS * HIDDEN, dtype=np.uint8).tobytes())
    scales = rng.uniform(0.01, 0.02, (ROWS // 128, HIDDEN // 128)).astype(np.float32)
    return {
        SHARDS[0]: {"norm.weight": np.ones(HIDDEN, np.float32), "fp8.weight": fp8, "experts.0.weight": expert()},
        SHARDS[1]: {f"experts.{number}.weight": expert() for number in (1, 2, 3)},
        SHARDS[2]: {"experts.4.weight": expert(), "fp8.weight_scale_inv": scales},
        SHARDS[3]: {"mtp.weight": expert()},
    }


def layout(experts: int = 5, *, fp8: bool = True) -> Layout:
    def tensor(name: str, source: RowSource, pinned: str | None = None) -> TargetTensor:
        shape = (HIDDEN,) if source.n_rows == 1 else (HIDDEN, source.n_rows)
        return TargetTensor(name=name, shape=shape, source=source, pinned=pinned)

    stacked = Stacked(tuple(Weight(f"experts.{number}.weight", ROWS, HIDDEN) for number in range(experts)))
    alone = [tensor("fp8.weight", Weight("fp8.weight", ROWS, HIDDEN))] if fp8 else []
    return Layout(
        tensors=(
            tensor("norm.weight", Weight("norm.weight", 1, HIDDEN), "F32"),
            tensor("experts.weight", stacked),
            *alone,
        ),
        fields=(Field("general.architecture", "string", "toy"),),
        unused={"mtp.weight": "not converted"},
    )


FIVE: Final = layout()


def order(
    checkpoint: Checkpoint, out: Path, supply: Supply | None = None, *, type_name: str = "Q4_K", layout: Layout = FIVE
) -> Order:
    out.mkdir(exist_ok=True)
    types = {tensor.name: type_name for tensor in layout.tensors}
    return Order(
        checkpoint=checkpoint,
        plan=make_plan(layout, types=types, fields=(), file_name="m.gguf"),
        target=out / "m.gguf",
        recipe=type_name,
        budget=Budget(2, 100 * HIDDEN, 0),
        supply=supply,
    )


def remote_order(url: str, out: Path, *, keep: bool = False, type_name: str = "Q4_K", layout: Layout = FIVE) -> Order:
    source = snapshot(Hub(url=url, attempts=3, pause_s=0.0), REPOSITORY)
    folder = out / "m.gguf.source" / "model"
    supply = Supply(source=source, folder=folder, keep=keep)
    return order(open_remote(source, folder), out, supply, type_name=type_name, layout=layout)


def convert_here(url: str, out: str) -> None:
    """What `kill -9` tests run in a process of its own."""
    convert(remote_order(url, Path(out), type_name="IQ4_XS"))


@pytest.fixture
def local(tmp_path: Path) -> Checkpoint:
    return open_checkpoint(write_checkpoint(tmp_path / "local", four_shards(), CONFIG))


@pytest.fixture
def hub(local: Checkpoint) -> Iterator[FakeHub]:
    with serving(published(local.folder)) as fake:
        yield fake


def fetched(fake: FakeHub) -> list[str]:
    """The files of weights that were asked for as a whole, in order."""
    names = [path.rpartition("/")[2] for path, headers in fake.seen if "Range" not in headers]
    return [name for name in names if name in SHARDS]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def shards_in(folder: Path) -> list[int]:
    return [number for number, name in enumerate(SHARDS) if (folder / name).exists()]


def tensors_of(manifest: Manifest) -> object:
    return manifest.tensors, manifest.plan


def test_the_file_is_the_same_as_from_a_folder(local: Checkpoint, hub: FakeHub, tmp_path: Path) -> None:
    at_home = convert(order(local, tmp_path / "a"))
    manifest = convert(remote_order(hub.url, tmp_path / "b"))
    assert (tmp_path / "b" / "m.gguf").read_bytes() == (tmp_path / "a" / "m.gguf").read_bytes()
    assert tensors_of(manifest) == tensors_of(at_home)
    assert names_in(tmp_path / "b") == ["m.gguf", "m.gguf.manifest.json"]
    assert manifest.origin == f"hub:{REPOSITORY}@{hub.revision}"
    hashes = {source.name: source.sha256 for source in manifest.sources}
    wanted = {name: hashlib.sha256(hub.files[name]).hexdigest() for name in SHARDS[:3]}
    assert hashes == {**wanted, SHARDS[3]: None}, "the last one was not fetched"


def test_files_come_one_by_one_and_go_when_they_are_done(hub: FakeHub, tmp_path: Path) -> None:
    there: list[tuple[str, list[int]]] = []
    folder = tmp_path / "m.gguf.source" / "model"

    def note(request: Request, data: bytes) -> bool:
        if "Range" not in request.headers:
            there.append((request.path.rpartition("/")[2], shards_in(folder)))
        return False

    hub.wrong = note
    wanted = remote_order(hub.url, tmp_path)
    peak = Peak(folder)
    convert(wanted, peak.note)
    weights = [(SHARDS.index(name), here) for name, here in there if name in SHARDS]
    # The third comes second: the first is kept for it. The second is fetched ahead, while these two are converted.
    assert weights == [(0, []), (2, [0]), (1, [0, 2])]
    all_three = sum(len(hub.files[name]) for name in SHARDS[:3])
    assert download_of(wanted.plan, wanted.checkpoint, hub.files) == Download(
        files=3, size=all_three, at_once=all_three
    )
    small = sum(len(data) for data in hub.in_git.values()) + 10 * 4096  # whole blocks
    assert 0 < peak.bytes <= all_three + small


def test_four_files_are_never_there_together(tmp_path: Path) -> None:
    """Every tensor has its values in one file and its scales in the next: what needs most room."""
    rng = np.random.default_rng(2)
    fp8 = Stored("F8_E4M3", (ROWS, HIDDEN), rng.integers(0, 0x7F, ROWS * HIDDEN, dtype=np.uint8).tobytes())
    scale = np.ones((ROWS // 128, HIDDEN // 128), np.float32)
    names = [f"model-{number:05d}-of-00009.safetensors" for number in range(1, 10)]
    shards: dict[str, Arrays] = {
        name: {f"experts.{number}.weight": fp8, f"experts.{(number or 9) - 1}.weight_scale_inv": scale}
        for number, name in enumerate(names)
    }
    shards[names[0]] = {"experts.0.weight": fp8, "norm.weight": np.ones(HIDDEN, np.float32)}
    shards[names[-1]] = {"experts.7.weight_scale_inv": scale}
    local = open_checkpoint(write_checkpoint(tmp_path / "local", shards, CONFIG))
    folder = tmp_path / "out" / "m.gguf.source" / "model"
    together: list[int] = []

    def note(request: Request, data: bytes) -> bool:
        together.append(sum(path.suffix == ".safetensors" for path in folder.iterdir()))
        return False

    with serving(published(local.folder)) as fake:
        wanted = remote_order(fake.url, tmp_path / "out", layout=layout(8, fp8=False))
        fake.wrong = note
        convert(wanted)
    assert len(together) == len(names)
    assert max(together) == 2, "and the one that was asked for then"
    convert(order(local, tmp_path / "a", layout=layout(8, fp8=False)))
    assert (tmp_path / "out" / "m.gguf").read_bytes() == (tmp_path / "a" / "m.gguf").read_bytes()


class Peak:
    """The most bytes that a folder took, whenever it was looked at."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bytes = folder, 0

    def note(self, progress: Progress) -> None:
        taken = 0
        for path in list(self.folder.iterdir()):
            try:
                taken += path.stat().st_blocks * 512
            except FileNotFoundError:
                continue
        self.bytes = max(self.bytes, taken)


def test_files_can_be_kept(local: Checkpoint, hub: FakeHub, tmp_path: Path) -> None:
    convert(order(local, tmp_path / "a"))
    convert(remote_order(hub.url, tmp_path / "b", keep=True))
    assert (tmp_path / "b" / "m.gguf").read_bytes() == (tmp_path / "a" / "m.gguf").read_bytes()
    assert shards_in(tmp_path / "b" / "m.gguf.source" / "model") == [0, 1, 2]
    (tmp_path / "b" / "m.gguf").unlink()
    convert(remote_order(hub.url, tmp_path / "b", keep=True))
    assert fetched(hub) == [SHARDS[0], SHARDS[2], SHARDS[1]], "once"


def test_nothing_is_fetched_for_what_is_done(hub: FakeHub, tmp_path: Path) -> None:
    first = convert(remote_order(hub.url, tmp_path / "out"))
    count = len(fetched(hub))
    assert convert(remote_order(hub.url, tmp_path / "out")) == first
    assert len(fetched(hub)) == count
    assert names_in(tmp_path / "out") == ["m.gguf", "m.gguf.manifest.json"]


def test_a_line_that_fails_in_the_middle_costs_no_file_twice(local: Checkpoint, hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = failing(SHARDS[1])
    with pytest.raises(SourceError, match=f"0 of [0-9,]+ bytes of {REPOSITORY}/{SHARDS[1]} arrived; the same command"):
        convert(remote_order(hub.url, tmp_path / "b"))
    assert not (tmp_path / "b" / "m.gguf").exists()
    hub.wrong = None
    hub.seen.clear()
    convert(remote_order(hub.url, tmp_path / "b"))
    assert fetched(hub) == [SHARDS[1]], "the others were done with"
    convert(order(local, tmp_path / "a"))
    assert (tmp_path / "b" / "m.gguf").read_bytes() == (tmp_path / "a" / "m.gguf").read_bytes()


def failing(name: str) -> Callable[[Request, bytes], bool]:
    """Only the whole file: its header, read by a range, arrives."""

    def wrong(request: Request, data: bytes) -> bool:
        if request.path.endswith(name) and "Range" not in request.headers:
            return cut_after(0)(request, data)
        return False

    return wrong


def test_a_file_goes_only_when_what_was_made_of_it_is_on_the_disk(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: dict[str, tuple[int, int]] = {}  # of each file when it was deleted: made and on the disk, made later
    delete = Supply.drop

    def drop(supply: Supply, name: str) -> None:
        lines = [json.loads(line) for line in (tmp_path / "m.gguf.partial.journal").read_text().splitlines()]
        synced = max(len(lines) if "complete" in line else line.get("synced", 0) for line in lines)
        rows.setdefault(name, (rows_from(name, lines[:synced]), rows_from(name, lines[synced:])))
        delete(supply, name)

    wanted = remote_order(hub.url, tmp_path)
    monkeypatch.setattr(Supply, "drop", drop)
    convert(wanted)
    assert {name: rows[name] for name in SHARDS} == {
        SHARDS[0]: (1 + ROWS + ROWS, 0),  # the norm, an expert, the FP8 matrix
        SHARDS[1]: (3 * ROWS, 0),
        SHARDS[2]: (ROWS + ROWS, 0),
        SHARDS[3]: (0, 0),
    }


def rows_from(name: str, lines: Sequence[dict[str, Any]]) -> int:
    """How many rows the journal's lines say were made of a file of `four_shards`."""
    count = 0
    for line in lines:
        tensor, start, stop = line.get("slot", (None, 0, 0))
        files = {0: {0}, 2: {0, 2}}.get(tensor, {(0, 1, 1, 1, 2)[start // ROWS]})
        count += (stop - start) * (name in {SHARDS[number] for number in files})
    return count


def test_a_damaged_file_is_never_converted(hub: FakeHub, tmp_path: Path) -> None:
    def flip(request: Request, data: bytes) -> bool:
        if not request.path.endswith(SHARDS[2]) or "Range" in request.headers:
            return False
        request.answer(200, data[:-1] + bytes([data[-1] ^ 1]))
        return True

    hub.wrong = flip
    with pytest.raises(SourceError, match=f"{SHARDS[2]} did not arrive as the hub announced it"):
        convert(remote_order(hub.url, tmp_path))
    assert not (tmp_path / "m.gguf").exists()


def test_a_repository_that_changed_meanwhile_is_not_mixed(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = failing(SHARDS[1])
    with pytest.raises(SourceError):
        convert(remote_order(hub.url, tmp_path))
    hub.wrong, hub.revision = None, "b" * 40
    changed = hub.files[SHARDS[1]]
    hub.files[SHARDS[1]] = changed[:-1] + bytes([changed[-1] ^ 1])
    begun_with = f"hub:{REPOSITORY}@{'a' * 40}"
    sentence = f"{SHARDS[1]} has changed since this conversion was begun; {begun_with} finishes it, --restart"
    with pytest.raises(SourceError, match=sentence):
        convert(remote_order(hub.url, tmp_path))
    hub.files[SHARDS[1]] = changed
    assert convert(remote_order(hub.url, tmp_path)).origin == f"hub:{REPOSITORY}@{'b' * 40}", "the files are the same"


def test_what_is_waited_for_is_told(hub: FakeHub, tmp_path: Path) -> None:
    def slow(request: Request, data: bytes) -> bool:
        if "Range" in request.headers or SHARDS[0] not in request.path:
            return False
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        for start in (0, len(data) // 2):
            request.wfile.write(data[start:][: len(data) // 2 + len(data) % 2 * (start > 0)])
            request.wfile.flush()
            time.sleep(0.5)
        return True

    hub.wrong = slow
    told: list[Progress] = []
    convert(remote_order(hub.url, tmp_path), told.append)
    megabytes = f"{len(hub.files[SHARDS[0]]) / 1e6:,.0f} MB fetched"
    assert any(step.at.startswith(f"{SHARDS[0]}: ") and step.at.endswith(megabytes) for step in told)
    assert told[-1].done == pytest.approx(told[-1].total)


def test_an_error_of_our_own_is_not_waited_out(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    wanted = remote_order(hub.url, tmp_path)
    monkeypatch.setattr("gguf_convert.source.supply.download", broken)
    with pytest.raises(ZeroDivisionError):
        convert(wanted)


@pytest.mark.fuzz
@pytest.mark.timeout(600)
def test_killed_at_random_moments(local: Checkpoint, hub: FakeHub, tmp_path: Path) -> None:
    convert(order(local, tmp_path / "a", type_name="IQ4_XS"))
    whole = (tmp_path / "a" / "m.gguf").read_bytes()
    out = tmp_path / "b"
    rng = random.Random(int(os.environ.get("R1_FUZZ_SEED", "5")))
    journal = out / "m.gguf.partial.journal"
    for _ in range(int(4 * float(os.environ.get("R1_FUZZ_SCALE", "1")))):
        process = subprocess.Popen([sys.executable, "-c", _CODE, hub.url, str(out)], cwd=ROOT, start_new_session=True)
        size = journal.stat().st_size if journal.exists() else 0
        while process.poll() is None and not (journal.exists() and journal.stat().st_size > size):
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.3))
        os.killpg(process.pid, signal.SIGKILL) if rng.random() < 0.5 else process.kill()
        process.wait()
        assert not (out / "m.gguf").exists() or (out / "m.gguf").read_bytes() == whole
    convert(remote_order(hub.url, out, type_name="IQ4_XS"))
    assert (out / "m.gguf").read_bytes() == whole
    assert names_in(out) == ["m.gguf", "m.gguf.manifest.json"]
