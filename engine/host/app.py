"""The routes of the host. Each handler: body -> request -> stream of chunks -> OpenAI's shape.

A closed connection cancels its handler (`AppRunner(handler_cancellation=True)`), and with it the work, at any moment.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from typing import Any, Literal

from aiohttp import web

from engine.errors import (
    BadRequest,
    ContextOverflow,
    EngineBusy,
    EngineError,
    ModelNotFound,
    ModelUnusable,
    Unsupported,
)
from engine.host.bodies import ChatBody, CompletionBody, InfillBody, TokenizeBody, parse
from engine.host.host import Host, Loading
from engine.host.shapes import Shape
from engine.prompt.sampling import maker_sampling
from engine.types import GREEDY, Chunk

__all__ = ["Host", "create_app"]

MAX_BODY = 32 << 20
"""Bytes; more is refused unread. A prompt of that size fits no context."""

_HOST = web.AppKey("host", Host)
_RETRY_S = 1.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def create_app(host: Host) -> web.Application:
    """The application around a host. The caller starts and closes the host."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_errors_as_json])
    app[_HOST] = host
    app.router.add_routes([
        web.post("/v1/completions", completions),
        web.post("/v1/chat/completions", chat),
        web.post("/infill", infill),
        web.get("/v1/models", models),
        web.post("/tokenize", tokenize),
        web.get("/health", health),
    ])  # fmt: skip
    return app


async def completions(request: web.Request) -> web.StreamResponse:
    return await _generate(request, parse(CompletionBody, await request.read()), "text")


async def infill(request: web.Request) -> web.StreamResponse:
    return await _generate(request, parse(InfillBody, await request.read()), "text")


async def chat(request: web.Request) -> web.StreamResponse:
    return await _generate(request, parse(ChatBody, await request.read()), "chat")


async def models(request: web.Request) -> web.Response:
    info = request.app[_HOST].info
    row = {"id": info.id, "object": "model", "owned_by": "local", "meta": asdict(info)}
    return web.json_response({"object": "list", "data": [row]})


async def tokenize(request: web.Request) -> web.Response:
    tokens = await request.app[_HOST].tokens(parse(TokenizeBody, await request.read()).content)
    return web.json_response({"tokens": tokens})


async def health(request: web.Request) -> web.Response:
    return web.json_response(request.app[_HOST].health())


async def _generate(
    request: web.Request, body: CompletionBody | InfillBody | ChatBody, kind: Literal["text", "chat"]
) -> web.StreamResponse:
    """Chat is sampled as the model's makers say, completion greedily, unless the body says how."""
    host = request.app[_HOST]
    info = host.info
    wanted = body.request(body.rendered(), maker_sampling(info.family) if kind == "chat" else GREEDY)
    shape = Shape(kind=kind, model=info.id)
    async with host.answering(wanted) as answer:
        if body.stream:
            return await _stream(request, shape, answer)
        chunks = [chunk async for batch in answer for chunk in batch]
    return web.json_response(shape.whole(chunks, wanted.n_candidates))


async def _stream(request: web.Request, shape: Shape, answer: AsyncIterator[list[Chunk]]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    try:
        async for chunks in answer:
            await response.write(b"".join(_event(shape.piece(chunk)) for chunk in chunks))
        await response.write(b"data: [DONE]\n\n")
    except EngineError as exc:
        await response.write(_event(_error_body(exc)))
    await response.write_eof()
    return response


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n\n"


# -- errors --------------------------------------------------------------------------------------------------------

_KINDS: tuple[tuple[type[EngineError], str, int], ...] = (
    (ContextOverflow, "context_overflow", 400),
    (BadRequest, "bad_request", 400),
    (ModelNotFound, "model_not_found", 404),
    (ModelUnusable, "model_unusable", 500),
    (EngineBusy, "busy", 503),
    (Loading, "loading", 503),
    (Unsupported, "unsupported", 501),
    (EngineError, "internal", 500),
)


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal is one sentence in JSON."""
    try:
        return await handler(request)
    except EngineError as exc:
        status = next(status for kind, _, status in _KINDS if isinstance(exc, kind))
        headers = {"Retry-After": str(int(_RETRY_S))} if status == 503 else {}
        return web.json_response(_error_body(exc), status=status, headers=headers)
    except web.HTTPException as exc:
        message = f"{request.method} {request.path}: {exc.reason}"
        body = {"error": {"message": message, "type": "bad_request"}}
        return web.json_response(body, status=exc.status)


def _error_body(error: EngineError) -> dict[str, Any]:
    name = next(name for kind, name, _ in _KINDS if isinstance(error, kind))
    body: dict[str, Any] = {"message": str(error), "type": name}
    if isinstance(error, ContextOverflow):
        body |= {"n_prompt": error.n_prompt, "n_ctx": error.n_ctx}
    if isinstance(error, EngineBusy | Loading):
        body["retry_after_s"] = getattr(error, "retry_after_s", _RETRY_S)
    return {"error": body}
