"""``POST /predict``: pictures in, verdicts out."""

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from app import body
from app.access import Allowed
from app.inspecting import Call, Inspector
from app.ports import Services
from inspection.errors import BadRequest, Unavailable
from inspection.part import Part

router = APIRouter(tags=["inspect"])
ORIGINS = ("api", "page")
MAX_KEY = 255

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


@router.post("/predict", openapi_extra={"requestBody": _FORM}, summary="Inspect one picture or many")
@router.post("/predict/", include_in_schema=False)
async def predict(
    request: Request,
    caller: Allowed,
    idempotency_key: Annotated[str | None, Header(max_length=MAX_KEY)] = None,
    x_request_timeout: Annotated[float | None, Header(gt=0)] = None,
) -> Response:
    """Answered only after the result is committed: one object for one picture, ``results`` in order for many.

    A retry with the same ``Idempotency-Key`` and the same pictures gets the same bytes and counts once.
    """
    services: Services = request.app.state.services
    inspector: Inspector = request.app.state.inspector
    inspector.refuse_if_full()
    received = await body.read(request, services.limits)
    given = {**request.query_params, **received.fields}
    call = Call(
        request_id=request.state.request_id,
        origin=_origin(given.get("origin", "api")),
        part=Part.parse(given),
        received=time.perf_counter(),
        key=f"{caller.scope}:{idempotency_key}" if idempotency_key else None,
        single=len(received.uploads) == 1,
    )
    seconds = min(x_request_timeout or services.limits.deadline_seconds, services.limits.max_deadline_seconds)
    try:
        async with asyncio.timeout(seconds):
            answer = await inspector.inspect(call, received.uploads)
    except TimeoutError as error:
        raise Unavailable("deadline_exceeded", f"There was no answer within {seconds:g} s.") from error
    return Response(answer, media_type="application/json")


def _origin(given: str) -> str:
    if given not in ORIGINS:
        raise BadRequest("bad_value", f"'origin' is one of {', '.join(ORIGINS)}.")
    return given
