"""Bodies <-> JSON-RPC messages. What is wrong with a message is told apart here; nothing raises."""

import json
from dataclasses import dataclass
from typing import Any

Id = int | str

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NOT_INITIALIZED = -32002
SERVER_CANCELLED = -32802
REQUEST_CANCELLED = -32800


@dataclass(frozen=True, slots=True)
class Request:
    id: Id
    method: str
    params: Any


@dataclass(frozen=True, slots=True)
class Notification:
    method: str
    params: Any


@dataclass(frozen=True, slots=True)
class Response:
    """The editor's answer to a request of ours; `error` is None on success."""

    id: Id
    result: Any
    error: Any


@dataclass(frozen=True, slots=True)
class Malformed:
    """Not a message of the protocol: to be answered with this error, to this id where it has one."""

    id: Id | None
    code: int
    reason: str


Message = Request | Notification | Response | Malformed


def decode(body: bytes) -> Message:
    """The message in a body. JSON is read as plain data: nothing inside params has a meaning here."""
    try:
        data = json.loads(body.decode("utf-8", "surrogatepass"), parse_constant=_no_constant)
    except RecursionError:
        return Malformed(None, PARSE_ERROR, "the JSON is nested too deeply")
    except ValueError:
        return Malformed(None, PARSE_ERROR, "the message is not JSON")
    if isinstance(data, list):
        return Malformed(None, INVALID_REQUEST, "batches are not part of the Language Server Protocol")
    if not isinstance(data, dict):
        return Malformed(None, INVALID_REQUEST, "a message must be an object")
    return _message(data)


def _message(data: dict[str, Any]) -> Message:
    id_ = data.get("id")
    good_id = id_ if type(id_) in (int, str) else None
    if data.get("jsonrpc") != "2.0":
        return Malformed(good_id, INVALID_REQUEST, 'a message must say "jsonrpc": "2.0"')
    if "method" in data:
        method, params = data["method"], data.get("params")
        if not isinstance(method, str):
            return Malformed(good_id, INVALID_REQUEST, "a method must be a string")
        if params is not None and not isinstance(params, dict | list):
            return Malformed(good_id, INVALID_REQUEST, "params must be an object or an array")
        if "id" not in data:
            return Notification(method, params)
        if good_id is None:
            return Malformed(None, INVALID_REQUEST, "an id must be an integer or a string")
        return Request(good_id, method, params)
    if good_id is not None and ("result" in data or "error" in data):
        return Response(good_id, data.get("result"), data.get("error"))
    return Malformed(good_id, INVALID_REQUEST, "a message must have a method, or an id with a result or an error")


def encode(message: dict[str, Any]) -> bytes:
    """A frame. Text outside ASCII is escaped, so that lone surrogates survive. Raises ValueError for NaN and cycles."""
    body = json.dumps(message, separators=(",", ":"), allow_nan=False).encode("ascii")
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
