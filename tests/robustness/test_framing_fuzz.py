"""Raw bytes of every wrong kind: whatever came before, the next valid request is answered."""

import asyncio
import json
import random
from typing import Any

import pytest

from tests.support.fuzz import scaled, seeded
from tests.support.lsp import Editor


@pytest.mark.fuzz
def test_the_next_valid_request_is_answered() -> None:
    rng = seeded("framing")

    async def session(n_cases: int) -> None:
        async with Editor() as editor:
            for number in range(n_cases):
                name, data = _case(rng)
                try:
                    await _send(editor, data, rng)
                    reply = await editor.request("r1/none", text="Content-Length: 5\r\n\r\n")
                except TimeoutError:
                    pytest.fail(f"not answered after case {number}, {name}: {data[:300]!r}")
                assert reply.code == -32601, name
                for stray in editor.take_strays():
                    assert stray["error"]["code"] in (-32700, -32600, -32601), (name, stray)

    left = scaled(100)
    while left > 0:
        asyncio.run(session(min(left, 50)))
        left -= 50


@pytest.mark.fuzz
def test_any_bytes_at_all() -> None:
    rng = seeded("bytes")

    async def session() -> None:
        async with Editor() as editor:
            for _ in range(20):
                await _send(editor, rng.randbytes(rng.randrange(2000)) + b"\n\n", rng)
                assert (await editor.request("r1/none")).code == -32601
                editor.take_strays()

    for _ in range(scaled(5)):
        asyncio.run(session())


async def _send(editor: Editor, data: bytes, rng: random.Random) -> None:
    """Sends bytes in pieces cut anywhere."""
    while data:
        n_bytes = rng.choice((1, 7, 64, len(data)))
        editor.raw(data[:n_bytes])
        data = data[n_bytes:]
        if rng.random() < 0.1:
            await asyncio.sleep(0)


def _case(rng: random.Random) -> tuple[str, bytes]:
    """A name and some bytes that hold no valid request."""
    body = json.dumps({"jsonrpc": "2.0", "method": "$/nothing", "params": _params(rng)}).encode()
    frame = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    cut = rng.randrange(1, len(body))
    cases: dict[str, bytes] = {
        "lower case": b"content-length: %d\r\n\r\n%b" % (len(body), body),
        "upper case, no space": b"CONTENT-LENGTH:%d\r\n\r\n%b" % (len(body), body),
        "line feeds only": b"Content-Length: %d\n\n%b" % (len(body), body),
        "type first": b"Content-Type: x; charset=utf-8\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body),
        "type last": b"Content-Length: %d\r\nContent-Type: x\r\n\r\n%b" % (len(body), body),
        "two lengths": b"Content-Length: 5\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body),
        "a second length that is none": b"Content-Length: %d\r\nContent-Length: x\r\n\r\n%b" % (len(body), body),
        "unknown headers": b"X-Content-Length: 3\r\nA:\r\n:\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body),
        "too short": b"Content-Length: %d\r\n\r\n%b" % (cut, body),
        "too long": b"Content-Length: %d\r\n\r\n%b" % (len(body) + rng.randrange(1, 99999), body),
        "truncated": frame[: -rng.randrange(1, len(body))],
        "negative": b"Content-Length: -%d\r\n\r\n%b" % (len(body), body),
        "no number": b"Content-Length: ten\r\n\r\n%b" % body,
        "empty length": b"Content-Length:\r\n\r\n%b" % body,
        "plus": b"Content-Length: +%d\r\n\r\n%b" % (len(body), body),
        "zero": b"Content-Length: 0\r\n\r\n",
        "huge": b"Content-Length: 99999999999\r\n\r\n%b" % body,
        "more digits than numbers have": b"Content-Length: %b\r\n\r\n%b" % (b"9" * 5000, body),
        "no length": b"Content-Type: x\r\n\r\n%b" % body,
        "no header": body,
        "garbage": rng.randbytes(rng.randrange(300)),
        "long garbage": b"x" * rng.randrange(100_000),
        "header without end": b"A: b\r\n" * rng.randrange(5000),
        "blank lines": b"\r\n" * rng.randrange(100),
        "byte order mark": b"\xef\xbb\xbf" + frame,
        "not JSON": _framed(b"{" + rng.randbytes(20)),
        "not UTF-8": _framed(b'{"a": "\xff\xfe"}'),
        "UTF-16": _framed(body.decode().encode("utf-16")),
        "nested deeply": _framed(b"[" * 100_000),
        "nested params": _framed(
            b'{"jsonrpc": "2.0", "method": "a", "params": %b}' % (b'{"a":' * 900 + b"1" + b"}" * 900)
        ),
        "batch": _framed(b"[%b]" % body),
        "NaN": _framed(b'{"jsonrpc": "2.0", "method": "a", "params": [NaN]}'),
        "a number of 10000 digits": _framed(b'{"jsonrpc": "2.0", "method": "a", "params": [%b]}' % (b"9" * 10_000)),
        "an id that is none": _framed(b'{"jsonrpc": "2.0", "method": "a", "id": [1]}'),
        "params that are none": _framed(b'{"jsonrpc": "2.0", "method": "a", "params": 3}'),
        "neither method nor id": _framed(b'{"jsonrpc": "2.0"}'),
        "an answer to nothing": _framed(b'{"jsonrpc": "2.0", "id": "x", "result": 1}'),
        "version 1": _framed(b'{"method": "a", "params": []}'),
    }
    return rng.choice(list(cases.items()))


def _framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _params(rng: random.Random) -> Any:
    return {"text": "".join(rng.choices(["é", "😀", "\n", '"', "\ud800", "x", "Content-Length: 7\r\n\r\n"], k=20))}
