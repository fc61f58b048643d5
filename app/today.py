"""Today's figures, for the page and the wall screen."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from app.access import Reader
from app.backlog import RecentBacklog
from app.ports import Services

router = APIRouter(tags=["history"])


@router.get("/summary", summary="Today's figures")
async def summary(
    request: Request, _caller: Reader, hours: Annotated[int, Query(ge=1, le=24 * 31)] = 24
) -> dict[str, Any]:
    services: Services = request.app.state.services
    figures = await run_in_threadpool(services.records.summary, datetime.now(UTC) - timedelta(hours=hours))
    recent: RecentBacklog = request.app.state.backlog
    backlog = await recent.read()
    return {**asdict(figures), "backlog": backlog.events}
