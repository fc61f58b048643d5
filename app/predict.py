"""``POST /predict``: pictures in, verdicts out."""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from app import body
from app.access import caller_of
from app.inspecting import Call, Inspector
from app.ports import Services
from inspection.errors import BadRequest, Unavailable
from inspection.part import Part


class _Lean(APIRoute):
    """Hands the request to the endpoint as it came: FastAPI's reading of parameters costs more than all of ours."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


router = APIRouter(tags=["inspect"], route_class=_Lean)
ORIGINS = ("api", "page")
MAX_KEY = 255
MAX_DEADLINE = 120.0  # seconds

_HEADERS: list[dict[str, Any]] = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A retry with the same key and the same pictures gets the same answer and counts once.",
        "schema": {"type": "string", "maxLength": MAX_KEY},
    },
    {
        "name": "X-Request-Timeout",
        "in": "header",
        "description": f"Seconds after which the answer is of no more use; more than {MAX_DEADLINE:g} count as that.",
        "schema": {"type": "number", "exclusiveMinimum": 0},
    },
]
_FORM = {
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {
                    "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                    **{name: {"type": "string", "maxLength": 128} for name in Part.__dataclass_fields__},
                },
            }
        },
        "image/*": {"schema": {"type": "string", "format": "binary"}},
    },
    "required": True,
}


@router.post(
    "/predict",
    openapi_extra={"requestBody": _FORM, "parameters": _HEADERS},
    summary="Inspect one picture or many",
)
@router.post("/predict/", include_in_schema=False)
async def predict(request: Request) -> Response:
    """Answered only after the result is committed: one object for one picture, ``results`` in order for many.

    A retry with the same ``Idempotency-Key`` and the same pictures gets the same bytes and counts once.
    """
    caller = await caller_of(request)
    idempotency_key, seconds = _key(request), _seconds(request)
    services: Services = request.app.state.services
    inspector: Inspector = request.app.state.inspector
    inspector.refuse_if_full()
    with inspector.intake.call() as take:
        received = await body.read(request, services.limits, take)
        given = {**request.query_params, **received.fields}
        call = Call(
            request_id=request.state.request_id,
            origin=_origin(given.get("origin", "api")),
            part=Part.parse(given),
            received=time.perf_counter(),
            key=f"{caller.scope}:{idempotency_key}" if idempotency_key else None,
            single=len(received.uploads) == 1,
        )
        seconds = min(seconds or services.limits.deadline_seconds, MAX_DEADLINE)
        try:
            async with asyncio.timeout(seconds):
                answer = await inspector.inspect(call, received.uploads)
        except TimeoutError as error:
            raise Unavailable("deadline_exceeded", f"There was no answer within {seconds:g} s.") from error
    return Response(answer, media_type="application/json")


def _key(request: Request) -> str | None:
    given = request.headers.get("idempotency-key")
    if given is not None and len(given) > MAX_KEY:
        raise BadRequest("bad_value", f"'Idempotency-Key' has at most {MAX_KEY} characters.")
    return given


def _seconds(request: Request) -> float | None:
    """The caller's deadline, s; None when it gave none."""
    given = request.headers.get("x-request-timeout")
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not seconds > 0:
        raise BadRequest("bad_value", "'X-Request-Timeout' is a number of seconds above 0.")
    return seconds


def _origin(given: str) -> str:
    if given not in ORIGINS:
        raise BadRequest("bad_value", f"'origin' is one of {', '.join(ORIGINS)}.")
    return given
