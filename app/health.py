"""Health: is the process alive, and can it inspect."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from app.backlog import RecentBacklog
from app.ports import Services
from inspection.errors import Unavailable

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="The process answers")
async def live() -> dict[str, str]:
    return {"status": "alive"}


@router.get("/ready", summary="A model is loaded and the ledger takes writes")
async def ready(request: Request) -> dict[str, Any]:
    """503 with the reason while pictures can't be inspected. ``backlog``: events that wait for the lake; a line that
    is away is no reason to answer nothing."""
    services: Services = request.app.state.services
    version = await services.judge.model_version()
    if not await run_in_threadpool(services.records.writable):
        raise Unavailable("ledger_unavailable", "The ledger can't be written now.")
    recent: RecentBacklog = request.app.state.backlog
    backlog = await recent.read()
    oldest = backlog.oldest.isoformat() if backlog.oldest else None
    waiting = {"events": backlog.events, "oldest": oldest}
    return {"status": "ready", "model_version": version, "backlog": waiting}
