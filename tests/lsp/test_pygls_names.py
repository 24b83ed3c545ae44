"""The names of pygls and lsprotocol that r1_lsp/wire overrides or calls are there, as they were when it was written."""

import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from lsprotocol import converters, types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import JsonRPCProtocol, LanguageServerProtocol, default_converter
from pygls.uris import to_fs_path

SIGNATURES: dict[Callable[..., Any], list[str]] = {
    LanguageServerProtocol._register_builtin_features: ["self"],
    JsonRPCProtocol._send_data: ["self", "data"],
    JsonRPCProtocol.send_request: ["self", "method", "params", "callback", "msg_id"],
    JsonRPCProtocol.send_request_async: ["self", "method", "params", "msg_id"],
    JsonRPCProtocol.get_message_type: ["self", "method"],
    JsonRPCProtocol.get_result_type: ["self", "method"],
    LanguageServerProtocol.__init__: ["self", "server", "converter"],
    LanguageServer.__init__: [
        "self", "name", "version", "text_document_sync_kind", "notebook_document_sync", "args", "kwargs"
    ],
    default_converter: [],
    converters.get_converter: ["converter"],
    to_fs_path: ["uri"],
}  # fmt: skip


def test_the_versions_are_those_we_read() -> None:
    assert (version("pygls"), version("lsprotocol")) == ("2.1.1", "2025.0.0")


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda function: function.__qualname__)
def test_signature(function: Callable[..., Any]) -> None:
    assert list(inspect.signature(function).parameters) == SIGNATURES[function]


def test_the_fields_of_waiting_answers() -> None:
    protocol = LanguageServer("name", "0").protocol
    assert isinstance(protocol, LanguageServerProtocol)
    assert protocol._request_futures == {}
    assert protocol._result_types == {}
    assert protocol._converter.unstructure(types.Position(line=1, character=2)) == {"line": 1, "character": 2}


def test_message_types_have_their_params() -> None:
    request, response, *_ = types.METHOD_TO_TYPES[types.TEXT_DOCUMENT_INLINE_COMPLETION]
    assert {"id", "params", "method", "jsonrpc"} <= {field.name for field in request.__attrs_attrs__}
    assert {"id", "result"} <= {field.name for field in response.__attrs_attrs__}
    assert types.METHOD_TO_TYPES[types.EXIT][1] is None


def test_errors_carry_code_and_message() -> None:
    error = JsonRpcException("why", code=-1)
    assert (error.code, error.message) == (-1, "why")
