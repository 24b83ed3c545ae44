"""Requests to a Hugging Face-compatible hub: every rule about tokens, proxies and redirects stands in one opener.

`urllib`, because it is in the standard library and a conversion needs few connections. Nothing is asked of the
environment: a token or a proxy is used only when it is given, and the token goes to the hub's own host alone.

What may be cured by another attempt (a cut line, silence, a busy hub) is `Interrupted`, and `persistently` makes these
attempts; everything else is a SourceError of one sentence.
"""

import contextlib
import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

from gguf_convert.errors import SourceError

HUGGING_FACE = "https://huggingface.co"
MAX_REDIRECTS = 5
_CHUNK = 2**18
# An attempt that brings less counts as failed, and so does a connection slower than this per second.
_PROGRESS, _SLOWEST = 2**16, 2**10
_LONGEST_PAUSE_S = 60.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Where and how to ask. `patience_s` is how long silence is borne, `attempts` how many may fail in a row,
    `pause_s` the wait after the first of them; it doubles.
    """

    url: str = HUGGING_FACE
    token: str | None = field(default=None, repr=False)
    proxy: str | None = None
    patience_s: float = 30.0
    attempts: int = 6
    pause_s: float = 1.0


class Interrupted(Exception):
    """The connection ended early, was silent or was not there. `pause_s` is how long the hub asks to wait."""

    def __init__(self, sentence: str, *, pause_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.pause_s = pause_s


class RangeRefused(Interrupted):
    """The hub would not begin where it was asked to."""


def persistently(
    hub: Hub,
    attempt: Callable[[], T],
    *,
    arrived: Callable[[], int] = lambda: 0,
    advice: str = "try again later",
) -> T:
    """What `attempt` returns, as soon as it is not Interrupted.

    `arrived` counts the bytes that are here: attempts that brought something do not count as failed. Raises SourceError
    after `hub.attempts` failures in a row; its sentence ends with the advice.
    """
    failures, before = 0, arrived()
    while True:
        try:
            return attempt()
        except Interrupted as exc:
            failures = 0 if arrived() - before >= _PROGRESS else failures + 1
            if failures >= hub.attempts:
                raise SourceError(f"{exc}; {advice}") from exc
            time.sleep(min(max(exc.pause_s, hub.pause_s * 2 ** min(failures, 4)), _LONGEST_PAUSE_S))
            before = arrived()


@contextlib.contextmanager
def answer_of(
    hub: Hub, path: str, what: str, *, span: tuple[int, int] | None = None
) -> Iterator[http.client.HTTPResponse]:
    """The hub's answer for a path below its address; `what` names it in sentences.

    `span` asks for the bytes [start, stop) alone; an answer that does not begin at `start` raises RangeRefused, so its
    status need not be looked at. An answer may be longer than was asked for, or shorter.
    """
    headers = {"User-Agent": "r1-gguf", "Accept-Encoding": "identity"}
    if span is not None:
        headers["Range"] = f"bytes={span[0]}-{span[1] - 1}"
    if hub.token:
        headers["Authorization"] = f"Bearer {hub.token}"
    request = urllib.request.Request(_base(hub) + path, headers=headers)
    with _open(hub, request, what) as answer:
        if span is not None and not _begins_at(answer, span[0]):
            raise RangeRefused(f"the hub did not answer with the part of {what} that was asked for")
        yield answer


def chunks(hub: Hub, answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body as it arrives. Raises Interrupted when the line is cut, silent, or slower than 1 kB per second."""
    since, arrived = time.monotonic(), 0
    while chunk := _read(answer):
        yield chunk
        arrived += len(chunk)
        waited = time.monotonic() - since
        if waited < hub.patience_s:
            continue
        if arrived < _SLOWEST * waited:
            raise Interrupted("the hub sends less than 1 kB per second")
        since, arrived = time.monotonic(), 0


def _read(answer: http.client.HTTPResponse) -> bytes:
    try:
        return answer.read1(_CHUNK)
    except (OSError, http.client.HTTPException) as exc:
        raise Interrupted(f"the line to the hub was cut: {_reason(exc)}") from exc


def _begins_at(answer: http.client.HTTPResponse, start: int) -> bool:
    if answer.status == 206:
        return (answer.headers.get("Content-Range") or "").startswith(f"bytes {start}-")
    return answer.status == 200 and start == 0


def _base(hub: Hub) -> str:
    try:
        parsed = urllib.parse.urlsplit(hub.url)
        sound = parsed.scheme in {"http", "https"} and parsed.hostname and not parsed.username and not parsed.query
    except ValueError:
        sound = False
    if not sound:
        raise SourceError(f"{hub.url!r} is not the address of a hub; https://HOST is wanted")
    if parsed.scheme == "http" and hub.token and parsed.hostname not in _LOOPBACK:
        raise SourceError("a token is not sent over plain http; give the hub's https address")
    if hub.token and not (hub.token.isascii() and hub.token.isprintable()):  # the sentence about it would show it
        raise SourceError("the token holds characters that no token has")
    return hub.url.rstrip("/")


def _open(hub: Hub, request: urllib.request.Request, what: str) -> Any:
    proxies = {"http": hub.proxy, "https": hub.proxy} if hub.proxy else {}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _Redirects())
    try:
        return opener.open(request, timeout=hub.patience_s)
    except urllib.error.HTTPError as exc:
        with exc:
            raise _refusal(exc, what, has_token=hub.token is not None) from exc
    except (OSError, http.client.HTTPException, ValueError) as exc:  # ValueError: no name of a host
        raise Interrupted(f"{urllib.parse.urlsplit(hub.url).netloc} cannot be reached: {_reason(exc)}") from exc


def _reason(exc: BaseException) -> str:
    inner = getattr(exc, "reason", None) or exc
    reason = getattr(inner, "strerror", None) or inner
    return " ".join(str(reason).split()) or type(exc).__name__


def _refusal(exc: urllib.error.HTTPError, what: str, *, has_token: bool) -> Exception:
    if exc.code == 416:
        return RangeRefused(f"the hub did not answer with the part of {what} that was asked for")
    if exc.code in {408, 429, 500, 502, 503, 504}:
        asked = exc.headers.get("Retry-After") or ""
        busy = "the hub asks for fewer requests (429)" if exc.code == 429 else f"the hub answered {exc.code}"
        return Interrupted(f"{busy} for {what}", pause_s=float(asked) if asked.isdecimal() else 0.0)
    if exc.code == 401:
        hint = "the token was not accepted" if has_token else "it needs a token, or does not exist"
        return SourceError(f"the hub does not give {what}: {hint}")
    if exc.code == 403:
        return SourceError(f"the hub does not give {what} to you; its page may ask you to accept a licence first")
    if exc.code == 404:
        return SourceError(f"the hub has no {what}")
    return SourceError(f"the hub answered {exc.code} for {what}")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a few redirects, never away from https, and takes the token along only to the same host."""

    max_redirections = MAX_REDIRECTS

    def http_error_302(self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError as exc:
            fp.close()
            raise SourceError("the hub redirects to what is no address") from exc

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if new.scheme not in {"http", "https"} or (old.scheme == "https" and new.scheme != "https"):
            fp.close()
            raise SourceError("the hub redirects to an address that is not https; that is not followed")
        if sum(getattr(req, "redirect_dict", {}).values()) >= MAX_REDIRECTS:
            fp.close()
            raise SourceError(f"the hub redirects more than {MAX_REDIRECTS} times")
        moved = super().redirect_request(req, fp, code, msg, headers, newurl)
        if moved is not None and (old.scheme, old.netloc) != (new.scheme, new.netloc):
            moved.remove_header("Authorization")
        return moved
