"""What was inspected: search, CSV, one inspection with its picture and heatmap."""

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Annotated, Any

import cv2
import numpy as np
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, StreamingResponse

from app.access import Reader
from app.ports import Services
from inspection.errors import BadRequest
from inspection.events import Event, to_dict
from inspection.picture import format_of
from inspection.record import Search
from inspection.spreadsheet import cell

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


def _utc(when: datetime | None) -> datetime | None:
    if when is None:
        return None
    if when.tzinfo is None:
        raise BadRequest("bad_value", "Times need a zone, such as 2026-01-01T08:00:00+09:00.")
    try:
        return when.astimezone(UTC)
    except OverflowError as error:
        raise BadRequest("bad_value", "A time is out of range.") from error


def _csv(events: Iterator[Event], begin: str) -> Iterator[str]:
    text = io.StringIO()
    text.write(begin)
    writer = csv.writer(text)
    writer.writerow(CSV_FIELDS)
    for event in events:
        values = (getattr(event, name) for name in CSV_FIELDS)
        told = (" ".join(value) if isinstance(value, tuple) else value for value in values)
        writer.writerow([cell(value) if isinstance(value, str) else value for value in told])
        if text.tell() > 64_000:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()
