"""Downloads: everything a hub, a line or an attacker can do wrong ends in one sentence and no wrong file."""

import hashlib
import os
import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import DownloadError
from engine.models.hub import (
    Hub,
    Listing,
    Progress,
    RemoteFile,
    check_name,
    chosen_files,
    download,
    list_files,
    part_path,
)
from engine.models.pull import Wanted, fetch, plan
from engine.models.store import Store
from tests.engine.models.gguf_files import small_model
from tests.engine.models.hub_server import REPOSITORY, REVISION, FakeHub, Request, cut_after, serving, trickle

DATA = random.Random(7).randbytes(300_000)
NAME = "model-Q4_K_M.gguf"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving(FakeHub(files={NAME: DATA})) as fake:
        yield fake


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def client(fake: FakeHub, **changes: object) -> Hub:
    base = Hub(url=fake.url, patience_s=5.0, attempts=3, pause_s=0.0)
    return replace(base, **changes)  # type: ignore[arg-type]


def get(fake: FakeHub, folder: Path, seen: list[Progress] | None = None, **changes: object) -> Path:
    own = client(fake, **changes)
    listing = list_files(own, REPOSITORY)
    report = (seen if seen is not None else []).append
    return download(own, listing, chosen_files(listing, "*Q4_K_M*"), folder, report)[0]


def test_a_file_is_downloaded_checked_and_named(hub: FakeHub, tmp_path: Path) -> None:
    seen: list[Progress] = []
    path = get(hub, tmp_path, seen)
    assert path == tmp_path / NAME
    assert path.read_bytes() == DATA
    assert names_in(tmp_path) == [NAME]
    assert seen[-1] == Progress(name=NAME, done=len(DATA), total=len(DATA))
    assert [p.done for p in seen] == sorted(p.done for p in seen)


def test_what_is_there_is_not_fetched_again(hub: FakeHub, tmp_path: Path) -> None:
    get(hub, tmp_path)
    before = len(hub.seen)
    get(hub, tmp_path)
    assert len(hub.seen) == before + 1, "only the listing"


def test_a_cut_line_is_resumed_where_it_ended(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = cut_after(100_000)
    assert get(hub, tmp_path).read_bytes() == DATA
    assert [h.get("Range") for p, h in hub.seen if "/resolve/" in p] == [None, "bytes=100000-", "bytes=200000-"]


def test_a_later_pull_resumes_the_part(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = cut_after(1000)
    with pytest.raises(DownloadError, match=r"was cut off.*pull again to resume"):
        get(hub, tmp_path)
    assert not (tmp_path / NAME).exists()
    hub.wrong = None
    assert get(hub, tmp_path).read_bytes() == DATA
    assert hub.seen[-1][1]["Range"] == "bytes=3000-"


def flip(request: Request, data: bytes) -> bool:
    request.answer(200, data[:1000] + bytes([data[1000] ^ 1]) + data[1001:])
    return True


def longer(request: Request, data: bytes) -> bool:
    request.answer(200, data + b"more")
    return True


def refuse(code: int) -> Callable[[Request, bytes], bool]:
    def wrong(request: Request, data: bytes) -> bool:
        request.answer(code, b"no")
        return True

    return wrong


def redirect(where: str) -> Callable[[Request, bytes], bool]:
    def wrong(request: Request, data: bytes) -> bool:
        request.answer(302, b"", {"Location": where.replace("SELF", request.path)})
        return True

    return wrong


WRONG: dict[str, tuple[Callable[[Request, bytes], bool], str]] = {
    "a flipped bit": (flip, "sha256 differs"),
    "a longer body": (longer, "longer than the hub announced"),
    "always cut": (cut_after(10), "was cut off"),
    "never a byte": (cut_after(0), "was cut off"),
    "401": (refuse(401), "it needs a token"),
    "403": (refuse(403), "accept a licence"),
    "404": (refuse(404), "the hub has no owner/model-GGUF/model-Q4_K_M.gguf"),
    "410": (refuse(410), "the hub answered 410"),
    "500 for ever": (refuse(500), "the hub answered 500"),
    "redirected for ever": (redirect("SELF?again"), "redirect|answered 302"),
    "redirected to a file": (redirect("file:///etc/passwd"), "not https|answered 302"),
    "redirected to ftp": (redirect("ftp://127.0.0.1/x"), "not https|answered 302"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_download_ends_in_a_sentence_and_no_file(name: str, hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong, sentence = WRONG[name]
    with pytest.raises(DownloadError, match=sentence) as caught:
        get(hub, tmp_path / "in")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "in" / NAME).exists()
    assert names_in(tmp_path) == ["in"]


def test_a_wrong_file_leaves_no_part_to_resume(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = flip
    with pytest.raises(DownloadError):
        get(hub, tmp_path)
    assert names_in(tmp_path) == []


def test_a_hub_that_ignores_ranges_starts_over(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = cut_after(1000)
    with pytest.raises(DownloadError):
        get(hub, tmp_path)
    hub.wrong = lambda request, data: bool(request.answer(200, data)) or True
    assert get(hub, tmp_path).read_bytes() == DATA


def test_a_part_of_wrong_bytes_or_length_is_not_believed(hub: FakeHub, tmp_path: Path) -> None:
    file = chosen_files(list_files(client(hub), REPOSITORY), "*")[0]
    part_path(tmp_path, file).write_bytes(DATA + b"too long")
    assert get(hub, tmp_path).read_bytes() == DATA
    (tmp_path / NAME).unlink()
    part_path(tmp_path, file).write_bytes(b"x" * 1000)
    with pytest.raises(DownloadError, match="sha256 differs"):
        get(hub, tmp_path)
    assert get(hub, tmp_path).read_bytes() == DATA


def test_416_starts_over(hub: FakeHub, tmp_path: Path) -> None:
    file = chosen_files(list_files(client(hub), REPOSITORY), "*")[0]
    part_path(tmp_path, file).write_bytes(DATA[:1000])

    def wrong(request: Request, data: bytes) -> bool:
        if request.headers.get("Range"):
            request.answer(416, b"", {"Content-Range": "bytes */1"})
            return True
        return False

    hub.wrong = wrong
    assert get(hub, tmp_path).read_bytes() == DATA


def test_a_trickle_is_given_up(hub: FakeHub, tmp_path: Path) -> None:
    hub.wrong = trickle
    with pytest.raises(DownloadError, match="less than 1 kB per second"):
        get(hub, tmp_path, patience_s=0.2, attempts=2)


def test_a_busy_hub_is_asked_again(hub: FakeHub, tmp_path: Path) -> None:
    hub.busy = 2
    assert get(hub, tmp_path).read_bytes() == DATA


def test_a_hub_out_of_reach_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DownloadError, match=f"127.0.0.1:{port} cannot be reached"):
        list_files(Hub(url=f"http://127.0.0.1:{port}", attempts=2, pause_s=0), REPOSITORY)


def test_the_token_goes_to_the_hub_and_not_to_where_it_redirects(hub: FakeHub, tmp_path: Path) -> None:
    hub.token = "secret"
    with serving(FakeHub(files={NAME: DATA})) as cdn:
        hub.wrong = redirect(f"{cdn.url}/{REPOSITORY}/resolve/{REVISION}/{NAME}")
        assert get(hub, tmp_path, token="secret").read_bytes() == DATA
        assert all(headers["Authorization"] == "Bearer secret" for _, headers in hub.seen)
        assert [headers.get("Authorization") for _, headers in cdn.seen] == [None]


def test_the_token_is_not_shown(hub: FakeHub) -> None:
    assert "secret" not in repr(client(hub, token="secret"))


def test_a_missing_and_a_wrong_token_are_told_apart(hub: FakeHub) -> None:
    hub.token = "secret"
    with pytest.raises(DownloadError, match="needs a token"):
        list_files(client(hub), REPOSITORY)
    with pytest.raises(DownloadError, match="token was not accepted"):
        list_files(client(hub, token="other"), REPOSITORY)


def test_a_proxy_is_used_only_when_given(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert get(hub, tmp_path).read_bytes() == DATA
    with serving(FakeHub(files={NAME: DATA})) as proxy:
        own = Hub(url="http://hub.invalid", proxy=proxy.url, attempts=1)
        assert list_files(own, REPOSITORY).revision == REVISION
        assert proxy.seen[0][0].startswith("http://hub.invalid/api/models/")


def test_another_revision_than_asked_for_is_refused(hub: FakeHub) -> None:
    with pytest.raises(DownloadError, match="another revision"):
        list_files(client(hub), REPOSITORY, "b" * 40)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"sha": "x", "siblings": []}', b'{"sha": 1}', b"\xff"])
def test_nonsense_from_the_hub_is_a_sentence(hub: FakeHub, body: bytes) -> None:
    hub.listing = lambda request: bool(request.answer(200, body)) or True
    with pytest.raises(DownloadError, match="cannot be understood"):
        list_files(client(hub), REPOSITORY)


@pytest.mark.parametrize("name", ["../x", "owner", "a/b/c", "", "owner/..", "http://x/y", "o\n/x"])
def test_a_repository_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(DownloadError, match="is not the name of a repository"):
        list_files(Hub(url="http://127.0.0.1:9"), name)


@pytest.mark.parametrize("url", ["ftp://x", "huggingface.co", "http://user:pw@x", "https://", "file:///x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(DownloadError, match="is not the address of a hub"):
        list_files(Hub(url=url), REPOSITORY)


def test_a_token_never_travels_in_the_clear() -> None:
    with pytest.raises(DownloadError, match="not sent over plain http"):
        list_files(Hub(url="http://hub.example", token="t"), REPOSITORY)


BAD_NAMES = [
    "../x.gguf", "a/../../x.gguf", "/etc/x.gguf", "..\\x.gguf", "C:\\x.gguf", "C:x.gguf", "\\\\host\\share\\x.gguf",
    "//host/share/x.gguf", "a//x.gguf", "nul.gguf", "CON/x.gguf", "com1.gguf", "aux .gguf", "x.gguf.", "x.gguf ",
    " x.gguf", "a\0.gguf", "a\n.gguf", "a:b.gguf", "a?.gguf", "a*.gguf", "a|b.gguf", '"a".gguf', "<a>.gguf",
    ".hidden.gguf", "./x.gguf", "", "a/./x.gguf", "x" * 300 + ".gguf", "LPT9.txt/x.gguf", "conin$.gguf",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_could_leave_the_folder_is_refused(name: str) -> None:
    with pytest.raises(DownloadError, match="the hub names a file"):
        check_name(name)


@pytest.mark.parametrize(
    "name", ["x.gguf", "UD-IQ1_S/x-00001-of-00003.gguf", "con-x.gguf", "é😀 x.gguf", "nullable.gguf"]
)
def test_a_plain_name_is_accepted(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", [n for n in BAD_NAMES if n.endswith(".gguf")])
def test_a_hub_with_a_bad_name_writes_nothing(name: str, hub: FakeHub, tmp_path: Path) -> None:
    hub.files = {name: DATA}
    own = client(hub)
    with pytest.raises(DownloadError):
        chosen_files(list_files(own, REPOSITORY), "*")
    assert names_in(tmp_path) == []


def listing_of(*names: str) -> Listing:
    files = tuple(RemoteFile(name=name, size=1, sha256="0" * 64) for name in names)
    return Listing(repository=REPOSITORY, revision=REVISION, licence=None, files=files)


def test_the_files_of_a_pattern() -> None:
    both = listing_of("m-q4_k_m.gguf", "m-q4_k_m-00001-of-00002.gguf", "m-q4_k_m-00002-of-00002.gguf", "m-q8_0.gguf")
    assert [f.name for f in chosen_files(both, "*Q4_K_M*.gguf")] == ["m-q4_k_m.gguf"]
    split = listing_of("d/m-00002-of-00002.gguf", "d/m-00001-of-00002.gguf")
    assert [f.local for f in chosen_files(split, "*")] == ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"]
    with pytest.raises(DownloadError, match=r"has no file .*Q5.*it has: m-q4_k_m"):
        chosen_files(both, "*Q5*")
    with pytest.raises(DownloadError, match="several models"):
        chosen_files(listing_of("a.gguf", "b.gguf"), "*")
    with pytest.raises(DownloadError, match="only 1 of the 2 parts"):
        chosen_files(listing_of("m-00002-of-00002.gguf"), "*")
    with pytest.raises(DownloadError, match="only 2 of the 2"):
        chosen_files(listing_of("a/m-00001-of-00002.gguf", "a/m-00001-of-00002.gguf"), "*")


def test_links_are_not_followed(hub: FakeHub, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / NAME).symlink_to(outside)
    get(hub, folder)
    assert outside.read_bytes() == b"precious"
    assert not (folder / NAME).is_symlink()
    (folder / NAME).unlink()
    file = chosen_files(list_files(client(hub), REPOSITORY), "*")[0]
    part_path(folder, file).symlink_to(outside)
    with pytest.raises(DownloadError, match="cannot be written"):
        get(hub, folder)
    assert outside.read_bytes() == b"precious"
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(DownloadError, match="is a link"):
        get(hub, tmp_path / "link")


def test_a_full_disk_is_noticed_before(hub: FakeHub, tmp_path: Path) -> None:
    hub.sizes[NAME] = 10**18
    with pytest.raises(DownloadError, match=r"the disk of .* has"):
        get(hub, tmp_path)


def test_a_pull_installs_and_records(hub: FakeHub, tmp_path: Path) -> None:
    model = small_model().bytes()
    hub.files = {NAME: model}
    store, own = Store(tmp_path / "models"), client(hub)
    made = plan(own, Wanted(id="tiny", repository=REPOSITORY, pattern="*"))
    manifest = fetch(own, made, store, [].append)
    assert store.get("tiny") == manifest
    assert (manifest.revision, manifest.licence, manifest.source) == (REVISION, "mit", f"hub {REPOSITORY}")
    assert manifest.files[0].sha256 == hashlib.sha256(model).hexdigest()
    assert manifest.n_ctx_train == 2048
    assert names_in(tmp_path / "models" / "tiny") == ["manifest.json", NAME]


def test_what_is_not_gguf_is_not_installed(hub: FakeHub, tmp_path: Path) -> None:
    store, own = Store(tmp_path / "models"), client(hub)
    with pytest.raises(DownloadError, match=r"cannot be used.*is not a GGUF file"):
        fetch(own, plan(own, Wanted(id="tiny", repository=REPOSITORY, pattern="*")), store, [].append)
    assert store.get("tiny") is None
    assert names_in(tmp_path / "models" / "tiny") == []


@pytest.mark.fuzz
def test_whatever_the_line_does_no_wrong_file_appears(tmp_path: Path) -> None:
    seed = int(os.environ.get("R1_FUZZ_SEED", random.randrange(2**32)))
    print(f"seed {seed}")
    rng = random.Random(seed)
    data = rng.randbytes(200_000)

    def wrong(request: Request, body: bytes) -> bool:
        kind = rng.randrange(8)
        if kind == 0:
            return flip(request, body)
        if kind == 1:
            return longer(request, body)
        if kind == 2:
            return refuse(rng.choice([401, 404, 416, 500, 503]))(request, body)
        if kind == 3:
            request.answer(206, body[:5000], {"Content-Range": f"bytes {rng.randrange(9999)}-/{len(body)}"})
            return True
        return cut_after(rng.randrange(len(body)))(request, body) if kind < 7 else False

    right = 0
    with serving(FakeHub(files={NAME: data}, wrong=wrong)) as fake:
        for _ in range(int(100 * float(os.environ.get("R1_FUZZ_SCALE", "1")))):
            try:
                path = get(fake, tmp_path / "in", attempts=2)
            except DownloadError as exc:
                sentence = str(exc)
            else:
                assert path.read_bytes() == data
                path.unlink()
                sentence, right = "", right + 1
            assert "\n" not in sentence
            assert not (tmp_path / "in" / NAME).exists()
        assert names_in(tmp_path) == ["in"]
    assert right
