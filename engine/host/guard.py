"""Who may talk to a host: neither web pages nor other users."""

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from engine.host.endpoint import Listener


def guard(listener: Listener) -> Middleware:
    """A middleware that keeps browsers and other users out.

    No request with an `Origin` is served: pages have no business here. Over TCP the Host must be loopback with our
    port (against rebinding names) and the token must be there; it is compared in constant time.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if "Origin" in request.headers:
            return _refused(403, "requests from web pages are not served")
        if listener.token is not None:
            port = listener.socket.getsockname()[1]
            if request.headers.get("Host") not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
                return _refused(403, "the Host header does not name this host")
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), listener.token.encode()):
                return _refused(401, "the token is missing or wrong")
        return await handler(request)

    return check


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "bad_request"}}, status=status)
