"""A small server that speaks the hub's API, with every kind of bad behaviour on demand."""

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

REVISION = "a" * 40
REPOSITORY = "owner/model-GGUF"
README = {"README.md": b"# \xc3\xa9"}


@dataclass
class FakeHub:
    """What the server holds and how it misbehaves. `wrong` is called for each file request and may answer itself.

    `files` are kept beside git (LFS) and have a sha256, `in_git` have git's own checksum.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    in_git: dict[str, bytes] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    revision: str = REVISION
    licence: str = "mit"
    token: str | None = None
    busy: int = 0
    wrong: Callable[["Request", bytes], bool] | None = None
    listing: Callable[["Request"], bool] | None = None
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def siblings(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for name, data in self.files.items():
            size = self.sizes.get(name, len(data))
            sha256 = self.hashes.get(name, hashlib.sha256(data).hexdigest())
            rows.append({"rfilename": name, "size": size, "lfs": {"sha256": sha256, "size": size, "pointerSize": 134}})
        for name, data in (README | self.in_git).items():
            blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            rows.append({"rfilename": name, "size": len(data), "blobId": self.hashes.get(name, blob)})
        return rows


class Request(BaseHTTPRequestHandler):
    """One request; `self.server.hub` is the FakeHub."""

    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.seen.append((self.path, dict(self.headers.items())))
        if self.hub.token and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self.answer(401, b"no")
        if self.hub.busy > 0:
            self.hub.busy -= 1
            return self.answer(503, b"busy")
        if path.startswith("/api/models/"):
            return self._listing(path)
        parts = path.removeprefix(f"/{REPOSITORY}/resolve/")
        revision, _, name = parts.partition("/")
        data = (README | self.hub.in_git | self.hub.files).get(name)
        if revision != self.hub.revision or data is None:
            return self.answer(404, b"none")
        return self.file(data)

    def _listing(self, path: str) -> None:
        if self.hub.listing and self.hub.listing(self):
            return None
        if path.split("/revision/")[0] != f"/api/models/{REPOSITORY}":
            return self.answer(404, b"none")
        body = {"sha": self.hub.revision, "siblings": self.hub.siblings(), "cardData": {"license": self.hub.licence}}
        return self.answer(200, json.dumps(body).encode())

    def file(self, data: bytes) -> None:
        if self.hub.wrong and self.hub.wrong(self, data):
            return None
        asked = self.headers.get("Range")
        if asked is None:
            return self.answer(200, data)
        start, stop = span_of(asked, len(data))
        if start >= len(data):
            return self.answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        return self.answer(206, data[start:stop], {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"})

    def answer(
        self, code: int, body: bytes, headers: dict[str, str] | None = None, *, length: int | None = None
    ) -> None:
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)
        if length is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


def span_of(asked: str, size: int) -> tuple[int, int]:
    """[start, stop) of a Range header: `bytes=START-` or `bytes=START-LAST`."""
    start, _, last = asked.removeprefix("bytes=").partition("-")
    return int(start), min(int(last) + 1, size) if last else size


@contextlib.contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """Runs the server on a free port of the loopback; `hub.url` is its address."""
    handler = type("Bound", (Request,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def cut_after(count: int, *, times: int = 10**9) -> Callable[[Request, bytes], bool]:
    """Announces the whole body and closes after `count` bytes of what was asked for."""
    left = [times]

    def wrong(request: Request, data: bytes) -> bool:
        if left[0] <= 0:
            return False
        left[0] -= 1
        asked = request.headers.get("Range")
        start, stop = span_of(asked, len(data)) if asked else (0, len(data))
        rest = data[start:stop]
        headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}"} if asked else {}
        request.answer(206 if asked else 200, rest[:count], headers, length=len(rest))
        return True

    return wrong


def trickle(request: Request, data: bytes) -> bool:
    """Sends a byte now and then."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    with contextlib.suppress(ConnectionError, OSError):
        for byte in data:
            request.wfile.write(bytes([byte]))
            request.wfile.flush()
            time.sleep(0.02)
    request.close_connection = True
    return True
