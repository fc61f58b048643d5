"""Who calls: keys by header or cookie, roles, and the headers that every answer carries."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.ports import Services
from inspection.errors import Denied
from inspection.events import uuid7

COOKIE = "casting_key"
RANK = {"camera": 0, "inspector": 1, "admin": 2}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls; ``scope`` separates the idempotency keys of different callers."""

    scope: str
    name: str
    role: str


async def _caller(request: Request) -> Caller:
    services: Services = request.app.state.services
    secret = _secret(request)
    if secret is None:
        if services.open_access:
            return Caller("open", "", "admin")
        raise Denied("no_key", "A key is needed: 'Authorization: Bearer KEY'. 'casting keys add' makes one.")
    key = await run_in_threadpool(services.keys.check, secret)
    if key is None:
        raise Denied("bad_key", "This key is unknown or was revoked.")
    return Caller(key.id, key.name, key.role)


def _secret(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    return request.headers.get("x-api-key") or request.cookies.get(COOKIE)


async def _inspector(request: Request) -> Caller:
    return _at_least("inspector", await _caller(request))


def _at_least(role: str, caller: Caller) -> Caller:
    if RANK[caller.role] < RANK[role]:
        raise Denied("forbidden", f"This needs a key with the role '{role}'.")
    return caller


#: May predict: any key.
Allowed = Annotated[Caller, Depends(_caller)]
#: May read and audit.
Reader = Annotated[Caller, Depends(_inspector)]


class Envelope:
    """Gives every request an id and every answer its security headers."""

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
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


def _request_id(given: str | None) -> str:
    """The caller's id when it is short and plain, else a new one: it goes into logs and events."""
    if given and len(given) <= 128 and all(c.isascii() and (c.isalnum() or c in "-_.:") for c in given):
        return given
    return uuid7()
