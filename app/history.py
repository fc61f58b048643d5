"""What was inspected, what people decide about it, and today's figures."""

import csv
import io
import json
import time
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import cv2
import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, StreamingResponse

from app.access import Reader
from app.backlog import RecentBacklog
from app.live import Feed, Word
from app.ports import Services
from inspection.errors import BadRequest
from inspection.events import Event, now, to_dict, uuid7
from inspection.picture import format_of
from inspection.record import Draft, Entry, Search

router = APIRouter(tags=["history"])
CSV_FIELDS = (
    "event_id",
    "occurred_at",
    "filename",
    "prediction",
    "verdict",
    "p_defect",
    "reasons",
    "part_id",
    "lot",
    "line",
    "camera",
    "shift",
    "operator",
    "model_version",
    "latency_ms",
    "origin",
    "journal",
    "number",
)


class Filters(BaseModel):
    """Query parameters of the history; absent means any."""

    verdict: str | None = None
    prediction: str | None = None
    model_version: str | None = None
    part_id: str | None = None
    lot: str | None = None
    line: str | None = None
    camera: str | None = None
    shift: str | None = None
    operator: str | None = None
    origin: str | None = None
    since: datetime | None = Field(None, alias="from")
    until: datetime | None = Field(None, alias="to")
    min_p: float | None = None
    max_p: float | None = None
    q: str | None = None
    cursor: str | None = None
    limit: int = Field(50, ge=1, le=500)
    format: str | None = None

    def search(self) -> Search:
        given = {f.name: getattr(self, f.name) for f in fields(Search) if f.name not in ("text", "since", "until")}
        return Search(text=self.q, since=_utc(self.since), until=_utc(self.until), **given)


class Decision(BaseModel):
    """What an inspector decided about a part."""

    true_label: str = Field(pattern="^(ok_front|def_front|unclear)$")
    auditor: str = Field(min_length=1, max_length=128)
    defect_type: str | None = Field(None, max_length=128)
    note: str | None = Field(None, max_length=2000)
    blind: bool = False


class Acknowledgement(BaseModel):
    by: str = Field(min_length=1, max_length=128)


class Acknowledgements(Acknowledgement):
    event_ids: list[str] = Field(min_length=1, max_length=500)


@router.get("/inspections", summary="Search what was inspected")
async def search(request: Request, _caller: Reader, filters: Annotated[Filters, Query()]) -> Response:
    """Newest first; ``next`` is the cursor of the next page, ``took_ms`` what the ledger took to find this one.

    ``Accept: text/csv`` or ``format=csv`` gives all that matches as CSV; the latter, meant for people, begins with
    the mark by which spreadsheets know UTF-8.
    """
    services: Services = request.app.state.services
    if filters.format == "csv" or "text/csv" in request.headers.get("accept", ""):
        rows = _csv(services.records.stream(filters.search()), "\ufeff" if filters.format == "csv" else "")
        headers = {"Content-Disposition": 'attachment; filename="inspections.csv"'}
        return StreamingResponse(rows, media_type="text/csv; charset=utf-8", headers=headers)
    begin = time.perf_counter()
    page = await run_in_threadpool(services.records.search, filters.search(), filters.cursor, filters.limit)
    took = round((time.perf_counter() - begin) * 1000, 1)
    return JSONResponse({"items": [to_dict(event) for event in page.items], "next": page.next, "took_ms": took})


@router.get("/inspections/{event_id}", summary="One inspection with its audits")
async def inspection(request: Request, _caller: Reader, event_id: str) -> dict[str, Any]:
    """``picture``: whether it is still kept. ``acknowledged``: by whom and when its alert was, null if it was not."""
    services: Services = request.app.state.services
    found = await run_in_threadpool(services.records.inspection, event_id)
    audits = await run_in_threadpool(services.records.audits, event_id)
    seen = await run_in_threadpool(services.records.acknowledgement, event_id)
    return {
        "inspection": to_dict(found),
        "audits": [to_dict(audit) for audit in audits],
        "picture": await run_in_threadpool(services.records.has_picture, event_id),
        "acknowledged": None if seen is None else {"by": seen[0], "at": seen[1]},
    }


@router.get("/inspections/{event_id}/image", summary="The kept picture")
async def image(request: Request, _caller: Reader, event_id: str) -> Response:
    """The file as it was received; 404 when it was not kept or its time is over."""
    services: Services = request.app.state.services
    data = await run_in_threadpool(services.records.picture, event_id)
    # Whatever a stranger sent is shown as a picture and as nothing else.
    headers = {"Cache-Control": "private, max-age=86400", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(data, media_type=f"image/{format_of(data)}", headers=headers)


@router.get("/inspections/{event_id}/heatmap", summary="Where the network looked")
async def heatmap(request: Request, _caller: Reader, event_id: str) -> Response:
    """A grey PNG, light where the network saw a defect, of the picture's proportions."""
    services: Services = request.app.state.services
    data = await run_in_threadpool(services.records.picture, event_id)
    heat = await services.judge.heatmap(data)
    grey = (np.clip(heat, 0, 1) * 255).astype(np.uint8)
    return Response(cv2.imencode(".png", grey)[1].tobytes(), media_type="image/png")


@router.post("/inspections/{event_id}/audit", summary="Settle a part")
async def audit(request: Request, caller: Reader, event_id: str, decision: Decision) -> dict[str, Any]:
    """Record what a person found; the inspection itself is never changed."""
    services: Services = request.app.state.services
    found = await run_in_threadpool(services.records.inspection, event_id)
    event = Event(
        kind="audit",
        event_id=uuid7(),
        occurred_at=now(),
        request_id=request.state.request_id,
        inspection_id=found.event_id,
        true_label=decision.true_label,
        auditor=decision.auditor,
        defect_type=decision.defect_type,
        note=decision.note,
        blind=decision.blind,
        extra={"key_name": caller.name} if caller.name else {},
    )
    done = services.recorder.submit(Entry((Draft(event),), lambda _: b""))
    receipt = await run_in_threadpool(done.result)
    return to_dict(receipt.events[0])


@router.get("/review", summary="The next part to settle", responses={204: {"description": "Nothing waits."}})
async def review(
    request: Request, _caller: Reader, auditor: Annotated[str, Query(min_length=1, max_length=128)]
) -> Any:
    """The oldest waiting part, held for this auditor for two minutes."""
    services: Services = request.app.state.services
    held = await run_in_threadpool(services.records.next_to_review, auditor)
    if held is None:
        return Response(status_code=204)
    shown = to_dict(held.inspection)
    if held.blind:
        shown = {name: value for name, value in shown.items() if name not in _HIDDEN_WHEN_BLIND}
    return {"inspection": shown, "blind": held.blind, "waiting": held.waiting}


_HIDDEN_WHEN_BLIND = ("verdict", "prediction", "p_defect", "reasons", "audit_probability")


@router.post("/review/{event_id}/release", status_code=204, summary="Give a held part back")
async def release(
    request: Request,
    _caller: Reader,
    event_id: str,
    auditor: Annotated[str, Query(min_length=1, max_length=128)],
    skipped: bool = True,
) -> None:
    """Skipped, it goes to the end of the queue; otherwise it keeps its place."""
    services: Services = request.app.state.services
    await run_in_threadpool(services.records.release, event_id, auditor, skipped)


@router.get("/summary", summary="Today's figures")
async def summary(
    request: Request, _caller: Reader, hours: Annotated[int, Query(ge=1, le=24 * 31)] = 24
) -> dict[str, Any]:
    services: Services = request.app.state.services
    figures = await run_in_threadpool(services.records.summary, datetime.now(UTC) - timedelta(hours=hours))
    recent: RecentBacklog = request.app.state.backlog
    backlog = await recent.read()
    return {**figures, "backlog": backlog.events}


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


def _utc(when: datetime | None) -> datetime | None:
    if when is None:
        return None
    if when.tzinfo is None:
        raise BadRequest("bad_value", "Times need a zone, such as 2026-01-01T08:00:00+09:00.")
    return when.astimezone(UTC)


def _csv(events: Iterator[Event], begin: str) -> Iterator[str]:
    text = io.StringIO()
    text.write(begin)
    writer = csv.writer(text)
    writer.writerow(CSV_FIELDS)
    for event in events:
        values = [getattr(event, name) for name in CSV_FIELDS]
        writer.writerow([_cell(" ".join(v) if isinstance(v, tuple) else v) for v in values])
        if text.tell() > 64_000:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _cell(value: Any) -> Any:
    """A spreadsheet must not run what a stranger wrote into a field."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
