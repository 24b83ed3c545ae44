"""A checkpoint on a hub, from its headers: the same tensors as from a folder, and only kilobytes are asked for."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gguf_convert.errors import SourceError
from gguf_convert.source.checkpoint import INDEX, Checkpoint, open_checkpoint
from gguf_convert.source.connection import Hub
from gguf_convert.source.hub import download, snapshot
from gguf_convert.source.remote import open_remote
from tests.engine.models.hub_server import REPOSITORY, FakeHub, cut_after, serving
from tests.gguf_convert.source.files import write_checkpoint

FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def published(folder: Path) -> FakeHub:
    """A hub that holds the files of a folder: weights beside git, the rest in it."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    weights = {name: data for name, data in files.items() if name.endswith(".safetensors")}
    return FakeHub(files=weights, in_git={name: data for name, data in files.items() if name not in weights})


def made(folder: Path, *, index: bool = True) -> Path:
    many = {f"layers.{n}.weight": np.full((4, 300), n, np.float32) for n in range(600)}
    shards = {FIRST: {"embed.weight": np.ones((700, 256), np.float32)}, SECOND: many}
    return write_checkpoint(folder, shards, {"architectures": ["X"]}, index=index)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    with serving(published(made(tmp_path / "local"))) as fake:
        yield fake


def opened(fake: FakeHub, folder: Path) -> Checkpoint:
    return open_remote(snapshot(Hub(url=fake.url, attempts=2, pause_s=0.0), REPOSITORY), folder)


def same(remote: Checkpoint, local: Checkpoint) -> bool:
    sizes = [{name: shard.size for name, shard in side.shards.items()} for side in (remote, local)]
    return (remote.config, remote.tensors, sizes[0]) == (local.config, local.tensors, sizes[1])


@pytest.mark.parametrize("index", [True, False])
def test_it_is_the_checkpoint_of_the_folder(index: bool, tmp_path: Path) -> None:
    with serving(published(made(tmp_path / "local", index=index))) as fake:
        assert same(opened(fake, tmp_path / "here"), open_checkpoint(tmp_path / "local"))


def test_only_headers_are_asked_for(hub: FakeHub, tmp_path: Path) -> None:
    opened(hub, tmp_path / "here")
    weights = {(path.rpartition("/")[2], headers.get("Range")) for path, headers in hub.seen if "00002" in path}
    length = int.from_bytes(hub.files[SECOND][:8], "little")
    assert weights == {
        (FIRST, "bytes=0-32767"),
        (SECOND, "bytes=0-32767"),
        (SECOND, f"bytes=32768-{length + 7}"),
    }
    assert sorted(path.name for path in (tmp_path / "here").iterdir()) == ["README.md", "config.json", INDEX]


def test_a_shard_that_is_downloaded_is_the_one_of_the_checkpoint(hub: FakeHub, tmp_path: Path) -> None:
    source = snapshot(Hub(url=hub.url), REPOSITORY)
    remote = open_remote(source, tmp_path)
    path = download(source, source.file(FIRST), tmp_path, lambda name, done, total: None)
    shard = remote.shards[FIRST]
    assert (path, path.stat().st_size, path.stat().st_mtime_ns) == (shard.path, shard.size, shard.mtime_ns)


def test_what_is_wrong_with_a_repository_is_one_sentence(hub: FakeHub, tmp_path: Path) -> None:
    whole = dict(hub.files)
    for name, files, in_git, sentence in (
        ("no shard", {FIRST: whole[FIRST]}, hub.in_git, f"owner/model-GGUF has no file '{SECOND}'"),
        ("no weights", {}, {"config.json": b"{}"}, "owner/model-GGUF holds no safetensors file"),
        ("no config", whole, {}, r"there is no file .*config\.json"),
        ("an uncounted shard", {SECOND: whole[SECOND]}, {"config.json": b"{}"}, f"GGUF lacks its file {FIRST}"),
        ("an empty shard", {"model.safetensors": b""}, {"config.json": b"{}"}, "model.safetensors is empty"),
        ("no safetensors", {"model.safetensors": b"x" * 9}, {"config.json": b"{}"}, "is not a safetensors file"),
        ("a cut shard", {**whole, FIRST: whole[FIRST][:-1]}, hub.in_git, f"GGUF/{FIRST} is cut off"),
    ):
        hub.files, hub.in_git = files, in_git
        with pytest.raises(SourceError, match=sentence) as caught:
            opened(hub, tmp_path / name)
        assert "\n" not in str(caught.value), name


def test_an_index_cannot_name_files_elsewhere(hub: FakeHub, tmp_path: Path) -> None:
    hub.in_git[INDEX] = b'{"weight_map": {"x": "../../x.safetensors"}}'
    with pytest.raises(SourceError, match="which is no safetensors file beside it"):
        opened(hub, tmp_path / "here")


def test_a_header_that_never_arrives_is_given_up(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = lambda request, data: "Range" in request.headers and cut_after(100)(request, data)
    with pytest.raises(SourceError, match=r"100 of 32,768 bytes of owner/model-GGUF/model-0000.* arrived"):
        opened(hub, tmp_path / "here")
