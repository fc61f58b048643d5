"""Who calls: keys by header or cookie, and what their roles allow."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from app.attempts import Attempts
from app.ports import Services
from inspection.errors import Denied

COOKIE = "casting_key"
RANK = {"camera": 0, "inspector": 1, "admin": 2}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls; ``scope`` separates the idempotency keys of different callers."""

    scope: str
    name: str
    role: str


async def caller_of(request: Request) -> Caller:
    """Who calls. Raises Denied (``no_key``, ``bad_key``, ``too_many_attempts``, ``other_site``)."""
    services: Services = request.app.state.services
    secret = _secret(request)
    if secret is None:
        if services.open_access:
            if _of_another_site(request.headers, request.method, services.local):
                raise Denied("other_site", "Pages of other sites may not use this service; open it by its own address.")
            return Caller("open", "", "admin")
        raise Denied("no_key", "A key is needed: 'Authorization: Bearer KEY'. 'casting keys add' makes one.")
    return await check(request, secret)


async def check(request: Request, secret: str) -> Caller:
    """Whose key it is. Raises Denied (``bad_key``, ``too_many_attempts``)."""
    services: Services = request.app.state.services
    attempts: Attempts = request.app.state.attempts
    key = await run_in_threadpool(services.keys.check, secret)
    if key is None:
        raise await attempts.refuse()
    return Caller(key.id, key.name, key.role)


def _of_another_site(headers: Headers, method: str, local: bool) -> bool:
    """Where no key is asked for, a browser must not be led here by a page from elsewhere: not by its requests (Fetch
    Metadata, or ``Origin`` where a browser sends no better), nor by a foreign name for this machine (DNS rebinding)."""
    host = headers.get("host", "")
    if local and _registrable(host):
        return True
    site = headers.get("sec-fetch-site")
    if site is None:
        origin = headers.get("origin")
        return origin is not None and origin.partition("://")[2] != host
    followed_link = method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate"
    return site in ("cross-site", "same-site") and not followed_link


def _registrable(host: str) -> bool:
    """Whether a ``Host`` is a name that anyone could have registered: has a dot, and is no address."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        ip_address(name)
    except ValueError:
        name = host.partition(":")[0].rstrip(".")
        return "." in name and not name.endswith(".localhost")
    return False


def _secret(request: Request) -> str | None:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    return request.headers.get("x-api-key") or request.cookies.get(COOKIE)


async def _inspector(request: Request) -> Caller:
    return _at_least("inspector", await caller_of(request))


def _at_least(role: str, caller: Caller) -> Caller:
    if RANK[caller.role] < RANK[role]:
        raise Denied("forbidden", f"This needs a key with the role '{role}'.")
    return caller


#: May predict: any key.
Allowed = Annotated[Caller, Depends(caller_of)]
#: May read and audit.
Reader = Annotated[Caller, Depends(_inspector)]
