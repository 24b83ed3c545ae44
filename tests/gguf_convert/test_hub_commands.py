"""`r1-gguf plan` and `convert` with a checkpoint on a hub, on the command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gguf_convert.cli import main
from tests.engine.models.hub_server import FakeHub, serving
from tests.gguf_convert.adapters import write_adapter
from tests.gguf_convert.source.test_remote import published
from tests.gguf_convert.tiny_llama import HIDDEN, write_tiny_llama

pytestmark = pytest.mark.process

SRC = "hub:owner/model-GGUF"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_ENDPOINT", "HF_TOKEN", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """Called like the repository: general.name is made of it."""
    return write_tiny_llama(tmp_path / "model-GGUF")


@pytest.fixture
def hub(local: Path) -> Iterator[FakeHub]:
    with serving(published(local)) as fake:
        yield fake


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_plan_needs_headers_only(hub: FakeHub, local: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(local), "--json", "--no-measure"]) == 0
    at_home = json.loads(capsys.readouterr().out)
    assert main(["plan", SRC, "--hub", hub.url, "--json", "--no-measure"]) == 0
    remote = json.loads(capsys.readouterr().out)
    size = (local / "model.safetensors").stat().st_size
    assert remote.pop("download") == {"files": 1, "size": size, "at_once": size}
    assert at_home.pop("download") is None
    assert remote == at_home
    asked = {headers.get("Range") for path, headers in hub.seen if path.endswith(".safetensors")}
    assert asked == {"bytes=0-32767"}


def test_a_plan_says_what_will_be_fetched(hub: FakeHub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", SRC, "--hub", hub.url]) == 0
    assert "5.26 MB in one file, at most 5.26 MB of it on the disk at a time with --stream" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "left"),
    [
        (["--stream"], ["m.gguf", "m.gguf.manifest.json"]),
        ([], ["checkpoints", "m.gguf", "m.gguf.manifest.json"]),
        (["--cache", "CACHE"], ["m.gguf", "m.gguf.manifest.json"]),
        (["--stream", "--cache", "CACHE"], ["m.gguf", "m.gguf.manifest.json"]),
    ],
)
def test_the_file_is_the_same_as_from_a_folder(
    more: list[str], left: list[str], hub: FakeHub, local: Path, tmp_path: Path
) -> None:
    out, cache = tmp_path / "out", tmp_path / "cache"
    out.mkdir()
    more = [word.replace("CACHE", str(cache)) for word in more]
    assert main(["convert", str(local), str(tmp_path / "m.gguf"), "--type", "Q8_0"]) == 0
    assert main(["convert", SRC, str(out / "m.gguf"), "--type", "Q8_0", "--hub", hub.url, *more]) == 0
    assert (out / "m.gguf").read_bytes() == (tmp_path / "m.gguf").read_bytes()
    assert names_in(out) == left
    kept = list(tmp_path.glob("*/**/owner/model-GGUF/model.safetensors"))
    assert len(kept) == (0 if "--stream" in more else 1)


@pytest.mark.parametrize("more", [["--stream"], []])
def test_an_adapter_of_this_machine_is_added_to_weights_of_a_hub(
    more: list[str], hub: FakeHub, local: Path, tmp_path: Path
) -> None:
    adapter = write_adapter(tmp_path / "adapter", {"model.layers.1.self_attn.q_proj": (HIDDEN, HIDDEN)})
    out = tmp_path / "out"
    out.mkdir()
    words = ["--type", "Q8_0", "--adapter", str(adapter)]
    assert main(["convert", str(local), str(tmp_path / "m.gguf"), *words]) == 0
    assert main(["plan", SRC, "--hub", hub.url, "--no-measure", *words]) == 0
    assert main(["convert", SRC, str(out / "m.gguf"), "--hub", hub.url, *words, *more]) == 0
    assert (out / "m.gguf").read_bytes() == (tmp_path / "m.gguf").read_bytes()
    manifests = [json.loads((folder / "m.gguf.manifest.json").read_text()) for folder in (tmp_path, out)]
    hashes = [{source["name"]: source["sha256"] for source in manifest["sources"]} for manifest in manifests]
    assert hashes[0] == hashes[1]
    assert len(hashes[0]) == 2
    assert None not in hashes[0].values()
    assert names_in(adapter) == ["adapter_config.json", "adapter_model.safetensors"]


def test_a_folder_is_given_a_file_named_like_the_repository(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    words = ["convert", f"{SRC}@{hub.revision}", str(tmp_path / "out"), "--type", "Q8_0", "--hub", hub.url, "--stream"]
    assert main(words) == 0
    assert names_in(tmp_path / "out") == ["model-GGUF-Q8_0.gguf", "model-GGUF-Q8_0.gguf.manifest.json"]


def test_the_token_comes_from_a_file_or_the_environment(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.token = "secret"
    words = ["plan", SRC, "--hub", hub.url, "--no-measure"]
    assert main(words) == 1
    assert "it needs a token, or does not exist" in capsys.readouterr().err
    (tmp_path / "token").write_text("secret\n")
    assert main([*words, "--token-file", str(tmp_path / "token")]) == 0
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert main(words) == 0
    monkeypatch.setenv("HF_TOKEN", "se cret")
    capsys.readouterr()
    assert main(words) == 1
    assert capsys.readouterr().err == ("r1-gguf: HF_TOKEN holds no token: one word of visible characters is wanted\n")


def test_only_a_hub_source_makes_anything_go_out(hub: FakeHub, local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    assert main(["plan", str(local), "--no-measure"]) == 0
    assert not hub.seen
    monkeypatch.chdir(local.parent)
    local.rename(local.with_name("hub:x"))
    assert main(["plan", "./hub:x", "--no-measure"]) == 0
    assert not hub.seen
    assert main(["plan", SRC, "--no-measure"]) == 0
    assert hub.seen


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["plan", "hub:owner"], 1, "'hub:owner' does not name a repository"),
        (["plan", "hub:owner/none"], 1, "the hub has no owner/none"),
        (["plan", SRC, "--token-file", "TMP/none"], 1, "none cannot be read"),
        (["plan", SRC, "--hub", "nonsense"], 1, "'nonsense' is not the address of a hub"),
        (["convert", "TMP/model-GGUF", "TMP/m.gguf", "--stream"], 2, "are for a checkpoint on a hub"),
        (["convert", SRC, "TMP/none/m.gguf"], 1, "there is no folder"),
        (["convert", SRC, "TMP/m.bin"], 2, "is neither a folder nor a name that ends in .gguf"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    words: list[str], code: int, sentence: str, hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.replace("TMP", str(tmp_path)) for word in words]
    assert main(words if "--hub" in words else [*words, "--hub", hub.url]) == code
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1
