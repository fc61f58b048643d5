"""What every request and every answer carries: an id, security headers, a count."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import metrics
from inspection.events import uuid7

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
ENDLESS = ("/events",)  # has no HEAD: its body is what it is for, and never ends


class Envelope:
    """Gives every request an id and every answer its security headers; answers HEAD wherever there is GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                if scope["path"].startswith("/predict"):
                    metrics.REQUESTS.labels(str(message["status"])).inc()
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["method"] == "HEAD" and scope["path"] not in ENDLESS:
            scope = {**scope, "method": "GET"}  # the server leaves the body out
        await self._app(scope, receive, with_headers)


def _request_id(given: str | None) -> str:
    """The caller's id when it is short and plain, else a new one: it goes into logs and events."""
    if given and len(given) <= 128 and all(c.isascii() and (c.isalnum() or c in "-_.:") for c in given):
        return given
    return uuid7()
