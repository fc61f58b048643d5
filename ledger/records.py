"""Reading the ledger back: history, details, pictures, today's figures."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from inspection.errors import BadRequest, NotFound
from inspection.events import Event, from_json, timestamp
from inspection.record import Page, Search
from ledger.answers import forget_old
from ledger.database import writing
from ledger.reviews import Reviews, waiting
from ledger.tables import events, pictures, relay

MAX_PAGE = 500
_EQUAL = ("verdict", "prediction", "model_version", "part_id", "lot", "line", "camera", "shift", "operator", "origin")


class Records(Reviews):
    """Implements ``inspection.record.Records``; the queue and the alerts come from ``Reviews``."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._engine = engine

    def search(self, search: Search, cursor: str | None = None, limit: int = 50) -> Page:
        """One page, newest first. Raises BadRequest (``bad_cursor``)."""
        limit = max(1, min(limit, MAX_PAGE))
        query = select(events.c.id, events.c.payload).where(*_conditions(search))
        if cursor is not None:
            if not cursor.isdigit():
                raise BadRequest("bad_cursor", "This is no cursor that a search returned.")
            query = query.where(events.c.id < int(cursor))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(events.c.id.desc()).limit(limit + 1)).all()
        items = tuple(from_json(row.payload) for row in rows[:limit])
        return Page(items, str(rows[limit - 1].id) if len(rows) > limit else None)

    def stream(self, search: Search) -> Iterator[Event]:
        cursor: str | None = None
        while True:
            page = self.search(search, cursor, MAX_PAGE)
            yield from page.items
            cursor = page.next
            if cursor is None:
                return

    def inspection(self, event_id: str) -> Event:
        with self._engine.connect() as connection:
            payload = connection.scalar(
                select(events.c.payload).where(events.c.event_id == event_id, events.c.kind == "inspection")
            )
        if payload is None:
            raise NotFound("no_such_inspection", "There is no inspection with this id.")
        return from_json(payload)

    def audits(self, inspection_id: str) -> Sequence[Event]:
        query = select(events.c.payload).where(events.c.inspection_id == inspection_id).order_by(events.c.id)
        with self._engine.connect() as connection:
            return [from_json(payload) for payload in connection.scalars(query)]

    def picture(self, event_id: str) -> bytes:
        query = (
            select(pictures.c.data)
            .join(events, events.c.image_sha256 == pictures.c.image_sha256)
            .where(events.c.event_id == event_id)
        )
        with self._engine.connect() as connection:
            data = connection.scalar(query)
        if data is None:
            raise NotFound("no_picture", "The picture of this inspection was not kept, or its time is over.")
        return bytes(data)

    def summary(self, since: datetime) -> dict[str, object]:
        """Counts by verdict, by line and by hour (UTC), waiting reviews, latency p50 and p99 in ms since ``since``."""
        recent = (events.c.kind == "inspection", events.c.occurred_at >= timestamp(since))
        hour = func.substr(events.c.occurred_at, 1, 13)
        with self._engine.connect() as connection:
            grouped = connection.execute(
                select(hour, events.c.line, events.c.verdict, func.count())
                .where(*recent)
                .group_by(hour, "line", "verdict")
            ).all()
            return {
                "since": timestamp(since),
                "verdicts": _totals((row[2], row[3]) for row in grouped),
                "cells": [{"hour": f"{h}:00:00Z", "line": line, "verdict": v, "count": n} for h, line, v, n in grouped],
                "waiting": waiting(connection),
                "latency_ms": _latency(connection, recent),
            }

    def writable(self) -> bool:
        """Whether a write transaction goes through now."""
        try:
            with writing(self._engine) as connection:
                connection.execute(select(relay.c.id))
        except SQLAlchemyError:
            return False
        return True

    def tidy(self, keep_pictures: timedelta) -> tuple[int, int]:
        """Delete pictures older than ``keep_pictures`` and keys older than a day; returns how many of each."""
        before = timestamp(datetime.now(UTC) - keep_pictures)
        with writing(self._engine) as connection:
            gone = connection.execute(delete(pictures).where(pictures.c.stored_at < before)).rowcount
            return gone, forget_old(connection)


def _conditions(search: Search) -> list[ColumnElement[bool]]:
    found = [events.c.kind == "inspection"]
    found += [events.c[name] == value for name in _EQUAL if (value := getattr(search, name)) is not None]
    if search.since is not None:
        found.append(events.c.occurred_at >= timestamp(search.since))
    if search.until is not None:
        found.append(events.c.occurred_at < timestamp(search.until))
    if search.min_p is not None:
        found.append(events.c.p_defect >= search.min_p)
    if search.max_p is not None:
        found.append(events.c.p_defect <= search.max_p)
    if search.text:
        columns = (events.c.event_id, events.c.part_id, events.c.lot, events.c.filename)
        found.append(or_(*(column.startswith(search.text, autoescape=True) for column in columns)))
    return found


def _totals(pairs: Any) -> dict[str, int]:
    totals: dict[str, int] = {}
    for name, count in pairs:
        totals[name] = totals.get(name, 0) + count
    return totals


def _latency(connection: Connection, recent: tuple[ColumnElement[bool], ...]) -> dict[str, float | None]:
    """Percentiles over the newest 10,000."""
    newest = select(events.c.latency_ms).where(*recent, events.c.latency_ms.is_not(None))
    values = sorted(connection.scalars(newest.order_by(events.c.id.desc()).limit(10_000)))
    if not values:
        return {"p50": None, "p99": None}
    return {"p50": values[len(values) // 2], "p99": values[min(len(values) - 1, len(values) * 99 // 100)]}
