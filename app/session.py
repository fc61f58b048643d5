"""``POST /session``: the page signs in with a key; the browser keeps it where no script can read it."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from app.access import COOKIE, Allowed, check

router = APIRouter(prefix="/session", tags=["session"])
EIGHT_HOURS = 8 * 3600


class SignIn(BaseModel):
    key: str = Field(min_length=1, max_length=256)


@router.post("", summary="Sign in with a key")
async def sign_in(request: Request, response: Response, given: SignIn) -> dict[str, str]:
    """Sets a cookie for eight hours; a revoked key ends it at once, because every call looks the key up."""
    caller = await check(request, given.key)
    secure = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
    response.set_cookie(COOKIE, given.key, EIGHT_HOURS, httponly=True, samesite="strict", secure=secure)
    return {"name": caller.name, "role": caller.role}


@router.get("", summary="Who is signed in")
async def who(caller: Allowed) -> dict[str, str]:
    return {"name": caller.name, "role": caller.role}


@router.delete("", status_code=204, summary="Sign out")
async def sign_out(response: Response) -> None:
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
