"""A hub as a source: whatever it, a line or an attacker does wrong ends in one sentence and no wrong file."""

import fcntl
import hashlib
import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gguf_convert.errors import SourceError
from gguf_convert.source.connection import Hub
from gguf_convert.source.hub import (
    RemoteFile,
    Snapshot,
    download,
    fetch_small_files,
    parse_source,
    part_path,
    read_span,
    snapshot,
)
from tests.engine.models.hub_server import REPOSITORY, REVISION, FakeHub, Request, cut_after, serving, trickle

DATA = random.Random(7).randbytes(300_000)
NAME = "model-00001-of-00002.safetensors"
CONFIG = b'{"architectures": ["LlamaForCausalLM"], "note": "\xc3\xa9\xf0\x9f\x98\x80"}'


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving(FakeHub(files={NAME: DATA}, in_git={"config.json": CONFIG})) as fake:
        yield fake


def client(fake: FakeHub, **changes: object) -> Hub:
    base = Hub(url=fake.url, patience_s=5.0, attempts=3, pause_s=0.0)
    return replace(base, **changes)  # type: ignore[arg-type]


def source(fake: FakeHub, **changes: object) -> Snapshot:
    return snapshot(client(fake, **changes), REPOSITORY)


def quiet(name: str, done: int, total: int) -> None:
    pass


def get(fake: FakeHub, folder: Path, name: str = NAME, **changes: object) -> Path:
    own = source(fake, **changes)
    return download(own, own.file(name), folder, quiet)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ranges(fake: FakeHub) -> list[str | None]:
    return [headers.get("Range") for path, headers in fake.seen if "/resolve/" in path]


def test_a_snapshot_is_the_files_of_one_commit(hub: FakeHub) -> None:
    hub.in_git["folder/x.json"] = hub.in_git[".gitattributes"] = b"{}"
    found = source(hub)
    assert found.commit == REVISION
    assert sorted(found.files) == ["README.md", "config.json", NAME]
    assert found.file(NAME).sha256 == hashlib.sha256(DATA).hexdigest()
    assert found.file("config.json").size == len(CONFIG)
    with pytest.raises(SourceError, match=r"owner/model-GGUF has no file 'x\.json'"):
        found.file("x.json")


def test_later_requests_name_the_commit_that_the_first_one_found(hub: FakeHub, tmp_path: Path) -> None:
    own = snapshot(client(hub), REPOSITORY, "a/branch")
    download(own, own.file(NAME), tmp_path, quiet)
    assert hub.seen[0][0] == f"/api/models/{REPOSITORY}/revision/a%2Fbranch?blobs=true"
    assert hub.seen[1][0] == f"/{REPOSITORY}/resolve/{REVISION}/{NAME}"


def test_another_commit_than_asked_for_is_refused(hub: FakeHub) -> None:
    with pytest.raises(SourceError, match="another revision"):
        snapshot(client(hub), REPOSITORY, "b" * 40)


def test_a_file_is_downloaded_checked_and_named(hub: FakeHub, tmp_path: Path) -> None:
    own, seen = source(hub), list[tuple[str, int, int]]()
    path = download(own, own.file(NAME), tmp_path / "new", lambda *told: seen.append(told))
    assert path.read_bytes() == DATA
    assert names_in(tmp_path / "new") == [NAME]
    assert seen[-1] == (NAME, len(DATA), len(DATA))
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)


def test_what_is_there_and_right_is_not_fetched_again(hub: FakeHub, tmp_path: Path) -> None:
    get(hub, tmp_path)
    get(hub, tmp_path)
    (tmp_path / NAME).write_bytes(DATA)  # as if it had come another way
    get(hub, tmp_path)
    assert ranges(hub) == [None]
    (tmp_path / NAME).write_bytes(DATA[:-1] + b"x")
    assert get(hub, tmp_path).read_bytes() == DATA


def test_a_checked_copy_has_a_time_that_is_made_of_its_checksum(hub: FakeHub, tmp_path: Path) -> None:
    seconds = int(hashlib.sha256(DATA).hexdigest()[:7], 16)
    assert source(hub).file(NAME).stamp_ns == seconds * 10**9
    path = get(hub, tmp_path)
    assert path.stat().st_mtime_ns == seconds * 10**9
    path.write_bytes(DATA)
    get(hub, tmp_path)
    assert path.stat().st_mtime_ns == seconds * 10**9


def test_small_files_come_without_code_or_weights(hub: FakeHub, tmp_path: Path) -> None:
    hub.in_git |= {"modeling_x.py": b"boom()", "merges.txt": b"a b", "chat_template.jinja": b"{{x}}"}
    hub.files["tokenizer.json"] = b"{}"
    fetch_small_files(source(hub), tmp_path)
    assert names_in(tmp_path) == [
        "README.md", "chat_template.jinja", "config.json", "merges.txt", "tokenizer.json",
    ]  # fmt: skip
    assert (tmp_path / "config.json").read_bytes() == CONFIG


def test_a_small_file_that_is_not_small_is_refused(hub: FakeHub, tmp_path: Path) -> None:
    hub.sizes["tokenizer.json"] = 10**12
    hub.files["tokenizer.json"] = b"{}"
    with pytest.raises(SourceError, match=r"tokenizer\.json of owner/model-GGUF has 1,000,000,000,000 bytes"):
        fetch_small_files(source(hub), tmp_path)
    assert names_in(tmp_path) == []


def test_a_wrong_file_of_git_is_noticed(hub: FakeHub, tmp_path: Path) -> None:
    hub.hashes["config.json"] = "0" * 40
    with pytest.raises(SourceError, match=r"config\.json did not arrive as the hub announced it"):
        get(hub, tmp_path, "config.json")
    assert names_in(tmp_path) == []


def test_a_file_without_checksum_is_not_used(tmp_path: Path) -> None:
    file = RemoteFile(name=NAME, size=1, sha256=None, git_id=None)
    own = Snapshot(hub=Hub(url="http://127.0.0.1:9"), repository=REPOSITORY, commit=REVISION, files={NAME: file})
    with pytest.raises(SourceError, match="no checksum"):
        download(own, file, tmp_path, quiet)


def test_a_span_is_read_without_the_rest(hub: FakeHub) -> None:
    own = source(hub)
    assert read_span(own, own.file(NAME), 8, 1000) == DATA[8:1000]
    assert ranges(hub) == ["bytes=8-999"]


def test_a_hub_without_ranges_gives_a_span_only_from_the_start(hub: FakeHub) -> None:
    hub.wrong = whole
    own = source(hub)
    assert read_span(own, own.file(NAME), 0, 1000) == DATA[:1000]
    with pytest.raises(SourceError, match=r"did not answer with the part of owner/model-GGUF/model-.* asked for"):
        read_span(own, own.file(NAME), 8, 1000)


def test_a_span_that_is_cut_off_is_asked_for_again(hub: FakeHub) -> None:
    hub.wrong = cut_after(10, times=2)
    own = source(hub)
    assert read_span(own, own.file(NAME), 0, 1000) == DATA[:1000]
    hub.wrong = cut_after(10)
    with pytest.raises(SourceError, match=r"10 of 1,000 bytes of .* arrived; try again later"):
        read_span(own, own.file(NAME), 0, 1000)


def test_a_cut_line_is_resumed_where_it_ended(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = cut_after(100_000)
    assert get(hub, tmp_path).read_bytes() == DATA
    assert ranges(hub) == [None, "bytes=100000-299999", "bytes=200000-299999"]


def test_a_later_call_resumes_the_part(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = cut_after(1000)
    with pytest.raises(SourceError, match=r"3,000 of 300,000 bytes .*; the same command goes on from here"):
        get(hub, tmp_path)
    assert not (tmp_path / NAME).exists()
    hub.wrong = None
    assert get(hub, tmp_path).read_bytes() == DATA
    assert ranges(hub)[-1] == "bytes=3000-299999"


def flip(request: Request, data: bytes) -> bool:
    request.answer(200, data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
    return True


def longer(request: Request, data: bytes) -> bool:
    request.answer(200, data + b"more")
    return True


def whole(request: Request, data: bytes) -> bool:
    request.answer(200, data)
    return True


def refuse(code: int, headers: dict[str, str] | None = None) -> Callable[[Request, bytes], bool]:
    def wrong(request: Request, data: bytes) -> bool:
        request.answer(code, b"no", headers)
        return True

    return wrong


def redirect(where: str) -> Callable[[Request, bytes], bool]:
    def wrong(request: Request, data: bytes) -> bool:
        request.answer(302, b"", {"Location": where.replace("SELF", request.path)})
        return True

    return wrong


def silent(request: Request, data: bytes) -> bool:
    time.sleep(0.5)
    request.close_connection = True
    return True


WRONG: dict[str, tuple[Callable[[Request, bytes], bool], str]] = {
    "a flipped bit": (flip, "its checksum differs"),
    "a longer body": (longer, "longer than the hub announced"),
    "always cut": (cut_after(10), "30 of 300,000 bytes"),
    "never a byte": (cut_after(0), "0 of 300,000 bytes"),
    "401": (refuse(401), "it needs a token"),
    "403": (refuse(403), "accept a licence"),
    "404": (refuse(404), f"the hub has no owner/model-GGUF/{NAME}"),
    "410": (refuse(410), "the hub answered 410"),
    "429 for ever": (refuse(429), r"asks for fewer requests \(429\)"),
    "500 for ever": (refuse(500), "the hub answered 500"),
    "redirected for ever": (redirect("SELF?again"), "redirect|answered 302"),
    "redirected to a file": (redirect("file:///etc/passwd"), "not https|answered 302"),
    "redirected to ftp": (redirect("ftp://127.0.0.1/x"), "not https|answered 302"),
    "redirected to no address": (redirect("http://[x/"), "what is no address"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_download_ends_in_a_sentence_and_no_file(name: str, hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong, sentence = WRONG[name]
    with pytest.raises(SourceError, match=sentence) as caught:
        get(hub, tmp_path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / NAME).exists()


def test_silence_is_given_up(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = silent
    with pytest.raises(SourceError, match="cannot be reached: timed out"):
        get(hub, tmp_path, patience_s=0.1, attempts=2)


def test_a_trickle_is_given_up(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = trickle
    with pytest.raises(SourceError, match="less than 1 kB per second"):
        get(hub, tmp_path, patience_s=0.2, attempts=1)


def test_a_wrong_file_leaves_no_part_to_resume(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = flip
    with pytest.raises(SourceError):
        get(hub, tmp_path)
    assert names_in(tmp_path) == []


def test_a_part_of_wrong_bytes_or_length_is_not_believed(hub: FakeHub, tmp_path: Path) -> None:
    part = part_path(tmp_path, source(hub).file(NAME))
    part.write_bytes(DATA + b"too long")
    assert get(hub, tmp_path).read_bytes() == DATA
    (tmp_path / NAME).unlink()
    part.write_bytes(b"x" * 1000)
    with pytest.raises(SourceError, match="checksum differs"):
        get(hub, tmp_path)
    assert get(hub, tmp_path).read_bytes() == DATA


@pytest.mark.parametrize("answer", [whole, refuse(416, {"Content-Range": "bytes */1"})])
def test_a_hub_that_does_not_continue_starts_over(
    answer: Callable[[Request, bytes], bool], hub: FakeHub, tmp_path: Path
) -> None:
    part_path(tmp_path, source(hub).file(NAME)).write_bytes(b"x" * 1000)
    hub.wrong = lambda request, data: "Range" in request.headers and answer(request, data)
    assert get(hub, tmp_path).read_bytes() == DATA
    assert ranges(hub) == ["bytes=1000-299999", None]


def test_two_processes_do_not_write_one_file(hub: FakeHub, tmp_path: Path) -> None:
    with part_path(tmp_path, source(hub).file(NAME)).open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(SourceError, match=f"another process downloads {NAME} into "):
            get(hub, tmp_path)
    assert get(hub, tmp_path).read_bytes() == DATA


def test_a_busy_hub_is_asked_again_when_it_says(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("gguf_convert.source.connection.time.sleep", waits.append)
    hub.busy = 1
    own, left = source(hub), [refuse(429, {"Retry-After": "7"}), refuse(429, {"Retry-After": "86400"})]
    hub.wrong = lambda request, data: bool(left) and left.pop()(request, data)
    assert download(own, own.file(NAME), tmp_path, quiet).read_bytes() == DATA
    assert waits == [0.0, 60.0, 7.0]


def test_a_hub_out_of_reach_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SourceError, match=f"127.0.0.1:{port} cannot be reached"):
        snapshot(Hub(url=f"http://127.0.0.1:{port}", attempts=2, pause_s=0), REPOSITORY)


def test_the_token_goes_to_the_hub_and_not_to_where_it_redirects(hub: FakeHub, tmp_path: Path) -> None:
    hub.token = "secret"
    with serving(FakeHub(files={NAME: DATA})) as cdn:
        hub.wrong = redirect(f"{cdn.url}/{REPOSITORY}/resolve/{REVISION}/{NAME}")
        assert get(hub, tmp_path, token="secret").read_bytes() == DATA
        assert all(headers["Authorization"] == "Bearer secret" for _, headers in hub.seen)
        assert [headers.get("Authorization") for _, headers in cdn.seen] == [None]


def test_a_span_survives_the_redirect(hub: FakeHub) -> None:
    with serving(FakeHub(files={NAME: DATA})) as cdn:
        hub.wrong = redirect(f"{cdn.url}/{REPOSITORY}/resolve/{REVISION}/{NAME}")
        own = source(hub)
        assert read_span(own, own.file(NAME), 5, 50) == DATA[5:50]
        assert ranges(cdn) == ["bytes=5-49"]


def test_a_missing_and_a_wrong_token_are_told_apart_and_none_is_shown(hub: FakeHub) -> None:
    hub.token = "secret"
    with pytest.raises(SourceError, match="needs a token"):
        source(hub)
    with pytest.raises(SourceError, match="token was not accepted") as caught:
        source(hub, token="other")
    assert "other" not in str(caught.value) + repr(client(hub, token="other"))


def test_a_proxy_is_used_only_when_given(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert get(hub, tmp_path).read_bytes() == DATA
    with serving(FakeHub(files={NAME: DATA})) as proxy:
        own = snapshot(Hub(url="http://hub.invalid", proxy=proxy.url, attempts=1), REPOSITORY)
        assert download(own, own.file(NAME), tmp_path / "by proxy", quiet).read_bytes() == DATA
        assert all(path.startswith("http://hub.invalid/") for path, _ in proxy.seen)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b'{"sha": "x", "siblings": []}', b'{"sha": 1}', b"\xff",
        b'{"sha": "%s", "siblings": [{"rfilename": "x", "size": -1}]}' % (b"a" * 40),
        b'{"sha": "%s", "siblings": [{"rfilename": "x", "blobId": "../x"}]}' % (b"a" * 40),
    ],
)  # fmt: skip
def test_nonsense_from_the_hub_is_a_sentence(hub: FakeHub, body: bytes) -> None:
    hub.listing = lambda request: bool(request.answer(200, body)) or True
    with pytest.raises(SourceError, match="cannot be understood"):
        source(hub)


def test_a_listing_that_is_cut_off_is_asked_for_again(hub: FakeHub) -> None:
    hub.listing = lambda request: bool(request.answer(200, b'{"sha"', length=1000)) or True
    with pytest.raises(SourceError, match="6 of 1000 bytes about owner/model-GGUF arrived"):
        source(hub)
    assert len(hub.seen) == 3


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/b", "..", ".x", "", "a\\b", "C:x", "a\0b", "a\nb", "x" * 300, "é", "a b", "~"]
)
def test_a_name_that_is_not_plain_is_not_even_listed(name: str, hub: FakeHub) -> None:
    hub.files[name] = b"x"
    assert sorted(source(hub).files) == ["README.md", "config.json", NAME]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hub:deepseek-ai/DeepSeek-R1", ("deepseek-ai/DeepSeek-R1", "main")),
        ("hub:a/b@refs/pr/1", ("a/b", "refs/pr/1")),
        ("./hub:a/b", None),
        ("/models/R1", None),
        ("R1", None),
    ],
)
def test_a_hub_source_is_told_from_a_path(text: str, found: tuple[str, str] | None) -> None:
    assert parse_source(text) == found


@pytest.mark.parametrize("text", ["hub:", "hub:owner", "hub:a/b/c", "hub:owner/..", "hub:http://x/y", "hub:a/b@"])
def test_a_hub_source_that_names_no_repository_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="does not name a repository"):
        parse_source(text)


@pytest.mark.parametrize(
    "url", ["ftp://x", "huggingface.co", "http://user:pw@x", "https://", "file:///x", "https://[x", "https://x?y=z"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SourceError, match="is not the address of a hub"):
        snapshot(Hub(url=url), REPOSITORY)


def test_a_token_never_travels_in_the_clear() -> None:
    with pytest.raises(SourceError, match="not sent over plain http"):
        snapshot(Hub(url="http://hub.example", token="t"), REPOSITORY)


@pytest.mark.parametrize("token", ["sec\nret", "sec\u00e9", "sec\0ret"])
def test_a_token_that_is_none_is_not_shown(token: str, hub: FakeHub) -> None:
    with pytest.raises(SourceError, match=r"^the token holds characters that no token has$"):
        source(hub, token=token)
    assert not hub.seen


def test_links_are_not_followed(hub: FakeHub, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / NAME).symlink_to(outside)
    get(hub, folder)
    assert not (folder / NAME).is_symlink()
    (folder / NAME).unlink()
    part_path(folder, source(hub).file(NAME)).symlink_to(outside)
    with pytest.raises(SourceError, match="cannot be written"):
        get(hub, folder)
    assert outside.read_bytes() == b"precious"


def test_a_full_disk_is_noticed_before(hub: FakeHub, tmp_path: Path) -> None:
    hub.sizes[NAME] = 10**18
    with pytest.raises(
        SourceError, match=r"1,000,000,000\.00 GB of model-00001.* are to be downloaded and .* are free in"
    ):
        get(hub, tmp_path)
    assert ranges(hub) == []


@pytest.mark.fuzz
def test_whatever_the_line_does_no_wrong_file_appears(tmp_path: Path) -> None:
    seed = int(os.environ.get("R1_FUZZ_SEED", random.randrange(2**32)))
    print(f"seed {seed}")
    rng = random.Random(seed)

    def wrong(request: Request, body: bytes) -> bool:
        kind = rng.randrange(8)
        if kind == 0:
            return rng.choice([flip, longer, whole])(request, body)
        if kind == 1:
            return refuse(rng.choice([401, 404, 416, 429, 500, 503]))(request, body)
        if kind == 2:
            request.answer(206, body[:5000], {"Content-Range": f"bytes {rng.randrange(9999)}-/{len(body)}"})
            return True
        return cut_after(rng.randrange(len(body)))(request, body) if kind < 7 else False

    right = 0
    with serving(FakeHub(files={NAME: DATA}, wrong=wrong)) as fake:
        for _ in range(int(60 * float(os.environ.get("R1_FUZZ_SCALE", "1")))):
            try:
                path = get(fake, tmp_path, attempts=2)
            except SourceError as exc:
                sentence = str(exc)
            else:
                assert path.read_bytes() == DATA
                path.unlink()
                sentence, right = "", right + 1
            assert "\n" not in sentence
            assert not (tmp_path / NAME).exists()
    assert right
