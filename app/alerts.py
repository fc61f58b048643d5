"""Defects that somebody has to see: open ones, and who acknowledged which."""

import json
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from app.access import Reader
from app.live import Feed, Word
from app.plain import Plain
from app.ports import Services
from inspection.events import to_dict

router = APIRouter(tags=["alerts"])


class Acknowledgement(BaseModel):
    by: Plain


class Acknowledgements(Acknowledgement):
    event_ids: list[str] = Field(min_length=1, max_length=500)


@router.get("/alerts", summary="Defects that nobody acknowledged yet")
async def alerts(request: Request, _caller: Reader) -> dict[str, Any]:
    services: Services = request.app.state.services
    return {"items": [to_dict(event) for event in await run_in_threadpool(services.records.open_alerts)]}


@router.get("/alerts/acknowledged", summary="The last defects that somebody acknowledged, and who")
async def acknowledged(request: Request, _caller: Reader) -> dict[str, Any]:
    services: Services = request.app.state.services
    seen = await run_in_threadpool(services.records.acknowledged_alerts)
    return {"items": [{"inspection": to_dict(one.inspection), "by": one.by, "at": one.at} for one in seen]}


@router.post("/alerts/ack", status_code=204, summary="Acknowledge defects")
async def acknowledge_all(request: Request, caller: Reader, given: Acknowledgements) -> None:
    """All of them or none. ``by`` is who says so where there are no keys; with keys, it is the key's name."""
    await _acknowledge(request, given.event_ids, caller.name or given.by)


@router.post("/alerts/{event_id}/ack", status_code=204, summary="Acknowledge a defect")
async def acknowledge(request: Request, caller: Reader, event_id: str, given: Acknowledgement) -> None:
    """``by`` is who says so where there are no keys; with keys, it is the key's name."""
    await _acknowledge(request, [event_id], caller.name or given.by)


async def _acknowledge(request: Request, event_ids: list[str], by: str) -> None:
    services: Services = request.app.state.services
    feed: Feed = request.app.state.feed
    await run_in_threadpool(services.records.acknowledge, event_ids, by)
    feed.tell(Word("acknowledged", json.dumps({"event_ids": event_ids, "by": by}).encode()))
