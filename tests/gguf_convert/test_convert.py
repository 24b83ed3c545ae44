"""A conversion of a small checkpoint: what is in the files, however many workers made them, and what goes wrong."""

import errno
import hashlib
import json
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from engine.models.gguf_header import read_header
from gguf_convert import convert as convert_module
from gguf_convert import ggml
from gguf_convert.convert import Order, Progress, convert
from gguf_convert.crew import Crew
from gguf_convert.errors import ConversionError, RecipeError, SourceError, TargetError, WorkerDied
from gguf_convert.journal import Journal, locked
from gguf_convert.plan import Split
from gguf_convert.source.checkpoint import Checkpoint, open_checkpoint
from gguf_convert.source.reader import CheckpointReader
from tests.gguf_convert.checkpoints import HIDDEN, toy_layout, toy_order, toy_plan, write_checkpoint

pytestmark = pytest.mark.process


@pytest.fixture
def source(tmp_path: Path) -> Checkpoint:
    return write_checkpoint(tmp_path / "source")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_tensor_is_what_its_quantiser_makes_of_its_rows(source: Checkpoint, tmp_path: Path) -> None:
    manifest = convert(toy_order(source, tmp_path / "out", workers=2))
    path = tmp_path / "out" / "m.gguf"
    header, data = read_header(path), path.read_bytes()
    assert [tensor.name for tensor in header.tensors] == ["norm.weight", "matrix.weight", "experts.weight"]
    with CheckpointReader(source) as reader:
        for target, tensor, record in zip(toy_layout(source).tensors, header.tensors, manifest.tensors, strict=True):
            rows = target.source.rows(reader, 0, target.n_rows)
            begin = header.data_start + tensor.offset
            written = data[begin : begin + tensor.size]
            assert written == ggml.quantise(tensor.type.name, rows).tobytes(), target.name
            assert record.sha256 == hashlib.sha256(written).hexdigest()
            back = ggml.dequantise(tensor.type.name, np.frombuffer(written, np.uint8), HIDDEN)[::8]
            wanted = np.sqrt(np.square(back - rows[::8]).sum() / np.square(rows[::8]).sum())
            assert record.error == pytest.approx(wanted, rel=1e-4)
    assert names_in(tmp_path / "out") == ["m.gguf", "m.gguf.manifest.json"]


def test_sources_are_in_the_manifest_with_their_hashes(source: Checkpoint, tmp_path: Path) -> None:
    manifest = convert(toy_order(source, tmp_path / "out"))
    assert {entry.name: entry.sha256 for entry in manifest.sources} == {
        name: sha256(source.folder / name) for name in source.shards
    }
    without = convert(toy_order(source, tmp_path / "out2", hash_sources=False))
    assert [entry.sha256 for entry in without.sources] == [None, None]
    assert sha256(tmp_path / "out" / "m.gguf") == sha256(tmp_path / "out2" / "m.gguf")


def test_workers_and_slots_do_not_change_a_byte(source: Checkpoint, tmp_path: Path) -> None:
    made = set()
    for workers, slot_rows in ((1, 64), (2, 17), (3, 1000)):
        folder = tmp_path / f"{workers}"
        manifest = convert(toy_order(source, folder, workers=workers, slot_rows=slot_rows))
        made.add((sha256(folder / "m.gguf"), manifest.model_dump_json()))
    assert len(made) == 1


def test_split_files_are_numbered_and_the_first_says_everything(source: Checkpoint, tmp_path: Path) -> None:
    whole = convert(toy_order(source, tmp_path / "whole"))
    split = convert(toy_order(source, tmp_path / "split", split=Split(max_tensors=2)))
    names = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]
    assert names_in(tmp_path / "split") == [*names, "m.gguf.manifest.json"]
    first, second = (read_header(tmp_path / "split" / name) for name in names)
    assert first.metadata["general.architecture"] == "toy"
    assert "general.architecture" not in second.metadata
    assert [(h.metadata["split.no"], h.metadata["split.count"]) for h in (first, second)] == [(0, 2), (1, 2)]
    assert first.metadata["split.tensors.count"] == 3
    assert [tensor.name for tensor in second.tensors] == ["experts.weight"]
    assert [tensor.sha256 for tensor in split.tensors] == [tensor.sha256 for tensor in whole.tensors]


def test_a_file_is_full_at_its_size_and_never_holds_more(source: Checkpoint) -> None:
    tensors = toy_plan(source).tensors
    sizes = {tensor.target.name: tensor.size for tensor in tensors}
    room = sizes["norm.weight"] + sizes["matrix.weight"]
    assert len(toy_plan(source, split=Split(max_size=room)).files) == 2
    assert len(toy_plan(source, split=Split(max_size=room - 1)).files) == 3
    assert len(toy_plan(source, split=Split(max_size=1)).files) == 3


def test_the_same_command_again_finds_it_done(source: Checkpoint, tmp_path: Path) -> None:
    told: list[Progress] = []
    first = convert(toy_order(source, tmp_path / "out"), told.append)
    assert told[-1].done == pytest.approx(told[-1].total)
    assert told[-1].left == 0
    told.clear()
    assert convert(toy_order(source, tmp_path / "out"), told.append) == first
    assert not told
    assert names_in(tmp_path / "out") == ["m.gguf", "m.gguf.manifest.json"]


def test_another_command_does_not_overwrite_what_is_there(source: Checkpoint, tmp_path: Path) -> None:
    convert(toy_order(source, tmp_path / "out"))
    with pytest.raises(TargetError, match=r"m\.gguf exists and is not what this command makes; --restart"):
        convert(toy_order(source, tmp_path / "out", type_name="Q8_0"))
    assert names_in(tmp_path / "out") == ["m.gguf", "m.gguf.manifest.json"]
    manifest = convert(toy_order(source, tmp_path / "out", type_name="Q8_0", restart=True))
    assert manifest.tensors[1].type == "Q8_0"


def test_a_record_that_is_none_is_named(source: Checkpoint, tmp_path: Path) -> None:
    convert(toy_order(source, tmp_path / "out"))
    (tmp_path / "out" / "m.gguf.manifest.json").write_text("{}")
    with pytest.raises(TargetError, match=r"m\.gguf\.manifest\.json is no manifest of a conversion"):
        convert(toy_order(source, tmp_path / "out"))
    assert names_in(tmp_path / "out") == ["m.gguf", "m.gguf.manifest.json"]


class _Stop(Exception):
    """Ends a conversion in its middle."""


def stop_after(count: int) -> Callable[[Progress], None]:
    """Tells of progress until it has been told `count` times."""
    times = iter(range(count))

    def tell(progress: Progress) -> None:
        if next(times, None) is None:
            raise _Stop

    return tell


def begun(order: Order, steps: int = 6) -> None:
    with pytest.raises(_Stop):
        convert(order, stop_after(steps))


def test_it_goes_on_where_it_ended(source: Checkpoint, tmp_path: Path) -> None:
    wanted = convert(toy_order(source, tmp_path / "at once"))
    order = toy_order(source, tmp_path / "out", workers=2)
    begun(order)
    assert not (tmp_path / "out" / "m.gguf").exists()
    with locked(tmp_path / "out" / "m.gguf.partial.journal") as journal:
        assert 3 <= len(journal.done.unsynced) <= 6
    remade: list[Progress] = []
    assert convert(toy_order(source, tmp_path / "out", slot_rows=50), remade.append) == wanted
    assert sha256(tmp_path / "out" / "m.gguf") == sha256(tmp_path / "at once" / "m.gguf")
    assert remade[0].done > 0


def test_another_command_does_not_go_on_with_it(source: Checkpoint, tmp_path: Path) -> None:
    begun(toy_order(source, tmp_path / "out"))
    with pytest.raises(TargetError, match=r"m\.gguf was begun by another command .* --restart begins anew"):
        convert(toy_order(source, tmp_path / "out", type_name="Q8_0"))
    manifest = convert(toy_order(source, tmp_path / "out", type_name="Q8_0", restart=True))
    assert manifest.recipe == "Q8_0"


def test_beginning_anew_leaves_nothing_of_the_old_beginning(source: Checkpoint, tmp_path: Path) -> None:
    begun(toy_order(source, tmp_path / "out", split=Split(max_tensors=1)))
    convert(toy_order(source, tmp_path / "out", restart=True))
    assert names_in(tmp_path / "out") == ["m.gguf", "m.gguf.manifest.json"]


def test_a_source_that_changed_in_between_is_named(source: Checkpoint, tmp_path: Path) -> None:
    begun(toy_order(source, tmp_path / "out"))
    (source.folder / "model-00002-of-00002.safetensors").touch()
    with pytest.raises(
        SourceError, match=r"model-00002-of-00002\.safetensors has changed since this conversion was begun"
    ):
        convert(toy_order(open_checkpoint(source.folder), tmp_path / "out"))


def test_a_source_that_changes_meanwhile_is_named(source: Checkpoint, tmp_path: Path) -> None:
    shard = source.folder / "model-00001-of-00002.safetensors"

    def touch(progress: Progress) -> None:
        shard.touch()

    with pytest.raises(SourceError, match=r"model-00001-of-00002\.safetensors.* changed"):
        convert(toy_order(source, tmp_path / "out"), touch)
    assert not (tmp_path / "out" / "m.gguf").exists()


def test_a_source_that_is_cut_off_meanwhile_is_named(source: Checkpoint, tmp_path: Path) -> None:
    os.truncate(source.folder / "model-00001-of-00002.safetensors", 300_000)
    with pytest.raises(SourceError, match=r"model-00001-of-00002.safetensors"):
        convert(toy_order(source, tmp_path / "out"))
    assert not (tmp_path / "out" / "m.gguf").exists()


def test_a_source_of_another_hash_is_refused(source: Checkpoint, tmp_path: Path) -> None:
    name = "model-00002-of-00002.safetensors"
    with pytest.raises(SourceError, match=rf"{name} is damaged: its sha256 is [0-9a-f]+ and ought to be 00ff"):
        convert(toy_order(source, tmp_path / "out", expected={name: "00ff"}))
    assert not (tmp_path / "out" / "m.gguf").exists()


def test_bytes_that_did_not_reach_the_disk_are_made_again(source: Checkpoint, tmp_path: Path) -> None:
    """After a power failure the journal may say more than the output holds, and end in rubbish."""
    wanted = convert(toy_order(source, tmp_path / "at once"))
    begun(toy_order(source, tmp_path / "out"), 8)
    partial, path = tmp_path / "out" / "m.gguf.partial", tmp_path / "out" / "m.gguf.partial.journal"
    with locked(path) as journal:
        slot = max(journal.done.unsynced, key=lambda slot: (slot.tensor, slot.start))
    offset, size = toy_plan(source).tensors[slot.tensor].place(slot.start, slot.stop)
    with partial.open("r+b") as file:
        file.seek(offset)
        file.write(bytes(size))
    with path.open("ab") as file:
        file.write(b'{"slot":[2,0,64],"cr')
    assert convert(toy_order(source, tmp_path / "out")) == wanted
    assert sha256(tmp_path / "out" / "m.gguf") == sha256(tmp_path / "at once" / "m.gguf")


def test_what_is_on_the_disk_is_not_compared_again(
    source: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert_module, "_SYNC_S", 0.0)
    begun(toy_order(source, tmp_path / "out"), 9)
    with locked(tmp_path / "out" / "m.gguf.partial.journal") as journal:
        made = sum(len(parts) for parts in journal.done.parts.values()) + len(journal.done.tensors)
        assert len(journal.done.unsynced) < made


def test_a_journal_whose_output_is_gone_is_not_believed(source: Checkpoint, tmp_path: Path) -> None:
    wanted = convert(toy_order(source, tmp_path / "at once"))
    begun(toy_order(source, tmp_path / "out"))
    (tmp_path / "out" / "m.gguf.partial").unlink()
    assert convert(toy_order(source, tmp_path / "out")) == wanted


def test_names_are_changed_after_a_crash_between(
    source: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is made and only the last steps are missing: nothing is made again."""

    def crash(*_: object) -> None:
        raise _Stop

    with monkeypatch.context() as patch:
        patch.setattr(convert_module, "publish", crash)
        with pytest.raises(_Stop):
            convert(toy_order(source, tmp_path / "out"))
    assert not (tmp_path / "out" / "m.gguf").exists()
    told: list[Progress] = []
    convert(toy_order(source, tmp_path / "out"), told.append)
    assert not told
    assert names_in(tmp_path / "out") == ["m.gguf", "m.gguf.manifest.json"]


def test_files_that_were_removed_after_a_crash_at_the_end_are_made_again(
    source: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = convert(toy_order(source, tmp_path / "at once"))

    def crash(*_: object) -> None:
        raise _Stop

    with monkeypatch.context() as patch:
        patch.setattr(convert_module, "publish", crash)
        with pytest.raises(_Stop):
            convert(toy_order(source, tmp_path / "out"))
    (tmp_path / "out" / "m.gguf.partial").unlink()
    assert convert(toy_order(source, tmp_path / "out")) == wanted
    assert sha256(tmp_path / "out" / "m.gguf") == sha256(tmp_path / "at once" / "m.gguf")


def test_another_number_of_files_does_not_take_the_record_of_those_there(source: Checkpoint, tmp_path: Path) -> None:
    order = toy_order(source, tmp_path / "out")
    split = toy_order(source, tmp_path / "out", split=Split(max_tensors=1))
    manifest = convert(order)
    with pytest.raises(TargetError, match=r"m\.gguf exists and is not what this command makes; --restart replaces it"):
        convert(split)
    assert convert(order) == manifest
    assert len(convert(replace(split, restart=True)).files) == 3


def test_a_worker_that_cannot_be_started_is_one_sentence(
    source: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("subprocess.Popen", refuse)
    with pytest.raises(WorkerDied, match="a worker process cannot be started: Resource temporarily unavailable; fewer"):
        convert(toy_order(source, tmp_path / "out"))


def test_a_file_system_without_locks_is_one_sentence(
    source: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(TargetError, match=r"m\.gguf\.partial\.journal cannot be locked: No locks available"):
        convert(toy_order(source, tmp_path / "out"))


def test_a_worker_that_dies_is_named_with_its_work(
    source: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by an assertion of ggml; what was made before stays."""
    wanted = convert(toy_order(source, tmp_path / "at once"))
    made = Journal.made

    def kill(journal: Journal, *slot: object) -> None:
        made(journal, *slot)  # type: ignore[arg-type]
        if len(journal.done.unsynced) == 3:
            os.kill(crews[0]._workers[0].process.pid, signal.SIGKILL)

    crews: list[Crew] = []
    start = Crew.__enter__
    with monkeypatch.context() as patch:
        patch.setattr(Journal, "made", kill)
        patch.setattr(Crew, "__enter__", lambda crew: crews.append(crew) or start(crew))
        with pytest.raises(WorkerDied, match=r"ended by SIGKILL (while it made rows \d+ to \d+ of matrix|before)"):
            convert(toy_order(source, tmp_path / "out"))
    assert convert(toy_order(source, tmp_path / "out")) == wanted


def test_what_a_worker_refuses_is_said_here(source: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="IQ1_S needs an importance matrix"):
        convert(toy_order(source, tmp_path / "out", type_name="IQ1_S"))


class _Aborts:
    """Ends the process that reads it from its pipe, as an assertion of a C library would."""

    def __reduce__(self) -> tuple[Callable[[], object], tuple[()]]:
        return os.abort, ()


def test_an_abort_in_a_worker_does_not_reach_us(source: Checkpoint, tmp_path: Path) -> None:
    order = toy_order(source, tmp_path / "out")
    checkpoint = replace(source, config={"bad": _Aborts()})
    with pytest.raises(WorkerDied, match="a worker process ended by SIGABRT"):
        convert(replace(order, checkpoint=checkpoint))


def test_two_never_write_one_output(source: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gguf_convert.journal._PATIENCE_S", 0.1)
    (tmp_path / "out").mkdir()
    with (
        locked(tmp_path / "out" / "m.gguf.partial.journal"),
        pytest.raises(TargetError, match=r"another conversion is writing m\.gguf"),
    ):
        convert(toy_order(source, tmp_path / "out"))


def test_a_full_disk_is_said_before_any_work(
    source: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(TargetError, match=r"out has no room: 0\.1\d MB are needed and 0\.00 MB are free there"):
        convert(toy_order(source, tmp_path / "out"))
    assert names_in(tmp_path / "out") == []


def test_a_limit_of_the_file_system_is_one_sentence(source: Checkpoint, tmp_path: Path) -> None:
    """A quota, or a file system whose files are small: the kernel says so when the room is taken."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, old[1]))
        with pytest.raises(TargetError, match=r"m\.gguf\.partial cannot be written: File too large"):
            convert(toy_order(source, tmp_path / "out"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, previous)
    assert names_in(tmp_path / "out") == []


def test_a_folder_that_cannot_be_written_is_one_sentence(source: Checkpoint, tmp_path: Path) -> None:
    order = toy_order(source, tmp_path / "out")
    (tmp_path / "out").rmdir()
    with pytest.raises(TargetError, match=r"m\.gguf\.partial\.journal cannot be written: No such file or directory"):
        convert(order)


@pytest.mark.parametrize("type_name", ["F16", "Q8_0", "Q6_K", "Q4_K", "IQ4_XS"])
def test_weights_too_large_for_a_type_are_refused_by_name(type_name: str, tmp_path: Path) -> None:
    """They would be infinite, or the scale of their block, and the model would answer with nothing but NaN."""
    source = write_checkpoint(tmp_path / "source")
    shard = source.shards["model-00001-of-00002.safetensors"].path
    tensor = source.tensors["matrix.weight"]
    with shard.open("r+b") as file:
        file.seek(tensor.offset)
        file.write(np.array([1e12], np.float32).tobytes())
    with pytest.raises(ConversionError, match=rf"matrix\.weight has weights .* too large for {type_name}; a rec"):
        convert(toy_order(open_checkpoint(source.folder), tmp_path / "out", type_name=type_name))
    assert names_in(tmp_path / "out") == [], "the same command would fail again, and this one holds much room"
    convert(toy_order(open_checkpoint(source.folder), tmp_path / "other", type_name="BF16"))


def test_the_journal_is_lines_of_json(source: Checkpoint, tmp_path: Path) -> None:
    begun(toy_order(source, tmp_path / "out"))
    lines = (tmp_path / "out" / "m.gguf.partial.journal").read_text().splitlines()
    assert list(json.loads(lines[0])) == ["plan", "importance", "sources", "ggml", "files"]
    assert any(json.loads(line).get("slot") == [1, 0, 64] for line in lines)
