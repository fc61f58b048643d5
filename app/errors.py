"""Errors as HTTP: one table, one shape, for every route and every cause."""

import math
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from inspection.errors import BadPicture, BadRequest, Conflict, Denied, InspectorError, NotFound, Unavailable

_STATUS: dict[type[InspectorError], int] = {
    BadRequest: 400,
    Denied: 401,
    NotFound: 404,
    Conflict: 409,
    BadPicture: 422,
    Unavailable: 503,
}
#: Codes whose status is more exact than their class's.
_STATUS_OF_CODE = {
    "forbidden": 403,
    "other_site": 403,
    "slow_body": 408,
    "too_large": 413,
    "too_many_files": 413,
    "too_many_pixels": 413,
    "not_an_image": 415,
    "unsupported_media_type": 415,
    "too_many_attempts": 429,
    "deadline_exceeded": 504,
}
#: Raised while the body is still arriving: the connection is closed, so that nobody goes on sending in vain.
_UNREAD = frozenset({"too_large", "too_many_files", "slow_body", "malformed_form", "full", "unsupported_media_type"})
_log = structlog.get_logger(__name__)


def status_of(error: InspectorError) -> int:
    return _STATUS_OF_CODE.get(error.code) or next(_STATUS[c] for c in type(error).__mro__ if c in _STATUS)


def body_of(error: InspectorError, request_id: str) -> dict[str, Any]:
    """The one error shape: ``{"error": {"code", "message", "retryable", "request_id"}}``."""
    return {
        "error": {
            "code": error.code,
            "message": error.message,
            "retryable": error.retryable,
            "request_id": request_id,
        }
    }


def response(error: InspectorError, request_id: str) -> JSONResponse:
    headers = {"Connection": "close"} if error.code in _UNREAD else {}
    if isinstance(error, Unavailable):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if isinstance(error, Denied) and status_of(error) == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body_of(error, request_id), status_of(error), headers)


def install(app: FastAPI) -> None:
    """Answer every error in the one shape; the unexpected is logged and never shown."""

    @app.exception_handler(InspectorError)
    async def expected(request: Request, error: InspectorError) -> JSONResponse:
        return response(error, request.state.request_id)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:])[:100]
        return response(BadRequest("bad_value", f"'{place}': {first['msg']}"), request.state.request_id)

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> JSONResponse:
        codes = {404: "no_such_page", 405: "method_not_allowed"}
        code = codes.get(error.status_code, "bad_request")
        answer = response(BadRequest(code, str(error.detail)), request.state.request_id)
        answer.status_code = error.status_code
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        _log.error("unexpected_error", request_id=request.state.request_id, exc_info=error)
        failure = InspectorError("internal_error", "Something unexpected happened; it was logged.")
        return JSONResponse(body_of(failure, request.state.request_id), 500)
